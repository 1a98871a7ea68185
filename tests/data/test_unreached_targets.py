"""Predicted nodes that the layers of a model tell nothing of other nodes: by the plan, by gradients, by findings."""

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import validate
from graphdsl.plan import predicted_labels

SCHEMA = """
schema s {
  node a { x: float[3], y: class[2] }
  node b { x: float[2] }
  node c { x: float[2] }
  edge a -[to]-> b     reverse fro
  edge b -[of]-> c     reverse has
  edge a -[near]-> a
  metapath ABA = a -[to]-> b <-[to]- a
  metapath CBA = c <-[of]- b <-[to]- a
}
"""
MODELS = {
    "one relation": "model m on s { edges { fro: SAGEConv(2) } predict a.y }",
    "loops and parallel edges": "model m on s { edges { near: SAGEConv(2) } predict a.y }",
    "two layers": "model m on s { repeat 2 { edges { *: SAGEConv(4) } } predict a.y }",
    "relation served in the first layer": """
        model m on s { edges { fro: SAGEConv(3)  has: SAGEConv(3) } edges { near: SAGEConv(2)  of: SAGEConv(4) } predict a.y }""",
    "metapath": "model m on s { edges { ABA: SAGEConv(2) } predict a.y }",
    "metapath between types": "model m on s { edges { CBA: SAGEConv(2) } predict a.y }",
    "metapath and relation": "model m on s { edges { ABA: SAGEConv(2)  near: SAGEConv(2) } predict a.y }",
}


def draw(seed: int) -> HeteroData:
    """Few edges among many nodes, loops and parallel ones among them."""
    rng, data = torch.Generator().manual_seed(seed), HeteroData()
    for name, width in (("a", 3), ("b", 2), ("c", 2)):
        data[name].x = torch.randn(12, width, generator=rng)
    data["a"].y = torch.randint(2, (12,), generator=rng)
    for ends, edges in ((("a", "to", "b"), 7), (("b", "of", "c"), 5), (("a", "near", "a"), 6)):
        data[ends].edge_index = torch.randint(12, (2, edges), generator=rng)
    data["a", "near", "a"].edge_index[:, :3] = torch.tensor([[1, 2, 2], [1, 2, 2]])
    return data


def told(spec: graphdsl.Spec, data: HeteroData) -> list[bool]:
    """Of each target, whether its prediction depends on the features of another node."""
    from graphdsl.data import batch_inputs

    model = spec.compile(data=data).double().eval()
    inputs = batch_inputs(data, model.plan)
    x = {name: value.double().requires_grad_() for name, value in inputs.pop("x_dict").items()}
    out = model(x_dict=x, **inputs)
    found = []
    for node in range(len(out)):
        slopes = dict(
            zip(
                x,
                torch.autograd.grad(out[node].sum(), list(x.values()), retain_graph=True, allow_unused=True),
                strict=True,
            )
        )
        touched = {name: torch.zeros(12) if slope is None else slope.abs().sum(1) for name, slope in slopes.items()}
        touched["a"][node] = 0
        found.append(any(bool(value.any()) for value in touched.values()))
    return found


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(4))
def test_findings_name_those_that_gradients_do_not_reach(name: str, seed: int) -> None:
    spec, data = graphdsl.loads(SCHEMA + MODELS[name]), draw(seed)
    found = [item for item in spec.validate(data).findings if item.code in ("GNN663", "GNN680")]
    assert sum(item.facts.count for item in found) == told(spec, data).count(False)
    assert {item.primary.span.line for item in found} <= {3}


def test_a_loop_is_its_own_message() -> None:
    data = draw(0)
    data["a", "near", "a"].edge_index = torch.tensor([[1, 2, 2, 3], [1, 2, 2, 4]])
    spec = graphdsl.loads(SCHEMA + MODELS["loops and parallel edges"])
    found = {item.code: item for item in spec.validate(data, tier="structure").findings}
    assert found["GNN663"].facts.count == 9
    assert (
        found["GNN680"].message
        == "no message but their own reaches 2 nodes of the 12 of type `a` that are predicted: node 1, node 2"
    )
    assert (found["GNN680"].severity, found["GNN680"].where) == ("note", "a")


def along(model: str) -> list[frozenset]:
    return [target.along for target in predicted_labels(graphdsl.loads(SCHEMA + model).plan())]


def test_only_what_a_prediction_depends_on_counts() -> None:
    near, fro = ("a", "near", "a"), ("b", "fro", "a")
    assert along(MODELS["relation served in the first layer"]) == [{near, fro}]
    again = "model m on s { edges { near: SAGEConv(2) } nodes { a: Linear(3, x = x) } edges { fro: SAGEConv(2) } predict a.y }"
    assert along(again) == [{fro}]


@pytest.mark.parametrize("layer", ["DirGNNConv(SAGEConv(2))", "GPSConv(conv = SAGEConv(3), heads = 3)"])
def test_layers_that_look_elsewhere_are_not_judged(layer: str) -> None:
    assert along(f"model m on s {{ edges {{ near: {layer} }} predict a.y }}") == []


def test_blocks_are_judged_by_their_layers() -> None:
    schema = "schema s { node a { x: float[3], y: class[2] } edge a -[r]-> a }"
    blocks = {
        "GCNConv(4): x, edge_index -> x": [{("a", "r", "a")}],
        "Linear(4): x -> x": [frozenset()],
        "GPSConv(conv = SAGEConv(3), heads = 3): x, edge_index -> x": [],
    }
    for step, expected in blocks.items():
        text = f"{schema} model m on s {{ sequential x, edge_index {{ {step} Linear(2): x -> x }} predict a.y }}"
        assert [target.along for target in predicted_labels(graphdsl.loads(text).plan())] == expected, step


def test_an_optional_relation_that_is_absent_brings_nothing() -> None:
    spec = graphdsl.loads(
        SCHEMA.replace("edge a -[near]-> a", "optional edge a -[near]-> a") + MODELS["metapath and relation"]
    )
    data = draw(1)
    del data["a", "near", "a"]
    spec_alone = graphdsl.loads(SCHEMA.replace("edge a -[near]-> a", "") + MODELS["metapath"])
    del_found = [item.message for item in spec.validate(data).findings if item.code in ("GNN663", "GNN680")]
    assert del_found == [
        item.message for item in spec_alone.validate(data).findings if item.code in ("GNN663", "GNN680")
    ]
    assert del_found


def test_unsound_edges_are_said_of_the_relation_alone() -> None:
    spec, data = graphdsl.loads(SCHEMA + MODELS["two layers"]), draw(2)
    data["a", "to", "b"].edge_index[0, 0] = 99
    assert {item.code for item in validate(spec.schema(), data, targets=predicted_labels(spec.plan()))} >= {"GNN606"}
    assert not {"GNN663", "GNN680"} & {item.code for item in spec.validate(data).findings}
