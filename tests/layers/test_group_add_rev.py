"""`GroupAddRev`: the values and gradients of PyG's own, which frees memory; inputs of the convolution inside."""

import torch
from torch_geometric import nn as pyg

import graphdsl

SPEC = """
schema s {
  node a { x: float[8], y: real }
  edge a -[r]-> a { w: float }
}

model m on s {
  h = nodes { *: Linear(6) }
  edges { r: GroupAddRev(GCNConv(), num_groups = 3) } | residual
  edges { r: GroupAddRev(GraphConv(edge_weight = w), num_groups = 2) }
  predict a.y
}
"""
INDEX = torch.tensor([[0, 1, 2, 3], [1, 2, 0, 0]])


def test_values_and_gradients_are_those_of_the_reversible_one() -> None:
    ours = graphdsl.loads(SPEC).compile().stages["edges1"].conv.convs["a", "r", "a"]
    theirs = pyg.GroupAddRev(pyg.GCNConv(2, 2), num_groups=3)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(4, 6, requires_grad=True)
    found, wanted = ours(x, INDEX), theirs(x * 1, INDEX)
    torch.testing.assert_close(found, wanted)
    mine = torch.autograd.grad(found.square().sum(), [x, *ours.parameters()])
    other = torch.autograd.grad(wanted.square().sum(), [x, *theirs.parameters()])
    torch.testing.assert_close(mine, other)


def test_a_spec_reads_what_the_layer_has_read_and_passes_weights_on() -> None:
    model = graphdsl.loads(SPEC).compile()
    x, w = torch.randn(4, 8), torch.rand(4)
    given = {"x_dict": {"a": x}, "edge_index_dict": {("a", "r", "a"): INDEX}, "w_dict": {("a", "r", "a"): w}}
    found = model(**given)
    h = model.stages["h"].nodes["a"](x)
    first, second = (model.stages[name].conv.convs["a", "r", "a"] for name in ("edges1", "edges2"))
    h = h + first(h, INDEX)
    one, two = h.chunk(2, dim=-1)
    one = one + second.convs[0](two, INDEX, w)
    two = two + second.convs[1](one, INDEX, w)
    torch.testing.assert_close(found, model.heads["a__y"](torch.cat([one, two], dim=-1)))
