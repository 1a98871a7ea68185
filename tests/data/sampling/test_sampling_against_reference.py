"""The sampler against rules spelled out in Python, on random graphs."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference_sampling import Graph, Sampling, check_sample, graphs, hops_of, samplings, walk_everything
from torch_geometric.sampler import NodeSamplerInput

from graphdsl.data.sampling import HeteroNeighborSampler

counts = st.integers(-1, 4)
whole = st.sampled_from([-1, -1, 0])


def run(graph: Graph, asked: Sampling, seed: int = 0, **options):
    sampler = HeteroNeighborSampler(
        graph.to_hetero_data(),
        asked.fanout,
        disjoint=asked.disjoint,
        replace=asked.replace,
        strategy=asked.strategy,
        strictly_before=asked.strictly_before,
        seed=seed,
        **options,
    )
    time = None if asked.now is None else torch.tensor(asked.now, dtype=torch.int64)
    seeds = torch.tensor(asked.seeds, dtype=torch.int64)
    return sampler.sample_from_nodes(NodeSamplerInput(None, seeds, time, asked.seed_type))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_sample_obeys_the_rules(data):
    graph = data.draw(graphs())
    assume(any(graph.num_nodes.values()))
    asked = data.draw(samplings(graph, counts, disjoint=data.draw(st.booleans())))
    asked.replace = data.draw(st.booleans())
    check_sample(graph, asked, run(graph, asked, seed=data.draw(st.integers(0, 100))))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_temporal_sample_obeys_the_rules(data):
    graph = data.draw(graphs(timed=True))
    assume(any(graph.num_nodes.values()) and graph.time_options())
    asked = data.draw(samplings(graph, counts, disjoint=True))
    asked.strategy = data.draw(st.sampled_from(["uniform", "last"]))
    asked.strictly_before = data.draw(st.booleans())
    asked.now = data.draw(st.lists(st.integers(-1, 5), min_size=len(asked.seeds), max_size=len(asked.seeds)))
    out = run(graph, asked, seed=data.draw(st.integers(0, 100)), **graph.time_options())
    check_sample(graph, asked, out)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_taking_all_finds_exactly_what_a_search_finds(data):
    graph = data.draw(graphs(timed=True))
    assume(any(graph.num_nodes.values()))
    asked = data.draw(samplings(graph, whole, disjoint=bool(graph.time_options())))
    asked.seeds = asked.seeds[:1]
    assume(asked.seeds)
    if graph.time_options():
        asked.now = [data.draw(st.integers(-1, 5))]
    out = run(graph, asked, **graph.time_options())
    now = None if asked.now is None else asked.now[0]
    assert hops_of(out) == walk_everything(graph, asked.fanout, asked.seed_type, asked.seeds[0], now)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_order_of_types_and_relations_does_not_change_what_is_reached(data):
    graph = data.draw(graphs())
    assume(any(graph.num_nodes.values()))
    asked = data.draw(samplings(graph, whole, disjoint=False))
    turned = Graph(dict(reversed(graph.num_nodes.items())), dict(reversed(graph.edges.items())))
    assert hops_of(run(graph, asked)) == hops_of(run(turned, asked))


def test_duplicate_seeds_each_have_their_own_edges():
    graph = Graph({"a": 1, "b": 9}, {("b", "to", "a"): [(n, 0) for n in range(9)]})
    asked = Sampling({("b", "to", "a"): [4]}, "a", [0, 0, 0])
    out = run(graph, asked)
    check_sample(graph, asked, out)
    assert torch.bincount(out.col["b", "to", "a"]).tolist() == [4, 4, 4]


def test_a_source_that_is_a_duplicate_seed_is_its_first_copy():
    graph = Graph({"a": 2}, {("a", "to", "a"): [(0, 0), (1, 0), (0, 1)]})
    out = run(graph, Sampling({("a", "to", "a"): [-1]}, "a", [0, 0]))
    assert out.node["a"].tolist() == [0, 0, 1]
    assert out.row["a", "to", "a"].tolist() == [0, 2, 0, 2]
    assert out.col["a", "to", "a"].tolist() == [0, 0, 1, 1]


def test_without_hops_the_seeds_alone_come_back():
    graph = Graph({"a": 3, "b": 2}, {("b", "to", "a"): [(0, 0)]})
    out = run(graph, Sampling({}, "a", [2, 0]))
    assert out.node["a"].tolist() == [2, 0]
    assert out.num_sampled_nodes == {"a": [2], "b": [0]}
    assert out.num_sampled_edges == {("b", "to", "a"): []}


def test_keys_too_wide_to_pack_are_sorted_all_the_same(monkeypatch):
    from graphdsl.data.sampling import hops

    graph = Graph({"a": 5}, {("a", "to", "a"): [(i, j) for i in range(5) for j in range(5)]})
    asked = Sampling({("a", "to", "a"): [2, 2]}, "a", [0, 3, 3])
    packed = run(graph, asked)
    sort = hops.sort_with_places
    monkeypatch.setattr(hops, "sort_with_places", lambda keys, bits: sort(keys, 63))
    assert str(run(graph, asked)) == str(packed)
