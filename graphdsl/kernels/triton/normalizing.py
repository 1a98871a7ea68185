"""Softmax over the edges of each row, forwards and backwards; without gradients."""

from typing import Any

import triton
import triton.language as tl
from torch import Tensor

from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.long_rows import LongRows
from graphdsl.kernels.triton.blocks import LONG, Tasks, edges_of_tasks
from graphdsl.kernels.triton.gathering import kind_of, long_sums, wide

LEAST = tl.constexpr(1e-16)
"""What PyG adds to each sum, so that weights are the same to the last digit."""


def _merge_levels(largest, total):
    """Largest score and sum of exponentials below it [rows], from those of lanes [rows, edges]; factor of each lane."""
    most = tl.max(largest, 1)
    base = tl.where(most == float("-inf"), 0.0, most)
    factor = tl.exp(largest - base[:, None])
    return most, tl.sum(total * factor, 1), factor


merge_levels: Any = triton.jit(_merge_levels)


@triton.jit
def _softmax_rows(
    share, score, largest, total, begin, end, owner, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Shares of the edges of each task, with the largest score and sum of its owner, or found here where there are none."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    if owner is None:
        high = tl.full([ROWS, EDGES], float("-inf"), KIND)
        below = tl.zeros([ROWS, EDGES], KIND)
        for at in range(0, longest, EDGES):
            edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
            found = tl.load(score + edge, mask=edge < last[:, None], other=float("-inf")).to(KIND)
            higher = tl.maximum(high, found)
            base = tl.where(higher == float("-inf"), 0.0, higher)
            below = below * tl.exp(high - base) + tl.exp(found - base)
            high = higher
        top, sums, _ = merge_levels(high, below)
    else:
        place = tl.load(owner + task, mask=real, other=0).to(tl.int64)
        top = tl.load(largest + place, mask=real, other=0.0).to(KIND)
        sums = tl.load(total + place, mask=real, other=0.0).to(KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        found = tl.load(score + edge, mask=there, other=0.0).to(KIND)
        own = tl.exp(tl.where(there, found - top[:, None], 0.0)) / (sums + LEAST)[:, None]
        tl.store(share + edge, tl.where(there, own, 0.0), mask=there)


@triton.jit
def _level_rows(
    largest, total, score, count, begin, end, place, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Largest score of each task, and the sum of `count` times the exponentials below it."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    high = tl.full([ROWS, EDGES], float("-inf"), KIND)
    below = tl.zeros([ROWS, EDGES], KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        found = tl.load(score + edge, mask=there, other=float("-inf")).to(KIND)
        higher = tl.maximum(high, found)
        base = tl.where(higher == float("-inf"), 0.0, higher)
        own = tl.exp(found - base)
        if count is not None:
            own *= tl.load(count + edge, mask=there, other=0.0).to(KIND)
        below = below * tl.exp(high - base) + own
        high = higher
    top, sums, _ = merge_levels(high, below)
    tl.store(largest + task, top, mask=real)
    tl.store(total + task, sums, mask=real)


@triton.jit
def _softmax_back_rows(
    out, share, arrived, total, begin, end, owner, tasks, most,
    ROWS: tl.constexpr, EDGES: tl.constexpr, KIND: tl.constexpr,
):  # fmt: skip
    """Gradients of scores: `share * (arrived - sum of share * arrived over the row)`."""
    task = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    real = task < tasks
    first, last, longest = edges_of_tasks(begin, end, task, tasks, most)
    if owner is None:
        inner = tl.zeros([ROWS, EDGES], KIND)
        for at in range(0, longest, EDGES):
            edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
            there = edge < last[:, None]
            own = tl.load(share + edge, mask=there, other=0.0).to(KIND)
            inner += own * tl.load(arrived + edge, mask=there, other=0.0).to(KIND)
        sums = tl.sum(inner, 1)
    else:
        place = tl.load(owner + task, mask=real, other=0).to(tl.int64)
        sums = tl.load(total + place, mask=real, other=0.0).to(KIND)
    for at in range(0, longest, EDGES):
        edge = first[:, None] + at + tl.arange(0, EDGES)[None, :]
        there = edge < last[:, None]
        own = tl.load(share + edge, mask=there, other=0.0).to(KIND)
        given = tl.load(arrived + edge, mask=there, other=0.0).to(KIND)
        tl.store(out + edge, own * (given - sums[:, None]), mask=there)


def softmax(layout: Layout, score: Tensor) -> Tensor:
    """`normalizing.segment_softmax` without a gradient."""
    score = score.contiguous()
    share = score.new_empty(layout.edges)
    if layout.edges == 0:
        return share
    kind = kind_of(score.dtype)
    Tasks.rows(layout).launch(_softmax_rows, (share, score, None, None), KIND=kind)
    found = layout.long_rows(LONG)
    if found is not None:
        levels = _long_levels(found, score)
        Tasks.chunks(found, found.owner).launch(_softmax_rows, (share, score, *levels), KIND=kind)
    return share


def _long_levels(found: LongRows, score: Tensor) -> tuple[Tensor, Tensor]:
    """Largest scores of long rows, and sums of exponentials below them."""
    kind, like = kind_of(score.dtype), score.new_empty(0, dtype=wide(score.dtype))
    parts = like.new_empty(found.chunks), like.new_empty(found.chunks)
    Tasks.chunks(found, None).launch(_level_rows, (*parts, score, None), KIND=kind)
    levels = like.new_empty(found.row.numel()), like.new_empty(found.row.numel())
    Tasks.merging(found, None).launch(_level_rows, (*levels, *parts), KIND=kind)
    return levels


def softmax_back(layout: Layout, share: Tensor, arrived: Tensor) -> Tensor:
    """The gradient of the scores of a softmax.

    Args:
        layout: the edges.
        share: what the softmax gave [edges].
        arrived: gradient of `share`.
    """
    arrived = arrived.contiguous()
    made = share.new_empty(layout.edges)
    if layout.edges == 0:
        return made
    kind = kind_of(share.dtype)
    Tasks.rows(layout).launch(_softmax_back_rows, (made, share, arrived, None), KIND=kind)
    found = layout.long_rows(LONG)
    if found is not None:
        total = long_sums(found, arrived, share)
        Tasks.chunks(found, found.owner).launch(_softmax_back_rows, (made, share, arrived, total), KIND=kind)
    return made
