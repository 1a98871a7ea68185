"""Composition of relations along a metapath.

The composed relation joins *u* to *v* when at least one path of the metapath leads from *u* to *v*. Relations may be
multigraphs: parallel edges make several path instances but one pair. The walk goes hop by hop from all sources at
once; after each hop, equal (source, node) pairs are merged, so no step is larger than (pairs so far) × degree, and it
is cut into pieces by source, so memory stays within the result plus one piece. Before that, neighbouring hops that
are no larger together than apart become one: `author-paper-venue-paper-author` is walked as `author-venue-author`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Multiplicity = Literal["set", "count", "mean"]
PIECE = 1 << 20
"""Path extensions that are made at once, unless a single source has more."""
_LIMB = 31
_DENSE = 4
_LARGEST = 1 << 63


class BudgetExceeded(ValueError):
    """The composed relation would have more edges than allowed.

    Attributes:
        budget: most edges allowed.
        pairs: distinct pairs found when composition stopped (more may exist).
        instances: exact number of path instances, an upper bound of the number of pairs.
    """

    def __init__(self, budget: int, pairs: int, instances: int) -> None:
        self.budget, self.pairs, self.instances = budget, pairs, instances
        super().__init__(
            f"the composed relation has more than {budget:,} edges (got {pairs:,} before stopping, "
            f"of {instances:,} path instances)"
        )

    def __reduce__(self) -> tuple[type, tuple[int, int, int]]:
        return type(self), (self.budget, self.pairs, self.instances)


@dataclass(frozen=True, slots=True)
class _Hop:
    """One relation by source: parallel edges merged, targets sorted within each source."""

    pointer: Tensor  # [sources + 1]
    source: Tensor  # [pairs]
    target: Tensor  # [pairs]
    count: Tensor | None  # [pairs] float64: parallel edges; None when they do not matter
    targets: int


@dataclass(frozen=True, slots=True)
class _Walks:
    """Where walks from each source have arrived: distinct (source, node) pairs, sorted."""

    source: Tensor
    node: Tensor
    count: Tensor | None

    def part(self, start: int, end: int) -> "_Walks":
        """The pairs from `start` up to `end`."""
        count = None if self.count is None else self.count[start:end]
        return _Walks(self.source[start:end], self.node[start:end], count)


def compose(
    hops: Sequence[Tensor],
    sizes: Sequence[int],
    multiplicity: Multiplicity = "set",
    budget: int | None = None,
    piece: int = PIECE,
) -> tuple[Tensor, Tensor | None]:
    """Compose relations along a metapath.

    Args:
        hops: one edge index [2, edges] per hop, row 0 where the walk comes from and row 1 where it goes to: flip a
            relation that is walked backwards. Parallel edges are allowed.
        sizes: number of nodes at each stop of the walk, one more than hops.
        multiplicity: "set": distinct pairs, no weights. "count": weights are numbers of path instances, parallel edges
            included (exact up to 2^24 in float32). "mean": counts divided so that the weights into each destination
            sum to 1.
        budget: most edges of the result.
        piece: path extensions that are made at once; bounds memory, never changes the result.

    Returns:
        The edge index [2, pairs], sorted by source and then destination, and weights [pairs] of the default dtype, or
        None for "set".

    Raises:
        BudgetExceeded: a `ValueError` that carries the numbers, as soon as more than `budget` pairs are found.
        ValueError: the arguments do not fit each other, or an index lies outside its size.

    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> compose([writes, writes.flip(0)], [2, 2, 2], "count")
    (tensor([[0, 0, 1, 1],
            [0, 1, 0, 1]]), tensor([2., 1., 1., 1.]))
    """
    check_walk(hops, sizes)
    counted = multiplicity != "set"
    layouts = _contract([_lay_out(hop, sizes[i], sizes[i + 1], counted) for i, hop in enumerate(hops)])
    first = layouts[0]
    parts: list[_Walks] = []
    pairs = 0
    for part in _extend(_Walks(first.source, first.target, first.count), layouts[1:], piece):
        pairs += part.node.numel()
        if budget is not None and pairs > budget:
            raise BudgetExceeded(budget, pairs, count_paths(hops, sizes))
        parts.append(part)
    edge_index = torch.stack([torch.cat([part.source for part in parts]), torch.cat([part.node for part in parts])])
    if not counted:
        return edge_index, None
    weight = torch.cat([part.count for part in parts if part.count is not None])
    if multiplicity == "mean":
        total = weight.new_zeros(sizes[-1]).index_add_(0, edge_index[1], weight)
        weight = weight / total[edge_index[1]]
    return edge_index, weight.to(torch.get_default_dtype())


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
    check_walk(hops, sizes)
    walks = hops[0].new_ones((sizes[-1], 1), dtype=torch.long)
    for hop, size in zip(reversed(hops), reversed(sizes[:-1]), strict=True):
        walks = _carry(walks.new_zeros((size, walks.size(1))).index_add_(0, hop[0].long(), walks[hop[1].long()]))
    return sum(total << (_LIMB * place) for place, total in enumerate(walks.sum(0).tolist()))


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
            if row.numel() and not 0 <= int(row.min()) <= int(row.max()) < size:
                raise ValueError(f"hop {i} has indices from {int(row.min())} to {int(row.max())} for {size} nodes")


def _lay_out(hop: Tensor, sources: int, targets: int, counted: bool) -> _Hop:
    """Sort a relation by source and merge its parallel edges."""
    key = hop[0].long() * targets + hop[1].long()
    key, many = torch.unique_consecutive(_sort(key), return_counts=True)
    count = many.to(torch.float64) if counted else None
    return _as_hop(_Walks(*_split(key, targets), count), sources, targets)


def _as_hop(walks: "_Walks", sources: int, targets: int) -> _Hop:
    """Distinct sorted pairs as one relation."""
    pointer = torch.zeros(sources + 1, dtype=torch.long, device=walks.source.device)
    pointer[1:] = torch.bincount(walks.source, minlength=sources).cumsum(0)
    return _Hop(pointer, walks.source, walks.node, walks.count, targets)


def _contract(hops: list[_Hop]) -> list[_Hop]:
    """Compose neighbouring hops while that makes no more pairs than the two have: fewer and shorter steps remain."""
    while len(hops) > 2:
        growth = [_extensions(one, two) - one.target.numel() - two.target.numel() for one, two in pairwise(hops)]
        place = min(range(len(growth)), key=growth.__getitem__)
        if growth[place] > 0:
            break
        one, two = hops[place : place + 2]
        walks = _step(_Walks(one.source, one.target, one.count), two)
        hops = [*hops[:place], _as_hop(walks, one.pointer.numel() - 1, two.targets), *hops[place + 2 :]]
    return hops


def _extensions(one: _Hop, two: _Hop) -> int:
    """Pairs of `one` extended by each pair of `two` that goes on from there."""
    return int((two.pointer[one.target + 1] - two.pointer[one.target]).sum())


def _split(key: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Source and node of a key `source * size + node`."""
    source = torch.div(key, max(size, 1), rounding_mode="floor")
    return source, key - source * size


