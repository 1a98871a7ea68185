"""Softmax over the edges of each row of a layout."""

from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels import plain
from graphdsl.kernels.implementations import Implementation, implementation_of
from graphdsl.kernels.layouts import Layout

_LEAST = 1e-16
"""What PyG adds to each sum, so that weights are the same to the last digit."""


def segment_softmax(layout: Layout, score: Tensor) -> Tensor:
    """Shares of the edges of each row: they sum to 1 where there is an edge.

    Args:
        layout: the edges.
        score: of each edge, in the order of the layout [edges].

    Returns:
        [edges].

    >>> layout = Layout.of(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 0]), 2, 1)
    >>> segment_softmax(layout, torch.tensor([5.0, 1.0, 1.0]))
    tensor([1.0000, 0.5000, 0.5000])
    """
    by = implementation_of(score)
    if by == "torch":
        return plain.segment_softmax(layout, score)
    made = _SegmentSoftmax.apply(score, layout, by)
    assert isinstance(made, Tensor)
    return made


def segment_sum(layout: Layout, value: Tensor, by: Implementation | None = None) -> Tensor:
    """Sums of a number of each edge over the edges of each row [rows]; no gradient."""
    if layout.edges == 0:
        return value.new_zeros(layout.rows)
    if (by or implementation_of(value)) == "triton":
        from graphdsl.kernels.triton import gathering as kernels

        return kernels.row_sums(layout, value)
    return torch.segment_reduce(value, "sum", offsets=layout.offsets, axis=0, initial=0)


class _SegmentSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, score: Tensor, layout: Layout, by: Implementation) -> Tensor:
        ctx.layout, ctx.by = layout, by
        if layout.edges == 0:
            ctx.save_for_backward(score)
            return score.clone()
        if by == "triton":
            from graphdsl.kernels.triton import normalizing as kernels

            made = kernels.softmax(layout, score)
            ctx.save_for_backward(made)
            return made
        largest = torch.segment_reduce(score, "max", offsets=layout.offsets, axis=0)
        made = (score - largest.index_select(0, layout.row)).exp_()
        made /= (segment_sum(layout, made) + _LEAST).index_select(0, layout.row)
        ctx.save_for_backward(made)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        (made,) = ctx.saved_tensors
        layout: Layout = ctx.layout
        if ctx.by == "triton":
            from graphdsl.kernels.triton import normalizing as kernels

            return kernels.softmax_back(layout, made, gradients[0]), None, None
        found = gradients[0] * made
        total = segment_sum(layout, found).index_select(0, layout.row)
        return torch.addcmul(found, made, total, value=-1), None, None


def edge_scores(layout: Layout, of_row: Tensor, of_column: Tensor) -> Tensor:
    """A number of the destination plus a number of the source, for each edge.

    Args:
        layout: the edges.
        of_row: [rows].
        of_column: [columns].

    Returns:
        [edges], in the order of the layout.

    >>> layout = Layout.of(torch.tensor([0, 1]), torch.tensor([1, 0]), 2, 2)
    >>> edge_scores(layout, torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0]))
    tensor([21., 12.])
    """
    by = implementation_of(of_row)
    if by == "torch":
        return plain.edge_scores(layout, of_row, of_column)
    made = _EdgeScores.apply(of_row, of_column, layout, by)
    assert isinstance(made, Tensor)
    return made


class _EdgeScores(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, of_row: Tensor, of_column: Tensor, layout: Layout, by: Implementation) -> Tensor:
        ctx.layout, ctx.by = layout, by
        return of_row.index_select(0, layout.row).add_(of_column.index_select(0, layout.column))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        layout: Layout = ctx.layout
        arrived = gradients[0].contiguous()
        of_row = segment_sum(layout, arrived, ctx.by) if ctx.needs_input_grad[0] else None
        of_column = None
        if ctx.needs_input_grad[1]:
            of_column = segment_sum(layout.back, arrived.index_select(0, layout.back.order), ctx.by)
        return of_row, of_column, None, None
