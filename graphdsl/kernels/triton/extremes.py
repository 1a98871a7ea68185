"""Largest and smallest of the rows that edges lead from, column by column, and how many edges share them; without gradients.

One pass over the edges of each destination finds the extreme and counts who is equal to it, so the backward pass need not.
"""

import triton
import triton.language as tl
from torch import Tensor

from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.triton.blocks import LONG, Tasks, block_for, checked_grid, divided_up, edges_of_tasks, launch
from graphdsl.kernels.triton.gathering import add_chunks, kind_of, wide


@triton.jit
def _extreme_rows(
    out, count, x, number, column, weight, width, begin, end, into, tasks, most,
    SIGN: tl.constexpr, ROWS: tl.constexpr, EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Extremes of `weight * x[column]` of each task, and how many edges (or `number` of each) have them."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    high = tl.full([ROWS, EDGES, WIDTH], float("-inf"), KIND)
    equal = tl.zeros([ROWS, EDGES, WIDTH], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        source = edge
        if column is not None:
            source = tl.load(column + edge, mask=there, other=0).to(tl.int64)
        inside = there[:, :, None] & (lane < width)[None, None, :]
        read = tl.load(x + source[:, :, None] * width + lane[None, None, :], mask=inside, other=0.0).to(KIND)
        if weight is not None:
            read *= tl.load(weight + edge, mask=there, other=0.0).to(KIND)[:, :, None]
            read = read.to(x.dtype.element_ty).to(KIND)  # As it is stored, so that it will be found equal.
        value = tl.where(inside, SIGN * read, float("-inf"))
        higher = tl.maximum(high, value, propagate_nan=tl.PropagateNan.ALL)
        own = tl.where(inside, 1.0, 0.0).to(KIND)
        if number is not None:
            own = tl.load(number + edge[:, :, None] * width + lane[None, None, :], mask=inside, other=0.0).to(KIND)
        equal = tl.where(high == higher, equal, 0.0) + tl.where(value == higher, own, 0.0)
        high = higher
    top = tl.max(high, 1)
    counted = tl.sum(tl.where(high == top[:, None, :], equal, 0.0), 1)
    top += tl.sum(tl.where(high != high, high, 0.0), 1)  # What is no number stays so.
    place = task.to(tl.int64)
    if into is not None:
        place = tl.load(into + task, mask=real, other=0).to(tl.int64)
    at_place = place[:, None] * width + lane[None, :]
    here = real[:, None] & (lane < width)[None, :]
    tl.store(out + at_place, tl.where((last > first)[:, None], SIGN * top, 0.0), mask=here)
    tl.store(count + at_place, counted, mask=here)


@triton.jit
def _extreme_back(
    of_x, x, made, share, weight, column, width, begin, end, owner, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Gradients of the rows of `x`: shares of the destinations (`column`, here) whose extreme they are."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    place = task.to(tl.int64)
    if owner is not None:
        place = tl.load(owner + task, mask=real, other=0).to(tl.int64)
    here = real[:, None] & (lane < width)[None, :]
    own = tl.load(x + place[:, None] * width + lane[None, :], mask=here, other=0.0).to(KIND)[:, None, :]
    total = tl.zeros([ROWS, EDGES, WIDTH], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        target = tl.load(column + edge, mask=there, other=0).to(tl.int64)
        inside = there[:, :, None] & (lane < width)[None, None, :]
        at_target = target[:, :, None] * width + lane[None, None, :]
        most_there = tl.load(made + at_target, mask=inside, other=0.0).to(KIND)
        given = tl.load(share + at_target, mask=inside, other=0.0)
        value = own
        if weight is not None:
            factor = tl.load(weight + edge, mask=there, other=0.0).to(KIND)[:, :, None]
            value = (own * factor).to(x.dtype.element_ty).to(KIND)
            given = given * factor
        total += tl.where(value == most_there, given, 0.0)
    tl.store(of_x + task.to(tl.int64)[:, None] * width + lane[None, :], tl.sum(total, 1), mask=here)


@triton.jit
def _extreme_edges(
    of_weight, x, made, share, weight, row, column, edges, width,
    EDGES: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Gradients of the weights."""
    edge = tl.program_id(0).to(tl.int64) * EDGES + tl.arange(0, EDGES)
    there = edge < edges
    target = tl.load(row + edge, mask=there, other=0).to(tl.int64)
    source = tl.load(column + edge, mask=there, other=0).to(tl.int64)
    factor = tl.load(weight + edge, mask=there, other=0.0).to(KIND)[:, None]
    total = tl.zeros([EDGES, WIDTH], KIND)
    for at in range(0, width, WIDTH):
        lane = at + tl.arange(0, WIDTH)
        inside = there[:, None] & (lane < width)[None, :]
        own = tl.load(x + source[:, None] * width + lane[None, :], mask=inside, other=0.0).to(KIND)
        most = tl.load(made + target[:, None] * width + lane[None, :], mask=inside, other=0.0).to(KIND)
        given = tl.load(share + target[:, None] * width + lane[None, :], mask=inside, other=0.0)
        total += tl.where((own * factor).to(x.dtype.element_ty).to(KIND) == most, given * own, 0.0)
    tl.store(of_weight + edge, tl.sum(total, 1), mask=there)


def extreme(layout: Layout, x: Tensor, weight: Tensor | None, largest: bool) -> tuple[Tensor, Tensor]:
    """Extremes [rows, width] and how many edges have each [rows, width].

    Args:
        layout: the edges.
        x: [columns, width], contiguous.
        weight: of each edge, in the order of the layout and the precision of `x` [edges].
        largest: otherwise the smallest.
    """
    shape = layout.rows, x.size(1)
    made, count = x.new_empty(shape), x.new_empty(shape, dtype=wide(x.dtype))
    if made.numel() == 0 or layout.edges == 0:
        return made.zero_(), count.zero_()
    sizes = {"SIGN": 1 if largest else -1, "KIND": kind_of(x.dtype)}
    width = x.size(1)
    Tasks.rows(layout).launch(_extreme_rows, (made, count, x, None, layout.column, weight, width), width, **sizes)
    found = layout.long_rows(LONG)
    if found is not None:
        part, number = x.new_empty(found.chunks, width), count.new_empty(found.chunks, width)
        chunks = Tasks.chunks(found, None)
        chunks.launch(_extreme_rows, (part, number, x, None, layout.column, weight, width), width, **sizes)
        merging = Tasks.merging(found, found.row)
        merging.launch(_extreme_rows, (made, count, part, number, None, None, width), width, **sizes)
    return made, count


def of_columns(back: Layout, x: Tensor, weight: Tensor | None, made: Tensor, share: Tensor) -> Tensor:
    """The gradient of the rows of `x`.

    Args:
        back: from columns to rows.
        x: [columns, width], contiguous.
        weight: of each edge, in the order of `back`.
        made: extremes [rows, width].
        share: what each edge gets that has the extreme [rows, width].
    """
    of_x, width = x.new_empty(x.shape), x.size(1)
    if x.numel() == 0 or back.edges == 0:
        return of_x.zero_()
    kind, given = kind_of(x.dtype), (x, made, share, weight, back.column, width)
    Tasks.rows(back).launch(_extreme_back, (of_x, *given), width, KIND=kind)
    found = back.long_rows(LONG)
    if found is not None:
        part = share.new_empty(found.chunks, width)
        Tasks.chunks(found, found.row[found.owner]).launch(_extreme_back, (part, *given), width, KIND=kind)
        add_chunks(found, part, of_x)
    return of_x


def of_edges(layout: Layout, x: Tensor, weight: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """The gradient of the weights [edges]; arguments as above, in the order of the layout."""
    found, width = x.new_empty(layout.edges), x.size(1)
    if layout.edges == 0:
        return found
    block = block_for(layout.edges, 1, width)
    at_once = block.rows * block.edges
    launch(
        _extreme_edges,
        checked_grid(divided_up(layout.edges, at_once)),
        x,
        (found, x, made, share, weight, layout.row, layout.column, layout.edges, width),
        EDGES=at_once,
        WIDTH=block.width,
        KIND=kind_of(x.dtype),
    )
    return found
