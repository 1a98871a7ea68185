"""Hops of a composition on a CPU, in NumPy, whose sorts and divisions of 32-bit numbers are several times PyTorch's.

Pairs are made piece by piece, each piece so small that it stays in a core's cache, and kept as one number each until all
are there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

NARROW = 1 << 32
_DENSE = 4
_LONG = 30
_HALF = np.uint64(32)
Numbers = NDArray[Any]
Counts = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Edges:
    """A relation without parallel edges, by source.

    Attributes:
        pointer: where the edges of each source begin, [sources + 1].
        target: of each edge, rising within each source; of 32 bits if that does.
        count: how many parallel edges each stands for; None where they do not matter.
        targets: number of targets.
        simple: whether all of them stand for one.
    """

    pointer: Numbers
    target: Numbers
    count: Counts | None
    targets: int
    simple: bool


@dataclass(frozen=True, slots=True)
class Packed:
    """Distinct pairs, sorted, each as the number `(source - lowest) * targets + node`, or as two numbers.

    Attributes:
        lowest: the first source.
        targets: number of targets.
        key: the pairs, of 32 bits if they fit; with `row`, their nodes.
        count: paths of each, whole numbers of whatever dtype, or None.
        row: `source - lowest`, where it is known anyway; else None.
    """

    lowest: int
    targets: int
    key: Numbers
    count: Counts | None
    row: Numbers | None = None

    def __len__(self) -> int:
        return len(self.key)

    def fill(self, out: Numbers, counts: Counts | None = None) -> None:
        """Write the sources and the nodes into an array of shape [2, pairs], and the paths into one of shape [pairs]."""
        if counts is not None:
            counts[:] = self.count
        if self.row is not None:
            np.add(self.row, self.lowest, out=out[0], casting="unsafe")
            out[1] = self.key
            return
        size = self.key.dtype.type(max(self.targets, 1))
        row = self.key // size
        out[0] = row
        out[0] += self.lowest
        row *= size
        out[1] = np.subtract(self.key, row, out=row)


def sort_edges(source: Numbers, target: Numbers, sources: int, targets: int) -> tuple[Numbers, Numbers, Counts | None]:
    """Edges by source and then target, parallel ones merged.

    Returns:
        Sources and targets as int64, and how many edges each pair stands for; None where no two are parallel.

    >>> sort_edges(np.array([1, 0, 1]), np.array([2, 0, 2]), 2, 3)
    (array([0, 1]), array([0, 2]), array([1., 2.]))
    """
    kind = np.uint32 if sources * targets < NARROW else np.int64
    key = source.astype(kind)
    key *= kind(targets)
    key += target.astype(kind, copy=False)
    if (key[1:] > key[:-1]).all():  # As loaders and transforms leave them: nothing is to be done.
        return source.astype(np.int64, copy=False), target.astype(np.int64, copy=False), None
    key, count = _count_runs(key, counted=True)
    assert count is not None
    pairs = np.empty((2, len(key)), np.int64)
    Packed(0, targets, key, None).fill(pairs)
    return pairs[0], pairs[1], count.astype(np.float64) if len(key) < len(source) else None


def extend_pairs(source: Numbers, node: Numbers, count: Counts | None, edges: Edges, piece: int) -> Iterator[Packed]:
    """Extend each pair (source, node) by all edges that leave its node, and merge equal pairs.

    Args:
        source: of each pair, in order; at least one.
        node: of each pair.
        count: paths of each pair, or None.
        edges: the hop.
        piece: about how many extensions are made at once; all pairs of a source are.

    Yields:
        The distinct pairs of some sources after those of the last piece.
    """
    start = edges.pointer[node]
    degree = edges.pointer[node + 1] - start
    if not degree.all():  # Of the others nothing comes.
        on = np.flatnonzero(degree)
        source, start, degree = source[on], start[on], degree[on]
        count = None if count is None else count[on]
    if not len(source):
        yield Packed(0, edges.targets, np.empty(0, np.int64), None if count is None else np.empty(0))
        return
    end = np.cumsum(degree)
    opens = np.flatnonzero(_new(source))
    bucket = (end[opens] - degree[opens]) // piece
    bounds = [*opens[_new(bucket)].tolist(), len(source)]
    start -= end - degree  # Where an extension finds its edge: the place of the extension plus this.
    places = np.arange(min(2 * piece, int(end[-1])))
    for low, high in pairwise(bounds):
        before = int(end[low] - degree[low])
        spread = _Spread.of(degree[low:high], end[low:high] - before)
        place = spread(start[low:high] + before)
        place += places[: len(place)] if len(place) <= len(places) else np.arange(len(place))
        part = None if count is None or edges.count is None else count[low:high]
        yield _extend_piece(source[low:high], part, spread, place, edges)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Gives each extension what the pair has that it is of.

    Attributes:
        degree: extensions of each pair, at least one.
        origin: the pair of each extension; None where pairs have so many that repeating takes no longer than looking up.
    """

    degree: Numbers
    origin: Numbers | None

    @classmethod
    def of(cls, degree: Numbers, end: Numbers) -> "_Spread":
        if end[-1] > _LONG * len(end):
            return cls(degree, None)
        begins = np.zeros(end[-1], dtype=np.bool_)  # `np.repeat` takes five times as long where a pair has few.
        begins[end[:-1]] = True
        return cls(degree, np.cumsum(begins, dtype=np.int64))

    def __call__(self, values: Numbers) -> Numbers:
        return np.repeat(values, self.degree) if self.origin is None else values.take(self.origin)


