"""Aggregations other than plain sums, before a linear map: `SAGEConv`, `GraphConv` and `RGCNConv`, all relations at once.

A maximum of transformed rows is not the transform of the maximum: so neighbours are reduced first, for each pair of a relation
and a destination, and then comes the matrix of the relation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.fused.reducing import reduce_rows
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.fused.terms import linear_term
from graphdsl.backends.graph import Graph, Values
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.projecting import Projection, lay_out_projection
from graphdsl.kernels.unions import Union
from graphdsl.plan import RelationStage
from graphdsl.plan.reducing import is_zero_of_nothing


@dataclass(frozen=True, slots=True)
class Reduction:
    """A graph as reductions read it.

    Attributes:
        edges: from sources, or rows of the table of projected ones, to pairs of a relation and a destination.
        bounds: where the pairs of each relation begin.
        join: from pairs to destinations; None where they are the same.
        projection: rows of the table of projected sources.
    """

    edges: Layout
    bounds: tuple[int, ...]
    join: Layout | None
    projection: Projection | None


def lay_out_reduction(union: Union, every: bool, projected: bool = False) -> Reduction:
    """Lay out the edges of some relations.

    Args:
        union: the relations.
        every: whether each node that a relation may lead to gets something of it, also without an edge.
        projected: whether sources are transformed by a matrix of the relation before.
    """
    projection = lay_out_projection(union) if projected else None
    column, columns = union.column, union.source_at[-1]
    if projection is not None:
        column, columns = projection.column, projection.rows
    if not every:
        edges = Layout.of(union.pair_of_edge, column, union.pairs, columns)
        return Reduction(edges, tuple(union.pair_bounds), union.join, projection)
    starts = (0, *accumulate(union.target_rows[block] for block in union.target))
    shift = [start - union.target_at[block] for start, block in zip(starts, union.target, strict=False)]
    edges = Layout.of(union.row + union.each(shift), column, starts[-1], columns)
    if not any(shift) and starts[-1] == union.target_at[-1]:
        return Reduction(edges, starts, None, projection)
    pairs = torch.arange(starts[-1], device=union.device)
    place = torch.cat([pairs[low:high] - s for low, high, s in zip(starts, starts[1:], shift, strict=False)])
    return Reduction(edges, starts, Layout.of(place, pairs, union.target_at[-1], starts[-1]), projection)


def reduce_linear(
    layout: Reduction, aggregation: nn.Module, x: Tensor, weight: Tensor, given: Tensor | None = None
) -> Tensor:
    """Messages of all relations into each destination, added up [rows of all destinations, width_out].

    Args:
        layout: the graph.
        aggregation: of all relations.
        x: what is reduced [columns of the layout, width].
        weight: matrix behind the reduction of each relation [relations, width_out, width of the aggregation].
        given: of each edge, in the order it was given.
    """
    factor = None if given is None else given.index_select(0, layout.edges.order)
    made = grouped_linear(reduce_rows(aggregation, layout.edges, x, factor), weight, layout.bounds)
    return made if layout.join is None else gather_sum(layout.join, made)


def send_aggregating(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `SAGEConv` and `GraphConv` with one aggregation."""
    terms = [linear_term(step, module, stage, states, graph) for step, module in bucket.items()]
    layers: list[Any] = list(bucket.modules)
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    projected = bool(bucket.steps[0].module.arguments.get("project"))
    every = not is_zero_of_nothing(bucket.steps[0].module.arguments.get("aggr", "mean"))
    layout = bucket.keep(
        ("reduction", every, projected), index, lambda: lay_out_reduction(bucket.union(index), every, projected)
    )
    x = [bucket.values[name] for name in bucket.sources]
    if layout.projection is None:
        table = x[0] if len(x) == 1 else torch.cat(x)
    else:
        weight, bias = (torch.stack([getattr(layer.lin, name) for layer in layers]) for name in ("weight", "bias"))
        table = layout.projection.table(x, weight, bias).relu()
    given = weights_of_edges([term.given for term in terms], index, table)
    weight = torch.stack([term.weight for term in terms])
    total = reduce_linear(layout, layers[0].aggr_module, table, weight, given)
    return with_roots(bucket, total, [term.root for term in terms], [term.bias for term in terms])


def weights_of_edges(given: Sequence[Tensor | None], index: Sequence[Tensor], like: Tensor) -> Tensor | None:
    """Weights of the edges of several relations, 1 where a relation has none; None where none has."""
    if all(item is None for item in given):
        return None
    return torch.cat(
        [
            like.new_ones(edges.size(1)) if item is None else item.view(-1).to(like.dtype)
            for item, edges in zip(given, index, strict=True)
        ]
    )
