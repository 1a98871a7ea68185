"""Edges in the order in which sums over them are fast: sorted by destination, and the way back sorted by source."""

from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from graphdsl.kernels.long_rows import LongRows, cut_long_rows
from graphdsl.kernels.sorting import sort_order

_FITS = (1 << 31) - 1
"""The largest number of 32 bits: positions that fit are half as large."""


lasting = torch.inference_mode(mode=False)
"""Marks a function whose tensors are kept: those made inside of `torch.inference_mode` could never take part in training."""


class Layout:
    """Edges between rows (destinations) and columns (sources), sorted by row.

    What a sum over edges needs is made once for a graph and then only read. The order of edges in a row is the one they
    were given in, so that sums come out the same each time.

    Attributes:
        rows: number of destinations.
        columns: number of sources.
        pointer: where each row's edges begin, [rows + 1]; 32 bits where that is enough.
        column: source of each edge, [edges].
        order: number of each edge among those given, [edges].
    """

    def __init__(self, rows: int, columns: int, pointer: Tensor, column: Tensor, order: Tensor) -> None:
        self.rows = rows
        self.columns = columns
        self.pointer = pointer
        self.column = column
        self.order = order
        self._heads: dict[int, Layout] = {}
        self._pieces: dict[int, list[tuple[int, int, int, int]]] = {}
        self._long: dict[int, LongRows | None] = {}

    @classmethod
    def of(cls, row: Tensor, column: Tensor, rows: int, columns: int) -> Self:
        """Lay out edges.

        Args:
            row: destination of each edge [edges], in the range of `rows`.
            column: source of each edge [edges], in the range of `columns`.
            rows: number of destinations.
            columns: number of sources.

        >>> layout = Layout.of(torch.tensor([1, 0, 1]), torch.tensor([0, 1, 2]), 2, 3)
        >>> layout.pointer.tolist(), layout.column.tolist(), layout.order.tolist()
        ([0, 1, 3], [1, 0, 2], [1, 0, 2])
        """
        kind = torch.int32 if max(rows, columns, row.numel()) <= _FITS else torch.int64
        order = sort_order(row, rows)
        ends = torch.bincount(row, minlength=rows).cumsum(0)
        pointer = torch.cat([ends.new_zeros(1), ends]).to(kind)
        return cls(rows, columns, pointer, column.to(kind).index_select(0, order), order.to(kind))

    @property
    def edges(self) -> int:
        """Number of edges."""
        return self.column.numel()

    @cached_property
    @lasting
    def offsets(self) -> Tensor:
        """`pointer` in 64 bits."""
        return self.pointer.long()

    @cached_property
    @lasting
    def degree(self) -> Tensor:
        """Number of edges of each row [rows], int64."""
        return self.offsets.diff()

    @cached_property
    @lasting
    def row(self) -> Tensor:
        """Destination of each edge [edges]."""
        return torch.arange(self.rows, dtype=self.column.dtype, device=self.column.device).repeat_interleave(
            self.degree, output_size=self.edges
        )

    @cached_property
    @lasting
    def back(self) -> "Layout":
        """The same edges from columns to rows; its `order` says where each stands here."""
        return Layout.of(self.column, self.row, self.columns, self.rows)

    def pieces(self, most: int) -> list[tuple[int, int, int, int]]:
        """First and last row, first and last edge of pieces of whole rows, with about `most` edges each.

        >>> Layout.of(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 0, 0]), 3, 1).pieces(2)
        [(0, 1, 0, 2), (1, 3, 2, 4)]
        """
        if self.edges <= most:
            return [(0, self.rows, 0, self.edges)]
        if most not in self._pieces:
            marks = torch.arange(most, self.edges, most, device=self.offsets.device)
            inner = torch.searchsorted(self.offsets, marks).clamp(max=self.rows).unique().tolist()
            rows = sorted({0, *inner, self.rows})
            ends = self.offsets[torch.tensor(rows, device=self.offsets.device)].tolist()
            self._pieces[most] = list(zip(rows, rows[1:], ends, ends[1:], strict=False))
        return self._pieces[most]

    @lasting
    def long_rows(self, most: int) -> LongRows | None:
        """Rows with more than `most` edges, in chunks; None where there are none."""
        if most not in self._long:
            self._long[most] = cut_long_rows(self.offsets, most)
        return self._long[most]

    def heads(self, count: int) -> "Layout":
        """The layout in which each row and column stands `count` times, once for each head.

        Row `i * count + h` has the edges of row `i`, which come from columns `j * count + h`; so values [rows, heads, width]
        are read as [rows * heads, width]. `order` says where a number is in a table [given edges, heads].

        >>> layout = Layout.of(torch.tensor([0, 0]), torch.tensor([1, 0]), 1, 2).heads(2)
        >>> layout.pointer.tolist(), layout.column.tolist(), layout.order.tolist()
        ([0, 2, 4], [2, 0, 3, 1], [0, 2, 1, 3])
        """
        if count == 1:
            return self
        if count not in self._heads:
            self._heads[count] = self._expand(count)
        return self._heads[count]

    @lasting
    def _expand(self, count: int) -> "Layout":
        device = self.column.device
        large = max(self.rows, self.columns, self.edges) * count
        kind = torch.int32 if large <= _FITS else torch.int64
        degree = self.degree.repeat_interleave(count)
        ends = degree.cumsum(0)
        pointer = torch.cat([ends.new_zeros(1), ends])
        # Where an edge of head h of row i stands: behind the earlier heads of its row.
        row = torch.arange(self.rows, device=device).repeat_interleave(self.degree, output_size=self.edges)
        place = torch.arange(self.edges, device=device) + self.offsets[row] * (count - 1)
        places = place.unsqueeze(1) + self.degree[row].unsqueeze(1) * torch.arange(count, device=device)
        head = torch.arange(count, dtype=kind, device=device)
        column = torch.empty(self.edges * count, dtype=kind, device=device)
        column[places] = self.column.to(kind).unsqueeze(1) * count + head
        order = torch.empty(self.edges * count, dtype=kind, device=device)
        order[places] = self.order.to(kind).unsqueeze(1) * count + head
        return Layout(self.rows * count, self.columns * count, pointer.to(kind), column, order)


def number_distinct(numbers: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The distinct ones among some numbers, sorted, and which of them each is.

    Args:
        numbers: whole numbers from 0 to `size` - 1, [count].
        size: how many there can be.

    Returns:
        The distinct numbers [distinct] and the place of each [count], int64.

    >>> number_distinct(torch.tensor([5, 2, 5]), 6)
    (tensor([2, 5]), tensor([1, 0, 1]))
    """
    if size > max(8 * numbers.numel(), 1 << 16):
        return torch.unique(numbers.long(), return_inverse=True)
    seen = torch.zeros(size, dtype=torch.int64, device=numbers.device)
    seen[numbers.long()] = 1
    place = seen.cumsum(0) - 1
    return seen.nonzero().squeeze(1), place[numbers.long()]