def _extend_piece(source: Numbers, count: Counts | None, spread: _Spread, place: Numbers, edges: Edges) -> Packed:
    lowest, row = int(source[0]), source - source[0]
    target = edges.target.take(place)
    if len(row) == 1 or bool((row[1:] != row[:-1]).all()):
        # Targets of a node rise and are distinct; each source has one node here, so there is nothing to merge.
        paths = None if count is None else _paths(count, spread, place, edges)
        return Packed(lowest, edges.targets, target, paths, spread(row.astype(np.uint32) if row[-1] < NARROW else row))
    cells, base = (int(row[-1]) + 1) * edges.targets, row * edges.targets
    alike = count is None or (edges.simple and bool((count == 1).all()))
    if not alike and edges.simple and cells < NARROW and count is not None and count.max() < NARROW:
        both = spread(_beside(base, count))
        both += target.astype(np.uint64) << _HALF
        return Packed(lowest, edges.targets, *_sum_beside(both))
    kind = np.uint32 if _DENSE * len(place) < cells < NARROW else np.int64
    key = spread(base.astype(kind))
    key += target.astype(kind, copy=False)
    if alike:
        found = (
            _mark(key, cells, count is not None) if cells <= _DENSE * len(key) else _count_runs(key, count is not None)
        )
        return Packed(lowest, edges.targets, *found)
    assert count is not None
    return Packed(lowest, edges.targets, *_sum_paths(key, _paths(count, spread, place, edges), cells))


def _paths(count: Counts, spread: _Spread, place: Numbers, edges: Edges) -> Counts:
    """Paths of each extension."""
    return spread(count) if edges.count is None or edges.simple else spread(count) * edges.count.take(place)


def _mark(key: Numbers, cells: int, counted: bool) -> tuple[Numbers, Numbers | None]:
    """Distinct keys below `cells`, sorted, and how often each stands there, by a table of all: fewer than sorting looks at."""
    if counted:
        often = np.bincount(key, minlength=cells)
        found = np.flatnonzero(often)
        return found, often.take(found)
    table = np.zeros(cells, dtype=np.bool_)
    table[key] = True
    return np.flatnonzero(table), None


def _sum_paths(key: Numbers, paths: Counts, cells: int) -> tuple[Numbers, Counts]:
    """Distinct keys below `cells`, sorted, and the sums of their paths."""
    if cells < NARROW and paths.max() < NARROW:
        return _sum_beside(_beside(key, paths))
    order = np.argsort(key)
    key, paths = key[order], paths[order]
    begins = np.flatnonzero(_new(key))
    return key[begins], np.add.reduceat(paths, begins)


def _beside(key: Numbers, paths: Counts) -> Numbers:
    """Keys and numbers of paths of 32 bits each in one of 64: sorting moves them together."""
    both = key.astype(np.uint64)
    both <<= _HALF
    both |= paths.astype(np.uint64)
    return both


def _sum_beside(both: Numbers) -> tuple[Numbers, Numbers]:
    both.sort()
    key = both >> _HALF
    last = np.ones(len(key), dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=last[:-1])
    ends = np.flatnonzero(last)
    both &= np.uint64(NARROW - 1)
    return key.take(ends).astype(np.uint32), np.diff(np.cumsum(both).take(ends), prepend=np.uint64(0))


def _new(key: Numbers) -> NDArray[np.bool_]:
    """Which of some sorted numbers differ from the one before."""
    new = np.ones(len(key), dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    return new


def _count_runs(key: Numbers, counted: bool) -> tuple[Numbers, Numbers | None]:
    """Distinct numbers, sorted, and how often each stands there."""
    key.sort()
    new = _new(key)
    if not counted:
        return key[new], None
    if new.all():
        return key, np.ones(len(key), np.uint8)
    begins = np.flatnonzero(new)
    return key.take(begins), np.diff(begins, append=len(key))
