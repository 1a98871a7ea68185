"""Edges of several relations that compete for a destination: one softmax over all of them.

A score may depend on the relation and the destination, so there are rows for pairs of these, too. Edges stand sorted by
destination and there by relation, so that one order of edges serves sums over destinations and sums over pairs.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels.layouts import Layout, lasting
from graphdsl.kernels.normalizing import segment_sum
from graphdsl.kernels.sorting import sort_order
from graphdsl.kernels.unions import Union


@dataclass(frozen=True, slots=True)
class PairedLayout:
    """Edges by destination and by pair of a relation and a destination, each row once a head.

    Attributes:
        edges: from columns to destinations.
        pairs: the same edges in the same order, to the pairs: those of a row of `edges` stand one behind the other.
        place: of each row of `pairs`, its place in a table [pairs of the union, heads].
    """

    edges: Layout
    pairs: Layout
    place: Tensor

    @lasting
    def first(self, rows: int) -> "PairedLayout":
        """The edges into the first rows of `edges`, from all columns."""
        if rows == self.edges.rows:
            return self
        last = int(self.edges.pointer[rows])
        pairs = int(torch.searchsorted(self.pairs.offsets, last))
        return PairedLayout(
            _first(self.edges, rows, last), _first(self.pairs, pairs, last), self.place[:pairs].contiguous()
        )


def _first(layout: Layout, rows: int, edges: int) -> Layout:
    return Layout(rows, layout.columns, layout.pointer[: rows + 1], layout.column[:edges], layout.order[:edges])


def lay_out_pairs(union: Union, column: Tensor, columns: int, heads: int) -> PairedLayout:
    """Lay out relations whose edges compete.

    Args:
        union: the relations.
        column: row of a table that each edge leads from [edges].
        columns: rows of that table.
        heads: of the attention.

    >>> union = Union([torch.tensor([[0, 1], [1, 0]]), torch.tensor([[1], [1]])], [0, 0], [0, 0], [2], [2])
    >>> layout = lay_out_pairs(union, union.column, 2, 1)
    >>> layout.edges.pointer.tolist(), layout.edges.column.tolist(), layout.pairs.pointer.tolist()
    ([0, 1, 3], [1, 0, 1], [0, 1, 2, 3])
    >>> layout.place.tolist()
    [0, 1, 2]
    """
    rows, pairs = union.target_at[-1], union.pairs
    order = sort_order(union.pair_row, rows)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(pairs, device=order.device)
    single = Layout.of(rank.index_select(0, union.pair_of_edge), column, pairs, columns)
    ends = torch.bincount(union.pair_row, minlength=rows).cumsum(0)
    inner = torch.cat([ends.new_zeros(1), ends])
    edges = Layout(rows, columns, single.pointer.index_select(0, inner), single.column, single.order).heads(heads)
    many = Layout(rows, pairs, inner, order, order).heads(heads)
    own = single.degree.index_select(0, rank.index_select(0, torch.div(many.column, heads, rounding_mode="floor")))
    pointer = torch.cat([own.new_zeros(1), own.cumsum(0)]).to(edges.pointer.dtype)
    return PairedLayout(edges, Layout(pairs * heads, edges.columns, pointer, edges.column, edges.order), many.column)


def from_rows(layout: Layout, value: Tensor) -> Tensor:
    """A number of its row, for each edge.

    Args:
        layout: the edges.
        value: [rows].

    Returns:
        [edges], in the order of the layout.

    >>> from_rows(Layout.of(torch.tensor([1, 0]), torch.tensor([0, 0]), 2, 1), torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    made = _FromRows.apply(value, layout)
    assert isinstance(made, Tensor)
    return made


def from_columns(layout: Layout, value: Tensor) -> Tensor:
    """A number of its column, for each edge; see `from_rows`.

    Args:
        layout: the edges.
        value: [columns].
    """
    made = _FromColumns.apply(value, layout)
    assert isinstance(made, Tensor)
    return made


class _FromRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        return value.index_select(0, layout.row)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:  # type: ignore[override]
        return segment_sum(ctx.layout, gradients[0].contiguous()), None


class _FromColumns(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        return value.index_select(0, layout.column)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:  # type: ignore[override]
        back: Layout = ctx.layout.back
        return segment_sum(back, gradients[0].index_select(0, back.order)), None
