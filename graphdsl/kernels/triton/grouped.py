"""Products of slices of rows, each with a matrix of its own, in one launch; without gradients.

Where slices have many rows, a library's product for each of them is faster: `serves` tells.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import torch
import triton
import triton.language as tl
from torch import Tensor

from graphdsl.kernels.triton.blocks import checked_grid, divided_up, launch, power_above
from graphdsl.kernels.triton.gathering import kind_of, rows_of

_MANY: Final = 1 << 12
"""Rows of a slice from which on a product of its own is started for it."""
_ROWS: Final = 64
_INNER: Final = 32
_LEAST: Final = 16
"""Sides of the tiles that are multiplied; what hardware multiplies at once has at least `_LEAST` rows and columns."""


@triton.jit
def _multiply_slices(
    out, x, weight, group, begin, end, inner, width, x_stride, group_stride, inner_stride, width_stride,
    ROWS: tl.constexpr, INNER: tl.constexpr, WIDTH: tl.constexpr, KIND: tl.constexpr, EXACT: tl.constexpr,
):  # fmt: skip
    """Rows `begin` to `end` of each tile times its group's matrix [inner, width]."""
    tile = tl.program_id(0)
    row = tl.load(begin + tile).to(tl.int64) + tl.arange(0, ROWS)
    real = row < tl.load(end + tile).to(tl.int64)
    lane = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    matrix = weight + tl.load(group + tile).to(tl.int64) * group_stride
    total = tl.zeros([ROWS, WIDTH], KIND)
    for at in range(0, inner, INNER):
        between = at + tl.arange(0, INNER)
        left = tl.load(
            x + row[:, None] * x_stride + between[None, :], mask=real[:, None] & (between < inner)[None, :], other=0.0
        )
        right = tl.load(
            matrix + between[:, None] * inner_stride + lane[None, :] * width_stride,
            mask=(between < inner)[:, None] & (lane < width)[None, :],
            other=0.0,
        )
        total += tl.dot(left, right, input_precision="ieee" if EXACT else "tf32", out_dtype=KIND)
    tl.store(out + row[:, None] * width + lane[None, :], total, mask=real[:, None] & (lane < width)[None, :])


@triton.jit
def _multiply_within(
    out, left, right, bounds, width_left, width_right, left_stride, right_stride,
    ROWS: tl.constexpr, LEFT: tl.constexpr, RIGHT: tl.constexpr, KIND: tl.constexpr, EXACT: tl.constexpr,
):  # fmt: skip
    """Transposed rows of `left` times those of `right`, of each group."""
    group = tl.program_id(0)
    blocks = tl.cdiv(width_right, RIGHT)
    one = (tl.program_id(1) // blocks) * LEFT + tl.arange(0, LEFT)
    other = (tl.program_id(1) % blocks) * RIGHT + tl.arange(0, RIGHT)
    first = tl.load(bounds + group).to(tl.int64)
    last = tl.load(bounds + group + 1).to(tl.int64)
    total = tl.zeros([LEFT, RIGHT], KIND)
    for at in range(0, (last - first).to(tl.int32), ROWS):
        row = first + at + tl.arange(0, ROWS)
        a = tl.load(
            left + row[None, :] * left_stride + one[:, None],
            mask=(row < last)[None, :] & (one < width_left)[:, None],
            other=0.0,
        )
        b = tl.load(
            right + row[:, None] * right_stride + other[None, :],
            mask=(row < last)[:, None] & (other < width_right)[None, :],
            other=0.0,
        )
        total += tl.dot(a, b, input_precision="ieee" if EXACT else "tf32", out_dtype=KIND)
    place = out + group.to(tl.int64) * width_left * width_right + one[:, None] * width_right + other[None, :]
    tl.store(place, total, mask=(one < width_left)[:, None] & (other < width_right)[None, :])


def serves(x: Tensor, bounds: tuple[int, ...]) -> bool:
    """Whether one launch for all slices is worth it: there are several, with few rows each."""
    if x.device.type == "cpu" and x.dtype == torch.bfloat16:
        return False  # Triton's interpreter multiplies their bits as whole numbers.
    return len(bounds) > 2 and max(high - low for low, high in pairwise(bounds)) < _MANY


def multiplied(x: Tensor, matrices: Tensor, bounds: tuple[int, ...]) -> Tensor:
    """Each slice of rows times its matrix.

    Args:
        x: [rows, inner].
        matrices: [groups, inner, width]; a transposed view is as good.
        bounds: where each group begins [groups + 1].

    Returns:
        [rows, width].
    """
    width = matrices.size(2)
    made = x.new_empty(bounds[-1], width)
    if made.numel() == 0 or x.size(1) == 0:
        return made.zero_()
    x = rows_of(x)
    group, begin, end = _tiles(bounds, _ROWS, x.device)
    columns = _side(width)
    launch(
        _multiply_slices,
        checked_grid(group.numel(), divided_up(width, columns)),
        x,
        (made, x, matrices, group, begin, end, x.size(1), width, x.stride(0), *matrices.stride()),
        ROWS=_ROWS,
        INNER=_INNER,
        WIDTH=columns,
        **_precision(x),
    )
    return made


def multiplied_within(left: Tensor, right: Tensor, bounds: tuple[int, ...]) -> Tensor:
    """Of each slice, its transposed rows of `left` times those of `right`.

    Args:
        left: [rows, width_left].
        right: [rows, width_right].
        bounds: where each group begins [groups + 1].

    Returns:
        [groups, width_left, width_right].
    """
    groups, widths = len(bounds) - 1, (left.size(1), right.size(1))
    made = left.new_empty(groups, *widths)
    if made.numel() == 0:
        return made
    left, right = rows_of(left), rows_of(right)
    sides = _side(widths[0]), _side(widths[1])
    launch(
        _multiply_within,
        checked_grid(groups, divided_up(widths[0], sides[0]) * divided_up(widths[1], sides[1])),
        left,
        (made, left, right, _bounds(bounds, left.device), *widths, left.stride(0), right.stride(0)),
        ROWS=_INNER,
        LEFT=sides[0],
        RIGHT=sides[1],
        **_precision(left),
    )
    return made


def _side(width: int) -> int:
    return min(max(power_above(width), _LEAST), _ROWS)


def _precision(x: Tensor) -> dict[str, Any]:
    """As torch multiplies on this device."""
    exact = x.dtype != torch.float32 or torch.get_float32_matmul_precision() == "highest"
    return {"KIND": kind_of(x.dtype), "EXACT": exact}


@lru_cache(maxsize=64)
def _bounds(bounds: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(bounds, device=device)


@lru_cache(maxsize=64)
def _tiles(bounds: tuple[int, ...], rows: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Group, first row and end of the group's rows of each tile of at most so many rows."""
    ends = torch.tensor(bounds)
    pieces = (ends.diff() + rows - 1).div(rows, rounding_mode="floor")
    group = torch.arange(pieces.numel()).repeat_interleave(pieces)
    number = torch.arange(group.numel()) - (pieces.cumsum(0) - pieces)[group]
    return group.to(device), (ends[group] + number * rows).to(device), ends[group + 1].to(device)
