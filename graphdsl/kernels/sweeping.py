"""One pass over a tensor: the smallest and largest value of each column, and which pairs stand twice among edges.

Everything is done piece by piece, so that extra memory stays within a piece however large the tensor is, at about the
speed of reading it.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from graphdsl.kernels.sorting import in_order

PIECE = 1 << 20
"""Numbers of a tensor that are looked at at once: they fit into the cache of a core."""
PAIRS = 1 << 22
"""Edges whose pairs are sorted at once, unless a single source has more."""
LOW_BITS = (1 << 31) - 1
"""What an arithmetic shift to the right by 33 leaves of the bits of a logical one."""
# 0xFF51AFD7ED558CCD and 0xC4CEB9FE1A85EC53 as signed numbers: products wrap around either way.
MIXERS = (0xFF51AFD7ED558CCD - (1 << 64), 0xC4CEB9FE1A85EC53 - (1 << 64))
"""Multipliers of MurmurHash3's finalizer, which mixes 64 bits without loss."""
_NARROW = 64
_FIRST = 1 << 12


def column_ends(values: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest number of each column, in one reading.

    Args:
        values: numbers, shape [rows] or [rows, …]; at least one row.

    Returns:
        Two tensors of shape [columns]. A column that holds a NaN has NaN for both; an infinity shows as itself.

    >>> column_ends(torch.tensor([[1.0, 5.0], [2.0, 5.0]]))
    (tensor([1., 5.]), tensor([2., 5.]))
    """
    table = values.reshape(len(values), -1)
    table = table.view(torch.uint8) if table.dtype == torch.bool else table
    columns = table.size(1)
    # Narrow rows are laid side by side: torch reduces wide ones ten times as fast.
    fold = max(1, _NARROW // max(columns, 1)) if table.is_contiguous() else 1
    whole = len(table) // fold * fold
    parts = [(table[whole:], table[whole:])]
    if whole:
        folded = _ends_of(table[:whole].view(-1, fold * columns))
        parts.append((folded[0].view(fold, columns), folded[1].view(fold, columns)))
    lows, highs = zip(*parts, strict=True)
    return torch.cat(lows).amin(0), torch.cat(highs).amax(0)


def _ends_of(table: Tensor) -> tuple[Tensor, Tensor]:
    rows = max(1, PIECE // max(table.size(1), 1))
    low, high = table[:rows].amin(0), table[:rows].amax(0)
    for part in table[rows:].split(rows) if len(table) > rows else ():
        torch.minimum(low, part.amin(0), out=low)
        torch.maximum(high, part.amax(0), out=high)
    return low, high


def count_loops(index: Tensor) -> int:
    """Number of edges whose ends have the same id.

    Args:
        index: shape [2, edges].

    >>> count_loops(torch.tensor([[0, 1, 2], [0, 2, 2]]))
    2
    """
    return sum(
        int((source == target).sum()) for source, target in zip(*(row.split(PIECE) for row in index), strict=True)
    )


def count_repeated(index: Tensor, sources: int, targets: int) -> int:
    """Number of edges that repeat the pair of another one: edges less distinct pairs.

    Edges that are sorted by source and then target, or by target and then source, are told to be distinct in one pass.
    Others are sorted, source range by source range.

    Args:
        index: shape [2, edges], ids within the sizes.
        sources: number of source nodes.
        targets: number of target nodes.

    >>> count_repeated(torch.tensor([[1, 0, 1], [2, 0, 2]]), 2, 3)
    1
    """
    if index.size(1) < 2 or _rises(index[0], index[1]) or _rises(index[1], index[0]):
        return 0
    return sum(int((keys[1:] == keys[:-1]).sum()) for _, keys in _sorted_pairs(index, sources, targets))


def repeated_edges(index: Tensor, sources: int, targets: int, most: int) -> Tensor:
    """Numbers of the first edges whose pair another edge has before them, at most so many, in order.

    >>> repeated_edges(torch.tensor([[1, 0, 1], [2, 0, 2]]), 2, 3, 5)
    tensor([2])
    """
    found = _repeated_among(index[:, :_FIRST])
    if len(found) >= most or index.size(1) <= _FIRST:  # Where many repeat, the first of them are near the beginning.
        return found[:most]
    twice = [(low, keys[1:][keys[1:] == keys[:-1]]) for low, keys in _sorted_pairs(index, sources, targets)]
    wanted = np.concatenate([low * targets + keys.astype(np.int64) for low, keys in twice])
    parts = []
    for number, (source, target) in enumerate(zip(*(row.cpu().split(PIECE) for row in index), strict=True)):
        inside = np.isin((source.long() * targets + target).numpy(), wanted)
        parts.append(torch.from_numpy(inside.nonzero()[0]) + number * PIECE)
    edges = torch.cat(parts)
    return edges[_repeated_among(index[:, edges])][:most]


def _repeated_among(index: Tensor) -> Tensor:
    """Numbers of all edges whose pair another one has before them, in order."""
    order = torch.from_numpy(np.lexsort((index[1].cpu().numpy(), index[0].cpu().numpy())))
    pairs = index.cpu()[:, order]
    return order[1:][(pairs[:, 1:] == pairs[:, :-1]).all(0)].sort().values


def _rises(first: Tensor, second: Tensor) -> bool:
    """Whether the pairs (first, second) rise strictly from edge to edge; looks no further than to the first that does not."""
    for start in range(0, first.numel() - 1, PIECE):
        one, two = first[start : start + PIECE + 1], second[start : start + PIECE + 1]
        step = one[1:] - one[:-1]
        if bool(((step < 0) | ((step == 0) & (two[1:] <= two[:-1]))).any()):
            return False
    return True


def _sorted_pairs(index: Tensor, sources: int, targets: int) -> Iterator[tuple[int, np.ndarray]]:
    """First source and sorted pairs of each range of sources, the ranges so small that about `PAIRS` edges are in each.

    A pair is the number `(source - first) * targets + target`.
    """
    source, target = index[0].cpu(), index[1].cpu()
    if source.numel() <= PAIRS:
        yield 0, _sort_keys(source, target, 0, sources, targets)
        return
    before = torch.bincount(source, minlength=sources).cumsum(0)
    marks = torch.arange(PAIRS, int(before[-1]) + PAIRS, PAIRS)
    bounds = [0, *(torch.searchsorted(before, marks) + 1).clamp(max=sources).unique().tolist()]
    for low, high in pairwise(bounds):
        inside = ((source >= low) & (source < high)).nonzero().squeeze(1)
        if inside.numel():
            yield low, _sort_keys(source[inside], target[inside], low, high, targets)


def _sort_keys(source: Tensor, target: Tensor, low: int, high: int, targets: int) -> np.ndarray:
    """Numbers of 32 bits are sorted five times as fast as numbers of 64."""
    keys = ((source.long() - low) * targets + target).numpy()
    return in_order(keys.astype(np.uint32) if (high - low) * targets < 1 << 32 else keys)


def mix_bits(numbers: Tensor) -> Tensor:
    """64-bit numbers that look drawn, each decided by one of the given: the finalizer of MurmurHash3. It leaves 0 as it is.

    >>> mix_bits(torch.tensor([0, 1, 2])).unique().numel()
    3
    """
    for multiplier in MIXERS:
        numbers = (numbers ^ ((numbers >> 33) & LOW_BITS)) * multiplier
    return numbers ^ ((numbers >> 33) & LOW_BITS)


def pair_digest(index: Tensor) -> int:
    """A number that decides whether two edge lists hold the same pairs equally often, in whatever order.

    Each pair is mixed to 64 bits (the finalizer of MurmurHash3, a bijection) and the results are added, so lists that
    differ have the same number by accident only: once in 2^64.

    Args:
        index: shape [2, edges], ids from 0 to 2^31 - 1.

    >>> edges = torch.tensor([[0, 1, 2], [5, 6, 7]])
    >>> pair_digest(edges) == pair_digest(edges[:, [2, 0, 1]]), pair_digest(edges) == pair_digest(edges[:, [2, 0, 0]])
    (True, False)
    """
    total = 0
    for source, target in zip(*(row.split(PIECE) for row in index), strict=True):
        total += int(mix_bits(((source.long() << 32) | target.long()) + 1).sum())
    return total % (1 << 64)


def row_digests(table: Tensor, rows: Tensor) -> Tensor:
    """A number for each of some rows, equal for rows that are equal; 0 for a row of zeros.

    Args:
        table: shape [rows, columns], of at most 64 bits a number.
        rows: row numbers, shape [chosen].

    Returns:
        int64 of shape [chosen]. Rows that differ have the same number by accident only: once in 2^64.

    >>> row_digests(torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), torch.arange(3)).unique().numel()
    2
    """
    columns = torch.arange(1, table.size(1) + 1)
    weights = (columns * MIXERS[0]) ^ (columns * MIXERS[1] >> 7) | 1
    found = [torch.zeros(0, dtype=torch.long)]
    for part in rows.split(max(1, PIECE // max(table.size(1), 1))):
        numbers = table[part]
        bits = (numbers.double() + 0.0).view(torch.long) if numbers.is_floating_point() else numbers.long()
        mixed = (bits ^ ((bits >> 33) & LOW_BITS)) * weights
        found.append((mixed ^ ((mixed >> 29) & LOW_BITS)).mul_(MIXERS[0]).sum(1))
    return torch.cat(found)
