"""One hop of a composition on a CPU, in NumPy, whose sorts and divisions of 32-bit numbers are several times PyTorch's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

NARROW = 1 << 32
_DENSE = 4
Numbers = NDArray[Any]
Counts = NDArray[Any]


def extend_pairs(
    source: Numbers,
    node: Numbers,
    count: Counts | None,
    pointer: Numbers,
    target: Numbers,
    weight: Counts | None,
    targets: int,
) -> tuple[Numbers, Numbers, Counts | None]:
    """Extend each pair (source, node) by all edges that leave its node, and merge equal pairs.

    Args:
        source: of each pair, in order.
        node: of each pair.
        count: paths of each pair, or None.
        pointer: where the edges of each node begin, [nodes + 1].
        target: of each edge, by node.
        weight: parallel edges of each, where paths are counted.
        targets: number of targets.

    Returns:
        Sources, targets and numbers of paths of the distinct pairs, sorted by source and then target.
    """
    start = pointer[node]
    degree = pointer[node + 1] - start
    total = int(degree.sum())
    lowest = int(source[0])
    cells = (int(source[-1]) - lowest + 1) * targets
    kind = np.uint32 if cells < NARROW else np.int64
    position = np.repeat(start - (np.cumsum(degree) - degree), degree)
    position += np.arange(total)
    key = np.repeat(((source - lowest) * targets).astype(kind), degree)
    key += target.astype(kind, copy=False)[position]
    paths = None
    if count is not None and weight is not None:
        paths = np.repeat(count, degree) * weight[position]
    key, paths = _merge(key, paths, cells)
    first = key // kind(max(targets, 1))
    last = key - first * kind(targets)
    return first.astype(np.int64) + lowest, last.astype(np.int64), paths


def _merge(key: Numbers, paths: Counts | None, cells: int) -> tuple[Numbers, Counts | None]:
    """Distinct keys, sorted, and the sums of their paths."""
    if paths is None:
        return _distinct(np.sort(key)), None
    if cells <= _DENSE * len(key):  # A table of all keys is smaller than the work of sorting.
        table = np.bincount(key, weights=paths, minlength=cells)
        found = table.nonzero()[0]
        return found.astype(key.dtype), table[found]
    order = np.argsort(key)
    key, paths = key[order], paths[order]
    begins = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=np.int64)
    return key[begins], np.add.reduceat(paths, begins) if len(key) else paths


def _distinct(key: Numbers) -> Numbers:
    return key[np.concatenate([[True], key[1:] != key[:-1]])] if len(key) else key
