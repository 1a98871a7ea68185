"""Choosing edges: uniform k-subsets of many rows at once.

Without replacement, each row takes k of its n edges by Floyd's algorithm (Bentley and Floyd, "Programming pearls: a
sample of brilliance", CACM 30(9), 1987), all rows in step: k rounds of array operations, no work that grows with n.
Round c draws t from 0 to n - k + c and takes it, or n - k + c itself where t is taken already; every k-subset is
equally likely. Comparing with what is taken costs c a round, so a large k is first split: of the k, a hypergeometric
number falls into the first half of the row, and the halves are independent given that number.
"""

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

LARGEST_K = 48
"""Above it, splitting a row costs less than comparing k numbers with each other."""

ROWS_AT_ONCE = 1 << 14
"""Rows of one pass, such that what they have taken stays in the processor's cache."""


def concat_ranges(start: npt.NDArray[np.integer], length: npt.NDArray[np.integer]) -> Int64s:
    """Join the ranges `start[i] … start[i] + length[i] - 1`.

    Example:
        >>> concat_ranges(np.array([5, 0]), np.array([2, 3]))
        array([5, 6, 0, 1, 2])
    """
    before = np.cumsum(length, dtype=np.int64) - length
    total = int(before[-1] + length[-1]) if len(length) else 0
    return np.repeat(start - before, length) + np.arange(total)


def choose_positions(
    rng: np.random.Generator, start: Int64s, available: Int64s, wanted: Int64s, replace: bool
) -> tuple[Int64s, Int64s]:
    """Choose positions of each row; all arguments have shape `[rows]`.

    Args:
        rng: where randomness comes from.
        start: first position of each row.
        available: number of positions of each row.
        wanted: how many to choose, -1 for all.
        replace: whether a position may be chosen more than once.

    Returns:
        The chosen positions, row after row, and how many each row has: without replacement
        `min(available, wanted)`, with it `wanted` unless the row is empty.
    """
    everything = wanted < 0
    if replace:
        count = np.where(everything, available, np.where(available > 0, wanted, 0))
        some = np.flatnonzero(~everything & (count > 0))
    else:
        count = np.where(everything, available, np.minimum(available, wanted))
        some = np.flatnonzero(count < available)
        some = some[count[some] > 0]
    position = concat_ranges(start, count)
    if some.size:
        place = (np.cumsum(count) - count)[some]
        draw = _draw_with_replacement if replace else _draw_subsets
        draw(rng, position, place, start[some], available[some], count[some])
    return position, count


def _draw_with_replacement(
    rng: np.random.Generator, out: Int64s, place: Int64s, start: Int64s, population: Int64s, k: Int64s
) -> None:
    drawn = (rng.random(int(k.sum())) * np.repeat(population, k)).astype(np.int64)
    out[concat_ranges(place, k)] = np.repeat(start, k) + drawn


def _draw_subsets(
    rng: np.random.Generator, out: Int64s, place: Int64s, start: Int64s, population: Int64s, k: Int64s
) -> None:
    """Write `k` distinct positions of each row to `out[place] … out[place + k - 1]`; `0 < k < population`."""
    while k.max() > LARGEST_K:
        place, start, population, k = _split_large(rng, place, start, population, k)
        # A half of which everything is taken, or nothing, is settled.
        whole = k == population
        out[concat_ranges(place[whole], k[whole])] = concat_ranges(start[whole], k[whole])
        rest = ~whole & (k > 0)
        if not rest.any():
            return
        place, start, population, k = place[rest], start[rest], population[rest], k[rest]
    if k.min() != k.max():  # Descending k: the rows that still draw in a round are a prefix.
        order = np.argsort(-k, kind="stable")
        place, start, population, k = place[order], start[order], population[order], k[order]
    for low in range(0, len(k), ROWS_AT_ONCE):
        part = slice(low, low + ROWS_AT_ONCE)
        _draw_by_floyd(rng, out, place[part], start[part], population[part], k[part])


def _split_large(
    rng: np.random.Generator, place: Int64s, start: Int64s, population: Int64s, k: Int64s
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Halve the rows whose k is too large; the others are returned as they are, before the halves."""
    large = k > LARGEST_K
    small = ~large
    n, half = population[large], population[large] // 2
    left = rng.hypergeometric(half, n - half, k[large])
    return (
        np.concatenate([place[small], place[large], place[large] + left]),
        np.concatenate([start[small], start[large], start[large] + half]),
        np.concatenate([population[small], half, n - half]),
        np.concatenate([k[small], left, k[large] - left]),
    )


def _draw_by_floyd(
    rng: np.random.Generator, out: Int64s, place: Int64s, start: Int64s, population: Int64s, k: Int64s
) -> None:
    """Floyd's algorithm for rows in descending order of k."""
    rounds = int(k[0])
    small = population.max() <= np.iinfo(np.int32).max
    taken = np.empty((rounds, len(k)), dtype=np.int32 if small else np.int64)
    drawing = np.searchsorted(-k, -np.arange(rounds), side="left")  # rows with k > round
    for c, m in enumerate(drawing):
        last = (population[:m] - k[:m] + c).astype(taken.dtype)
        drawn = (rng.random(m) * (last + 1.0)).astype(taken.dtype)
        is_taken = (taken[:c, :m] == drawn).any(axis=0)
        np.copyto(drawn, last, where=is_taken)
        taken[c, :m] = drawn
        out[place[:m] + c] = start[:m] + drawn
