"""`stack` and `DNAConv` against the same model written by hand."""

import torch
from torch import nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import DNAConv, Linear, SAGEConv

from graphdsl import loads

SPEC = """schema citations {
  node paper { x: float[6], y: class[3] }
  edge paper -[cites]-> paper { weight: float }
}
model dna on citations {
  h0 = nodes { paper: Linear(8) } | relu
  h1 = edges { cites: SAGEConv(8) } | relu
  s = stack(h0, h1)
  edges(s) { cites: DNAConv(heads = 4, groups = 2, edge_weight = weight) } | relu
  predict paper.y
}
"""


class ByHand(nn.Module):
    """The same in plain PyG."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Linear(6, 8)
        self.sage = SAGEConv(8, 8)
        self.dna = DNAConv(8, heads=4, groups=2)
        self.head = Linear(8, 3)

    def forward(self, x, edge_index, weight):
        h0 = self.first(x).relu()
        h1 = self.sage(h0, edge_index).relu()
        return self.head(self.dna(torch.stack([h0, h1], dim=1), edge_index, weight).relu())


def test_equal_to_hand_written_pyg() -> None:
    torch.manual_seed(3)
    data = HeteroData()
    data["paper"].x = torch.randn(9, 6)
    data["paper", "cites", "paper"].edge_index = torch.randint(0, 9, (2, 20))
    data["paper", "cites", "paper"].weight = torch.rand(20)
    compiled, by_hand = loads(SPEC).compile(data=data), ByHand()
    assert [item.shape for item in compiled.parameters()] == [item.shape for item in by_hand.parameters()]
    with torch.no_grad():
        for mine, theirs in zip(compiled.parameters(), by_hand.parameters(), strict=True):
            mine.copy_(theirs)
    edge = ("paper", "cites", "paper")
    weights = {edge: data[edge].weight}
    out = compiled(data.x_dict, data.edge_index_dict, weight_dict=weights)
    wanted = by_hand(data["paper"].x, data[edge].edge_index, data[edge].weight)
    torch.testing.assert_close(out, wanted)
    out.square().sum().backward()
    wanted.square().sum().backward()
    for mine, theirs in zip(compiled.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)
