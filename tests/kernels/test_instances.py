"""Walks one by one, and weighted sums over a sparse pattern, against their definitions."""

import pickle

import pytest
import torch

from graphdsl.kernels import TooManyInstances, count_paths, enumerate_walks, sparse_pattern


def multigraph(seed: int, sources: int, targets: int, edges: int = 11) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(max(1, size - 1), (edges,), generator=generator) for size in (sources, targets)]
    return torch.stack(rows)


def by_definition(hops: list[torch.Tensor], size: int) -> list[tuple[int, ...]]:
    walks = [(start,) for start in range(size)]
    for hop in hops:
        walks = [(*walk, b) for walk in walks for a, b in hop.t().tolist() if a == walk[-1]]
    return walks


SIZES = [5, 4, 6, 3]
HOPS = [multigraph(place, *SIZES[place : place + 2]) for place in range(3)]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_all_walks_sorted_by_their_end(length: int) -> None:
    found = enumerate_walks(HOPS[:length], SIZES[: length + 1])
    expected = by_definition(HOPS[:length], SIZES[0])
    assert sorted(map(tuple, found.t().tolist())) == sorted(expected)
    assert found[-1].tolist() == sorted(found[-1].tolist())
    assert found.size(1) == count_paths(HOPS[:length], SIZES[: length + 1])


@pytest.mark.parametrize("most", [1, 2, 7, 1000])
def test_a_draw_has_distinct_walks_and_leaves_small_ends_whole(most: int) -> None:
    walks = by_definition(HOPS, SIZES[0])
    found = enumerate_walks(HOPS, SIZES, most=most, seed=1)
    for end in range(SIZES[-1]):
        whole = sorted(walk for walk in walks if walk[-1] == end)
        drawn = sorted(tuple(walk) for walk in found.t().tolist() if walk[-1] == end)
        assert len(drawn) == min(most, len(whole))
        for walk in set(drawn):  # parallel edges make equal walks
            assert drawn.count(walk) <= whole.count(walk)
    assert torch.equal(found, enumerate_walks(HOPS, SIZES, most=most, seed=1))
    if most == 2:
        assert any(not torch.equal(found, enumerate_walks(HOPS, SIZES, most=most, seed=seed)) for seed in range(2, 6))


def test_a_draw_is_fair() -> None:
    star = torch.stack([torch.arange(9), torch.zeros(9, dtype=torch.long)])
    drawn = torch.cat([enumerate_walks([star], [9, 1], most=3, seed=seed)[0] for seed in range(600)])
    counts = torch.bincount(drawn, minlength=9)
    assert counts.min() > 150
    assert counts.max() < 250


def test_budgets_and_hopeless_numbers() -> None:
    total = len(by_definition(HOPS, SIZES[0]))
    assert enumerate_walks(HOPS, SIZES, budget=total).size(1) == total
    with pytest.raises(TooManyInstances) as raised:
        enumerate_walks(HOPS, SIZES, budget=total - 1)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.budget, again.instances, str(again)) == (total - 1, total, str(raised.value))
    assert enumerate_walks(HOPS, SIZES, budget=3, most=1).size(1) <= 3
    loops = torch.zeros(2, 64, dtype=torch.long)
    with pytest.raises(ValueError, match=r"2\^62"):
        enumerate_walks([loops] * 11, [1] * 12, budget=5)


def test_without_edges_or_nodes() -> None:
    none = torch.zeros(2, 0, dtype=torch.long)
    assert enumerate_walks([HOPS[0], none], [5, 4, 6]).shape == (3, 0)
    assert enumerate_walks([none, none], [0, 0, 0], most=4).shape == (3, 0)


@pytest.mark.parametrize("entries", [0, 15])
def test_weighted_sums(entries: int) -> None:
    torch.manual_seed(0)
    row, column = torch.randint(4, (entries,)), torch.randint(5, (entries,))
    pattern = sparse_pattern(row, column, (6, 7))
    weight = torch.randn(entries, 2, dtype=torch.float64, requires_grad=True)
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    expected = torch.zeros(6, 2, 3, dtype=torch.float64)
    for entry, (i, j) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
        expected[i] += weight[entry].detach().unsqueeze(1) * x[j].detach()
    torch.testing.assert_close(pattern.sums(weight, x).detach(), expected)
    assert torch.autograd.gradcheck(pattern.sums, (weight, x))
    assert pattern.sums(weight.bfloat16(), x.bfloat16()).dtype == torch.bfloat16
