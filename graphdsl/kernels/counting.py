"""How many walks a metapath has, counted exactly before any is made: one segment sum per hop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_LIMB = 31
_LARGEST = 1 << 63
_LARGE = 1 << 62
_EXACT = 1 << 53


def count_paths(hops: Sequence[Tensor], sizes: Sequence[int]) -> int:
    """Count path instances exactly, without making any: one segment sum per hop.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.

    Returns:
        The number of path instances, parallel edges counted each, as a Python integer of any size: sums are kept in
        limbs of 31 bits, so nothing overflows while a hop has fewer than 2^32 edges.

    >>> cites = torch.tensor([[0, 0, 1], [1, 1, 2]])
    >>> count_paths([cites, cites], [3, 3, 3])
    2
    """
    return count_walks(hops, sizes)[-1]


def count_walks(hops: Sequence[Tensor], sizes: Sequence[int]) -> tuple[int, ...]:
    """Number of walks after each hop, exactly.

    >>> cites = torch.tensor([[0, 0, 1], [1, 1, 2]])
    >>> count_walks([cites, cites], [3, 3, 3])
    (3, 2)
    """
    check_walk(hops, sizes)
    quick = _quick_arrivals(hops, sizes)
    if quick is not None:
        return tuple(int(walks.sum()) for walks in quick)
    return tuple(_total(walks) for walks in _arrivals(hops, sizes))


@dataclass(frozen=True, slots=True)
class WalkProfile:
    """What composing a walk would make, known beforehand.

    Attributes:
        walks: number of walks after each hop, exactly; the last is the number of path instances.
        pairs: the most distinct pairs: no source has more than its paths, or than there are destinations.
        busiest: paths into the destination that most lead to.
        reached: destinations that any path leads to.
    """

    walks: tuple[int, ...]
    pairs: int
    busiest: int
    reached: int


def profile_walk(hops: Sequence[Tensor], sizes: Sequence[int]) -> WalkProfile:
    """Count the walks, hop by hop, without making any; linear in edges.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.

    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> profile_walk([writes, writes.flip(0)], [2, 2, 2])
    WalkProfile(walks=(3, 5), pairs=4, busiest=3, reached=2)
    """
    check_walk(hops, sizes)
    back = [hop.flip(0) for hop in reversed(hops)]
    quick = _quick_arrivals(hops, sizes)
    leaving = _quick_arrivals(back, sizes[::-1]) if quick is not None else None
    if quick is not None and leaving is not None:
        return WalkProfile(
            walks=tuple(int(walks.sum()) for walks in quick),
            pairs=int(leaving[-1].clamp(max=sizes[-1]).sum()),
            busiest=int(quick[-1].max()) if quick[-1].numel() else 0,
            reached=int((quick[-1] > 0).sum()),
        )
    arrivals = list(_arrivals(hops, sizes))
    departures = list(_arrivals(back, sizes[::-1]))[-1]
    small = (
        departures[:, 0] if departures.size(1) == 1 else torch.where(departures[:, 1:].any(1), _LARGE, departures[:, 0])
    )
    ends = arrivals[-1]
    busiest = max((_total(row.unsqueeze(0)) for row in ends[_largest(ends)]), default=0)
    return WalkProfile(
        walks=tuple(_total(walks) for walks in arrivals),
        pairs=int(small.clamp(max=sizes[-1]).sum()),
        busiest=busiest,
        reached=int(ends.any(1).sum()),
    )


def count_arrivals(hops: Sequence[Tensor], sizes: Sequence[int]) -> Tensor | None:
    """How many walks end in each node, in doubles of shape [sizes[-1]]; None if doubles do not hold that exactly.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.

    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> count_arrivals([writes, writes.flip(0)], [2, 2, 2])
    tensor([3., 2.], dtype=torch.float64)
    """
    check_walk(hops, sizes)
    quick = _quick_arrivals(hops, sizes)
    return None if quick is None else quick[-1]


def find_origins(hops: Sequence[Tensor], sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Smallest and largest source of the walks that end in each node; linear in edges.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.

    Returns:
        Two tensors of shape [sizes[-1]]. Where no walk ends, the first is `sizes[0]` and the second -1.

    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> find_origins([writes, writes.flip(0)], [2, 2, 3])
    (tensor([0, 0, 2]), tensor([ 1,  1, -1]))
    """
    check_walk(hops, sizes)
    first = last = torch.arange(sizes[0], device=hops[0].device)
    for hop, size in zip(hops, sizes[1:], strict=True):
        source, target = hop[0].long(), hop[1].long()
        first = first.new_full((size,), sizes[0]).scatter_reduce_(0, target, first[source], "amin")
        last = last.new_full((size,), -1).scatter_reduce_(0, target, last[source], "amax")
    return first, last


