"""What does not fit is said with the relation or type, the value found and what is accepted."""

import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.sampler import EdgeSamplerInput, NodeSamplerInput
from torch_geometric.testing import MyFeatureStore, MyGraphStore

from graphdsl.data.sampling import HeteroNeighborSampler, neighbor_loader

TO = ("a", "to", "b")


def pair(**changes) -> HeteroData:
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 3, 2
    data[TO].edge_index = torch.tensor([[0, 1, 2], [0, 1, 1]])
    for key, value in changes.items():
        data[TO][key] = value
    return data


@pytest.mark.parametrize(
    ("edge_index", "message"),
    [
        (torch.tensor([[0, 3], [0, 1]]), r"relation \('a', 'to', 'b'\): source index 3; accepted: 0 to 2 \(3 nodes"),
        (torch.tensor([[0, 2], [0, -1]]), "destination index -1; accepted: 0 to 1"),
        (torch.tensor([[0.0], [0.0]]), "edge indices are torch.float32; accepted: int64 or int32"),
        (torch.tensor([0, 1]), r"edge_index is of shape \[2\]; accepted: an integer tensor of shape \[2, E\]"),
        (None, "edge_index is missing; accepted: an integer tensor"),
        ([[0], [0]], "edge_index is a list; accepted"),
    ],
)
def test_edges_that_do_not_fit(edge_index, message):
    with pytest.raises(ValueError, match=message):
        HeteroNeighborSampler(pair(edge_index=edge_index), {TO: [1]})


@pytest.mark.parametrize(
    ("fanout", "message"),
    [
        ({("a", "too", "b"): [1]}, r"fanout names the relation \('a', 'too', 'b'\).*did you mean \('a', 'to', 'b'\)\?"),
        ({("x", "y", "z"): [1]}, r"which the graph does not have; known: \[\('a', 'to', 'b'\)\]"),
        ({TO: [-2]}, r"relation \('a', 'to', 'b'\): fanout -2; accepted: whole numbers, -1 for all"),
        ({TO: [1.5]}, "fanout 1.5; accepted"),
        ({TO: [True]}, "fanout True; accepted"),
        ({TO: 3}, "fanout 3; accepted: a list with one number per hop"),
        ([1, 2], "fanout is a list; accepted: a mapping"),
    ],
)
def test_fanouts_that_do_not_fit(fanout, message):
    with pytest.raises(ValueError, match=message):
        HeteroNeighborSampler(pair(), fanout)


@pytest.mark.parametrize(
    ("seeds", "node_type", "message"),
    [
        (torch.tensor([2]), "b", "seed 2 of type 'b'; accepted: 0 to 1"),
        (torch.tensor([-1]), "b", "seed -1 of type 'b'; accepted: 0 to 1"),
        (torch.tensor([0]), "c", r"seeds are of node type 'c'; accepted: one of \['a', 'b'\]"),
        (torch.tensor([0]), None, r"input_type is None; accepted: one of \['a', 'b'\]"),
        (torch.tensor([0.0]), "b", r"seeds of type 'b' are torch.float32 \[1\]; accepted: int64 \[B\]"),
        (torch.tensor([[0]]), "b", r"are torch.int64 \[1, 1\]; accepted"),
    ],
)
def test_seeds_that_do_not_fit(seeds, node_type, message):
    sampler = HeteroNeighborSampler(pair(), {TO: [1]})
    with pytest.raises(ValueError, match=message):
        sampler.sample_from_nodes(NodeSamplerInput(None, seeds, None, node_type))


def test_seed_edges_that_do_not_fit():
    ends = torch.tensor([0]), torch.tensor([0])
    sampler = HeteroNeighborSampler(pair(), {TO: [1]})
    with pytest.raises(ValueError, match=r"input_type is \('a', 'to', 'c'\); accepted: a relation between types of"):
        sampler.sample_from_edges(EdgeSamplerInput(None, *ends, input_type=("a", "to", "c")))
    with pytest.raises(ValueError, match="seeds have edge_label_time times; accepted by this sampler: none"):
        sampler.sample_from_edges(EdgeSamplerInput(None, *ends, time=torch.tensor([0]), input_type=TO))
    timed = HeteroNeighborSampler(pair(), {TO: [1]}, edge_time={TO: torch.arange(3)})
    with pytest.raises(ValueError, match="seeds have no times; accepted by this sampler: one for each edge"):
        timed.sample_from_edges(EdgeSamplerInput(None, *ends, input_type=TO))


def test_data_that_is_no_heterogeneous_graph():
    with pytest.raises(ValueError, match="cannot sample from a Data; accepted: a HeteroData or"):
        HeteroNeighborSampler(Data(), {})
    graph = MyGraphStore()
    with pytest.raises(ValueError, match=r"the graph store holds edge types \[\]; accepted: at least one"):
        HeteroNeighborSampler((MyFeatureStore(), graph), {})
    graph.put_edge_index((torch.tensor([0]), torch.tensor([0])), edge_type=None, layout="coo", size=(1, 1))
    with pytest.raises(ValueError, match=r"the graph store holds edge types \[None\]"):
        HeteroNeighborSampler((MyFeatureStore(), graph), {})


def test_types_of_unknown_size():
    data = pair()
    del data["a"].num_nodes
    with pytest.raises(ValueError, match=r"node type 'a': its size is unknown \(it holds \[\]\); set data"):
        HeteroNeighborSampler(data, {})
    other = HeteroData()
    other["b"].num_nodes = 2
    other[TO].edge_index = torch.tensor([[0], [0]])
    with pytest.raises(ValueError, match=r"relation \('a', 'to', 'b'\): no nodes of type 'a'; known: \['b'\]"):
        HeteroNeighborSampler(other, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_time": torch.tensor([1, 2])}, "input_time is given, but nothing has a time"),
        ({"edge_time": {TO: torch.arange(3)}}, "seeds of type 'b' have no time; give input_time"),
        ({"edge_time": {TO: torch.arange(3)}, "input_time": torch.tensor([1])}, "input_time of 'b': 1 times; accepted"),
        ({"backend": "pyg"}, "backend is 'pyg'; accepted: 'auto', 'own', 'pyg-lib' or 'torch-sparse'"),
        ({"backend": "pyg-lib", "strictly_before": True}, "strictly_before needs times"),
    ],
)
def test_loader_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        neighbor_loader(pair(), {TO: [1]}, "b", 2, **options)


@pytest.mark.parametrize(
    ("options", "name"),
    [({"replace": True}, "replace"), ({"strategy": "last"}, "strategy"), ({"backend": "pyg-lib"}, "backend")],
)
def test_options_beside_a_sampler(options, name):
    sampler = HeteroNeighborSampler(pair(), {TO: [1]})
    with pytest.raises(ValueError, match=f"{name} is given beside sampler, which has its own"):
        neighbor_loader(pair(), {TO: [1]}, "b", 2, sampler=sampler, **options)


def test_integers_of_other_widths_and_edge_index_objects_are_read():
    from torch_geometric import EdgeIndex

    expected = [0, 1, 2]
    for edge_index in (
        torch.tensor([[0, 1, 2], [0, 1, 1]], dtype=torch.int32),
        EdgeIndex([[0, 1, 2], [0, 1, 1]], sparse_size=(3, 2)),
    ):
        sampler = HeteroNeighborSampler(pair(edge_index=edge_index), {TO: [-1]})
        out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([0, 1], dtype=torch.int32), None, "b"))
        assert out.edge[TO].tolist() == expected
        assert out.node["b"].dtype == torch.int64
