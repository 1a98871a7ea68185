"""How much memory a step takes, measured and bounded: tensors that are alive at once, beyond what was there before."""

import os
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

_SPARE: Final = 0.8
_WIDEST: Final = 8

Result = TypeVar("Result")
Clock = Callable[[], float]


class TooLarge(Exception):
    """A step would need more memory than there is.

    Args:
        needed: bytes alive at once, at the operator that was refused.
    """

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed} bytes")
        self.needed = needed


class TooSlow(Exception):
    """A step took longer than it may.

    Args:
        seconds: after which it was given up.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step may take: bytes beyond what is there, and seconds of a clock."""

    memory: int
    seconds: float
    clock: Clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Peak:
    """What a step took.

    Attributes:
        memory: most bytes of tensors alive at once that were not there before; what an operator takes for itself while it
            runs is not in it on a CPU.
        kept: bytes still alive behind it, its result included.
        seconds: how long it took, watched.
    """

    memory: int
    kept: int
    seconds: float


def watched(work: Callable[[], Result], device: torch.device, limits: Limits) -> tuple[Result, Peak]:
    """Run some work and watch what it takes.

    Args:
        work: what to run.
        device: where it computes.
        limits: on a CPU it is given up before an operator whose result would not fit, and between operators when the time
            is over; on a GPU when the memory is full.

    Raises:
        TooLarge: the memory does not do.
        TooSlow: the time does not do.
    """
    if device.type == "cuda":
        return _watched_by_cuda(work, device)
    watch = _Watch(limits)
    with watch:
        result = work()
    return result, Peak(watch.peak, watch.live, limits.clock() - watch.start)


def _watched_by_cuda(work: Callable[[], Result], device: torch.device) -> tuple[Result, Peak]:
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before, start = torch.cuda.memory_allocated(device), time.perf_counter()
    try:
        result = work()
    except torch.cuda.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise TooLarge(torch.cuda.get_device_properties(device).total_memory) from error
    torch.cuda.synchronize(device)
    seconds, most = time.perf_counter() - start, torch.cuda.max_memory_allocated(device)
    return result, Peak(most - before, torch.cuda.memory_allocated(device) - before, seconds)


class _Watch(TorchDispatchMode):
    """Counts the storage of every tensor that an operator makes, until it is freed; backward passes, too."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._known: dict[int, Any] = {}
        self.start = limits.clock()
        self.live = self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = [item for item in tree_leaves((args, kwargs)) if isinstance(item, Tensor)]
        for item in given:
            self._note(item, 0)  # A view of what was there before is nothing new.
        if self._limits.clock() - self.start > self._limits.seconds:
            raise TooSlow(self._limits.seconds)
        if self.live + _at_most(given) > self._limits.memory:
            needed = self.live + _makes(func, args, kwargs or {})
            if needed > self._limits.memory:
                raise TooLarge(needed)
        made = func(*args, **(kwargs or {}))
        for item in tree_leaves(made):
            if isinstance(item, Tensor):
                self._note(item)
        return made

    def _note(self, tensor: Tensor, size: int | None = None) -> None:
        if tensor.layout is not torch.strided:
            return
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        taken = storage.nbytes() if size is None else size

        def freed(_: object, key: int = key, taken: int = taken) -> None:
            self.live -= taken
            self._known.pop(key, None)

        self._known[key] = weakref.ref(storage, freed)
        self.live += taken
        self.peak = max(self.peak, self.live)


def _at_most(given: list[Tensor]) -> int:
    """Bytes that no usual operator exceeds on these tensors: the most rows of one by the most columns of another."""
    rows = max((item.size(0) for item in given if item.dim()), default=0)
    columns = max((prod(item.shape[1:]) for item in given), default=0)
    longest = max((item.numel() for item in given), default=0)
    return _WIDEST * max(rows * columns, longest)


def _makes(func: Any, args: Any, kwargs: Mapping[str, Any]) -> int:
    """Bytes of an operator's results, from their shapes alone; 0 where only the values of the tensors tell."""
    try:
        made = func(*tree_map(_shape_of, args), **tree_map(_shape_of, dict(kwargs)))
    except Exception:  # Operators without shapes of their own raise errors of many kinds.
        return 0
    fresh = [item for item in tree_leaves(made) if isinstance(item, Tensor) and item._base is None]
    return sum(item.untyped_storage().nbytes() for item in fresh)


def _shape_of(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return torch.empty_strided(value.size(), value.stride(), dtype=value.dtype, device="meta")


def memory_left() -> int:
    """Bytes that a step may take on a CPU: four fifths of what the machine, or the container, has left."""
    return int(_SPARE * min(_machine(), _container()))


def _machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if sys.platform == "win32":
        return sys.maxsize  # Nothing in Python's library tells.
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _container() -> int:
    """What the control group of a container leaves."""
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        folder = Path("/sys/fs/cgroup")
        try:
            return int((folder / most).read_text(encoding="ascii")) - int((folder / used).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return sys.maxsize


__all__ = ["Clock", "Limits", "Peak", "TooLarge", "TooSlow", "memory_left", "watched"]