def _extend(walks: _Walks, hops: Sequence[_Hop], piece: int) -> Iterator[_Walks]:
    """Walk the remaining hops, depth first, piece by piece; results come in the order of their sources."""
    if not hops:
        yield walks
        return
    for part in _pieces(walks, hops[0], piece):
        yield from _extend(_step(part, hops[0]), hops[1:], piece)


def _pieces(walks: _Walks, hop: _Hop, piece: int) -> Iterator[_Walks]:
    """Cut walks between sources so that each piece has about `piece` extensions, or belongs to one source."""
    if walks.node.numel() == 0:
        yield walks
        return
    degree = hop.pointer[walks.node + 1] - hop.pointer[walks.node]
    before = degree.cumsum(0) - degree
    opens = torch.ones_like(walks.source, dtype=torch.bool)
    opens[1:] = walks.source[1:] != walks.source[:-1]
    first = opens.nonzero().squeeze(1)
    bucket = torch.div(before[first], piece, rounding_mode="floor")
    changes = torch.ones_like(bucket, dtype=torch.bool)
    changes[1:] = bucket[1:] != bucket[:-1]
    bounds = [*first[changes].tolist(), walks.node.numel()]
    for start, end in pairwise(bounds):
        yield walks.part(start, end)


def _step(walks: _Walks, hop: _Hop) -> _Walks:
    """Extend every walk by one hop and merge equal pairs."""
    if walks.node.numel() == 0:
        return walks
    start = hop.pointer[walks.node]
    degree = hop.pointer[walks.node + 1] - start
    origin = torch.repeat_interleave(degree)
    position = torch.arange(origin.numel(), device=origin.device) + (start - degree.cumsum(0) + degree)[origin]
    lowest = walks.source[0]
    key = (walks.source[origin] - lowest) * hop.targets + hop.target[position]
    count = None
    if walks.count is not None and hop.count is not None:
        count = walks.count[origin] * hop.count[position]
    rows = int(walks.source[-1] - lowest) + 1
    key, count = _merge(key, count, rows * hop.targets)
    source, node = _split(key, hop.targets)
    return _Walks(source + lowest, node, count)


def _merge(key: Tensor, count: Tensor | None, cells: int) -> tuple[Tensor, Tensor | None]:
    """Distinct keys below `cells`, sorted, and the sums of their counts."""
    if count is None:
        return torch.unique_consecutive(_sort(key)), None
    if cells <= _DENSE * key.numel():  # A table of all keys is smaller than the work of sorting.
        table = count.new_zeros(cells).index_add_(0, key, count)
        found = table.nonzero().squeeze(1)
        return found, table[found]
    key, order = torch.sort(key)
    distinct, place = torch.unique_consecutive(key, return_inverse=True)
    return distinct, count.new_zeros(distinct.numel()).index_add_(0, place, count[order])


def _sort(key: Tensor) -> Tensor:
    """Sorted keys. On CPUs NumPy sorts integers 6 times as fast as PyTorch (35 against 240 ns a key, AVX-512)."""
    return torch.from_numpy(np.sort(key.numpy())) if key.device.type == "cpu" else torch.sort(key).values
