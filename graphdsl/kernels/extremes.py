"""Largest and smallest of the rows that edges lead from, column by column, and their gradients.

Torch's product of a sparse matrix that keeps the extreme instead of the sum reads rows where they are. The gradient needs to
know who is equal to the extreme: rows are gathered again, as many at once as stay in the cache of a core. So nothing of the
size of the edges times the width is kept, or made at once, however many edges a single destination has.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels import plain
from graphdsl.kernels.csr import csr_matrix
from graphdsl.kernels.gathering import sum_slices
from graphdsl.kernels.implementations import Implementation, at_once, implementation_of
from graphdsl.kernels.layouts import Layout

_PIECE = 1 << 17
"""Numbers of gathered rows that are worked on at once."""


def gather_max(layout: Layout, x: Tensor, weight: Tensor | None = None) -> Tensor:
    """Largest of the rows of `x` that edges lead from, each times the weight of its edge, column by column.

    Gradients are those of PyG's `scatter(…, reduce="max")` on a CPU: edges that are equal share one. Where the result is zero,
    a zero that torch begins with takes a share too, which is lost.

    Args:
        layout: the edges.
        x: [columns, width].
        weight: of each edge, in the order of the layout [edges].

    Returns:
        [rows, width]; rows without an edge are zero.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> gather_max(layout, torch.tensor([[1.0, -5.0], [2.0, -7.0]]))
    tensor([[ 0.,  0.],
            [ 2., -5.]])
    """
    return _gather(layout, x, weight, largest=True)


def gather_min(layout: Layout, x: Tensor, weight: Tensor | None = None) -> Tensor:
    """Smallest of the rows of `x` that edges lead from: see `gather_max`.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> gather_min(layout, torch.tensor([[1.0, -5.0], [2.0, -7.0]]))
    tensor([[ 0.,  0.],
            [ 1., -7.]])
    """
    return _gather(layout, x, weight, largest=False)


def _gather(layout: Layout, x: Tensor, weight: Tensor | None, largest: bool) -> Tensor:
    by = implementation_of(x)
    if by == "torch":
        return plain.gather_extreme(layout, x, weight, largest)
    made = _GatherExtreme.apply(x, weight, layout, largest, by)
    assert isinstance(made, Tensor)
    return made


def spans(layout: Layout, width: int) -> Iterator[tuple[slice, slice, Tensor]]:
    """Pieces of the edges of a layout: their rows, their edges, and where in the piece those of each row begin.

    A row with many edges is in several pieces; one without any may be in none.

    Args:
        layout: the edges.
        width: numbers of each edge.

    >>> layout = Layout.of(torch.tensor([0, 2, 2]), torch.tensor([0, 0, 0]), 3, 1)
    >>> [(rows.start, rows.stop, pointer.tolist()) for rows, _, pointer in spans(layout, 1 << 16)]
    [(0, 3, [0, 1, 1, 2]), (2, 3, [0, 1])]
    """
    if layout.edges == 0 or width == 0:
        return
    step = max(1, at_once(_PIECE, layout.column) // width)
    first = range(0, layout.edges, step)
    last = [min(at + step, layout.edges) - 1 for at in first]
    ends = layout.row[torch.tensor([*first, *last], device=layout.row.device)].tolist()
    for number, at in enumerate(first):
        rows = slice(ends[number], ends[number + len(last)] + 1)
        stop = last[number] + 1
        yield rows, slice(at, stop), (layout.pointer[rows.start : rows.stop + 1] - at).clamp(0, stop - at)


class _GatherExtreme(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, layout: Layout, largest: bool, by: Implementation
    ) -> Tensor:
        x = x.contiguous()
        ctx.layout, ctx.by, count = layout, by, None
        if by == "triton":
            from graphdsl.kernels.triton import extremes as kernels

            made, count = kernels.extreme(layout, x, _like(x, weight), largest)
        else:
            made = _extreme(layout, x, weight, largest)
        ctx.save_for_backward(x, weight, made, count)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight, made, count = ctx.saved_tensors
        layout: Layout = ctx.layout
        if count is not None:
            return *_backwards(layout, (x, weight, made, count), gradients[0], ctx.needs_input_grad), None, None, None
        share = gradients[0] / (_count(layout, x, weight, made) + (made == 0))
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = _of_columns(layout.back, x, weight, made, share)
        if weight is not None and ctx.needs_input_grad[1]:
            of_weight = _of_edges(layout, x, weight, made, share)
        return of_x, of_weight, None, None, None


def _like(x: Tensor, weight: Tensor | None) -> Tensor | None:
    return None if weight is None else weight.to(x.dtype).contiguous()


def _backwards(
    layout: Layout, saved: tuple[Tensor, Tensor | None, Tensor, Tensor], arrived: Tensor, wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients by kernels of Triton."""
    from graphdsl.kernels.triton import extremes as kernels

    x, given, made, count = saved
    weight = _like(x, given)
    share = (arrived / (count + (made == 0))).contiguous()  # In the precision of the count.
    of_x = of_weight = None
    if wanted[0]:
        back = layout.back
        own = None if weight is None else weight.index_select(0, back.order)
        of_x = kernels.of_columns(back, x, own, made, share)
    if given is not None and weight is not None and wanted[1]:
        of_weight = kernels.of_edges(layout, x, weight, made, share).to(given.dtype)
    return of_x, of_weight


