"""Which sampler a loader takes."""

import pytest
import torch
import torch_geometric.typing
from torch_geometric.data import HeteroData
from torch_geometric.sampler import NeighborSampler
from torch_geometric.testing import MyFeatureStore, MyGraphStore

from graphdsl.data.sampling import HeteroNeighborSampler, neighbor_loader
from graphdsl.data.sampling.loader import SamplingOptions, choose_backend

TO, BACK = ("a", "to", "b"), ("b", "back", "a")


@pytest.fixture
def data() -> HeteroData:
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 3, 2
    data["a"].time, data["b"].late = torch.arange(3), torch.arange(2.0)
    data[TO].edge_index = torch.tensor([[0, 1, 2], [0, 1, 1]])
    data[TO].when, data[TO].late = torch.arange(3), torch.arange(3)
    data[BACK].edge_index = torch.tensor([[0, 1, 1], [0, 1, 2]])
    return data


@pytest.fixture
def installed(monkeypatch):
    def install(pyg_lib: bool, torch_sparse: bool, edge_times: bool = True) -> None:
        monkeypatch.setattr(torch_geometric.typing, "WITH_PYG_LIB", pyg_lib)
        monkeypatch.setattr(torch_geometric.typing, "WITH_TORCH_SPARSE", torch_sparse)
        monkeypatch.setattr(torch_geometric.typing, "WITH_EDGE_TIME_NEIGHBOR_SAMPLE", edge_times)

    return install


@pytest.mark.parametrize(
    ("options", "with_pyg_lib", "with_torch_sparse"),
    [
        ({}, "pyg-lib", "torch-sparse"),
        ({"replace": True}, "pyg-lib", "torch-sparse"),
        ({"disjoint": True}, "pyg-lib", "own"),
        ({"node_time": "time"}, "pyg-lib", "own"),
        ({"node_time": "time", "strategy": "last"}, "pyg-lib", "own"),
        ({"edge_time": "when"}, "pyg-lib", "own"),
        ({"node_time": "time", "strictly_before": True}, "own", "own"),
        ({"node_time": "time", "edge_time": "when"}, "own", "own"),
        ({"node_time": {"a": torch.arange(3)}}, "own", "own"),
        ({"node_time": "late"}, "own", "own"),
        ({"edge_time": "late"}, "own", "own"),
    ],
)
def test_pyg_samples_where_it_means_the_same(data, installed, options, with_pyg_lib, with_torch_sparse):
    options = SamplingOptions(**options)
    installed(True, False)
    assert choose_backend(data, {TO: [2]}, options) == with_pyg_lib
    assert choose_backend(data, {TO: [2]}, options, "own") == "own"
    installed(False, True)
    assert choose_backend(data, {TO: [2]}, options) == with_torch_sparse
    installed(False, False)
    assert choose_backend(data, {TO: [2]}, options) == "own"


def test_float_times_ambiguous_names_stores_and_no_hops_are_ours(data, installed):
    installed(True, True, edge_times=False)
    assert choose_backend(data, {TO: [2]}, SamplingOptions(edge_time="when")) == "own"
    assert choose_backend(data, {TO: []}, SamplingOptions()) == "own"
    data["a"].time = data["a"].time.float()
    assert choose_backend(data, {TO: [2]}, SamplingOptions(node_time="time")) == "own"
    graph = MyGraphStore()
    graph.put_edge_index((torch.tensor([0]), torch.tensor([0])), edge_type=TO, layout="coo", size=(1, 1))
    assert choose_backend((MyFeatureStore(), graph), {TO: [2]}, SamplingOptions()) == "own"
    clash = HeteroData()
    clash["a", "_to", "b"].edge_index = clash["a_", "to", "b"].edge_index = torch.zeros(2, 1, dtype=torch.int64)
    assert choose_backend(clash, {("a_", "to", "b"): [2]}, SamplingOptions()) == "own"


def test_a_backend_that_cannot_serve_says_why(data, installed):
    installed(True, False)
    with pytest.raises(ValueError, match="backend 'torch-sparse' cannot serve: it is not installed; accepted"):
        neighbor_loader(data, {TO: [2]}, "b", 2, backend="torch-sparse")
    with pytest.raises(ValueError, match="backend 'pyg-lib' cannot serve: it has no strictly_before"):
        neighbor_loader(data, {TO: [2]}, "b", 2, backend="pyg-lib", node_time="time", strictly_before=True)
    with pytest.raises(ValueError, match=r"input_time of 'b' is torch.float32, the times of the graph int64"):
        neighbor_loader(data, {TO: [2]}, "b", 2, node_time="time", input_time=torch.ones(2))


def test_the_loader_says_what_samples(data, installed):
    installed(False, False)
    loader = neighbor_loader(data, {TO: [2]}, "b", 2)
    assert loader.sampling_backend == "own"
    assert isinstance(loader.node_sampler, HeteroNeighborSampler)
    installed(True, False)
    loader = neighbor_loader(data, {TO: [2, 1]}, "b", 2, node_time="time", input_time=torch.tensor([1, 2]))
    assert loader.sampling_backend == "pyg-lib"
    assert isinstance(loader.node_sampler, NeighborSampler)
    assert loader.node_sampler.num_neighbors.get_values() == {TO: [2, 1], BACK: [0, 0]}
    assert loader.input_data.time.tolist() == [1, 2]
    installed(False, True)
    assert neighbor_loader(data, {TO: [2]}, "b", 2).sampling_backend == "torch-sparse"


def test_seeds_take_their_own_times_whatever_samples(data, installed):
    for pyg_lib in (False, True):
        installed(pyg_lib, False)
        loader = neighbor_loader(data, {BACK: [2]}, ("a", torch.tensor([2, 0])), 2, node_time="time")
        assert loader.input_data.time.tolist() == [2, 0]


@pytest.mark.skipif(
    not (torch_geometric.typing.WITH_PYG_LIB or torch_geometric.typing.WITH_TORCH_SPARSE),
    reason="needs pyg-lib or torch-sparse",
)
def test_pyg_and_ours_take_the_same_when_they_take_all(data):
    found = {}
    for backend in ("auto", "own"):
        (batch,) = neighbor_loader(data, {TO: [-1, -1], BACK: [-1, 0]}, "b", 2, backend=backend)
        found[backend] = [
            {name: sorted(batch[name].n_id.tolist()) for name in data.node_types},
            {relation: sorted(batch[relation].e_id.tolist()) for relation in data.edge_types},
        ]
    assert found["auto"] == found["own"]
