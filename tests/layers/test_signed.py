"""`SignedConv` in a spec equals the two layers of PyG's `SignedGCN`."""

import pytest
import torch
from torch_geometric import nn as pyg

import graphdsl

SPEC = """
schema s {
  node a { x: float[5], y: real }
  edge a -[zeal]-> a
  edge a -[anger]-> a
}
model m on s {
  edges { FIRST: SignedConv(4, first_aggr = true, positive = "POSITIVE") } | relu
  edges { zeal, anger: SignedConv(3, first_aggr = false, positive = "POSITIVE", bias = false) }
  predict a.y
}
"""


@pytest.mark.parametrize("positive", ["zeal", "anger"])
@pytest.mark.parametrize("first", ["zeal, anger", "anger, zeal"])
@pytest.mark.parametrize("missing", [None, "zeal", "anger"])
def test_two_layers_equal_those_of_pyg(positive: str, first: str, missing: str | None) -> None:
    torch.manual_seed(0)
    model = graphdsl.loads(SPEC.replace("FIRST", first).replace("POSITIVE", positive)).compile("m").double()
    layers = [pyg.SignedConv(5, 4, True).double(), pyg.SignedConv(4, 3, False, bias=False).double()]
    theirs = torch.nn.ModuleList(layers)
    ours = model.stages.state_dict()
    assert [key.rpartition("lin_")[2] for key in ours] == [key.rpartition("lin_")[2] for key in theirs.state_dict()]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.values(), strict=True)))
    x = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    edges = {("a", name, "a"): torch.randint(7, (2, 0 if name == missing else 15)) for name in ("zeal", "anger")}
    negative = {"zeal": "anger", "anger": "zeal"}[positive]
    signs = edges["a", positive, "a"], edges["a", negative, "a"]
    made = [model.encode({"a": x}, edges)["a"], layers[1](layers[0](x, *signs).relu(), *signs)]
    torch.testing.assert_close(*made, rtol=1e-10, atol=1e-10)
    weights = torch.linspace(-1, 1, made[0].numel(), dtype=x.dtype).view_as(made[0])
    gradients = [
        torch.autograd.grad((out * weights).sum(), [x, *module.parameters()])
        for out, module in zip(made, (model.stages, theirs), strict=True)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-10)