def _extreme(layout: Layout, x: Tensor, weight: Tensor | None, largest: bool) -> Tensor:
    if layout.edges == 0 or x.size(1) == 0:
        return x.new_zeros(layout.rows, x.size(1))
    how = "amax" if largest else "amin"
    if x.device.type == "cpu":
        value = x.new_ones(1).expand(layout.edges) if weight is None else weight.to(x.dtype)
        matrix = csr_matrix(layout.pointer, layout.column, value.contiguous(), (layout.rows, layout.columns))
        return torch.sparse.mm(matrix, x, how)
    made = x.new_full((layout.rows, x.size(1)), -torch.inf if largest else torch.inf)
    for _, edges, _ in spans(layout, x.size(1)):
        given = _weighed(x.index_select(0, layout.column[edges]), weight, edges)
        made.index_reduce_(0, layout.row[edges].long(), given, how)
    return made.masked_fill_((layout.degree == 0).unsqueeze(1), 0)


def _weighed(rows: Tensor, weight: Tensor | None, edges: slice) -> Tensor:
    return rows if weight is None else rows.mul_(weight[edges].to(rows.dtype).unsqueeze(1))


def _count(layout: Layout, x: Tensor, weight: Tensor | None, made: Tensor) -> Tensor:
    """How many edges of each row are as large as the result [rows, width]."""
    found = torch.zeros_like(made)
    for rows, edges, pointer in spans(layout, x.size(1)):
        same = _weighed(x.index_select(0, layout.column[edges]), weight, edges)
        same.eq_(made.index_select(0, layout.row[edges]))
        found[rows] += sum_slices(same, pointer)
    return found


def _of_columns(back: Layout, x: Tensor, weight: Tensor | None, made: Tensor, share: Tensor) -> Tensor:
    """Gradient of the rows of `x`.

    Args:
        back: from columns to rows.
        x: [columns, width].
        weight: of each edge, in the order of the layout that goes forth.
        made: the result [rows, width].
        share: what each edge gets that is as large as the result [rows, width].
    """
    found = torch.zeros_like(x)
    weight = None if weight is None else weight.index_select(0, back.order)
    for columns, edges, pointer in spans(back, x.size(1)):
        same = _weighed(x.index_select(0, back.row[edges]), weight, edges)
        row = back.column[edges]
        same.eq_(made.index_select(0, row)).mul_(share.index_select(0, row))
        found[columns] += sum_slices(_weighed(same, weight, edges), pointer)
    return found


def _of_edges(layout: Layout, x: Tensor, weight: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """Gradient of the weights [edges]."""
    found = torch.empty_like(weight)
    for _, edges, _ in spans(layout, x.size(1)):
        own, row = x.index_select(0, layout.column[edges]), layout.row[edges]
        same = _weighed(own.clone(), weight, edges).eq_(made.index_select(0, row))
        found[edges] = same.mul_(share.index_select(0, row)).mul_(own).sum(1).to(weight.dtype)
    return found
