"""Layers around a convolution in models of whole graphs and with attributes of edges, against PyG by hand."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import MLP, DeepGCNLayer, GENConv, GINEConv, GPSConv, LayerNorm, Linear, global_mean_pool

import graphdsl
from graphdsl.plan import receptive_hops
from graphdsl.text import SpecError

BOND = ("atom", "bond", "atom")
SCHEMA = """
schema molecules {
  node atom { x: float[6], y: class[3] }
  edge atom -[bond]-> atom { kind: float[4] }
  graph { z: class[2] }
}
"""
MODEL = (
    SCHEMA
    + """
model m on molecules {
  edges { bond: GPSConv(GINEConv(nn = MLP(9, 6), edge_attr = kind), heads = 2, norm = "graph_norm") }
  edges { bond: DeepGCNLayer(GENConv(6, edge_attr = kind), norm = LayerNorm, act = relu) }
  predict graph.z from atom
}
"""
)


class ByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gps = GPSConv(6, GINEConv(MLP([6, 9, 6]), edge_dim=4), heads=2, norm="graph_norm")
        self.deep = DeepGCNLayer(GENConv(6, 6, edge_dim=4), LayerNorm(6), nn.ReLU())
        self.head = Linear(6, 2)

    def forward(self, x, edge_index, kind, batch):
        x = self.gps(x, edge_index, batch, edge_attr=kind)
        return self.head(global_mean_pool(self.deep(x, edge_index, edge_attr=kind), batch))


@pytest.fixture
def graphs():
    torch.manual_seed(0)
    sizes = torch.tensor([5, 3, 4])
    batch = torch.repeat_interleave(torch.arange(3), sizes)
    start = torch.tensor([0, 5, 8])
    index = torch.cat([start[i] + torch.randint(int(sizes[i]), (2, 10)) for i in range(3)], 1)
    return torch.randn(12, 6, requires_grad=True), index, torch.randn(30, 4), batch


# `LayerNorm` over all nodes of a mini-batch is a warning, which is beside the point here.
def test_attention_stays_within_each_graph(graphs) -> None:
    x, index, kind, batch = graphs
    model, by_hand = graphdsl.loads(MODEL).compile("m"), ByHand()
    with torch.no_grad():
        for mine, other in zip(model.parameters(), by_hand.parameters(), strict=True):
            other.copy_(mine)
    for training in (False, True):
        model.train(training)
        by_hand.train(training)
        ours = model({"atom": x}, {BOND: index}, kind_dict={BOND: kind}, batch_dict={"atom": batch})
        theirs = by_hand(x, index, kind, batch)
        torch.testing.assert_close(ours, theirs)
        grads = [
            torch.autograd.grad(out.square().sum(), [x, *part.parameters()])
            for out, part in ((ours, model), (theirs, by_hand))
        ]
        for mine, other in zip(*grads, strict=True):
            torch.testing.assert_close(mine, other)


def test_a_graph_without_nodes_leaves_gradients_finite(graphs) -> None:
    x, index, kind, batch = graphs
    model = graphdsl.loads(MODEL).compile("m")
    gap = torch.where(batch > 0, batch + 1, batch)
    out = model({"atom": x}, {BOND: index}, kind_dict={BOND: kind}, batch_dict={"atom": gap}, num_graphs=4)
    assert out.shape == (4, 2)
    for grad in torch.autograd.grad(out.sum(), list(model.parameters())):
        assert bool(grad.isfinite().all())


@pytest.mark.parametrize(
    ("layer", "hops"),
    [("AntiSymmetricConv(num_iters = 3)", 3), ("DeepGCNLayer(SGConv(6, K = 2))", 2), ("GPSConv(conv = none)", 1)],
)
def test_how_far_they_look(layer: str, hops: int) -> None:
    plan = graphdsl.loads(SCHEMA + f"model m on molecules {{ edges {{ bond: {layer} }} predict atom.y }}").plan("m")
    assert len(receptive_hops(plan)) == hops


def test_against_the_edges_is_refused_where_neighbourhoods_are_sampled() -> None:
    text = SCHEMA + "model m on molecules { edges { bond: DirGNNConv(SAGEConv(4)) } predict atom.y }"
    with pytest.raises(SpecError, match="GNN323"):
        graphdsl.loads(text + " train m { batch_size: 4 }")
    assert not graphdsl.loads(text).findings
