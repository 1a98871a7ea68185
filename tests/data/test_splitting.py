"""Splits of links: nothing in a split tells what it is to predict, on any graph; PyG's own transform permits that."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from real_graphs import karate
from small_graphs import make_schema
from torch_geometric.data import HeteroData
from torch_geometric.transforms import RandomLinkSplit

import graphdsl
from graphdsl.data import split_links
from graphdsl.kernels import compose
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.text import SpecError

SAW, SEEN, UFU = ("user", "saw", "film"), ("film", "seen_by", "user"), ("user", "UFU", "user")
SPEC = """
schema shop {
  node user { x: float[2] }
  node film { x: float[2] }
  edge user -[saw]-> film reverse seen_by { w: float?, at: time? }
  edge user -[likes]-> film
  edge user -[knows]-> user
  metapath UFU(count) = user -[saw]-> film <-[saw]- user
  metapath UFUF = user -[saw]-> film -[seen_by]-> user -[likes]-> film
}
"""
SCHEMA = graphdsl.loads(SPEC).schema()


def shop(users: int = 12, films: int = 9, edges: int = 40, seed: int = 0, inverse: bool = True) -> HeteroData:
    rng = torch.Generator().manual_seed(seed)
    data = HeteroData()
    data["user"].x, data["film"].x = torch.randn(users, 2, generator=rng), torch.randn(films, 2, generator=rng)
    index = torch.stack([torch.randint(users, (edges,), generator=rng), torch.randint(films, (edges,), generator=rng)])
    data[SAW].edge_index, data[SAW].w, data[SAW].at = index, torch.arange(edges).float(), torch.arange(edges)
    if inverse:
        order = torch.randperm(edges, generator=rng)
        data[SEEN].edge_index, data[SEEN].w = index.flip(0)[:, order], data[SAW].w[order]
    data["user", "likes", "film"].edge_index = torch.tensor([[0, 1], [1, 2]])
    data["user", "knows", "user"].edge_index = torch.tensor([[0, 1], [1, 2]])
    pairs, weight = compose([index, index.flip(0)], [users, films, users], "count")
    data[UFU].edge_index, data[UFU][METAPATH_WEIGHT] = pairs, weight
    return data


def pairs(index: torch.Tensor) -> set[tuple[int, ...]]:
    return {tuple(pair) for pair in index.t().tolist()}


def positives(graph: HeteroData, edge=SAW) -> set[tuple[int, ...]]:
    return pairs(graph[edge].edge_label_index[:, graph[edge].edge_label == 1])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 8), st.integers(2, 8), st.integers(3, 40), st.integers(0, 99), st.booleans(), st.sampled_from([0.0, 0.4])
)  # fmt: skip
def test_nothing_tells_what_is_predicted(
    users: int, films: int, edges: int, seed: int, inverse: bool, disjoint: float
) -> None:
    data = shop(users, films, edges, seed, inverse)
    everything = pairs(data[SAW].edge_index)
    graphs = split_links(SCHEMA, data, "saw", seed=seed, disjoint=disjoint)
    train, _val, test = graphs
    asked = [positives(graph) for graph in graphs]
    assert asked[1].isdisjoint(asked[2])
    assert asked[0].isdisjoint(asked[1] | asked[2])
    if not disjoint:
        assert asked[0] | asked[1] | asked[2] == everything
    for number, graph in enumerate(graphs):
        seen = pairs(graph[SAW].edge_index)
        hidden = asked[number] if number or disjoint else set()
        hidden |= asked[2] if number < 2 else set()
        assert seen.isdisjoint(hidden)
        if inverse:
            assert {(b, a) for a, b in pairs(graph[SEEN].edge_index)} == seen
            flipped = data[SAW].edge_index[:, graph[SEEN].w.long()].flip(0)
            assert torch.equal(flipped, graph[SEEN].edge_index)
        expected, weight = compose(
            [graph[SAW].edge_index, graph[SAW].edge_index.flip(0)], [users, films, users], "count"
        )
        assert torch.equal(graph[UFU].edge_index, expected)
        assert torch.equal(graph[UFU][METAPATH_WEIGHT], weight)
        drawn = pairs(graph[SAW].edge_label_index[:, graph[SAW].edge_label == 0])
        assert drawn.isdisjoint(everything)
        assert graph[SAW].w.numel() == graph[SAW].edge_index.size(1)
        assert bool((data[SAW].edge_index[:, graph[SAW].w.long()] == graph[SAW].edge_index).all())
    assert pairs(train[SAW].edge_index) <= pairs(test[SAW].edge_index)
    assert data[SAW].edge_index.size(1) == edges  # What was given is as it was.
    assert "edge_label" not in data[SAW]


def test_pyg_lets_the_answers_through_and_this_does_not() -> None:
    """Without `rev_edge_types`, every test edge of PyG's split stands in the inverse relation."""
    data = shop(30, 20, 80)
    *_, theirs = RandomLinkSplit(edge_types=[SAW])(data)
    leaked = {(b, a) for a, b in pairs(theirs[SEEN].edge_index)} & positives(theirs)
    assert leaked == positives(theirs)
    *_, ours = split_links(SCHEMA, data, SAW)
    assert not {(b, a) for a, b in pairs(ours[SEEN].edge_index)} & positives(ours)


