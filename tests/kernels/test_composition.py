"""Metapath composition against dense matrix products in Python integers."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdsl.kernels import (
    BudgetExceeded,
    NamedWalk,
    compose,
    compose_named,
    compose_prefix,
    composed,
    count_paths,
    count_walks,
    merging,
    profile_walk,
    sorting,
    stepping,
)
from graphdsl.kernels.composed import compose_kept
from graphdsl.text import Span, SpecError


@st.composite
def walks(draw: st.DrawFn) -> tuple[list[torch.Tensor], list[int]]:
    """Up to five hops over small node sets, with parallel edges, isolated nodes, empty relations and empty types."""
    length = draw(st.integers(1, 5))
    sizes = draw(st.lists(st.integers(0, 6), min_size=length + 1, max_size=length + 1))
    hops = []
    for source, target in pairwise(sizes):
        most = 14 if source and target else 0
        pair = st.tuples(st.integers(0, max(source - 1, 0)), st.integers(0, max(target - 1, 0)))
        edges = draw(st.lists(pair, max_size=most))
        hops.append(torch.tensor(edges, dtype=torch.long).reshape(-1, 2).t())
    return hops, sizes


def dense(hops: list[torch.Tensor], sizes: list[int]) -> np.ndarray:
    """The matrix of path counts, in Python integers."""
    product = np.eye(sizes[0], dtype=object)
    for hop, source, target in zip(hops, sizes[:-1], sizes[1:], strict=True):
        matrix = np.zeros((source, target), dtype=object)
        for u, v in hop.t().tolist():
            matrix[u, v] += 1
        product = product @ matrix if source else np.zeros((sizes[0], target), dtype=object)
    return product


@settings(max_examples=150, deadline=None)
@given(walks(), st.sampled_from([1, 3, 1 << 20]))
def test_distinct_pairs_equal_the_dense_product(walk, piece):
    hops, sizes = walk
    edge_index, weight = compose(hops, sizes, "set", piece=piece)
    counts = dense(hops, sizes)
    assert weight is None
    assert edge_index.dtype == torch.long
    assert [tuple(pair) for pair in edge_index.t().tolist()] == [tuple(map(int, p)) for p in np.argwhere(counts > 0)]


@settings(max_examples=150, deadline=None)
@given(walks(), st.sampled_from([1, 3, 1 << 20]))
def test_counts_and_means_equal_the_dense_product(walk, piece):
    hops, sizes = walk
    counts = dense(hops, sizes)
    pairs, count = compose(hops, sizes, "count", piece=piece)
    assert count is not None
    assert count.tolist() == [float(counts[u, v]) for u, v in pairs.t().tolist()]
    same, mean = compose(hops, sizes, "mean", piece=piece)
    assert mean is not None
    assert torch.equal(pairs, same)
    into = torch.zeros(sizes[-1]).index_add(0, same[1], mean)
    reached = torch.tensor(counts.sum(0).astype(float)).reshape(-1) > 0
    torch.testing.assert_close(into, reached.float())


@settings(max_examples=150, deadline=None)
@given(
    walks(),
    st.sampled_from([1, 3, 1 << 20]),
    st.sampled_from([0, 4]),
    st.sampled_from([0, 30]),
    st.sampled_from([(1, 1), (4, 6), (6, 10), (32, 64)]),
    st.sampled_from([0, 0.1, 1]),
)
def test_each_way_of_merging_pairs_gives_the_same(walk, piece, dense_below, long_above, bits, rare):
    """By tables or by sorting, numbers of 32 or 64 bits, paths sorted along or looked up, repetitions masked or left out."""
    hops, sizes = walk
    counts = dense(hops, sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_MARKED", dense_below)
        patch.setattr(merging, "_COUNTED", dense_below)
        patch.setattr(merging, "_RARE", rare)
        patch.setattr(merging, "BITS", bits[0])
        patch.setattr(merging, "_WIDE", bits[1])
        patch.setattr(merging, "NARROW", 1 << bits[0])
        patch.setattr(stepping, "NARROW", 1 << bits[0])
        patch.setattr(stepping, "_LONG", long_above)
        pairs, _ = compose(hops, sizes, "set", piece=piece)
        same, count = compose(hops, sizes, "count", piece=piece)
    assert [tuple(pair) for pair in pairs.t().tolist()] == [tuple(map(int, p)) for p in np.argwhere(counts > 0)]
    assert torch.equal(pairs, same)
    assert count.tolist() == [counts[u, v] for u, v in pairs.t().tolist()]


def test_edges_in_order_are_taken_as_they_are():
    index = torch.tensor([[0, 0, 2, 2], [1, 3, 0, 2]])
    source, target, count = stepping.sort_edges(index[0].numpy(), index[1].numpy(), 3, 4)
    assert (source.tolist(), target.tolist(), count) == (*index.tolist(), None)
    assert np.shares_memory(source, index[0].numpy())
    one = compose([index], [3, 4])[0]
    one[0, 0] = 2
    assert index[0, 0] == 0, "what is handed out is no part of the data"


@settings(max_examples=150, deadline=None)
@given(walks())
def test_number_of_path_instances(walk):
    hops, sizes = walk
    assert count_paths(hops, sizes) == dense(hops, sizes).sum()


def test_path_numbers_beyond_64_bits_are_exact():
    wide = torch.zeros(2, 1000, dtype=torch.long)
    assert count_paths([wide] * 12, [1] * 13) == 1000**12
    mixed = torch.tensor([[0] * 7 + [1] * 3, [0, 1] * 5])
    hops = [mixed] * 40
    assert count_paths(hops, [2] * 41) == dense(hops, [2] * 41).sum() > 2**63


def test_more_pairs_than_one_piece_come_in_order():
    generator = torch.Generator().manual_seed(0)
    hops = [torch.randint(60, (2, 400), generator=generator) for _ in range(3)]
    whole = compose(hops, [60] * 4, "count")
    cut = compose(hops, [60] * 4, "count", piece=50)
    assert torch.equal(whole[0], cut[0])
    assert torch.equal(whole[1], cut[1])
    key = whole[0][0] * 60 + whole[0][1]
    assert bool((key[1:] > key[:-1]).all())


def test_sparse_pairs_of_many_nodes_need_no_table():
    size = 1 << 22
    hop = torch.tensor([[0, 5, size - 1], [size - 1, 7, 3]])
    back = hop.flip(0)
    edge_index, weight = compose([hop, back], [size] * 3, "count")
    assert edge_index.tolist() == [[0, 5, size - 1], [0, 5, size - 1]]
    assert weight.tolist() == [1.0, 1.0, 1.0]


def test_int32_hops_are_accepted():
    hop = torch.tensor([[0, 1], [1, 0]], dtype=torch.int32)
    assert compose([hop, hop], [2, 2, 2])[0].tolist() == [[0, 1], [0, 1]]


def test_default_dtype_decides_the_weights():
    hop = torch.tensor([[0], [0]])
    torch.set_default_dtype(torch.float64)
    try:
        assert compose([hop], [1, 1], "mean")[1].dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_budget_names_the_numbers():
    hop = torch.tensor([[0, 1, 2, 2], [0, 0, 0, 0]])
    assert compose([hop, hop.flip(0)], [3, 1, 3], budget=9)[0].size(1) == 9
    message = r"more than 8 edges \(got 9 before stopping, of 16 path instances\)"
    with pytest.raises(BudgetExceeded, match=message) as caught:
        compose([hop, hop.flip(0)], [3, 1, 3], budget=8)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.budget, again.pairs, again.instances) == (8, 9, 16)


def test_budget_stops_before_all_pairs_are_made():
    hop = torch.stack([torch.arange(1000), torch.zeros(1000, dtype=torch.long)])
    with pytest.raises(BudgetExceeded) as caught:
        compose([hop, hop.flip(0)], [1000, 1, 1000], budget=2000, piece=1000)
    assert caught.value.pairs <= 4000
    assert caught.value.instances == 1_000_000


@pytest.mark.parametrize(
    ("hops", "sizes", "message"),
    [
        ([], [3], "needs n \\+ 1 sizes"),
        ([torch.zeros(2, 1, dtype=torch.long)], [3], "needs n \\+ 1 sizes"),
        ([torch.zeros(2, 1)], [3, 3], "integer tensor"),
        ([torch.zeros(3, 2, dtype=torch.long)], [3, 3], "integer tensor"),
        ([torch.tensor([[0], [3]])], [3, 3], "indices from 3 to 3 for 3 nodes"),
        ([torch.tensor([[-1], [0]])], [3, 3], "indices from -1"),
        ([torch.zeros(2, 0, dtype=torch.long)], [1 << 32, 1 << 32], "64 bits"),
    ],
)
def test_arguments_that_do_not_fit(hops, sizes, message):
    with pytest.raises(ValueError, match=message):
        compose(hops, sizes)


@settings(max_examples=150, deadline=None)
@given(walks())
def test_a_profile_equals_the_dense_product(walk):
    hops, sizes = walk
    made = profile_walk(hops, sizes)
    counts = dense(hops, sizes)
    assert made.walks == count_walks(hops, sizes)
    assert made.walks == tuple(dense(hops[: at + 1], sizes[: at + 2]).sum() for at in range(len(hops)))
    assert made.busiest == max(counts.sum(0).tolist(), default=0)
    assert made.reached == int((counts.reshape(sizes[0], sizes[-1]).sum(0) > 0).sum())
    assert made.pairs == sum(min(paths, sizes[-1]) for paths in counts.sum(1).tolist())
    assert (counts > 0).sum() <= made.pairs


def test_a_profile_beyond_64_bits_is_exact():
    wide = torch.zeros(2, 1000, dtype=torch.long)
    made = profile_walk([wide] * 12, [1] * 12 + [5])
    assert (made.busiest, made.pairs, made.reached) == (1000**12, 5, 1)


@settings(max_examples=150, deadline=None)
@given(walks(), st.integers(1, 4), st.integers(0, 5), st.sampled_from(["set", "count", "mean"]))
def test_drawn_pairs_are_some_of_all(walk, most, seed, multiplicity):
    hops, sizes = walk
    pairs, weight = compose(hops, sizes, multiplicity, sample=most, seed=seed)
    counts = dense(hops, sizes)
    drawn = [tuple(pair) for pair in pairs.t().tolist()]
    assert drawn == sorted(set(drawn))
    assert all(counts[u, v] > 0 for u, v in drawn)
    into = (counts.reshape(sizes[0], sizes[-1]) > 0).sum(0).tolist()
    assert [sum(v == target for _, v in drawn) for target in range(len(into))] == [min(most, many) for many in into]
    if multiplicity == "count":
        assert weight.tolist() == [float(counts[u, v]) for u, v in drawn]
    if multiplicity == "mean":
        total = torch.zeros(sizes[-1]).index_add(0, pairs[1], weight)
        torch.testing.assert_close(total, torch.tensor([float(many > 0) for many in into]).reshape(sizes[-1]))
    cut, _ = compose(hops, sizes, multiplicity, piece=1, sample=most, seed=seed)
    assert torch.equal(cut, pairs)


def test_drawing_is_uniform_and_seeded():
    star = torch.stack([torch.arange(20), torch.zeros(20, dtype=torch.long)])
    hits = torch.zeros(20)
    for seed in range(600):
        pairs, _ = compose([star], [20, 1], sample=5, seed=seed)
        hits[pairs[0]] += 1
    assert hits.sum() == 3000
    assert hits.min() > 110  # 150 each on average, with a deviation of 10.6.
    assert hits.max() < 190
    assert torch.equal(compose([star], [20, 1], sample=5, seed=3)[0], compose([star], [20, 1], sample=5, seed=3)[0])


@settings(max_examples=150, deadline=None)
@given(walks(), st.sampled_from(["set", "count", "mean"]))
def test_a_prefix_changes_nothing(walk, multiplicity):
    hops, sizes = walk
    expected = compose(hops, sizes, multiplicity)
    for length in range(1, len(hops)):
        prefix = compose_prefix(hops[:length], sizes[: length + 1], multiplicity != "set")
        if prefix is None:
            continue
        pairs, weight = compose(hops, sizes, multiplicity, prefix=prefix)
        assert torch.equal(pairs, expected[0])
        assert weight is None if expected[1] is None else torch.equal(weight, expected[1])


def test_a_prefix_that_explodes_is_not_made():
    star = torch.stack([torch.arange(1000), torch.zeros(1000, dtype=torch.long)])
    assert compose_prefix([star, star.flip(0)], [1000, 1, 1000], False) is None
    assert compose_prefix([star.flip(0), star], [1, 1000, 1], False) is not None


def test_the_same_edges_are_composed_once(monkeypatch):
    monkeypatch.setattr(composed, "_LEAST", 0)
    monkeypatch.setattr(composed, "_kept", type(composed._kept)())
    made = []
    monkeypatch.setattr(composed, "compose", lambda *args, **kwargs: made.append(1) or compose(*args, **kwargs))
    hop = torch.tensor([[0, 1, 2, 2], [0, 0, 0, 1]])
    first, _ = compose_kept([hop, hop.flip(0)], [3, 2, 3])
    again = hop[:, [3, 1, 0, 2]]
    assert compose_kept([again, again.flip(0)], [3, 2, 3])[0] is first
    assert len(made) == 1
    for other in (
        {"multiplicity": "count"}, {"sample": 1}, {"sample": 1, "seed": 2},
    ):  # fmt: skip
        compose_kept([hop, hop.flip(0)], [3, 2, 3], **other)
    compose_kept([hop, hop.flip(0)], [4, 2, 4])
    assert len(made) == 5
    with pytest.raises(BudgetExceeded, match="more than 4 edges"):
        compose_kept([hop, hop.flip(0)], [3, 2, 3], budget=4)
    assert len(made) == 5
    first[0, 0] = 1  # Whoever writes into a result does not spoil it for others.
    assert compose_kept([hop, hop.flip(0)], [3, 2, 3])[0][0, 0] == 0
    assert len(made) == 6


def test_results_leave_when_there_is_no_room(monkeypatch):
    monkeypatch.setattr(composed, "_LEAST", 0)
    monkeypatch.setattr(composed, "ROOM", 6)
    monkeypatch.setattr(composed, "_kept", type(composed._kept)())
    for count in (2, 3, 4):
        hop = torch.stack([torch.arange(count), torch.arange(count)])
        compose_kept([hop], [count, count])
    assert [item.edge_index.size(1) for item in composed._kept.values()] == [4]
    compose_kept([torch.stack([torch.arange(9), torch.arange(9)])], [9, 9])
    assert len(composed._kept) == 1


def test_the_hop_that_explodes_is_named():
    writes = torch.stack([torch.arange(100), torch.arange(100)])
    appears = torch.stack([torch.arange(100), torch.zeros(100, dtype=torch.long)])
    hops = [writes, appears, appears.flip(0), writes.flip(0)]
    names = ("`-[writes]-> p`", "`-[in]-> c`", "`<-[in]- p`", "`<-[writes]- a`")
    walk = NamedWalk("APCPA", Span("s.gnn", 1, 1, 1, 2), names, "set", budget=500)
    with pytest.raises(SpecError) as caught:
        compose_named(walk, hops, [100, 100, 1, 100, 100])
    (finding,) = caught.value.diagnostics
    assert finding.code == "GNN402"
    assert finding.notes == (
        "hop 3, `<-[in]- p`, makes it explode: each walk goes on in 100 ways",
        "walks after each hop: `-[writes]-> p` 100, `-[in]-> c` 100, `<-[in]- p` 10,000, `<-[writes]- a` 10,000",
    )
    assert "metapath APCPA(sample = 50)" in finding.helps[1]


@pytest.mark.parametrize("multiplicity", ["set", "count"])
def test_the_way_of_sorting_changes_nothing(multiplicity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parallel edges, pieces long enough for either sort."""
    index = torch.randint(700, (2, 9_000), generator=torch.Generator().manual_seed(0))
    hops, sizes = [index, index.flip(0), index], [700] * 4
    made = []
    for radix in (True, False):
        for module in (merging, sorting):
            monkeypatch.setattr(module, "is_radix_faster", lambda kind, radix=radix: radix)
        made.append(compose(hops, sizes, multiplicity))
    assert torch.equal(made[0][0], made[1][0])
    assert made[0][1] is None or torch.equal(made[0][1], made[1][1])
