"""Small sets of graphs: stars and paths, and votes of persons in clubs that some graphs lack."""

import torch
from torch_geometric.data import Data, HeteroData

SHAPES = """
schema shapes {
  node atom { x: float[2] }
  edge atom -[bond]-> atom
  graph { y: class[2] }
}
model pooled(hidden: int = 32) on shapes {
  sequential x, edge_index, batch {
    GCNConv(hidden): x, edge_index -> x
    relu
    GCNConv(hidden): x, edge_index -> x
    relu
    global_mean_pool: x, batch -> x
    Linear(2)
  }
}
model typed(hidden: int = 16) on shapes {
  repeat 2 { edges { bond: GCNConv(hidden) } | relu }
  predict graph.y from atom: readout(mean)
}
train pooled { batch_size: 16  epochs: 30  optimizer: Adam(lr = 0.02)  split: [0.6, 0.2, 0.2] }
train typed { epochs: 60  optimizer: Adam(lr = 0.02)  split: [0.6, 0.2, 0.2] }
"""
BOND = ("atom", "bond", "atom")

PARTIES = """
schema votes {
  node person { x: float[3] }
  optional node club { x: float[2] }
  optional edge person -[joins]-> club reverse members
  graph { y: class[2], margin: real, train_mask: mask, val_mask: mask, test_mask: mask }
}
model m(hidden: int = 16) on votes {
  nodes { *: Linear(hidden) } | relu
  edges { *: SAGEConv(hidden) } | relu
  predict graph.y from *: readout(mean)
  predict graph.margin from person: readout(sum, head = MLP(16, 1)) weight 0.1
}
train m { batch_size: 8  epochs: 30  optimizer: Adam(lr = 0.02) }
"""


def shapes(count: int = 120, seed: int = 0) -> list[Data]:
    """Stars (class 1) and paths (class 0) of 5 to 9 nodes, numbered at random; the features are noise."""
    generator = torch.Generator().manual_seed(seed)
    made: list[Data] = []
    for number in range(count):
        size, star = 5 + number % 5, number % 2
        rest = torch.arange(1, size)
        one = torch.stack([torch.zeros_like(rest) if star else rest - 1, rest])
        order = torch.randperm(size, generator=generator)
        x = torch.cat([torch.ones(size, 1), torch.randn(size, 1, generator=generator)], 1)
        edge_index = order[torch.cat([one, one.flip(0)], 1)]
        made.append(Data(x=x, edge_index=edge_index, y=torch.tensor([star])))
    return made


def votes(count: int = 60, seed: int = 0) -> list[HeteroData]:
    """Whether the mean of the persons' last column is positive; clubs are missing in some graphs."""
    generator = torch.Generator().manual_seed(seed)
    made: list[HeteroData] = []
    for number in range(count):
        graph = HeteroData()
        people = 2 + number % 4
        graph["person"].x = torch.randn(people, 3, generator=generator)
        total = graph["person"].x[:, 2].mean()
        if number % 3:
            graph["club"].x = torch.randn(2, 2, generator=generator)
            graph["person", "joins", "club"].edge_index = torch.stack([torch.arange(people), torch.arange(people) % 2])
        graph.y, graph.margin = int(total > 0), torch.tensor([float(total)])
        graph.train_mask, graph.val_mask, graph.test_mask = number < 40, 40 <= number < 50, number >= 50
        made.append(graph)
    return made
