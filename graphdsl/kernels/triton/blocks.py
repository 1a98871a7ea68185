"""How much a program takes on, and how kernels are started."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import torch
import triton
import triton.language as tl
from torch import Tensor

from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.long_rows import LongRows

LONG: Final = 1 << 12
"""A row with more edges than this is cut into chunks."""
EVERY: Final = (1 << 31) - 1
"""No row is too long."""
_NUMBERS: Final = 1 << 11
"""Numbers that a program reads at once: sixteen of each of its 128 threads."""
_ALONE: Final = 1 << 9
"""The same where each edge has but one, which takes an index each."""
_WIDEST: Final = 1 << 7
_DEEPEST: Final = 1 << 5
"""Most edges of a row whose columns a program reads at once."""
_GRID: Final = (1 << 31) - 1
_GRID_WIDTH: Final = (1 << 16) - 1
"""Most programs that a GPU starts along the first axis, and along the second."""


def _edges_of_tasks(begin, end, task, tasks, most):
    """First edge of each task and behind its last, and most edges of any; tasks with more than `most` have none."""
    real = task < tasks
    first = tl.load(begin + task, mask=real, other=0).to(tl.int64)
    last = tl.load(end + task, mask=real, other=0).to(tl.int64)
    last = tl.where(last - first > most, first, last)
    return first, last, tl.max((last - first).to(tl.int32), 0)


edges_of_tasks: Any = triton.jit(_edges_of_tasks)


@dataclass(frozen=True, slots=True)
class Block:
    """What a program reads at once, powers of two.

    Attributes:
        rows: that it works on, side by side.
        edges: of each of them.
        width: columns of each edge.
    """

    rows: int
    edges: int
    width: int


def block_for(edges: int, tasks: int, width: int = 1, whole: bool = False) -> Block:
    """A block for rows with some number of edges: about as many edges at once as a row has.

    Args:
        edges: of all rows.
        tasks: number of rows.
        width: columns of what is summed; 1 for a number of each edge.
        whole: all columns are read at once.

    >>> block_for(4, 2, 48)
    Block(rows=2, edges=2, width=64)
    """
    columns = power_above(width)
    columns = columns if whole else min(columns, _WIDEST)
    room = max(1, (_NUMBERS if columns > 1 else _ALONE) // columns)
    wanted = power_above(edges // max(tasks, 1))
    at_once = min(wanted, room, _DEEPEST if columns > 1 else _ALONE)
    return Block(min(room // at_once, power_above(tasks)), at_once, columns)


@dataclass(frozen=True, slots=True)
class Tasks:
    """Runs of edges, each of which is added up by itself.

    Attributes:
        begin: first edge of each.
        end: behind its last edge.
        place: row that each belongs to; None = its own number.
        most: those with more edges are left out.
        edges: of all together.
    """

    begin: Tensor
    end: Tensor
    place: Tensor | None
    most: int
    edges: int

    @classmethod
    def rows(cls, layout: Layout) -> Self:
        """The rows of a layout that are not long."""
        return cls(layout.pointer[:-1], layout.pointer[1:], None, LONG, layout.edges)

    @classmethod
    def chunks(cls, found: LongRows, place: Tensor | None) -> Self:
        """The chunks of long rows."""
        return cls(found.begin, found.end, place, EVERY, found.chunks * LONG)

    @classmethod
    def merging(cls, found: LongRows, place: Tensor | None) -> Self:
        """Long rows, whose edges are their chunks."""
        return cls(found.pointer[:-1], found.pointer[1:], place, EVERY, found.chunks)

    @property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor | None, int, int]:
        """What kernels are given: `begin, end, place, tasks, most`."""
        return self.begin, self.end, self.place, self.begin.numel(), self.most

    def launch(self, kernel: Any, arguments: Sequence[Any], width: int = 1, whole: bool = False, **sizes: Any) -> None:
        """Start a kernel on these tasks.

        Args:
            kernel: compiled by `triton.jit`.
            arguments: of the kernel, before `begin`.
            width: columns; 1 for a number of each edge.
            whole: all columns are read at once.
            sizes: what else it is compiled for.

        Raises:
            ValueError: if a GPU cannot start as many programs.
        """
        block = block_for(self.edges, self.begin.numel(), width, whole)
        if "WIDTH" in kernel.arg_names:
            sizes["WIDTH"] = block.width
        grid = checked_grid(divided_up(self.begin.numel(), block.rows), divided_up(width, block.width))
        launch(kernel, grid, self.begin, (*arguments, *self.arguments), ROWS=block.rows, EDGES=block.edges, **sizes)


def power_above(number: int) -> int:
    """The least power of two that is not below a number."""
    return 1 << max(number - 1, 0).bit_length()


def divided_up(number: int, by: int) -> int:
    """How many pieces of a size hold so many things."""
    return -(-number // by)


def checked_grid(first: int, second: int = 1) -> tuple[int, int]:
    """How many programs are started along two axes.

    Raises:
        ValueError: if a GPU cannot start so many.

    >>> checked_grid(3)
    (3, 1)
    """
    if first > _GRID or second > _GRID_WIDTH:
        raise ValueError(
            f"a GPU starts at most {_GRID} times {_GRID_WIDTH} programs (these take {first} times {second})"
        )
    return first, second


def launch(kernel: Any, grid: tuple[int, int], like: Tensor, arguments: Sequence[Any], **sizes: Any) -> None:
    """Start a kernel on the device of a tensor.

    Args:
        kernel: compiled by `triton.jit`.
        grid: how many programs.
        like: a tensor on the device.
        arguments: of the kernel.
        sizes: what it is compiled for.
    """
    with torch.cuda.device_of(like):
        kernel[grid](*arguments, **sizes)
