"""Hops whose relation is chosen softly: sums over all relations at once, each with its share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.kernels import EntryList, KeptResults, SparseMatrix, as_wide, sparse_matrix
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class SoftHops:
    """What arrives by every relation at once, and the identity beside them.

    Attributes:
        arriving: [rows, nodes]: a row for each relation and node into which it leads.
        relation: number of the relation of each row [rows].
        node: number of the node of each row [rows].
    """

    arriving: SparseMatrix | EntryList
    relation: Tensor
    node: Tensor

    def hop(self, z: Tensor, share: Tensor) -> Tensor:
        """One hop of all channels.

        Args:
            z: [nodes, channels, width].
            share: [channels, relations + 1], the identity last.
        """
        came = (self.arriving @ z.flatten(1)).view(-1, *z.shape[1:])
        weighed = came * share[:, self.relation].t().unsqueeze(-1).to(came.dtype)
        return (z * share[:, -1:].to(z.dtype)).index_add(0, self.node, weighed)


def soft_hops(
    relations: Sequence[EdgeKey],
    edges: Sequence[Tensor],
    starts: Mapping[str, int],
    nodes: int,
    dtype: torch.dtype,
    kept: KeptResults,
    *,
    averaged: bool,
) -> SoftHops:
    """Hops over the relations of one graph, kept while it lives.

    Args:
        relations: keys.
        edges: edge index [2, edges] of each; parallel edges are counted each.
        starts: where each node type begins in the common numbering.
        nodes: of all types.
        dtype: of the features.
        kept: what the layer keeps.
        averaged: the mean of what comes by a relation, not the sum.
    """
    return kept.fetch(
        (as_wide(dtype), averaged),
        edges,
        [*starts.items(), nodes],
        lambda: _lay_out(relations, edges, starts, nodes, dtype, averaged),
    )


def _lay_out(
    relations: Sequence[EdgeKey],
    edges: Sequence[Tensor],
    starts: Mapping[str, int],
    nodes: int,
    dtype: torch.dtype,
    averaged: bool,
) -> SoftHops:
    source = torch.cat([edge[0] + starts[key[0]] for edge, key in zip(edges, relations, strict=True)])
    target = torch.cat([edge[1] + starts[key[2]] for edge, key in zip(edges, relations, strict=True)])
    relation = torch.cat([torch.full_like(edge[0], number) for number, edge in enumerate(edges)])
    if torch.compiler.is_compiling():  # A row for each edge: how many different ones there are is a value.
        place = relation * nodes + target
        degree = place.new_zeros(len(edges) * nodes).index_add(0, place, torch.ones_like(place))[place]
        row = torch.arange(place.numel(), device=place.device)
        matrix = sparse_matrix(row, source, _values(degree, dtype, averaged), (place.numel(), nodes))
        return SoftHops(matrix, relation, target)
    rows, row, degree = torch.unique(relation * nodes + target, return_inverse=True, return_counts=True)
    matrix = sparse_matrix(row, source, _values(degree[row], dtype, averaged), (rows.numel(), nodes))
    return SoftHops(matrix, torch.div(rows, max(nodes, 1), rounding_mode="floor"), rows % max(nodes, 1))


def _values(degree: Tensor, dtype: torch.dtype, averaged: bool) -> Tensor:
    wide = degree.to(as_wide(dtype))
    return wide.reciprocal() if averaged else torch.ones_like(wide)
