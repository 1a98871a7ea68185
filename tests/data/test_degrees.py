"""Degrees, which `PNAConv` scales by: counted from data, stored in metadata, known of inverses and lists of graphs."""

import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.nn import PNAConv

import graphdsl
from graphdsl import SpecError
from graphdsl.data import batch_inputs, inspect
from graphdsl.model.metadata_file import metadata_from_json, metadata_to_json

SPEC = """
schema s {
  node a { x: float[6], y: class[3] }
  edge a -[near]-> a  reverse far
}

model m on s {
  edges { near, far: PNAConv(8, ["mean"], ["identity", "amplification"]) }
  predict a.y
}

model plain on s {
  edges { near: SAGEConv(8) }
  predict a.y
}

model block on s {
  sequential x, edge_index {
    PNAConv(3, ["mean"], ["identity", "linear"]): x, edge_index -> x
  }
  predict a.y
}
"""
NEAR, FAR = ("a", "near", "a"), ("a", "far", "a")


def graph(index: list[list[int]]) -> HeteroData:
    data = HeteroData()
    data["a"].x, data["a"].y = torch.randn(5, 6), torch.zeros(5, dtype=torch.long)
    data[NEAR].edge_index = torch.tensor(index, dtype=torch.long)
    return data


EDGES = [[0, 1, 2, 3], [1, 1, 1, 2]]


def test_degrees_are_those_that_pyg_counts() -> None:
    data = graph(EDGES)
    store = inspect(data, degrees=True).edges[NEAR]
    wanted = PNAConv.get_degree_histogram([Data(edge_index=data[NEAR].edge_index, num_nodes=5)])
    assert store.received.histogram == wanted.tolist()
    flipped = PNAConv.get_degree_histogram([Data(edge_index=data[NEAR].edge_index.flip(0), num_nodes=5)])
    assert store.sent.histogram == flipped.tolist()
    assert inspect(data).edges[NEAR].received is None, "counting is not for nothing"


def test_an_inverse_that_is_made_has_the_degrees_of_the_other_end() -> None:
    data = graph(EDGES)
    model = graphdsl.loads(SPEC).compile("m", data=data)
    deg = {step.edge: step.module.arguments["deg"].histogram for step in model.plan.stages[0].steps}
    assert deg == {NEAR: [3, 1, 0, 1], FAR: [1, 4]}
    assert model(**batch_inputs(data, model.plan)).shape == (5, 3)


def test_metadata_carries_degrees_where_a_model_needs_them() -> None:
    spec, data = graphdsl.loads(SPEC), graph(EDGES)
    stored = metadata_from_json(metadata_to_json(spec.metadata(data, "m")))
    assert stored == spec.metadata(data, "m")
    assert spec.plan("m", data=stored) == spec.plan("m", data=data)
    assert spec.metadata(data, "plain").edges[NEAR].received is None


def test_degrees_of_several_graphs_are_counted_together() -> None:
    spec = graphdsl.loads(SPEC)
    store = spec.metadata([graph(EDGES), graph([[0], [4]])], "m").edges[NEAR]
    assert store.received.histogram == [7, 2, 0, 1]


def test_a_block_is_told_the_degrees_of_its_relation() -> None:
    data = graph(EDGES)
    model = graphdsl.loads(SPEC).compile("block", data=data)
    theirs = PNAConv(6, 3, ["mean"], ["identity", "linear"], torch.tensor([3, 1, 0, 1]))
    theirs.load_state_dict(model[0].state_dict())
    torch.testing.assert_close(model(**batch_inputs(data, model.plan)), theirs(data["a"].x, data[NEAR].edge_index))


def test_without_data_planning_does_and_compiling_does_not() -> None:
    spec = graphdsl.loads(SPEC)
    assert "PNAConv(deg=?" in str(spec.plan("m"))
    with pytest.raises(SpecError) as refused:
        spec.compile("m")
    assert {item.code for item in refused.value.diagnostics} == {"GNN311"}


def test_a_relation_without_edges_has_no_mean_to_divide_by() -> None:
    with pytest.raises(SpecError) as refused:
        graphdsl.loads(SPEC).compile("m", data=graph([[], []]))
    assert {item.code for item in refused.value.diagnostics} == {"GNN311"}
    assert "mean degree of 0" in refused.value.diagnostics[0].message


def test_edges_to_nodes_that_do_not_exist_are_left_to_validation() -> None:
    assert inspect(graph([[0], [7]]), degrees=True).edges[NEAR].received is None


GRAPHS = """
schema s {
  node a { x: float[6] }
  edge a -[near]-> a
  graph { y: real }
}

model read on s {
  edges { near: SAGEConv(4, aggr = DegreeScalerAggregation("mean", "linear")) }
  predict graph.y from a: readout(DegreeScalerAggregation(["mean", "sum"], ["identity", "linear"]))
}

model block on s {
  sequential x, edge_index, batch {
    DegreeScalerAggregation(["mean"], ["amplification"]): x, batch -> x
    Linear(1)
  }
}
"""


def _molecule(nodes: int) -> HeteroData:
    data = HeteroData()
    data["a"].x, data.y = torch.randn(nodes, 6), torch.zeros(1)
    data[NEAR].edge_index = torch.tensor([[0, 1], [1, 1]])
    return data


def test_readouts_scale_by_how_many_nodes_graphs_have() -> None:
    spec, graphs = graphdsl.loads(GRAPHS), [_molecule(3), _molecule(5), _molecule(3)]
    plan = spec.plan("read", data=graphs)
    assert plan.graph_heads[0].readouts[0].module.arguments["deg"].histogram == [0, 0, 0, 2, 0, 1]
    inner = plan.stages[0].steps[0].module.arguments["aggr"]
    assert inner.arguments["deg"].histogram == [8, 0, 3], "messages are counted by edges"
    stored = metadata_from_json(metadata_to_json(spec.metadata(graphs, "read")))
    assert spec.plan("read", data=stored) == plan
    (step, _) = spec.plan("block", data=graphs).sequence.steps
    assert step.module.arguments["deg"].histogram == [0, 0, 0, 2, 0, 1]


@pytest.mark.parametrize(("model", "known"), [("read", "edges arrive"), ("block", "nodes a graph has")])
def test_without_graphs_a_readout_has_nothing_to_scale_by(model: str, known: str) -> None:
    with pytest.raises(SpecError) as refused:
        graphdsl.loads(GRAPHS).compile(model)
    assert {item.code for item in refused.value.diagnostics} == {"GNN311"}
    assert known in refused.value.diagnostics[0].message
