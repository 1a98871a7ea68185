"""Graphs with planted communities, and specs that learn of them without labels."""

from typing import Any

import torch
from torch_geometric.data import HeteroData

COMMUNITIES = 3

PAPERS = """
schema papers {
  node paper { x: float[16], y: class[3], train_mask: mask, test_mask: mask }
  edge paper -[cites]-> paper
}
model near on papers {
  learn paper -[cites]-> paper: Node2Vec(16, walk_length = 10, context_size = 5, walks_per_node = 5)
}
model quick on papers {
  learn paper -[cites]-> paper: Node2Vec(16, walk_length = 10, context_size = 5, walks_per_node = 5, p = 0.5,
    q = 2.0, sparse = true)
}
model contrast(hidden: int = 32) on papers {
  edges { cites: GCNConv(hidden) } | prelu(hidden)
  learn paper: DeepGraphInfomax
}
model both(hidden: int = 16) on papers {
  edges { cites: GCNConv(hidden) } | relu
  learn paper: DeepGraphInfomax weight 0.5
  predict paper.y
}
train near { epochs: 30, batch_size: 64, optimizer: Adam(lr = 0.05) }
train quick { epochs: 30, batch_size: 64, optimizer: SparseAdam(lr = 0.05) }
train contrast { epochs: 60 }
train both { epochs: 5 }
"""

AUTHORS = """
schema library {
  node author { x: float[4], y: class[3], train_mask: mask, test_mask: mask }
  node paper  { x: float[4] }
  edge author -[writes]-> paper
  metapath APA = author -[writes]-> paper <-[writes]- author
}
model along on library {
  learn APA: MetaPath2Vec(16, walk_length = 10, context_size = 5, walks_per_node = 5, num_negative_samples = 2)
}
train along { epochs: 30, batch_size: 64, optimizer: Adam(lr = 0.05) }
"""


def papers(
    nodes: int = 240, tell: float = 0.0, seed: int = 0, communities: int = COMMUNITIES, inside: float = 0.1
) -> HeteroData:
    """Papers cite mostly papers of their community; `tell` is how much of it their features say."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(nodes) % communities
    chance = torch.where(y.unsqueeze(0) == y.unsqueeze(1), inside, 0.005)
    cites = (torch.rand(nodes, nodes, generator=g) < chance).triu(1)
    data = HeteroData()
    data["paper"].x = torch.randn(nodes, 16, generator=g)
    data["paper"].x[:, :communities] += tell * torch.eye(communities)[y]
    data["paper", "cites", "paper"].edge_index = (cites | cites.t()).nonzero().t().contiguous()
    return split(data, "paper", y, g)


def authors(nodes: int = 240, seed: int = 0) -> HeteroData:
    """Authors write mostly papers of their community."""
    g = torch.Generator().manual_seed(seed)
    y, papers = torch.arange(nodes) % COMMUNITIES, nodes // 2
    author = torch.arange(nodes).repeat_interleave(4)
    own = torch.randint(papers // COMMUNITIES, (len(author),), generator=g) * COMMUNITIES + y[author]
    other = torch.randint(papers, (len(author),), generator=g)
    data = HeteroData()
    data["author"].x, data["paper"].x = torch.randn(nodes, 4, generator=g), torch.randn(papers, 4, generator=g)
    paper = torch.where(torch.rand(len(author), generator=g) < 0.85, own, other)
    data["author", "writes", "paper"].edge_index = torch.stack([author, paper])
    return split(data, "author", y, g)


def split(data: HeteroData, name: str, y: torch.Tensor, g: torch.Generator) -> HeteroData:
    data[name].y = y
    draw = torch.rand(len(y), generator=g)
    data[name].train_mask, data[name].test_mask = draw < 0.4, draw >= 0.4
    return data


def shuffled(data: Any, name: str) -> Any:
    """The same graph with labels that mean nothing."""
    data[name].y = data[name].y[torch.randperm(len(data[name].y), generator=torch.Generator().manual_seed(1))]
    return data