def _quick_arrivals(hops: Sequence[Tensor], sizes: Sequence[int]) -> list[Tensor] | None:
    """After each hop, how many walks have arrived at each node, in doubles; None if these are not exact: above 2^53."""
    walks, found = hops[0].new_ones(sizes[0], dtype=torch.double), list[Tensor]()
    for hop, size in zip(hops, sizes[1:], strict=True):
        walks = torch.bincount(hop[1], weights=walks.index_select(0, hop[0]), minlength=size)
        found.append(walks)
        if walks.sum() >= _EXACT:
            return None
    return found


def _arrivals(hops: Sequence[Tensor], sizes: Sequence[int]) -> Iterator[Tensor]:
    """After each hop, how many walks have arrived at each node, in limbs of 31 bits, lowest first: [nodes, limbs]."""
    walks = hops[0].new_ones((sizes[0], 1), dtype=torch.long)
    for hop, size in zip(hops, sizes[1:], strict=True):
        walks = _carry(walks.new_zeros((size, walks.size(1))).index_add_(0, hop[1].long(), walks[hop[0].long()]))
        yield walks


def _total(limbs: Tensor) -> int:
    """The sum of all numbers, as a Python integer."""
    return sum(total << (_LIMB * place) for place, total in enumerate(limbs.sum(0).tolist()))


def _largest(limbs: Tensor) -> Tensor:
    """Row of the largest number, shape [1]; empty without rows."""
    rows = torch.arange(len(limbs), device=limbs.device)
    for place in reversed(range(limbs.size(1))):
        column = limbs[rows, place]
        rows = rows[column == column.max()] if rows.numel() else rows
    return rows[:1]


def _carry(limbs: Tensor) -> Tensor:
    """Numbers whose limbs fit 31 bits again, lowest limb first."""
    done: list[Tensor] = []
    carried = torch.zeros_like(limbs[:, 0])
    place = 0
    while place < limbs.size(1) or bool(carried.any()):
        value = carried + limbs[:, place] if place < limbs.size(1) else carried
        done.append(value & ((1 << _LIMB) - 1))
        carried = value >> _LIMB
        place += 1
    return torch.stack(done, dim=1)


def check_walk(hops: Sequence[Tensor], sizes: Sequence[int]) -> None:
    """Refuse hops that do not fit their sizes."""
    if not hops or len(sizes) != len(hops) + 1:
        raise ValueError(f"a walk of n hops needs n + 1 sizes (got {len(hops)} hops and {len(sizes)} sizes)")
    for i, hop in enumerate(hops):
        if hop.dim() != 2 or hop.size(0) != 2 or hop.is_floating_point():
            raise ValueError(f"hop {i} must be an integer tensor [2, edges] (got {hop.dtype} {list(hop.shape)})")
        if sizes[i] * sizes[i + 1] >= _LARGEST or sizes[0] * sizes[i + 1] >= _LARGEST:
            raise ValueError(f"hop {i} has too many possible pairs for 64 bits (got sizes {list(sizes)})")
        if torch.compiler.is_compiling():  # A graph of operators cannot look at values.
            continue
        for row, size in zip(hop, sizes[i : i + 2], strict=True):
            low, high = (int(end) for end in row.aminmax()) if row.numel() else (0, -1)
            if low < 0 or high >= size:
                raise ValueError(f"hop {i} has indices from {low} to {high} for {size} nodes")
