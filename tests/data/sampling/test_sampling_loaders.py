"""End to end: PyG's loaders over the sampler give batches whose parts belong together."""

import pickle

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference_sampling import Graph, graphs, samplings
from torch_geometric.data import HeteroData
from torch_geometric.loader import LinkLoader, NodeLoader
from torch_geometric.sampler import NegativeSampling
from torch_geometric.testing import MyFeatureStore, MyGraphStore

from graphdsl.data.sampling import HeteroNeighborSampler, neighbor_loader

WRITES, REV, CITES = ("author", "writes", "paper"), ("paper", "rev_writes", "author"), ("paper", "cites", "paper")


def library(papers: int = 60, authors: int = 40, seed: int = 0) -> Graph:
    """Papers that cite earlier and later ones, twice where the dice say so, and their authors."""
    rng = torch.Generator().manual_seed(seed)

    def dice(high: int, size: int) -> list[int]:
        return torch.randint(high, (size,), generator=rng).tolist()

    writes = list(zip(dice(authors, 150), dice(papers, 150), strict=True))
    cites = list(zip(dice(papers, 200), dice(papers, 200), strict=True))
    edges = {WRITES: writes, REV: [(p, a) for a, p in writes], CITES: cites}
    return Graph({"paper": papers, "author": authors}, edges, {"paper": dice(10, papers)}, {CITES: dice(10, 200)})


FANOUT = {WRITES: [3, 2], REV: [2, 2], CITES: [4, 1]}


def check_batch(data: HeteroData, batch: HeteroData) -> None:
    """Every row of every attribute is the one of its node or edge in the whole graph."""
    for name in data.node_types:
        assert torch.equal(batch[name].x, data[name].x[batch[name].n_id])
        assert batch[name].num_nodes == len(batch[name].n_id)
    for relation in data.edge_types:
        source, destination = batch[relation].edge_index
        ends = torch.stack([batch[relation[0]].n_id[source], batch[relation[2]].n_id[destination]])
        assert torch.equal(ends, data[relation].edge_index[:, batch[relation].e_id])
        assert torch.equal(batch[relation].edge_attr, data[relation].edge_attr[batch[relation].e_id])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_batches_of_any_graph_belong_together(draw):
    graph = draw.draw(graphs())
    assume(any(graph.num_nodes.values()))
    asked = draw.draw(samplings(graph, st.integers(-1, 4), disjoint=draw.draw(st.booleans())))
    assume(asked.seeds)
    data = graph.to_hetero_data()
    sampler = HeteroNeighborSampler(data, asked.fanout, disjoint=asked.disjoint, seed=0)
    seeds = torch.tensor(asked.seeds)
    loader = NodeLoader(data, sampler, (asked.seed_type, seeds), batch_size=2)
    given_back = []
    for batch in loader:
        check_batch(data, batch)
        store = batch[asked.seed_type]
        assert torch.equal(store.n_id[: store.batch_size], seeds[store.input_id])
        given_back += store.n_id[: store.batch_size].tolist()
    assert given_back == asked.seeds


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_epoch_of_node_batches(num_workers):
    data = library().to_hetero_data()
    loader = neighbor_loader(
        data, FANOUT, "paper", 16, node_time="time", edge_time="when", shuffle=True, num_workers=num_workers, seed=5
    )
    assert loader.sampling_backend == "own"
    seeds = []
    for batch in loader:
        check_batch(data, batch)
        paper = batch["paper"]
        seeds.append(paper.n_id[: paper.batch_size])
        assert torch.equal(paper.seed_time, data["paper"].time[seeds[-1]])
        assert (paper.time <= paper.seed_time[paper.batch]).all()
        now = paper.seed_time[batch["paper"].batch[batch[CITES].edge_index[1]]]
        assert (batch[CITES].when <= now).all()
    assert sorted(torch.cat(seeds).tolist()) == list(range(60))
    assert torch.cat(seeds).tolist() != list(range(60))


def test_edges_of_a_batch_are_sorted_by_destination():
    data = library().to_hetero_data()
    for batch in neighbor_loader(data, FANOUT, "paper", 16, seed=0):
        for relation in data.edge_types:
            assert (batch[relation].edge_index[1].diff() >= 0).all()


