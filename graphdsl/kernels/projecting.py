"""Sources of several relations, each relation's through a matrix of its own, in one table.

Relations that use most nodes of their type share one wide product with the others from that type; those that use few are
given the rows that they use, in a grouped product.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.kernels.constants import constant
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.unions import Union

_FEW = 0.5
"""Share of the nodes of a type below which a relation's sources are picked out."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Which rows of the table belong to which node and relation.

    Attributes:
        groups: of each block of sources, the relations in its wide product.
        few: relations whose sources are picked out.
        picked: the rows that they use, as a layout with one edge in each row; None where there are none.
        bounds: where those of each begin.
        column: row of the table of each edge, or of each pair of a relation and a destination.
        rows: of the table.
    """

    groups: tuple[tuple[int, ...], ...]
    few: tuple[int, ...]
    picked: Layout | None
    bounds: tuple[int, ...]
    column: Tensor
    rows: int

    def table(
        self, x: Sequence[Tensor], weight: Tensor | Sequence[Tensor], bias: Tensor | Sequence[Tensor] | None = None
    ) -> Tensor:
        """The table [rows, width_out].

        Args:
            x: rows [nodes, width_in] of each block of sources.
            weight: of each relation [relations, width_out, width_in]; a list where blocks differ in width.
            bias: of each relation [relations, width_out].
        """
        return self.tables(x, [(weight, bias)])[0]

    def tables(
        self, x: Sequence[Tensor], maps: Sequence[tuple[Tensor | Sequence[Tensor], Tensor | Sequence[Tensor] | None]]
    ) -> list[Tensor]:
        """Several tables of the same rows, each with its own matrices and shifts: see `table`."""
        picked = None
        if self.picked is not None:
            picked = gather_sum(self.picked, x[0] if len(x) == 1 else torch.cat(list(x)))
        return [self._table(x, picked, weight, bias) for weight, bias in maps]

    def _table(
        self,
        x: Sequence[Tensor],
        picked: Tensor | None,
        weight: Tensor | Sequence[Tensor],
        bias: Tensor | Sequence[Tensor] | None,
    ) -> Tensor:
        width = weight[0].size(0)
        made = [
            functional.linear(
                x[block],
                _picked(weight, group).flatten(0, 1),
                None if bias is None else _picked(bias, group).flatten(),
            ).view(-1, width)
            for block, group in enumerate(self.groups)
            if group
        ]
        if picked is not None:
            rows = grouped_linear(picked, _picked(weight, self.few), self.bounds)
            if bias is not None:
                sizes = constant(self.bounds, rows.device).diff()
                rows = rows + _picked(bias, self.few).repeat_interleave(sizes, 0, output_size=self.bounds[-1])
            made.append(rows)
        return made[0] if len(made) == 1 else torch.cat(made)


def _picked(items: Tensor | Sequence[Tensor], members: Sequence[int]) -> Tensor:
    """What belongs to some relations, stacked."""
    if not isinstance(items, Tensor):
        return torch.stack([items[r] for r in members])
    if len(members) == items.size(0):
        return items
    return items.index_select(0, constant(tuple(members), items.device))


def lay_out_projection(union: Union, pick: bool = True) -> Projection:
    """Which relations of a union take part in wide products, and which pick out their sources; a row for each edge.

    Relations that share their matrices share the rows of a source, too: the first of them stands for all.

    Args:
        union: the relations.
        pick: whether sources may be picked out, which takes blocks of one width.

    >>> union = Union([torch.tensor([[0, 1], [0, 0]]), torch.tensor([[9], [0]])], [0, 0], [0, 0], [10], [1])
    >>> found = lay_out_projection(union)
    >>> found.groups, found.few, found.column.tolist()
    (((),), (0, 1), [0, 1, 2])
    """
    numbers, place = union.source_pairs
    found = _lay_out(union.source, union.source_rows, union.classes(union.source)[1], numbers, pick)
    return replace(found, column=found.column.index_select(0, place))


def lay_out_targets(union: Union, pick: bool = True) -> Projection:
    """The same of destinations, block by block; a row for each pair of a relation and a destination.

    >>> union = Union([torch.tensor([[0, 1], [0, 0]]), torch.tensor([[9], [0]])], [0, 0], [0, 0], [10], [1])
    >>> found = lay_out_targets(union)
    >>> found.groups, found.few, found.column.tolist()
    (((0, 1),), (), [0, 1])
    """
    numbers, place = union.target_pairs
    found = _lay_out(union.target, union.target_rows, union.classes(union.target)[1], numbers, pick)
    return replace(found, column=found.column.index_select(0, place))


def _lay_out(
    block_of: Sequence[int], block_rows: Sequence[int], members: Sequence[int], numbers: Tensor, pick: bool
) -> Projection:
    """A row for each pair of a relation and a node.

    Args:
        block_of: of each relation, the block of its nodes.
        block_rows: nodes of each block.
        members: the relations that have rows.
        numbers: of the pairs among the nodes of all members, one after another, sorted.
        pick: whether nodes may be picked out.
    """
    blocks = [block_of[r] for r in members]
    device, relations = numbers.device, range(len(blocks))
    rows = [block_rows[block] for block in blocks]
    starts, block_at = (0, *accumulate(rows)), (0, *accumulate(block_rows))
    ends = torch.searchsorted(numbers, torch.tensor(starts, device=device)).tolist()
    used = [high - low for low, high in pairwise(ends)]
    few = tuple(r for r in relations if pick and used[r] < _FEW * rows[r])
    groups = tuple(
        tuple(r for r in relations if blocks[r] == block and r not in few) for block in range(len(block_rows))
    )
    start, stride, total = [0] * len(blocks), [1] * len(blocks), 0
    for block, group in enumerate(groups):
        for number, r in enumerate(group):
            start[r], stride[r] = total + number, len(group)
        total += block_rows[block] * len(group)
    sizes = torch.tensor(used, device=device)

    def each(values: Sequence[int]) -> Tensor:
        return torch.tensor(values, device=device).repeat_interleave(sizes, output_size=numbers.numel())

    local = numbers - each(starts[:-1])
    column = local * each(stride) + each(start)
    named = tuple(tuple(members[r] for r in group) for group in groups)
    if not few:
        return Projection(named, (), None, (), column, total)
    bounds = [0, *accumulate(used[r] for r in few)]
    for number, r in enumerate(few):
        column[ends[r] : ends[r + 1]] = torch.arange(total + bounds[number], total + bounds[number + 1], device=device)
    local += each([block_at[block] for block in blocks])
    taken = torch.cat([local[ends[r] : ends[r + 1]] for r in few])
    picked = Layout.of(torch.arange(bounds[-1], device=device), taken, bounds[-1], block_at[-1])
    return Projection(named, tuple(members[r] for r in few), picked, tuple(bounds), column, total + bounds[-1])
