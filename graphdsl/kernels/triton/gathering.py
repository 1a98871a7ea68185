"""Weighted sums of rows along edges, scalar products of their ends, and sums of numbers of edges; without gradients."""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.long_rows import LongRows
from graphdsl.kernels.triton.blocks import LONG, Tasks, block_for, checked_grid, divided_up, edges_of_tasks, launch


@triton.jit
def _sum_rows(
    out, x, column, weight, width, x_stride, out_stride, begin, end, into, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Sums of `weight * x[column]` over the edges `begin` to `end` of each task, written to row `into` of `out`."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    total = tl.zeros([ROWS, EDGES, WIDTH], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        source = edge
        if column is not None:
            source = tl.load(column + edge, mask=there, other=0).to(tl.int64)
        value = tl.load(
            x + source[:, :, None] * x_stride + lane[None, None, :],
            mask=there[:, :, None] & (lane < width)[None, None, :],
            other=0.0,
        ).to(KIND)
        if weight is not None:
            value *= tl.load(weight + edge, mask=there, other=0.0).to(KIND)[:, :, None]
        total += value
    place = task.to(tl.int64)
    if into is not None:
        place = tl.load(into + task, mask=real, other=0).to(tl.int64)
    at_place = out + place[:, None] * out_stride + lane[None, :]
    tl.store(at_place, tl.sum(total, 1), mask=real[:, None] & (lane < width)[None, :])


@triton.jit
def _sum_numbers(
    out, value, factor, begin, end, into, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Sums of `factor * value` over the edges `begin` to `end` of each task."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    total = tl.zeros([ROWS, EDGES], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        found = tl.load(value + edge, mask=there, other=0.0).to(KIND)
        if factor is not None:
            found *= tl.load(factor + edge, mask=there, other=0.0).to(KIND)
        total += found
    place = task.to(tl.int64)
    if into is not None:
        place = tl.load(into + task, mask=real, other=0).to(tl.int64)
    tl.store(out + place, tl.sum(total, 1), mask=real)


@triton.jit
def _dot_edges(
    out, left, right, row, column, edges, width, left_stride, right_stride,
    EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Scalar products of `left[row]` and `right[column]`."""
    edge = tl.program_id(0).to(tl.int64) * EDGES + tl.arange(0, EDGES)
    there = edge < edges
    at_left = left + tl.load(row + edge, mask=there, other=0).to(tl.int64)[:, None] * left_stride
    at_right = right + tl.load(column + edge, mask=there, other=0).to(tl.int64)[:, None] * right_stride
    total = tl.zeros([EDGES, WIDTH], KIND)
    for at in range(0, width, WIDTH):
        lane = at + tl.arange(0, WIDTH)
        inside = there[:, None] & (lane < width)[None, :]
        one = tl.load(at_left + lane[None, :], mask=inside, other=0.0).to(KIND)
        total += one * tl.load(at_right + lane[None, :], mask=inside, other=0.0).to(KIND)
    tl.store(out + edge, tl.sum(total, 1), mask=there)


def kind_of(dtype: torch.dtype) -> Any:
    """What numbers of a dtype are added up in, for a kernel."""
    return tl.float64 if dtype == torch.float64 else tl.float32


def wide(dtype: torch.dtype) -> torch.dtype:
    """The same, for a tensor."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def summed(layout: Layout, x: Tensor, weight: Tensor | None) -> Tensor:
    """`gathering.gather_sum` without a gradient."""
    made = x.new_empty(layout.rows, x.size(1))
    if made.numel() == 0 or layout.edges == 0:
        return made.zero_()
    x = rows_of(x)
    weight = None if weight is None else weight.contiguous()
    _run_sum(Tasks.rows(layout), made, x, layout.column, weight)
    found = layout.long_rows(LONG)
    if found is not None:
        part = x.new_empty(found.chunks, x.size(1), dtype=wide(x.dtype))
        _run_sum(Tasks.chunks(found, None), part, x, layout.column, weight)
        add_chunks(found, part, made)
    return made


def add_chunks(found: LongRows, part: Tensor, out: Tensor) -> None:
    """Write the sums of long rows.

    Args:
        found: the rows.
        part: sums of their chunks [chunks, width].
        out: where the rows are [rows, width].
    """
    _run_sum(Tasks.merging(found, found.row), out, part, None, None)


def _run_sum(tasks: Tasks, out: Tensor, x: Tensor, column: Tensor | None, weight: Tensor | None) -> None:
    given = out, x, column, weight, x.size(1), x.stride(0), out.stride(0)
    tasks.launch(_sum_rows, given, x.size(1), KIND=kind_of(x.dtype))


def rows_of(x: Tensor) -> Tensor:
    """The same rows, numbers in each beside each other; rows may lie apart, but not over each other."""
    apart = x.size(0) < 2 or x.stride(0) >= x.size(1)
    return x if apart and (x.size(1) < 2 or x.stride(1) == 1) else x.contiguous()


def dotted(layout: Layout, left: Tensor, right: Tensor) -> Tensor:
    """`gathering.edge_dot` without a gradient."""
    kind = torch.promote_types(left.dtype, right.dtype)
    made = left.new_empty(layout.edges, dtype=kind)
    if layout.edges == 0:
        return made
    left, right = rows_of(left), rows_of(right)
    width = left.size(1)
    block = block_for(layout.edges, 1, width)
    at_once = block.rows * block.edges
    launch(
        _dot_edges,
        checked_grid(divided_up(layout.edges, at_once)),
        left,
        (made, left, right, layout.row, layout.column, layout.edges, width, left.stride(0), right.stride(0)),
        EDGES=at_once,
        WIDTH=block.width,
        KIND=kind_of(kind),
    )
    return made


def row_sums(layout: Layout, value: Tensor) -> Tensor:
    """Sums [rows] of numbers of edges.

    Args:
        layout: the edges.
        value: of each edge, in the order of the layout.
    """
    made = value.new_empty(layout.rows)
    if layout.edges == 0:
        return made.zero_()
    value = value.contiguous()
    _run_numbers(Tasks.rows(layout), made, value, None)
    found = layout.long_rows(LONG)
    if found is not None:
        made.index_copy_(0, found.row, long_sums(found, value, None).to(made.dtype))
    return made


def long_sums(found: LongRows, value: Tensor, factor: Tensor | None) -> Tensor:
    """Sums of numbers of edges, times factors, over the long rows alone [long rows]."""
    part = value.new_empty(found.chunks, dtype=wide(value.dtype))
    _run_numbers(Tasks.chunks(found, None), part, value, factor)
    made = part.new_empty(found.row.numel())
    _run_numbers(Tasks.merging(found, None), made, part, None)
    return made


def _run_numbers(tasks: Tasks, out: Tensor, value: Tensor, factor: Tensor | None) -> None:
    tasks.launch(_sum_numbers, (out, value, factor), KIND=kind_of(value.dtype))
