"""Small graphs with links to predict."""

from typing import Any

import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.model import Training
from graphdsl.training import Supervision, read_supervision

SPEC = """
schema shop {
  node user(count = 150) { x: float[4]? }
  node film(count = 60) { x: float[4]? }
  edge user -[rates]-> film reverse rated_by { stars: real, at: time }
  edge user -[knows]-> user reverse known_by
}
model m(hidden: int = 16) on shop {
  nodes { *: Embedding(hidden) }
  edges { rates, rated_by: SAGEConv(hidden) } | relu
  edges { rates, rated_by: SAGEConv(hidden) }
  predict user -[rates]-> film negatives 3
}
model stars(hidden: int = 16) on shop {
  nodes { *: Embedding(hidden) }
  edges { rates, rated_by: SAGEConv(hidden) } | relu
  predict user -[rates]-> film.stars: MLP(16, 1, norm = none)
}
model friends(hidden: int = 16) on shop {
  nodes { *: Embedding(hidden) }
  edges { *: SAGEConv(hidden) } | relu
  predict user -[knows]-> user: bilinear
}
model known on shop {
  nodes { *: Embedding(16) }
  edges { *: SAGEConv(16) } | relu
  predict user -[rates]-> film.stars: bilinear keep_target
}
"""
RATES, RATED, KNOWS = ("user", "rates", "film"), ("film", "rated_by", "user"), ("user", "knows", "user")


def make_links(users: int = 150, films: int = 60, each: int = 10, groups: int = 5, seed: int = 0) -> HeteroData:
    """Users rate films of mostly one genre, and give those more stars; friends share a taste. Some pairs are doubled."""
    g = torch.Generator().manual_seed(seed)
    data = HeteroData()
    data["user"].num_nodes, data["film"].num_nodes = users, films
    taste, genre = torch.arange(users) % groups, torch.arange(films) % groups
    user = torch.arange(users).repeat_interleave(each)
    liked = torch.randint(films // groups, (len(user),), generator=g) * groups + taste[user]
    other = torch.randint(films, (len(user),), generator=g)
    film = torch.where(torch.rand(len(user), generator=g) < 0.9, liked, other)
    rates = torch.stack([user, film])[:, torch.randperm(len(user), generator=g)]
    data[RATES].edge_index = rates
    data[RATES].stars = 1 + 3 * (taste[rates[0]] == genre[rates[1]]).float()
    data[RATES].at = torch.randint(1000, (rates.size(1),), generator=g)
    friend = torch.randint(users // groups, (len(user),), generator=g) * groups + taste[user]
    knows = torch.stack([user, friend])[:, user != friend]
    data[KNOWS].edge_index = torch.cat([knows, knows[:, :100].flip(0)], 1)
    return data


def supervise(data: Any, model: str = "m", text: str = SPEC, **settings: Any) -> Supervision:
    spec = graphdsl.loads(text, "shop.gnn")
    plan = spec.plan(model, data=data)
    return read_supervision(data, plan.heads, schema=spec.schema(model), training=Training(model, **settings))


def pairs(index: torch.Tensor) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in index.t()}
