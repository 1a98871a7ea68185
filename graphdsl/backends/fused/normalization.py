"""The edges that layers really sum over, and their factors: means, and the symmetric normalization of GCN."""

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from graphdsl.backends.fused.relations import Bucket

Factor = Tensor | str | None
"""Factors [edges] of a relation, "mean" to divide by the number of edges of each pair, or None."""


def gcn_kind(improved: bool, loops: bool, weighted: bool) -> Hashable:
    """How GCN normalizes sums over the edges of a relation.

    Args:
        improved: whether a self-loop counts twice.
        loops: whether nodes without a self-loop are given one.
        weighted: whether factors follow from weights of each call.
    """
    return "gcn", improved, loops, weighted


def lay_out_factors(
    bucket: Bucket, kinds: Sequence[Hashable], index: Sequence[Tensor]
) -> tuple[list[Tensor], list[Factor]]:
    """Edges with the self-loops that layers add, and factors as far as they follow from the graph.

    Args:
        bucket: the steps.
        kinds: of each "mean", what `gcn_kind` gives, or None.
        index: edges [2, edges] of each.
    """
    edges: list[Tensor] = []
    factors: list[Factor] = []
    for number, (kind, item) in enumerate(zip(kinds, index, strict=True)):
        factor: Factor = "mean" if kind == "mean" else None
        if isinstance(kind, tuple):
            item, made = _gcn(bucket, number, kind, item, None)
            factor = None if kind[3] else made
        edges.append(item)
        factors.append(factor)
    return edges, factors


def factors_of_call(
    bucket: Bucket, kinds: Sequence[Hashable], index: Sequence[Tensor], given: Sequence[Tensor | None]
) -> list[Tensor | None] | None:
    """Factors that follow from weights of this call, of edges as `lay_out_factors` gives them; None where no weights are."""
    if all(item is None for item in given):
        return None
    made = list(given)
    for number, (kind, item) in enumerate(zip(kinds, given, strict=True)):
        if isinstance(kind, tuple) and item is not None:
            _, made[number] = _gcn(bucket, number, kind, index[number], item)
    return made


def _gcn(
    bucket: Bucket, number: int, kind: tuple[Any, ...], index: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    """PyG's own normalization; that of a graph alone in double precision, since it is kept."""
    size = bucket.rows[bucket.target[number]]
    dtype = torch.float64 if weight is None else weight.dtype
    made: Any = gcn_norm(index, weight, size, kind[1], kind[2], "source_to_target", dtype)
    return made
