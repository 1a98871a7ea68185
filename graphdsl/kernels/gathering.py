"""Weighted sums of rows along the edges of a layout, and their gradients: products with a sparse matrix.

`embedding_bag` sums rows as it reads them, so nothing of the size of the edges times the width is made. Gradients go the way
back through the transposed layout with the same kernel, where scattering would add row by row in random order.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.kernels import plain
from graphdsl.kernels.csr import csr_matrix
from graphdsl.kernels.implementations import Implementation, implementation_of
from graphdsl.kernels.layouts import Layout

_SLOW = 1 << 22
"""Numbers of gathered rows that are made at once where torch's kernel would gather all."""


def gather_sum(layout: Layout, x: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sums of the rows of `x` that edges lead from.

    Args:
        layout: the edges.
        x: [columns, width].
        weight: of each edge, in the order of the layout [edges].

    Returns:
        [rows, width]; rows without an edge are zero.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> gather_sum(layout, torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 10.0]))
    tensor([[ 0.],
            [21.]])
    """
    by = implementation_of(x)
    if by == "torch":
        return plain.gather_sum(layout, x, weight)
    made = _GatherSum.apply(x, weight, layout, by)
    assert isinstance(made, Tensor)
    return made


def edge_dot(layout: Layout, left: Tensor, right: Tensor) -> Tensor:
    """Scalar products of the rows at the two ends of each edge.

    Args:
        layout: the edges.
        left: [rows, width].
        right: [columns, width].

    Returns:
        [edges], in the order of the layout.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> edge_dot(layout, torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [4.0]]))
    tensor([6., 8.])
    """
    by = implementation_of(left)
    if by == "torch":
        return plain.edge_dot(layout, left, right)
    made = _EdgeDot.apply(left, right, layout, by)
    assert isinstance(made, Tensor)
    return made


class _GatherSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, layout: Layout, by: Implementation) -> Tensor:
        ctx.layout, ctx.by = layout, by
        ctx.weighted = weight is not None
        ctx.save_for_backward(*((x, weight) if weight is not None and ctx.needs_input_grad[1] else (weight,)))
        return summed(layout, x, weight, by)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        layout: Layout = ctx.layout
        arrived = gradients[0]
        weight: Tensor | None = ctx.saved_tensors[-1]
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            back = layout.back
            of_x = summed(back, arrived, None if weight is None else weight.index_select(0, back.order), ctx.by)
        if weight is not None and ctx.needs_input_grad[1]:
            of_weight = dotted(layout, arrived, ctx.saved_tensors[0], ctx.by).to(weight.dtype)
        return of_x, of_weight, None, None


class _EdgeDot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, layout: Layout, by: Implementation) -> Tensor:
        ctx.layout, ctx.by = layout, by
        ctx.save_for_backward(left, right)
        return dotted(layout, left, right, by)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        left, right = ctx.saved_tensors
        layout: Layout = ctx.layout
        of_left = of_right = None
        if ctx.needs_input_grad[0]:
            of_left = summed(layout, right, gradients[0], ctx.by)
        if ctx.needs_input_grad[1]:
            of_right = summed(layout.back, left, gradients[0].index_select(0, layout.back.order), ctx.by)
        return of_left, of_right, None, None


def summed(layout: Layout, x: Tensor, weight: Tensor | None, by: Implementation = "cpu") -> Tensor:
    """`gather_sum` without a gradient."""
    if by == "triton":
        from graphdsl.kernels.triton import gathering as kernels

        return kernels.summed(layout, x, weight)
    return summed_part(layout, slice(0, layout.rows), slice(0, layout.edges), x.contiguous(), weight)


def summed_part(layout: Layout, rows: slice, edges: slice, x: Tensor, weight: Tensor | None) -> Tensor:
    """Sums of some rows of a layout, without a gradient.

    Args:
        layout: the edges.
        rows: from and to which.
        edges: their edges.
        x: [columns, width], contiguous.
        weight: of each of these edges.

    Returns:
        [rows, width].
    """
    count = rows.stop - rows.start
    if edges.stop == edges.start or x.size(1) == 0:
        return x.new_zeros(count, x.size(1))
    weight = None if weight is None else weight.to(x.dtype)
    pointer, column = layout.pointer, layout.column[edges]
    if count < layout.rows:
        pointer = pointer[rows.start : rows.stop + 1] - edges.start
    if x.device.type == "cpu" and x.dtype == torch.float64:
        # For double precision `embedding_bag` gathers all rows on a CPU; a sparse product does not.
        value = x.new_ones(column.numel()) if weight is None else weight.contiguous()
        return csr_matrix(pointer, column, value, (count, layout.columns)) @ x
    # Detached, because torch prepares for a backward pass of its own where its input asks for a gradient.
    return functional.embedding_bag(
        column, x.detach(), pointer, mode="sum", per_sample_weights=weight, include_last_offset=True
    )


def dotted(layout: Layout, left: Tensor, right: Tensor, by: Implementation = "cpu") -> Tensor:
    """`edge_dot` without a gradient."""
    if by == "triton":
        from graphdsl.kernels.triton import gathering as kernels

        return kernels.dotted(layout, left, right)
    everything = slice(0, layout.rows), slice(0, layout.edges)
    return dotted_part(layout, *everything, left.contiguous(), right.contiguous())


def dotted_part(layout: Layout, rows: slice, edges: slice, left: Tensor, right: Tensor) -> Tensor:
    """Scalar products of the edges of some rows, without a gradient.

    Args:
        layout: the edges.
        rows: from and to which.
        edges: their edges.
        left: of all rows [rows, width], contiguous.
        right: [columns, width], contiguous.

    Returns:
        [edges of these rows].
    """
    count = edges.stop - edges.start
    if count == 0:
        return left.new_zeros(0)
    exact = left.dtype in (torch.float32, torch.float64) and left.dtype == right.dtype
    # Torch makes no matrix with more entries than places.
    if exact and count <= (rows.stop - rows.start) * layout.columns:
        pointer = layout.pointer[rows.start : rows.stop + 1] - edges.start
        shape = (rows.stop - rows.start, layout.columns)
        nothing = csr_matrix(pointer, layout.column[edges], left.new_zeros(count), shape)
        return torch.sparse.sampled_addmm(nothing, left[rows], right.t(), beta=0.0).values()
    step = max(1, _SLOW // max(left.size(1), 1))
    made = left.new_empty(count)
    for at in range(edges.start, edges.stop, step):
        part = slice(at, min(at + step, edges.stop))
        product = left.index_select(0, layout.row[part]) * right.index_select(0, layout.column[part])
        made[part.start - edges.start : part.stop - edges.start] = product.sum(1)
    return made


def sum_slices(x: Tensor, pointer: Tensor) -> Tensor:
    """Sums of rows `pointer[i]` to `pointer[i + 1]` [slices, width], without a gradient.

    >>> sum_slices(torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 0, 2, 3])).squeeze(1)
    tensor([0., 3., 4.])
    """
    rows = torch.arange(x.size(0), dtype=pointer.dtype, device=x.device)
    if x.device.type == "cpu" and x.dtype == torch.float64:
        return csr_matrix(pointer, rows, x.new_ones(x.size(0)), (pointer.numel() - 1, x.size(0))) @ x
    return functional.embedding_bag(rows, x, pointer, mode="sum", include_last_offset=True)