def test_counts_per_hop_serve_trim_to_layer():
    from torch_geometric.utils import trim_to_layer

    data = library().to_hetero_data()
    batch = next(iter(neighbor_loader(data, FANOUT, "paper", 8, seed=0)))
    x, edge_index, _ = trim_to_layer(
        1, batch.num_sampled_nodes_dict, batch.num_sampled_edges_dict, batch.x_dict, batch.edge_index_dict
    )
    for relation, (source, destination) in edge_index.items():
        assert len(source) == batch.num_sampled_edges_dict[relation][0]
        assert not len(source) or source.max() < len(x[relation[0]])
        assert not len(source) or destination.max() < 8


def test_seeds_may_be_a_mask_and_a_sampler_may_serve_two_loaders():
    data = library().to_hetero_data()
    sampler = HeteroNeighborSampler(data, FANOUT, seed=0)
    mask = torch.arange(60) % 2 == 0
    for chosen in (mask, ~mask):
        loader = neighbor_loader(data, {CITES: [1]}, ("paper", chosen), 60, sampler=sampler, seed=3)
        (batch,) = loader
        check_batch(data, batch)
        assert batch[CITES].num_edges
        assert not batch[WRITES].num_edges
        assert torch.equal(batch["paper"].n_id[:30], chosen.nonzero().view(-1))
        assert loader.node_sampler.layout is sampler.layout


def stores(data: HeteroData, layout: str) -> tuple[MyFeatureStore, MyGraphStore]:
    features, graph = MyFeatureStore(), MyGraphStore()
    for name in data.node_types:
        features.put_tensor(data[name].x, group_name=name, attr_name="x", index=None)
        if "time" in data[name]:
            features.put_tensor(data[name].time, group_name=name, attr_name="time", index=None)
    for relation in data.edge_types:
        size = (data[relation[0]].num_nodes, data[relation[2]].num_nodes)
        (row, col), is_sorted = data[relation].edge_index, False
        if layout == "csc":
            order = col.argsort(stable=True)
            row = row[order]
            col = torch.bincount(col, minlength=size[1]).cumsum(0)
            col, is_sorted = torch.cat([col.new_zeros(1), col]), True
        graph.put_edge_index((row, col), edge_type=relation, layout=layout, size=size, is_sorted=is_sorted)
    return features, graph


@pytest.mark.parametrize("layout", ["coo", "csc"])
def test_batches_from_a_feature_store_and_a_graph_store(layout):
    data = library().to_hetero_data()
    pair = stores(data, layout)
    loader = neighbor_loader(pair, FANOUT, ("paper", torch.arange(20)), 8, node_time="time", seed=0)
    row, col, _ = pair[1].coo()
    for batch in loader:
        for name in data.node_types:
            assert torch.equal(batch[name].x, data[name].x[batch[name].n_id])
        for relation in data.edge_types:
            source, destination = batch[relation].edge_index
            assert torch.equal(batch[relation[0]].n_id[source], row[relation][batch[relation].e_id])
            assert torch.equal(batch[relation[2]].n_id[destination], col[relation][batch[relation].e_id])
        paper = batch["paper"]
        assert (paper.time <= paper.seed_time[paper.batch]).all()


NEGATIVES = [
    None,
    NegativeSampling("binary", 1),
    NegativeSampling("binary", 0.5),
    NegativeSampling("binary", 2.5),
    NegativeSampling("triplet", 1),
    NegativeSampling("triplet", 3),
]


@pytest.mark.parametrize("negatives", NEGATIVES, ids=str)
@pytest.mark.parametrize("relation", [WRITES, CITES])
@pytest.mark.parametrize("mode", ["static", "disjoint", "temporal"])
def test_link_batches(negatives, relation, mode):
    data = library().to_hetero_data()
    options = {"static": {}, "disjoint": {"disjoint": True}, "temporal": {"node_time": "time", "strategy": "last"}}
    sampler = HeteroNeighborSampler(data, FANOUT, seed=2, **options[mode])
    ends = data[relation].edge_index
    now = torch.arange(ends.size(1)) % 10 if mode == "temporal" else None
    loader = LinkLoader(
        data, sampler, (relation, ends), edge_label_time=now, neg_sampling=negatives, batch_size=13, shuffle=True
    )
    for batch in loader:
        check_batch(data, batch)
        check_link_batch(batch, relation, ends, now, negatives)


