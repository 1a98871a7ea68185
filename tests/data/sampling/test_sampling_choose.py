"""Subsets are uniform, have the right size, and cost no more than their size."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from graphdsl.data.sampling import choose
from graphdsl.data.sampling.choose import choose_positions


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def p_value_of_subsets(n: int, k: int, draws: int, seed: int) -> float:
    start = np.full(draws, 100)
    rng = np.random.default_rng(seed)
    position, count = choose_positions(rng, start, np.full(draws, n), np.full(draws, k), replace=False)
    assert (count == k).all()
    code = (1 << (np.sort(position.reshape(draws, k)) - 100)).sum(axis=1)
    subsets = [sum(1 << i for i in subset) for subset in combinations(range(n), k)]
    seen = np.bincount(code, minlength=1 << n)
    assert seen.sum() == seen[subsets].sum()
    return chisquare(seen[subsets]).pvalue


@pytest.mark.parametrize(("n", "k"), [(2, 1), (6, 3), (7, 6), (8, 2), (9, 5)])
def test_every_subset_is_equally_likely(n, k):
    assert p_value_of_subsets(n, k, 60_000, seed=n * 10 + k) > 1e-3


@pytest.mark.parametrize(("n", "k"), [(6, 3), (7, 6), (9, 5), (10, 4)])
def test_every_subset_is_equally_likely_where_rows_are_split(monkeypatch, n, k):
    monkeypatch.setattr(choose, "LARGEST_K", 1)
    assert p_value_of_subsets(n, k, 60_000, seed=n * 10 + k) > 1e-3


def test_rows_of_different_k_are_uniform_too():
    draws, n = 40_000, 6
    wanted = np.resize([1, 4, 2, 5], draws)
    position, count = choose_positions(
        np.random.default_rng(0), np.arange(draws) * n, np.full(draws, n), wanted, replace=False
    )
    row = np.repeat(np.arange(draws), count)
    for k in (1, 4, 2, 5):
        seen = np.bincount((position - row * n)[wanted[row] == k], minlength=n)
        assert chisquare(seen).pvalue > 1e-3


def test_with_replacement_every_pair_is_equally_likely():
    draws, n = 60_000, 4
    rng = np.random.default_rng(3)
    position, _ = choose_positions(rng, np.full(draws, 5), np.full(draws, n), np.full(draws, 2), replace=True)
    first, second = (position.reshape(draws, 2) - 5).T
    assert chisquare(np.bincount(first * n + second, minlength=n * n)).pvalue > 1e-3


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(-1, 150)), max_size=12),
    st.booleans(),
    st.integers(1, 60),
    st.integers(1, 5),
)
def test_counts_and_distinctness_of_any_rows(rows, replace, largest_k, at_once):
    available, wanted = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    start = np.arange(len(rows)) * 1000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "LARGEST_K", largest_k)
        patch.setattr(choose, "ROWS_AT_ONCE", at_once)
        position, count = choose_positions(np.random.default_rng(0), start, available, wanted, replace)
    chosen = np.split(position, np.cumsum(count)[:-1]) if rows else []
    for i, (n, k) in enumerate(rows):
        assert ((chosen[i] >= i * 1000) & (chosen[i] < i * 1000 + n)).all()
        if k < 0:
            assert chosen[i].tolist() == list(range(i * 1000, i * 1000 + n))
        elif replace:
            assert len(chosen[i]) == (k if n else 0)
        else:
            assert len(chosen[i]) == len(set(chosen[i].tolist())) == min(n, k)


class CountingGenerator:
    """Counts the random numbers that are drawn."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.drawn = 0

    def random(self, size: int) -> np.ndarray:
        self.drawn += size
        return self.rng.random(size)


@pytest.mark.parametrize("degree", [11, 1_000, 100_000_000_000])
def test_work_depends_on_k_and_not_on_the_degree(degree):
    rng = CountingGenerator()
    position, _ = choose_positions(rng, ints(0, 0, 7), ints(degree, degree, 2), ints(10, 10, 10), replace=False)
    assert rng.drawn == 20
    assert len(position) == 22
    assert len(set(position[:10].tolist())) == len(set(position[10:20].tolist())) == 10
