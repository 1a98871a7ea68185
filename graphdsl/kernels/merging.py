"""Equal pairs made one, on a CPU, in NumPy: by sorting numbers of 32 bits where they fit, or by a table of all.

Measured on one processor, each number sorted costs 1.6 ns (3.0 of 64 bits, 8.6 with an order to go with it), each cell of a
table 0.3 ns; on another, see `sorting`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphdsl.kernels.sorting import RADIX, in_order, is_radix_faster

BITS = 32
"""Of a narrow number."""
NARROW = 1 << BITS
_WIDE = 64
_EXACT = 1 << 53
_MARKED, _COUNTED = 4, 2
"""A table is made if it has at most so many cells for each key: without and with numbers of paths."""
_MORE_MARKED, _MORE_COUNTED = 3, 5
_RARE = 0.03
Numbers = NDArray[Any]
Counts = NDArray[Any]


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

    def fill(self, out: Numbers, counts: Counts | None = None, total: Counts | None = None) -> None:
        """Write the sources and the nodes into an array of shape [2, pairs], and the paths into one of shape [pairs].

        Args:
            out: for sources and nodes.
            counts: for the paths.
            total: what to divide the paths by, for each node.
        """
        row, node = self.row, self.key
        if row is None:
            size = node.dtype.type(max(self.targets, 1))
            row = node // size
            node = node - row * size
        out[1] = node
        if self.lowest:
            row = row + (np.uint32(self.lowest) if _fits(row, self.lowest) else self.lowest)
        out[0] = row
        if counts is not None and self.count is not None:
            if total is None:
                counts[:] = self.count
            else:
                np.divide(self.count, total.take(node), out=counts, casting="same_kind")


def _fits(row: Numbers, lowest: int) -> bool:
    """Whether rows, which rise, stay narrow when the lowest is added."""
    return row.dtype == np.uint32 and len(row) > 0 and int(row[-1]) + lowest < NARROW


def is_filled(cells: int, keys: int, counted: bool) -> bool:
    """Whether a table of so many cells is less work than sorting the keys."""
    room = _COUNTED if counted else _MARKED
    if keys >= RADIX and is_radix_faster(np.dtype(np.uint32).str):  # Where sorting takes longer, a table may be larger.
        room *= _MORE_COUNTED if counted else _MORE_MARKED
    return cells <= room * keys


def mark_keys(key: Numbers, cells: int) -> Numbers:
    """Distinct keys below `cells`, sorted, by a table of all.

    >>> mark_keys(np.array([3, 1, 3]), 4)
    array([1, 3], dtype=uint32)
    """
    table = np.zeros(cells, dtype=np.bool_)
    table[key] = True
    return _narrowed(np.flatnonzero(table), cells)


def tally_keys(key: Numbers, cells: int, paths: Counts | None) -> tuple[Numbers, Counts]:
    """Distinct keys below `cells`, sorted, and how often each stands there or the sums of their paths, by a table of all.

    >>> tally_keys(np.array([3, 1, 3]), 4, None)
    (array([1, 3], dtype=uint32), array([1, 2], dtype=uint8))
    """
    table = np.bincount(key, weights=paths, minlength=cells)
    found = np.flatnonzero(table != 0)  # Of numbers it takes six times as long as of bits.
    return _narrowed(found, cells), slim(table.take(found))


def _narrowed(key: Numbers, cells: int) -> Numbers:
    return key.astype(np.uint32) if cells < NARROW else key


def sort_keys(key: Numbers) -> Numbers:
    """Distinct keys, sorted; the array may be sorted in place.

    >>> sort_keys(np.array([3, 1, 3]))
    array([1, 3])
    """
    key = in_order(key)
    new = _changes(key)
    many = np.count_nonzero(new)
    if many == len(key):
        return key
    # Choosing by a mask guesses each time whether it is set: fast only where it nearly always is.
    return key[new] if many > (1 - _RARE) * len(key) else key.take(np.flatnonzero(new))


def count_keys(key: Numbers) -> tuple[Numbers, Counts]:
    """Distinct keys, sorted, and how often each stands there; the array may be sorted in place.

    >>> count_keys(np.array([3, 1, 3]))
    (array([1, 3]), array([1, 2], dtype=uint8))
    """
    key = in_order(key)
    new = _changes(key)
    if new.all():
        return key, np.ones(len(key), np.uint8)
    begins = np.flatnonzero(new)
    often = np.empty(len(begins), np.int64)
    np.subtract(begins[1:], begins[:-1], out=often[:-1])
    often[-1:] = len(key) - begins[-1:]
    return key.take(begins), slim(often)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Keys and numbers of paths side by side in one number each, so that sorting moves them together.

    Attributes:
        shift: bits of the numbers of paths.
        kind: dtype of both.
    """

    shift: int
    kind: type[np.unsignedinteger[Any]]

    @classmethod
    def of(cls, cells: int, most: int) -> "Pairing | None":
        """For keys below `cells` and up to `most` paths; None if 64 bits do not hold both."""
        shift = most.bit_length()
        bits = max(cells - 1, 0).bit_length() + shift
        if bits > _WIDE:
            return None
        return cls(shift, np.uint32 if bits <= BITS else np.uint64)

    def beside(self, key: Numbers, paths: Counts) -> Numbers:
        """Both in one."""
        both = self.shifted(key)
        both |= paths.astype(self.kind)
        return both

    def shifted(self, key: Numbers) -> Numbers:
        """Keys where they stand."""
        both = key.astype(self.kind)
        both <<= self.kind(self.shift)
        return both

    def sum(self, both: Numbers) -> tuple[Numbers, Counts]:
        """Distinct keys, sorted, and the sums of their paths; the array may be sorted in place."""
        both = in_order(both)
        key = both >> self.kind(self.shift)
        both &= self.kind((1 << self.shift) - 1)
        if self.kind is not np.uint32:
            key = key.astype(np.uint32) if not len(key) or key[-1] < NARROW else key.astype(np.int64)
        new = _changes(key)
        if new.all():
            return key, slim(both)
        ends = np.append(np.flatnonzero(new)[1:], len(key)) - 1
        narrow = len(both) << self.shift < NARROW
        upto = np.cumsum(both, dtype=np.uint32 if narrow else np.uint64).take(ends)
        upto[1:] -= upto[:-1].copy()
        return key.take(ends), slim(upto)


def sum_paths(key: Numbers, paths: Counts) -> tuple[Numbers, Counts]:
    """Distinct keys, sorted, and the sums of their paths, where keys and paths do not fit beside each other.

    >>> sum_paths(np.array([3, 1, 3]), np.array([1.0, 2.0, 4.0]))
    (array([1, 3]), array([2., 5.]))
    """
    order = np.argsort(key)
    key, paths = key[order], paths[order]
    begins = np.flatnonzero(_changes(key))
    return key[begins], np.add.reduceat(paths, begins)


def is_exact(paths: Counts) -> bool:
    """Whether no sum of these numbers of paths is larger than doubles hold exactly."""
    return float(paths.max()) * len(paths) < _EXACT


def slim(count: Counts) -> Counts:
    """Whole numbers in the smallest of three dtypes that holds them: they wait until all pairs are there."""
    most = count.max(initial=0)
    return count.astype(np.uint8 if most < 1 << 8 else np.uint32 if most < NARROW else np.float64, copy=False)


def _changes(key: Numbers) -> NDArray[np.bool_]:
    """Which of some sorted numbers differ from the one before."""
    new = np.ones(len(key), dtype=np.bool_)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    return new
