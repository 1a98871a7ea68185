"""Sorting on a CPU: by NumPy, which uses AVX-512 where there is any, or by radix, whichever is faster on this processor.

On one processor each number of 64 bits takes NumPy 3 ns, and each of 32 bits 1.6. On an AMD EPYC (Zen 4) it takes 35 to 70 ns,
and 20; there torch's radix sort takes 13 and 7, and NumPy's own, for 16 bits, 4 to 16. So it is measured once.
"""

from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RADIX = 1 << 15
"""Numbers from which on torch sorts by radix."""
_HALF = 16
_LOW = (1 << _HALF) - 1
Numbers = NDArray[Any]


def sort_order(numbers: Tensor, size: int) -> Tensor:
    """The stable order that sorts whole numbers, int64 [count].

    Args:
        numbers: whole numbers from 0 to `size` - 1.
        size: how many there are.

    >>> sort_order(torch.tensor([2, 0, 2, 1]), 3)
    tensor([1, 3, 0, 2])
    """
    count = numbers.numel()
    if count < 2 or bool((numbers[1:] >= numbers[:-1]).all()):
        return torch.arange(count, device=numbers.device)
    if numbers.device.type != "cpu":
        return torch.argsort(numbers, stable=True)
    if is_radix_faster("<i8"):
        return _order_by_radix(numbers, size)
    bits = count.bit_length()
    if size.bit_length() + bits > 63:
        return torch.argsort(numbers, stable=True)
    return torch.from_numpy(_packed(numbers.long().numpy(), bits)).bitwise_and_((1 << bits) - 1)


def sort_with_places(keys: Numbers, bits: int) -> tuple[Numbers, Numbers]:
    """Keys sorted stably, and where each stood.

    Args:
        keys: whole numbers [count], int64.
        bits: that the largest of them may have.

    >>> sort_with_places(np.array([5, 3, 5, 1]), 3)
    (array([1, 3, 5, 5]), array([3, 1, 0, 2]))
    """
    own = len(keys).bit_length()
    if len(keys) >= RADIX and is_radix_faster("<i8"):
        found = torch.from_numpy(keys).sort(stable=True)
        return found.values.numpy(), found.indices.numpy()
    if bits + own > 63:
        order = np.argsort(keys, kind="stable")
        return keys[order], order
    packed = _packed(keys, own)
    return packed >> own, packed & ((1 << own) - 1)


def _packed(keys: Numbers, bits: int) -> Numbers:
    """Key and place as one number, sorted: several times as fast as sorting keys indirectly."""
    packed = keys << bits | np.arange(len(keys))
    packed.sort()
    return packed


def _order_by_radix(numbers: Tensor, size: int) -> Tensor:
    if size <= 1 << _HALF:
        return torch.from_numpy(_order_of_halves(numbers.numpy()))
    if size > 1 << (2 * _HALF - 1):
        return torch.argsort(numbers, stable=True)
    if numbers.numel() >= RADIX:
        return torch.sort(numbers.int(), stable=True).indices
    given = numbers.numpy()
    order = _order_of_halves(given & _LOW)
    return torch.from_numpy(order[_order_of_halves(given[order] >> _HALF)])


def _order_of_halves(numbers: Numbers) -> Numbers:
    """Stable order of numbers of 16 bits, by radix."""
    return np.argsort(numbers.astype(np.uint16), kind="stable")


def in_order(key: Numbers) -> Numbers:
    """Numbers, sorted; the array itself may be, too.

    >>> in_order(np.array([3, 1, 2], np.uint32))
    array([1, 2, 3], dtype=uint32)
    """
    if len(key) < RADIX or not is_radix_faster(key.dtype.str):
        key.sort()
        return key
    return _radix_sort(key)


def _radix_sort(key: Numbers) -> Numbers:
    """Sorted by the radix sort of torch, which takes 2^15 numbers and more."""
    signed = key.view(f"i{key.itemsize}")
    if key.dtype.kind == "u" and signed.min(initial=0) < 0:  # Turned so that the order of signed numbers is theirs.
        turn = key.dtype.type(1 << (8 * key.itemsize - 1))
        return torch.from_numpy((key ^ turn).view(signed.dtype)).sort().values.numpy().view(key.dtype) ^ turn
    return torch.from_numpy(signed).sort().values.numpy().view(key.dtype)


@cache
def is_radix_faster(kind: str) -> bool:
    """Measured once, as it depends on the processor: AVX-512, by which NumPy sorts, may be fast or slow."""
    drawn = np.random.default_rng(0).integers(0, 1 << 31, 2 * RADIX).astype(kind)
    times = {sort: min(_seconds(sort, drawn.copy()) for _ in range(3)) for sort in (np.ndarray.sort, _radix_sort)}
    return times[_radix_sort] < times[np.ndarray.sort]


def _seconds(sort: Callable[[Numbers], object], key: Numbers) -> float:
    start = perf_counter()
    sort(key)
    return perf_counter() - start
