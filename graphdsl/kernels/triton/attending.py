"""Attention whose score is a number of the source plus one of the destination: one pass over each destination's edges.

The softmax is computed online: the largest score so far, the sum of exponentials below it and the weighted sum of rows grow
together. Kept for the backward pass are the largest score and the sum of each row. That pass goes over the edges of each
source, where one look at the gradient of a destination serves the gradients of the source's row, of its score and of the edge.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.triton.blocks import LONG, Tasks, edges_of_tasks
from graphdsl.kernels.triton.gathering import add_chunks, kind_of, row_sums, wide
from graphdsl.kernels.triton.normalizing import LEAST, merge_levels

WIDEST = 512
"""Columns that one program can hold, as the backward pass does."""


@triton.jit
def _attend_rows(
    made, largest, total, x, column, of_row, of_column, width, begin, end, owner, tasks, most,
    SLOPE: tl.constexpr,
    ROWS: tl.constexpr, EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr, PARTS: tl.constexpr,
):  # fmt: skip
    """Weighted rows of each task; of chunks of long rows (PARTS) without the division by the sum."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    place = task.to(tl.int64)
    if owner is not None:
        place = tl.load(owner + task, mask=real, other=0).to(tl.int64)
    of_task = tl.load(of_row + place, mask=real, other=0.0).to(KIND)
    slope = tl.full([1, 1], SLOPE, KIND)  # A float would be passed in single precision.
    high = tl.full([ROWS, EDGES], float("-inf"), KIND)
    below = tl.zeros([ROWS, EDGES], KIND)
    sums = tl.zeros([ROWS, EDGES, WIDTH], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        source = tl.load(column + edge, mask=there, other=0).to(tl.int64)
        score = of_task[:, None] + tl.load(of_column + source, mask=there, other=0.0).to(KIND)
        score = tl.where(there, tl.where(score > 0, score, score * slope), float("-inf"))
        higher = tl.maximum(high, score)
        base = tl.where(higher == float("-inf"), 0.0, higher)
        fade, own = tl.exp(high - base), tl.exp(score - base)
        value = tl.load(
            x + source[:, :, None] * width + lane[None, None, :],
            mask=there[:, :, None] & (lane < width)[None, None, :],
            other=0.0,
        ).to(KIND)
        sums = sums * fade[:, :, None] + value * own[:, :, None]
        below = below * fade + own
        high = higher
    top, count, factor = merge_levels(high, below)
    found = tl.sum(sums * factor[:, :, None], 1)
    if not PARTS:
        found = found / (count + LEAST)[:, None]
    at_made = made + task.to(tl.int64)[:, None] * width + lane[None, :]
    tl.store(at_made, found, mask=real[:, None] & (lane < width)[None, :])
    tl.store(largest + task, top, mask=real & (tl.program_id(1) == 0))
    tl.store(total + task, count, mask=real & (tl.program_id(1) == 0))


@triton.jit
def _merge_chunks(
    made, largest, total, part, part_largest, part_total, width, begin, end, row, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Weighted rows of long rows, from those of their chunks."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    high = tl.full([ROWS, EDGES], float("-inf"), KIND)
    below = tl.zeros([ROWS, EDGES], KIND)
    sums = tl.zeros([ROWS, EDGES, WIDTH], KIND)
    for at in range(0, longest, EDGES):
        chunk = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = chunk < last[:, None]
        score = tl.load(part_largest + chunk, mask=there, other=float("-inf"))
        higher = tl.maximum(high, score)
        base = tl.where(higher == float("-inf"), 0.0, higher)
        fade, own = tl.exp(high - base), tl.exp(score - base)
        value = tl.load(
            part + chunk[:, :, None] * width + lane[None, None, :],
            mask=there[:, :, None] & (lane < width)[None, None, :],
            other=0.0,
        )
        sums = sums * fade[:, :, None] + value * own[:, :, None]
        below = below * fade + tl.load(part_total + chunk, mask=there, other=0.0) * own
        high = higher
    top, count, factor = merge_levels(high, below)
    found = tl.sum(sums * factor[:, :, None], 1) / (count + LEAST)[:, None]
    place = tl.load(row + task, mask=real, other=0).to(tl.int64)
    at_made = made + place[:, None] * width + lane[None, :]
    tl.store(at_made, found, mask=real[:, None] & (lane < width)[None, :])
    tl.store(largest + place, top, mask=real & (tl.program_id(1) == 0))
    tl.store(total + place, count, mask=real & (tl.program_id(1) == 0))


@triton.jit
def _attend_back(
    of_x, of_source, of_edge, x, arrived, inner, of_row, of_column, largest, total, column, order, width,
    begin, end, owner, tasks, most,
    SLOPE: tl.constexpr,
    ROWS: tl.constexpr, EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Gradients of the rows and scores of sources, and of each edge's score; `column` is the destination of an edge here."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.arange(0, WIDTH)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    place = task.to(tl.int64)
    if owner is not None:
        place = tl.load(owner + task, mask=real, other=0).to(tl.int64)
    here = real[:, None] & (lane < width)[None, :]
    sent = tl.load(x + place[:, None] * width + lane[None, :], mask=here, other=0.0).to(KIND)
    of_task = tl.load(of_column + place, mask=real, other=0.0).to(KIND)
    slope = tl.full([1, 1], SLOPE, KIND)
    sums = tl.zeros([ROWS, EDGES, WIDTH], KIND)
    scores = tl.zeros([ROWS, EDGES], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        target = tl.load(column + edge, mask=there, other=0).to(tl.int64)
        score = of_task[:, None] + tl.load(of_row + target, mask=there, other=0.0).to(KIND)
        bent = tl.where(score > 0, score, score * slope) - tl.load(largest + target, mask=there, other=0.0)
        share = tl.exp(tl.where(there, bent, 0.0)) / (tl.load(total + target, mask=there, other=1.0) + LEAST)
        share = tl.where(there, share, 0.0)
        back = tl.load(
            arrived + target[:, :, None] * width + lane[None, None, :],
            mask=there[:, :, None] & (lane < width)[None, None, :],
            other=0.0,
        ).to(KIND)
        sums += back * share[:, :, None]
        own = tl.sum(back * sent[:, None, :], 2) - tl.load(inner + target, mask=there, other=0.0)
        own *= share
        own = tl.where(score > 0, own, own * slope)
        scores += own
        tl.store(of_edge + tl.load(order + edge, mask=there, other=0).to(tl.int64), own, mask=there)
    tl.store(of_x + task.to(tl.int64)[:, None] * width + lane[None, :], tl.sum(sums, 1), mask=here)
    tl.store(of_source + task, tl.sum(scores, 1), mask=real)


class Attention(torch.autograd.Function):
    """`attending.additive_attention` without dropout, for at most `WIDEST` columns."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, of_row: Tensor, of_column: Tensor, slope: float, layout: Layout) -> Tensor:
        """Weighted rows."""
        ctx.layout, ctx.slope = layout, slope
        x, of_row, of_column = x.contiguous(), of_row.contiguous(), of_column.contiguous()
        made, largest, total = _attend(layout, x, of_row, of_column, slope)
        ctx.save_for_backward(x, of_row, of_column, largest, total, made)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        """Gradients of the rows and of both scores."""
        x, of_row, of_column, largest, total, made = ctx.saved_tensors
        layout: Layout = ctx.layout
        arrived = gradients[0].contiguous()
        inner = (arrived.to(largest.dtype) * made).sum(1)
        back = layout.back
        of_x, of_edge = torch.empty_like(x), largest.new_empty(layout.edges)
        of_source = largest.new_empty(layout.columns)
        given = (of_edge, x, arrived, inner, of_row, of_column, largest, total, back.column, back.order)
        _run_back(Tasks.rows(back), (of_x, of_source, *given), ctx.slope)
        found = back.long_rows(LONG)
        if found is not None:
            part, scores = largest.new_empty(found.chunks, x.size(1)), largest.new_empty(found.chunks)
            _run_back(Tasks.chunks(found, found.row[found.owner]), (part, scores, *given), ctx.slope)
            add_chunks(found, part, of_x)
            add_chunks(found, scores.unsqueeze(1), of_source.unsqueeze(1))
        of_destination = row_sums(layout, of_edge).to(of_row.dtype)
        return of_x, of_destination, of_source.to(of_column.dtype), None, None


def _run_back(tasks: Tasks, tensors: tuple[Tensor, ...], slope: float) -> None:
    width, kind = tensors[0].size(1), kind_of(tensors[3].dtype)
    tasks.launch(_attend_back, (*tensors, width), width, whole=True, SLOPE=slope, KIND=kind)


def _attend(
    layout: Layout, x: Tensor, of_row: Tensor, of_column: Tensor, slope: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted rows, and the largest score and sum of each."""
    width, kind = x.size(1), kind_of(x.dtype)
    made, like = x.new_empty(layout.rows, width), x.new_empty(0, dtype=wide(x.dtype))
    largest, total = like.new_empty(layout.rows), like.new_empty(layout.rows)
    given = x, layout.column, of_row, of_column, width
    sizes = {"SLOPE": slope, "KIND": kind}
    Tasks.rows(layout).launch(_attend_rows, (made, largest, total, *given), width, PARTS=False, **sizes)
    found = layout.long_rows(LONG)
    if found is not None:
        count = found.chunks
        parts = like.new_empty(count, width), like.new_empty(count), like.new_empty(count)
        chunks = Tasks.chunks(found, found.row[found.owner])
        chunks.launch(_attend_rows, (*parts, *given), width, PARTS=True, **sizes)
        merging = Tasks.merging(found, found.row)
        merging.launch(_merge_chunks, (made, largest, total, *parts, width), width, KIND=kind)
    return made, largest, total
