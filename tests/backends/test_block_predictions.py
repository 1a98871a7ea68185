"""Predictions behind a `sequential` block: several values, heads on them, links, and what `encode` and `score` give."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv, Linear, Sequential, global_mean_pool

import graphdsl

SPEC = """
schema papers {
  node paper { x: float[10], y: class[3], age: real }
  edge paper -[cites]-> paper { kind: class[4] }
}
model several(hidden: int = 16) on papers {
  sequential x, edge_index {
    GCNConv(hidden): x, edge_index -> x
    relu
    GCNConv(hidden): x, edge_index -> z
    Linear(3): x -> y
  }
  predict paper.y
  predict paper.age from z: Linear(1)
  predict paper -[cites]-> paper from z: bilinear
  predict paper -[cites]-> paper.kind from x
}
schema molecules {
  node atom { x: float[10] }
  edge atom -[bond]-> atom
  graph { active: class[2], energy: real }
}
model graphs on molecules {
  sequential x, edge_index, batch {
    GCNConv(16): x, edge_index -> x
    global_mean_pool: x, batch -> g
    relu: g -> r
    Linear(2): r -> out
  }
  predict graph.active
  predict graph.energy from g: Linear(1)
}
"""
LINK, KIND = "paper -[cites]-> paper", "paper -[cites]-> paper.kind"


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(12, 10), torch.randint(12, (2, 40))


def test_values_are_those_of_pyg(inputs) -> None:
    x, edge_index = inputs
    model = graphdsl.loads(SPEC).compile("several").eval()
    steps = [
        (GCNConv(10, 16), "x, edge_index -> x"),
        (nn.ReLU(), "x -> x"),
        (GCNConv(16, 16), "x, edge_index -> z"),
        (Linear(16, 3), "x -> y"),
        (lambda x, z, y: (x, z, y), "x, z, y -> x, z, y"),
    ]
    theirs = Sequential("x, edge_index", steps).eval()
    own = model.state_dict()
    assert {key for key in own if key.startswith("heads.")} == {
        "heads.paper__age.weight",
        "heads.paper__age.bias",
        "heads.paper__cites__paper.weight",
        "heads.paper__cites__paper.bias",
        "heads.paper__cites__paper__kind.weight",
        "heads.paper__cites__paper__kind.bias",
    }
    theirs.load_state_dict({key: value for key, value in own.items() if not key.startswith("heads.")})
    h, z, y = theirs(x, edge_index)
    pairs = {LINK: torch.randint(12, (2, 5)), KIND: torch.randint(12, (2, 7))}
    out = model(x, edge_index, edge_label_index=pairs)
    heads = dict(model.heads)
    a, b = pairs[LINK]
    c, d = pairs[KIND]
    expected = {
        "paper.y": y,
        "paper.age": heads["paper__age"](z),
        LINK: nn.functional.bilinear(z[a], z[b], own["heads.paper__cites__paper.weight"]).squeeze(-1)
        + own["heads.paper__cites__paper.bias"],
        KIND: heads["paper__cites__paper__kind"](torch.cat([h[c], h[d]], 1)),
    }
    assert list(out) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(out[name], value)
    encoded = model.encode(x, edge_index, prediction=LINK)
    torch.testing.assert_close(encoded["paper"], z)
    torch.testing.assert_close(model.score(encoded, LINK, pairs[LINK]), out[LINK])
    assert list(model.encode(x, edge_index)) == ["x", "edge_index", "z", "y"]


def test_labels_of_graphs(inputs) -> None:
    x, edge_index = inputs
    batch = torch.tensor([0] * 5 + [1] * 7)
    model = graphdsl.loads(SPEC).compile("graphs").eval()
    out = model(x, edge_index, batch)
    g = global_mean_pool(model[0](x, edge_index), batch)
    torch.testing.assert_close(out["graph.energy"], model.heads["graph__energy"](g))
    torch.testing.assert_close(out["graph.active"], model[3](g.relu()))
    torch.testing.assert_close(model.encode(x, edge_index, batch, prediction="graph.energy")["graph"], g)


def test_what_is_missing_or_too_much(inputs) -> None:
    x, edge_index = inputs
    model = graphdsl.loads(SPEC).compile("several")
    with pytest.raises(graphdsl.SpecError, match="GNN618"):
        model(x, edge_index)
    pairs = torch.zeros(2, 3, dtype=torch.long)
    with pytest.raises(TypeError, match="dictionary by link prediction"):
        model(x, edge_index, edge_label_index=pairs)
    with pytest.raises(KeyError, match="has no prediction"):
        model.encode(x, edge_index, prediction="paper.z")
    with pytest.raises(TypeError, match="no link prediction"):
        model.score({}, "paper.y", pairs)


def test_parameters_are_drawn_anew(inputs) -> None:
    model = graphdsl.loads(SPEC).compile("several")
    before = {key: value.clone() for key, value in model.state_dict().items() if key.endswith("weight")}
    model.reset_parameters()
    after = model.state_dict()
    assert all(not torch.equal(value, after[key]) for key, value in before.items())


def test_written_programs_give_the_same(inputs) -> None:
    x, edge_index = inputs
    spec = graphdsl.loads(SPEC)
    pairs = {LINK: torch.randint(12, (2, 5)), KIND: torch.randint(12, (2, 7))}
    for name, given in (("several", {"edge_label_index": pairs}), ("graphs", {"batch": torch.zeros(12).long()})):
        space: dict = {}
        exec(compile(spec.to_python(name), "program", "exec"), space)
        model = spec.compile(name).eval()
        program = space[name.capitalize()]().eval()
        program.load_state_dict(model.state_dict())
        ours, theirs = model(x, edge_index, **given), program(x, edge_index, **given)
        assert list(ours) == list(theirs)
        for key, value in ours.items():
            torch.testing.assert_close(value, theirs[key])