def check_link_batch(batch, relation, ends, now, negatives) -> None:
    """Seeds lead back to their edges, and each node's `batch` to the example that brought it in."""
    source, destination = batch[relation[0]], batch[relation[2]]
    ids = batch[relation].input_id if "input_id" in batch[relation] else source.input_id
    b = len(ids)
    if negatives is not None and negatives.is_triplet():
        pairs = torch.stack([source.src_index, destination.dst_pos_index])
        extra = destination.dst_neg_index.view(b, -1)
        assert extra.shape == (b, negatives.amount)
        members = [(source, pairs[0]), (destination, pairs[1])] + [(destination, column) for column in extra.t()]
    else:
        pairs = batch[relation].edge_label_index
        rest = pairs[:, b:]
        assert rest.size(1) == (0 if negatives is None else -(-b * negatives.amount // 1))
        members = [(store, part) for store, part in zip((source, destination), pairs[:, :b], strict=True)]
        if "batch" in source:
            examples = torch.arange(rest.size(1)) % b
            assert torch.equal(source.batch[rest[0]], examples)
            assert torch.equal(destination.batch[rest[1]], examples)
    assert torch.equal(source.n_id[pairs[0, :b]], ends[0, ids])
    assert torch.equal(destination.n_id[pairs[1, :b]], ends[1, ids])
    if "batch" not in source:
        return
    for store, index in members:
        assert torch.equal(store.batch[index], torch.arange(b))
    if now is not None:
        for name in ("paper",):
            store = batch[name]
            is_seed = torch.zeros(len(store.n_id), dtype=torch.bool)
            is_seed[: store.num_sampled_nodes[0]] = True
            assert (is_seed | (store.time <= now[ids][store.batch])).all()


@pytest.mark.slow
def test_spawned_workers_give_the_batches_of_the_main_process():
    data = library().to_hetero_data()
    options = {"node_time": "time", "seed": 9, "shuffle": True}
    here = neighbor_loader(data, FANOUT, "paper", 20, **options)
    spawned = neighbor_loader(data, FANOUT, "paper", 20, num_workers=1, multiprocessing_context="spawn", **options)
    for ours, theirs in zip(here, spawned, strict=True):
        assert ours.to_dict().keys() == theirs.to_dict().keys()
        for relation in data.edge_types:
            assert torch.equal(ours[relation].e_id, theirs[relation].e_id)


def test_a_sampler_survives_pickling():
    from torch_geometric.sampler import NodeSamplerInput

    sampler = HeteroNeighborSampler(library().to_hetero_data(), FANOUT, node_time="time", seed=4)
    sampler.set_epoch(3)
    copy = pickle.loads(pickle.dumps(sampler))
    inputs = NodeSamplerInput(None, torch.arange(10), None, "paper")
    assert str(copy.sample_from_nodes(inputs)) == str(sampler.sample_from_nodes(inputs))


def test_both_ends_of_a_seed_edge_grow_their_own_trees():
    graph = Graph(
        {"a": 2, "b": 2, "c": 1},
        {("a", "to", "b"): [(0, 1), (1, 0)], ("c", "of", "a"): [(0, 0), (0, 1)], ("c", "in", "b"): [(0, 0), (0, 1)]},
    )
    data = graph.to_hetero_data()
    fanout = {("c", "of", "a"): [-1], ("c", "in", "b"): [-1]}
    loader = LinkLoader(
        data, HeteroNeighborSampler(data, fanout, disjoint=True), (("a", "to", "b"), None), batch_size=2
    )
    (batch,) = loader
    assert sorted(batch["c"].batch.tolist()) == [0, 0, 1, 1]
    assert batch["c", "of", "a"].edge_index[0].tolist() == [0, 1]
    assert batch["c", "in", "b"].edge_index[0].tolist() == [2, 3]
