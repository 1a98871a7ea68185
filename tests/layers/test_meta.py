"""`MetaLayer`: PyG's, with the three models of its page written by hand."""

import pytest
import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.utils import scatter

import graphdsl
from graphdsl import SpecError
from graphdsl.catalog import find
from graphdsl.layers import MetaLayer

SPEC = """
schema s {
  node atom { x: float[5] }
  edge atom -[bond]-> atom { kind: float[3] }
  graph { heat: float[2], y: class[2] }
}

model m on s {
  sequential x, edge_index, kind, heat, batch {
    MetaLayer(
      global_mlp = MLP(9, 4, norm = none),
      edge_mlp = MLP(12, 6, norm = none),
      node_mlp_2 = MLP(10, 8, norm = none),
      node_mlp_1 = MLP(11, 7, norm = none),
    ): x, edge_index, kind, heat, batch -> x, e, u
    MetaLayer(edge_mlp = Linear(4), node_mlp_2 = Linear(5), aggr = "max"): x, edge_index, e, u, batch -> x, e, _
    MetaLayer(global_mlp = Linear(3), readout = "sum"): x, edge_index, e, none, batch -> _, _, u
    Linear(2): u -> u
  }
}
"""


def mlp(*widths: int) -> nn.Module:
    return pyg.MLP(list(widths), norm=None)


class EdgeModel(nn.Module):
    """As on PyG's page."""

    def __init__(self) -> None:
        super().__init__()
        self.edge_mlp = mlp(5 + 5 + 3 + 2, 12, 6)

    def forward(self, src: Tensor, dst: Tensor, edge_attr: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        return self.edge_mlp(torch.cat([src, dst, edge_attr, u[batch]], 1))


class NodeModel(nn.Module):
    """As on PyG's page."""

    def __init__(self) -> None:
        super().__init__()
        self.node_mlp_1 = mlp(5 + 6, 11, 7)
        self.node_mlp_2 = mlp(5 + 7 + 2, 10, 8)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        row, col = edge_index
        out = self.node_mlp_1(torch.cat([x[row], edge_attr], dim=1))
        out = scatter(out, col, dim=0, dim_size=x.size(0), reduce="mean")
        return self.node_mlp_2(torch.cat([x, out, u[batch]], dim=1))


class GlobalModel(nn.Module):
    """As on PyG's page."""

    def __init__(self) -> None:
        super().__init__()
        self.global_mlp = mlp(2 + 8, 9, 4)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        return self.global_mlp(torch.cat([u, scatter(x, batch, dim=0, reduce="mean")], dim=1))


def inputs() -> list[Tensor]:
    torch.manual_seed(0)
    index = torch.tensor([[0, 1, 2, 2, 4, 5, 6, 4], [1, 2, 0, 1, 5, 6, 4, 5]])
    batch = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    return [torch.randn(7, 5, requires_grad=True), index, torch.randn(8, 3), torch.randn(2, 2), batch]


def test_a_layer_is_that_of_pygs_page() -> None:
    model = graphdsl.loads(SPEC).compile()
    theirs = pyg.MetaLayer(EdgeModel(), NodeModel(), GlobalModel())
    theirs.load_state_dict(model[0].state_dict())
    data = inputs()
    found, wanted = model[0](*data), theirs(*data)
    torch.testing.assert_close(found, wanted)
    mine = torch.autograd.grad(sum(part.square().sum() for part in found), [data[0], *model[0].parameters()])
    other = torch.autograd.grad(sum(part.square().sum() for part in wanted), [data[0], *theirs.parameters()])
    torch.testing.assert_close(mine, other)


def test_a_spec_equals_the_same_by_hand() -> None:
    model = graphdsl.loads(SPEC).compile()
    first = pyg.MetaLayer(EdgeModel(), NodeModel(), GlobalModel())
    first.load_state_dict(model[0].state_dict())
    x, index, kind, heat, batch = inputs()
    x, edges, u = first(x, index, kind, heat, batch)
    second, third, last = model[1], model[2], model[3]
    edges = second.edge_model.edge_mlp(torch.cat([x[index[0]], x[index[1]], edges, u[batch[index[0]]]], 1))
    message = scatter(torch.cat([x[index[0]], edges], 1), index[1], dim=0, dim_size=7, reduce="max")
    x = second.node_model.node_mlp_2(torch.cat([x, message, u[batch]], 1))
    u = third.global_model.global_mlp(scatter(x, batch, dim=0, reduce="sum"))
    torch.testing.assert_close(model(*inputs()), last(u))


def test_without_batch_all_nodes_are_one_graph() -> None:
    layer = graphdsl.loads(SPEC).compile()[0]
    x, index, kind, heat, _ = inputs()
    alone = layer(x, index, kind, heat[:1])
    for part, wanted in zip(alone, layer(x, index, kind, heat[:1], torch.zeros(7, dtype=torch.long)), strict=True):
        torch.testing.assert_close(part, wanted)


def test_what_is_not_there_cannot_be_read() -> None:
    step = "MetaLayer(node_mlp_2 = Linear(4)): x, edge_index, none, none, batch -> x, e, _\n    Linear(2): e -> x"
    text = SPEC[: SPEC.index("model m")] + f"model m on s {{ sequential x, edge_index, batch {{ {step} }} }}"
    with pytest.raises(SpecError) as refused:
        graphdsl.loads(text)
    assert "GNN530" in {item.code for item in refused.value.diagnostics}


def test_messages_that_nobody_reads_are_refused() -> None:
    rule, network = find("MetaLayer").rules[0], object()
    empty = find("MetaLayer").with_defaults({})
    assert rule({**empty, "node_mlp_1": network, "edge_mlp": network}, 4).code == "GNN204"
    assert rule(empty, 4).code == "GNN203"
    assert rule({**empty, "node_mlp_2": network}, 4) is None
    assert list(MetaLayer(node_mlp_1=nn.Linear(2, 2)).parameters()) == [], "PyG's way: they would not even be there"
