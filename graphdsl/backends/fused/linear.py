"""Sums of neighbours behind a linear map: `SAGEConv`, `GraphConv`, `GCNConv`, `RGCNConv` and the like, all relations at once.

A message into a node is the sum over its edges of weight times row, and the sum over relations of that times a matrix. Both
are linear, so each relation is computed in the cheaper order: all relations that transform their sources first share one
wide product per node type and one sum; all others one sum, one grouped product, and one sum over relations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from graphdsl.kernels.constants import constant
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
        members: number of each among all relations.
        counts: edges of each.
        layout: the edges, from rows of what is summed to destinations or pairs.
        projection: of relations that transform first, how.
        owners: of relations that sum first, those whose matrices serve them, as places in `members`; some may share theirs.
        bounds: where the pairs of each of these begin.
        join: from pairs to destinations.
        factor: constant factor of each edge in the order of the layout, in double precision.
        scale: the same by dtype, as far as it was asked for.
    """

    members: tuple[int, ...]
    counts: tuple[int, ...]
    layout: Layout
    projection: Projection | None
    owners: tuple[int, ...]
    bounds: tuple[int, ...]
    join: Layout | None
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
                self.scale[dtype] = self.factor.to(dtype)
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


def lay_out_linear(union: Union, factor: Sequence[Tensor | str | None], widths: tuple[int, int]) -> LinearLayout:
    """Choose the order of each relation and lay out its edges.

    Args:
        union: the relations.
        factor: of each "mean" to divide by the number of edges, factors [edges], or None.
        widths: columns before and behind the matrices.
    """
    if not any(union.counts):
        return LinearLayout((), union.target_at[-1])
    factors = _factors(union, factor)
    sizes = [high - low for low, high in pairwise(union.pair_bounds)]
    first = [
        transforms_first(union.counts[r], union.source_rows[union.source[r]], sizes[r], *widths)
        for r in range(union.relations)
    ]
    parts: list[Part] = []
    for way in (True, False):
        members = tuple(r for r in range(union.relations) if first[r] is way and union.counts[r])
        if members:
            given = None if factors is None else torch.cat([factors[r] for r in members])
            parts.append(_lay_out_part(union.part(members), members, given, way))
    return LinearLayout(tuple(parts), union.target_at[-1])


def lay_out_sum(union: Union, factor: Sequence[Tensor | str | None]) -> Part:
    """Lay out edges for sums without a matrix, from sources to destinations.

    Args:
        union: the relations.
        factor: see `lay_out_linear`.
    """
    layout = union.wide(union.column, union.source_at[-1])
    factors = _factors(union, factor)
    ordered = None if factors is None else torch.cat(factors).index_select(0, layout.order)
    return Part(tuple(range(union.relations)), union.counts, layout, None, (), (), None, ordered)


def sum_part(part: Part, x: Sequence[Tensor], given: Sequence[Tensor | None] | None) -> Tensor:
    """Sums of neighbours of all relations without a matrix [rows of all blocks of destinations, width].

    Args:
        part: what `lay_out_sum` made.
        x: rows [nodes, width] of each block of sources.
        given: of each relation factors [edges] of this call.
    """
    table = x[0] if len(x) == 1 else torch.cat(list(x))
    return gather_sum(part.layout, table, part.weights(table.dtype, _own(part, given, table)))


def _lay_out_part(union: Union, members: tuple[int, ...], factor: Tensor | None, transform: bool) -> Part:
    if transform:
        projection = lay_out_projection(union)
        layout = union.wide(projection.column, projection.rows)
        ordered = None if factor is None else factor.index_select(0, layout.order)
        return Part(members, union.counts, layout, projection, (), (), None, ordered)
    owners, bounds, pairs, join = union.by_target()
    layout = Layout.of(pairs, union.column, join.columns, union.source_at[-1])
    ordered = None if factor is None else factor.index_select(0, layout.order)
    return Part(members, union.counts, layout, None, owners, bounds, join, ordered)


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
            made.append(
                share[number] if item else torch.ones(union.counts[number], dtype=torch.float64, device=union.device)
            )
    return made


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
        made = _sum_part(part, x, _of_members(weight, part), _own(part, given, x[0]))
        total = made if total is None else total + made
    if total is None:  # No edges; parameters still get a gradient of zeros.
        return x[0].new_zeros(layout.rows, weight.size(1)) + 0 * weight.sum()
    return total


def _own(part: Part, given: Sequence[Tensor | None] | None, like: Tensor) -> Tensor | None:
    """Factors of this call of all edges of a part; 1 where a relation has none."""
    if given is None:
        return None
    made = [
        like.new_ones(count) if (item := given[r]) is None else item
        for r, count in zip(part.members, part.counts, strict=True)
    ]
    return torch.cat(made)


def _of_members(weight: Tensor, part: Part) -> Tensor:
    if len(part.members) == weight.size(0):
        return weight
    return weight.index_select(0, constant(part.members, weight.device))


def _sum_part(part: Part, x: Sequence[Tensor], weight: Tensor, given: Tensor | None) -> Tensor:
    if part.projection is not None:
        table = part.projection.table(x, weight)
        return gather_sum(part.layout, table, part.weights(table.dtype, given))
    assert part.join is not None
    table = x[0] if len(x) == 1 else torch.cat(list(x))
    summed = gather_sum(part.layout, table, part.weights(table.dtype, given))
    own = weight if len(part.owners) == weight.size(0) else weight.index_select(0, constant(part.owners, weight.device))
    return gather_sum(part.join, grouped_linear(summed, own, part.bounds))
