"""Attention over the edges of a layout whose score is a number of the source plus one of the destination.

Edges are worked through in pieces of whole rows that stay in the cache of a core. Nothing with a number for each edge is kept
for the backward pass but what a graph needs anyway: shares are made again from the largest score and the sum of each row.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.kernels.dropping import Dropping
from graphdsl.kernels.gathering import dotted_part, gather_sum, summed_part
from graphdsl.kernels.implementations import implementation_of
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import edge_scores, segment_softmax

_PIECE = 1 << 19
"""Edges that are worked on at once: a number for each fits into the cache of a core."""
_LEAST = 1e-16


def additive_attention(
    layout: Layout, x: Tensor, of_row: Tensor, of_column: Tensor, slope: float, dropout: float = 0.0
) -> Tensor:
    """Rows of `x`, weighed by the softmax of `leaky_relu(of_row + of_column)` over the edges of each destination.

    Args:
        layout: the edges.
        x: [columns, width].
        of_row: [rows].
        of_column: [columns].
        slope: of the negative part of the leaky ReLU.
        dropout: share of the weights that are set to zero, the others being raised.

    Returns:
        [rows, width]; rows without an edge are zero.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> additive_attention(layout, torch.tensor([[1.0], [3.0]]), torch.zeros(2), torch.zeros(2), 0.2)
    tensor([[0.],
            [2.]])
    """
    by = implementation_of(x)
    if dropout == 0 and layout.edges and by == "triton":
        from graphdsl.kernels.triton import attending as kernels

        if x.size(1) <= kernels.WIDEST:
            made = kernels.Attention.apply(x, of_row, of_column, slope, layout)
            assert isinstance(made, Tensor)
            return made
    if layout.edges == 0 or by != "cpu" or x.device.type != "cpu":
        score = functional.leaky_relu(edge_scores(layout, of_row, of_column), slope)
        return gather_sum(layout, x, functional.dropout(segment_softmax(layout, score), dropout))
    made = _Additive.apply(x, of_row, of_column, slope, dropout, layout)
    assert isinstance(made, Tensor)
    return made


class _Additive(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, of_row: Tensor, of_column: Tensor, slope: float, dropout: float, layout: Layout
    ) -> Tensor:
        ctx.layout, ctx.slope, ctx.drops = layout, slope, Dropping.drawn(dropout)
        draw = ctx.drops.generator()
        x = x.contiguous()
        made = x.new_empty(layout.rows, x.size(1))
        largest, total = torch.empty_like(of_row), torch.empty_like(of_row)
        for low, high, first, last in layout.pieces(_PIECE):
            edges, rows = slice(first, last), slice(low, high)
            row = layout.row[edges]
            score = of_row.index_select(0, row).add_(of_column.index_select(0, layout.column[edges]))
            score = functional.leaky_relu_(score, slope)
            offsets = layout.offsets[low : high + 1] - first
            largest[rows] = torch.segment_reduce(score, "max", offsets=offsets, axis=0)
            score.sub_(largest.index_select(0, row)).exp_()
            total[rows] = torch.segment_reduce(score, "sum", offsets=offsets, axis=0, initial=0)
            made[rows] = summed_part(layout, rows, edges, x, ctx.drops.dropped(score, draw))
        total += _LEAST
        made /= total.unsqueeze(1)
        ctx.save_for_backward(x, of_row, of_column, total.log_().add_(largest), made)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, of_row, of_column, level, made = ctx.saved_tensors
        layout: Layout = ctx.layout
        slope: float = ctx.slope
        drops: Dropping = ctx.drops
        draw, kept = drops.generator(), None
        if drops.rate > 0:
            kept = torch.empty(layout.edges, dtype=torch.bool)
        arrived = gradients[0].contiguous()
        inner = (arrived * made).sum(1)
        of_edge = torch.empty(layout.edges, dtype=x.dtype)
        gradient_of_row = torch.empty_like(of_row)
        for low, high, first, last in layout.pieces(_PIECE):
            edges, rows = slice(first, last), slice(low, high)
            row = layout.row[edges]
            score = of_row.index_select(0, row).add_(of_column.index_select(0, layout.column[edges]))
            own = dotted_part(layout, rows, edges, arrived, x)
            if kept is not None:
                kept[edges] = drops.kept(own, draw)
                own.mul_(kept[edges]).mul_(drops.raised)
            own.sub_(inner.index_select(0, row))
            own = torch.ops.aten.leaky_relu_backward(own, score, slope, False)
            own.mul_(_shares(score, row, slope, level))
            of_edge[edges] = own
            offsets = layout.offsets[low : high + 1] - first
            gradient_of_row[rows] = torch.segment_reduce(own, "sum", offsets=offsets, axis=0, initial=0)
        back = layout.back
        gradient_of_x, gradient_of_column = torch.empty_like(x), torch.empty_like(of_column)
        for low, high, first, last in back.pieces(_PIECE):
            edges, columns = slice(first, last), slice(low, high)
            offsets = back.offsets[low : high + 1] - first
            moved = of_edge.index_select(0, back.order[edges])
            gradient_of_column[columns] = torch.segment_reduce(moved, "sum", offsets=offsets, axis=0, initial=0)
            row = back.column[edges]
            score = of_column.index_select(0, back.row[edges]).add_(of_row.index_select(0, row))
            share = _shares(score, row, slope, level)
            if kept is not None:
                share.mul_(kept.index_select(0, back.order[edges])).mul_(drops.raised)
            gradient_of_x[columns] = summed_part(back, columns, edges, arrived, share)
        return gradient_of_x, gradient_of_row, gradient_of_column, None, None, None


def _shares(score: Tensor, row: Tensor, slope: float, level: Tensor) -> Tensor:
    """Shares of edges from their scores before the leaky ReLU, in the place of the scores.

    Args:
        score: [edges].
        row: destination of each.
        slope: of the negative part.
        level: logarithm of the sum of exponentials of each row [rows].
    """
    return functional.leaky_relu_(score, slope).sub_(level.index_select(0, row)).exp_()
