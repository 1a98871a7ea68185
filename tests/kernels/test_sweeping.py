"""Sweeps against plain loops: column ends, repeated pairs, digests."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdsl.kernels import sweeping
from graphdsl.kernels.sweeping import (
    column_ends,
    count_loops,
    count_repeated,
    pair_digest,
    repeated_edges,
    row_digests,
)

NUMBERS = st.sampled_from([0.0, -0.0, 1.5, -2.0, 3.25, math.nan, math.inf, -math.inf])


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.sampled_from([1, 2, 3, 7, 40, 64, 70]), st.sampled_from([1, 16, 100, 1 << 20]), st.data())
def test_ends_of_columns(rows: int, columns: int, piece: int, draw: st.DataObject) -> None:
    table = torch.arange(rows * columns).view(rows, columns).remainder(13).float()
    for _ in range(draw.draw(st.integers(0, 3))):
        table[draw.draw(st.integers(0, rows - 1)), draw.draw(st.integers(0, columns - 1))] = draw.draw(NUMBERS)
    if draw.draw(st.booleans()):
        table = table.t().contiguous().t()  # Not contiguous.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping, "PIECE", piece)
        low, high = column_ends(table)
    for column in range(columns):
        values = table[:, column].tolist()
        if any(math.isnan(value) for value in values):
            assert math.isnan(low[column])
            assert math.isnan(high[column])
        else:
            assert (float(low[column]), float(high[column])) == (min(values), max(values))


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.int8, torch.bfloat16, torch.float16, torch.float64])
def test_ends_of_any_dtype(dtype: torch.dtype) -> None:
    low, high = column_ends(torch.tensor([0, 1, 1]).to(dtype))
    assert (low.tolist(), high.tolist()) == ([0], [1])


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3, 1 << 22]), st.sampled_from([torch.int64, torch.int32]), st.data()
)  # fmt: skip
def test_repeated_pairs(sources: int, targets: int, at_once: int, dtype: torch.dtype, draw: st.DataObject) -> None:
    pair = st.tuples(st.integers(0, sources - 1), st.integers(0, targets - 1))
    pairs = draw.draw(st.lists(pair, max_size=20, unique=draw.draw(st.booleans())))
    if draw.draw(st.booleans()):
        pairs.sort(key=lambda item: item[:: draw.draw(st.sampled_from([1, -1]))])
    index = torch.tensor(pairs, dtype=dtype).view(-1, 2).t()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping, "PAIRS", at_once)
        patch.setattr(sweeping, "PIECE", at_once)
        patch.setattr(sweeping, "_FIRST", at_once)
        assert count_repeated(index, sources, targets) == len(pairs) - len(set(pairs))
        assert count_loops(index) == sum(one == two for one, two in pairs)
        again = [number for number, item in enumerate(pairs) if item in pairs[:number]]
        assert repeated_edges(index, sources, targets, 3).tolist() == again[:3]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6), st.data())
def test_digest_tells_multisets_apart(pairs: list[tuple[int, int]], draw: st.DataObject) -> None:
    others = draw.draw(st.permutations(pairs) | st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6))
    first, second = (torch.tensor(item, dtype=torch.long).view(-1, 2).t() for item in (pairs, list(others)))
    assert (pair_digest(first) == pair_digest(second)) == (Counter(pairs) == Counter(others))


def test_digest_of_pairs_keeps_their_direction() -> None:
    edges = torch.tensor([[0, 1], [1, 2]])
    assert pair_digest(edges) != pair_digest(edges.flip(0))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0]), min_size=3, max_size=3), min_size=1, max_size=8))
def test_digests_of_rows(rows: list[list[float]]) -> None:
    digests = row_digests(torch.tensor(rows), torch.arange(len(rows))).tolist()
    for first, one in zip(digests, rows, strict=True):
        assert (first == 0) == (not any(one))
        for second, two in zip(digests, rows, strict=True):
            assert (first == second) == (one == two)
