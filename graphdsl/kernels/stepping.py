"""Hops of a composition on a CPU, in NumPy, whose sorts and divisions of 32-bit numbers are several times PyTorch's.

Pairs are made piece by piece, each piece so small that it stays in a core's cache, and kept as one number each until all
are there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from graphdsl.kernels.merging import (
    NARROW,
    Counts,
    Numbers,
    Packed,
    Pairing,
    count_keys,
    is_exact,
    is_filled,
    mark_keys,
    sort_keys,
    sum_paths,
    tally_keys,
)

_LONG = 12
_NUMBERED = 1 << 17


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
    key, count = count_keys(key)
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
    degree = edges.pointer[node + 1] - edges.pointer[node]
    if not degree.all():  # Of the others nothing comes.
        on = np.flatnonzero(degree)
        source, node, degree = source[on], node[on], degree[on]
        count = None if count is None else count[on]
    if not len(source):
        yield Packed(0, edges.targets, np.empty(0, np.int64), None if count is None else np.empty(0))
        return
    end = np.cumsum(degree)
    opens = np.flatnonzero(_new(source))
    bucket = (end[opens] - degree[opens]) // piece
    bounds = [*opens[_new(bucket)].tolist(), len(source)]
    start = edges.pointer[node] - (end - degree)  # Where an extension finds its edge: its place plus this.
    for low, high in pairwise(bounds):
        before = int(end[low] - degree[low])
        spread = _Spread.of(degree[low:high], end[low:high] - before)
        place = spread(start[low:high] + before)
        place += _number(len(place))
        part = None if count is None or edges.count is None else count[low:high]
        yield _extend_piece(source[low:high], part, spread, place, edges)


def _new(key: Numbers) -> NDArray[np.bool_]:
    """Which of some sorted numbers differ from the one before."""
    return np.append(True, key[1:] != key[:-1])


def _number(many: int) -> Numbers:
    """The first so many numbers."""
    return _first_numbers()[:many] if many <= _NUMBERED else np.arange(many)


@cache
def _first_numbers() -> Numbers:
    """Made once: in a small composition making them is a sixth of the time."""
    return np.arange(_NUMBERED)


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
        begins = np.zeros(end[-1], np.int64)  # `np.repeat` takes five times as long where a pair has few.
        begins[end[:-1]] = 1
        return cls(degree, np.cumsum(begins, out=begins))

    def __call__(self, values: Numbers) -> Numbers:
        return np.repeat(values, self.degree) if self.origin is None else values.take(self.origin)


def _extend_piece(source: Numbers, count: Counts | None, spread: _Spread, place: Numbers, edges: Edges) -> Packed:
    lowest, row = int(source[0]), source - source[0]
    target = edges.target.take(place)
    alike = count is None or (edges.simple and bool((count == 1).all()))  # Each extension is one path.
    if len(row) == 1 or bool((row[1:] != row[:-1]).all()):
        # Targets of a node rise and are distinct; each source has one node here, so there is nothing to merge.
        paths = None
        if count is not None:
            paths = np.ones(len(place), np.uint8) if alike else _paths(count, spread, place, edges)
        return Packed(lowest, edges.targets, target, paths, spread(row.astype(np.uint32) if row[-1] < NARROW else row))
    cells, base = (int(row[-1]) + 1) * edges.targets, row * edges.targets
    if not alike and count is not None:
        return Packed(lowest, edges.targets, *_sum_extensions(base, target, count, spread, place, edges, cells))
    filled = is_filled(cells, len(place), count is not None)
    key = _keys(base, target, spread, np.uint32 if cells < NARROW and not filled else np.int64)
    if count is None:
        return Packed(lowest, edges.targets, mark_keys(key, cells) if filled else sort_keys(key), None)
    return Packed(lowest, edges.targets, *(tally_keys(key, cells, None) if filled else count_keys(key)))


def _sum_extensions(
    base: Numbers, target: Numbers, count: Counts, spread: _Spread, place: Numbers, edges: Edges, cells: int
) -> tuple[Numbers, Counts]:
    """Distinct pairs and the sums of their paths."""
    if is_filled(cells, len(place), counted=True):
        paths = _paths(count, spread, place, edges)
        if is_exact(paths):
            return tally_keys(_keys(base, target, spread, np.int64), cells, paths)
    most = int(count.max()) * (1 if edges.simple or edges.count is None else int(edges.count.max()))
    pairing = Pairing.of(cells, most)
    if pairing is None:
        return sum_paths(_keys(base, target, spread, np.int64), _paths(count, spread, place, edges))
    if edges.simple:  # The number of paths is that of the pair: one spread gives both.
        both = spread(pairing.beside(base, count))
        both += pairing.shifted(target)
        return pairing.sum(both)
    return pairing.sum(pairing.beside(_keys(base, target, spread, pairing.kind), _paths(count, spread, place, edges)))


def _keys(base: Numbers, target: Numbers, spread: _Spread, kind: type[np.integer]) -> Numbers:
    """A number for each extension: where its source begins, and its target."""
    key = spread(base.astype(kind))
    key += target.astype(kind, copy=False)
    return key


def _paths(count: Counts, spread: _Spread, place: Numbers, edges: Edges) -> Counts:
    """Paths of each extension."""
    if edges.count is not None and (count == 1).all():
        return edges.count.take(place)
    return spread(count) if edges.count is None or edges.simple else spread(count) * edges.count.take(place)
