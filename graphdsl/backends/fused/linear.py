"""Sums of neighbours behind a linear map: `SAGEConv`, `GraphConv`, `GCNConv`, `RGCNConv` and the like, all relations at once.

A message into a node is the sum over its edges of weight times row, and the sum over relations of that times a matrix. Both
are linear, so each relation is computed in the cheaper order: all relations that transform their sources first share one
wide product per node type and one sum; all others one sum, one grouped product, and one sum over relations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.ordering import transforms_first
from graphdsl.kernels.projecting import Projection, lay_out_projection
from graphdsl.kernels.unions import Union


@dataclass(frozen=True, slots=True)
class Part:
    """Relations that are computed in one order.

    Attributes:
        union: their edges.
        members: number of each among all relations.
        layout: the edges, from rows of what is summed to destinations or pairs.
        projection: of relations that transform first, how; None for the others.
        scale: constant factor of each edge in the order of the layout, by dtype; empty where there is none.
    """

    union: Union
    members: tuple[int, ...]
    layout: Layout
    projection: Projection | None
    factor: Tensor | None
    scale: dict[torch.dtype, Tensor] = field(default_factory=dict[torch.dtype, Tensor])

    def weights(self, dtype: torch.dtype, given: Tensor | None) -> Tensor | None:
        """Factor of each edge, in the order of the layout.

        Args:
            dtype: of the factors.
            given: factors of this call, of each edge in the order it was given.
        """
        if self.factor is not None and dtype not in self.scale:
            with torch.inference_mode(mode=False):
                self.scale[dtype] = self.factor.to(dtype).index_select(0, self.layout.order)
        constant = None if self.factor is None else self.scale[dtype]
        if given is None:
            return constant
        own = given.to(dtype).index_select(0, self.layout.order)
        return own if constant is None else own * constant


@dataclass(frozen=True, slots=True)
class LinearLayout:
    """How a graph's relations are computed: see the module."""

    parts: tuple[Part, ...]
    rows: int


def lay_out_linear(
    index: Sequence[Tensor],
    source: Sequence[int],
    target: Sequence[int],
    source_rows: Sequence[int],
    target_rows: Sequence[int],
    factor: Sequence[Tensor | str | None],
    widths: tuple[int, int],
) -> LinearLayout:
    """Choose the order of each relation and lay out its edges.

    Args:
        index: edges [2, edges] of each relation.
        source: block of sources of each relation.
        target: block of destinations.
        source_rows: number of nodes of each block of sources.
        target_rows: number of nodes of each block of destinations.
        factor: of each relation "mean" to divide by the number of edges, factors [edges], or None.
        widths: columns before and behind the matrices.

    Raises:
        EdgeOutside: if an edge leads from or to a node that is not there.
    """
    everything = Union(index, source, target, source_rows, target_rows)
    if not any(everything.counts):
        return LinearLayout((), everything.target_at[-1])
    factors = _factors(everything, factor)
    bounds = everything.pair_bounds
    first = [
        transforms_first(everything.counts[r], source_rows[source[r]], bounds[r + 1] - bounds[r], *widths)
        for r in range(everything.relations)
    ]
    parts: list[Part] = []
    for way in (True, False):
        members = tuple(r for r in range(everything.relations) if first[r] is way and everything.counts[r])
        if members:
            union = everything if len(members) == everything.relations else _chosen(index, everything, members)
            given = None if factors is None else torch.cat([factors[r] for r in members])
            parts.append(_transform_part(union, members, given) if way else _sum_part(union, members, given))
    return LinearLayout(tuple(parts), everything.target_at[-1])


def _chosen(index: Sequence[Tensor], union: Union, members: Sequence[int]) -> Union:
    return Union(
        [index[r] for r in members],
        [union.source[r] for r in members],
        [union.target[r] for r in members],
        union.source_rows,
        union.target_rows,
    )


def _factors(union: Union, factor: Sequence[Tensor | str | None]) -> list[Tensor] | None:
    if all(item is None for item in factor):
        return None
    share: tuple[Tensor, ...] = ()
    if any(isinstance(item, str) for item in factor):
        degree = union.pair_degree.double().reciprocal()
        share = degree.index_select(0, union.pair_of_edge).split(union.counts)
    made: list[Tensor] = []
    for number, item in enumerate(factor):
        if isinstance(item, Tensor):
            made.append(item.double())
        else:
            made.append(share[number] if item else torch.ones(union.counts[number], dtype=torch.float64))
    return made


def _transform_part(union: Union, members: tuple[int, ...], factor: Tensor | None) -> Part:
    projection = lay_out_projection(union)
    return Part(union, members, union.wide(projection.column, projection.rows), projection, factor)


def _sum_part(union: Union, members: tuple[int, ...], factor: Tensor | None) -> Part:
    return Part(union, members, union.by_pair, None, factor)


def sum_linear(
    layout: LinearLayout, x: Sequence[Tensor], weight: Tensor, given: Sequence[Tensor | None] | None = None
) -> Tensor:
    """Messages of all relations into each destination, added up.

    Args:
        layout: the graph.
        x: rows [nodes, width_in] of each block of sources.
        weight: of each relation [relations, width_out, width_in].
        given: of each relation factors [edges] of this call.

    Returns:
        [rows of all blocks of destinations, width_out].
    """
    total: Tensor | None = None
    for part in layout.parts:
        own = None
        if given is not None:
            own = torch.cat([_factor_or_one(given[r], part.union.counts[i], x[0]) for i, r in enumerate(part.members)])
        if part.projection is not None:
            made = _transform_then_sum(part, part.projection, x, weight, own)
        else:
            made = _sum_then_transform(part, x, weight, own)
        total = made if total is None else total + made
    if total is None:  # No edges; parameters still get a gradient of zeros.
        return x[0].new_zeros(layout.rows, weight.size(1)) + 0 * weight.sum()
    return total


def _factor_or_one(given: Tensor | None, edges: int, like: Tensor) -> Tensor:
    return like.new_ones(edges) if given is None else given


def _of_members(weight: Tensor, part: Part) -> Tensor:
    if len(part.members) == weight.size(0):
        return weight
    return weight.index_select(0, torch.tensor(part.members, device=weight.device))


def _transform_then_sum(
    part: Part, projection: Projection, x: Sequence[Tensor], weight: Tensor, given: Tensor | None
) -> Tensor:
    table = projection.table(x, _of_members(weight, part))
    return gather_sum(part.layout, table, part.weights(table.dtype, given))


def _sum_then_transform(part: Part, x: Sequence[Tensor], weight: Tensor, given: Tensor | None) -> Tensor:
    table = x[0] if len(x) == 1 else torch.cat(list(x))
    summed = gather_sum(part.layout, table, part.weights(table.dtype, given))
    made = grouped_linear(summed, _of_members(weight, part), part.union.pair_bounds)
    return gather_sum(part.union.join, made)