def test_an_undeclared_mirror_is_refused_unless_it_is_harmless() -> None:
    data = shop(30, 20, 80)
    likes = ("user", "likes", "film")
    data[likes].edge_index = data[SAW].edge_index
    with pytest.raises(SpecError) as caught:
        split_links(SCHEMA, data, "saw")
    assert [item.code for item in caught.value.diagnostics] == ["GNN625"]
    assert split_links(SCHEMA, data, "saw", harmless=[likes])[2][likes].edge_index.size(1) == 80


def test_what_the_schema_does_not_declare_is_left_out() -> None:
    """A reverse that nobody declared would show every answer, and so would what `AddMetaPaths` has made."""
    data, mirror = shop(), ("film", "rev_saw", "user")
    data[mirror].edge_index = data[SAW].edge_index.flip(0)
    for graph in split_links(SCHEMA, data, "saw"):
        assert mirror not in graph.edge_types
        assert UFU in graph.edge_types
    assert mirror in data.edge_types
    assert all(mirror in graph.edge_types for graph in split_links(SCHEMA, data, "saw", harmless=[mirror]))


def test_a_metapath_is_not_split() -> None:
    with pytest.raises(SpecError, match="its edges follow from other relations"):
        split_links(SCHEMA, shop(), "UFU")


def test_the_inverse_may_be_all_that_the_data_holds() -> None:
    data = shop(30, 20, 80)
    del data[SAW], data[UFU]
    train, _, test = split_links(SCHEMA, data, "saw")
    assert not {(b, a) for a, b in pairs(test[SEEN].edge_index)} & positives(test)
    assert train[SAW].edge_label_index.size(0) == 2
    assert "edge_index" not in train[SAW]


def test_within_a_type_an_edge_goes_with_its_reverse() -> None:
    real = karate()
    schema, near = real.spec.schema(), real.near
    index = real.data[near].edge_index
    real.data[near].edge_index = torch.cat([index, index.flip(0)], 1)
    real.data[near].w = torch.cat([real.data[near].w] * 2)
    _train, _val, test = split_links(schema, real.data, near, split=(0.6, 0.2, 0.2))
    asked = positives(test, near)
    assert {(b, a) for a, b in asked} == asked
    assert pairs(test[near].edge_index).isdisjoint(asked)
    assert all(a != b for a, b in pairs(test[near].edge_label_index))


def test_by_time_the_latest_are_predicted_last() -> None:
    train, _val, test = split_links(SCHEMA, shop(), "saw", time="at")
    assert int(train[SAW].at.max()) == 31
    assert int(test[SAW].at.max()) == 35
    assert len(positives(test)) <= 4


def test_the_seed_decides() -> None:
    data = shop()
    one, same, other = (split_links(SCHEMA, data, "saw", seed=seed)[2][SAW].edge_label_index for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_two_shares_and_more_negatives() -> None:
    _train, val, test = split_links(SCHEMA, shop(), "saw", split=(0.75, 0.25), negatives=3)
    assert positives(test) == set()
    assert int((val[SAW].edge_label == 0).sum()) == 3 * int((val[SAW].edge_label == 1).sum())


@pytest.mark.parametrize(
    ("relation", "change", "code"),
    [
        ("sew", lambda data: None, "GNN101"),
        (("user", "saw", "user"), lambda data: None, "GNN101"),
        ("saw", lambda data: (data.__delitem__(SAW), data.__delitem__(SEEN)), "GNN601"),
        ("saw", lambda data: data[SAW].edge_index.fill_(99), "GNN606"),
    ],
)
def test_what_cannot_be_split_is_said(relation, change, code) -> None:
    data = shop()
    change(data)
    with pytest.raises(SpecError, match=code):
        split_links(SCHEMA, data, relation)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(SpecError, match="GNN603"):
        split_links(SCHEMA, shop(), "saw", time="when")
    with pytest.raises(ValueError, match="make 1"):
        split_links(SCHEMA, shop(), "saw", split=(0.8, 0.8, 0.1))
    with pytest.raises(ValueError, match="0 or more"):
        split_links(SCHEMA, shop(), "saw", negatives=-1)
    schema = make_schema({"a": {}, "b": {}}, {"a -[r]-> b": {}, "b -[r]-> a": {}})
    with pytest.raises(SpecError, match="several relations"):
        split_links(schema, HeteroData(), "r")
