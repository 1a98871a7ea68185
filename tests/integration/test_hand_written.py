"""Specs compiled from text against PyG written by hand, with copied weights: same numbers, same gradients."""

import warnings

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import GATv2Conv, HANConv, HeteroConv, LayerNorm, Linear, RGCNConv, SAGEConv
from torch_geometric.typing import EdgeType

import graphdsl

SCHEMA = """
schema library {
  node author { x: float[6], y: class[3] }
  node paper  { x: float[9] }
  node venue(count = 4)
  edge author -[writes]-> paper      reverse written_by
  edge paper  -[appears_in]-> venue  reverse publishes
  metapath APA = author -[writes]-> paper <-[writes]- author
}
"""
WRITES, WRITTEN = ("author", "writes", "paper"), ("paper", "written_by", "author")
APPEARS, PUBLISHES = ("paper", "appears_in", "venue"), ("venue", "publishes", "paper")
APA = ("author", "APA", "author")


@pytest.fixture
def data() -> HeteroData:
    torch.manual_seed(0)
    graph = HeteroData()
    graph["author"].x, graph["author"].y = torch.randn(7, 6), torch.randint(3, (7,))
    graph["paper"].x = torch.randn(11, 9)
    graph["venue"].num_nodes = 4
    graph[WRITES].edge_index = torch.stack([torch.randint(7, (30,)), torch.randint(11, (30,))])
    graph[APPEARS].edge_index = torch.stack([torch.randint(11, (15,)), torch.randint(4, (15,))])
    return graph


def edges(data: HeteroData) -> dict[EdgeType, Tensor]:
    """All relations, inverses made by hand."""
    known = dict(data.edge_index_dict)
    return {**known, WRITTEN: known[WRITES].flip(0), PUBLISHES: known[APPEARS].flip(0)}


class Mixed(nn.Module):
    """What a careful person writes for the model `mixed` below."""

    def __init__(self) -> None:
        super().__init__()
        self.author, self.paper, self.venue = Linear(6, 8), Linear(9, 8), nn.Embedding(4, 8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.convs = nn.ModuleList(
                HeteroConv(
                    {
                        WRITES: GATv2Conv((8, 8), 4, heads=2, add_self_loops=False),
                        WRITTEN: SAGEConv((8, 8), 8),
                        APPEARS: SAGEConv((8, 8), 8),
                        PUBLISHES: SAGEConv((8, 8), 8),
                    },
                    aggr="mean",
                )
                for _ in range(2)
            )
        self.norms = nn.ModuleList(
            nn.ModuleDict({t: LayerNorm(8) for t in ("author", "paper", "venue")}) for _ in range(2)
        )
        self.head = Linear(8, 3)

    def forward(self, x: dict[str, Tensor], edge_index: dict[EdgeType, Tensor]) -> Tensor:
        h = {"author": self.author(x["author"]), "paper": self.paper(x["paper"]), "venue": self.venue.weight}
        h = {name: value.relu() for name, value in h.items()}
        for conv, norms in zip(self.convs, self.norms, strict=True):
            new = conv(h, edge_index)
            h = {name: norms[name](new[name]).relu() + h[name] for name in h}
        return self.head(h["author"])


def copy_mixed(hand: Mixed, compiled: nn.Module) -> None:
    """Copy weights by their places in the two models."""
    pairs = [
        (hand.author, "nodes1.nodes.author"),
        (hand.paper, "nodes1.nodes.paper"),
        (hand.venue, "nodes1.nodes.venue"),
    ]
    for number, (conv, norms) in enumerate(zip(hand.convs, hand.norms, strict=True), start=1):
        pairs += [(module, f"edges{number}.conv.convs.<{'___'.join(edge)}>") for edge, module in conv.convs.items()]
        pairs += [(norms[name], f"edges{number}.pipe.{name}.module_0") for name in norms]
    state = compiled.state_dict()
    for module, place in pairs:
        for name, value in module.state_dict().items():
            state[f"stages.{place}.{name}"].copy_(value)
    for name, value in hand.head.state_dict().items():
        state[f"heads.author__y.{name}"].copy_(value)


def test_mixed_model_equals_hand_written_pyg(data: HeteroData) -> None:
    spec = graphdsl.loads(
        SCHEMA
        + """
        model mixed(hidden: int = 8, heads: int = 2) on library {
          nodes { venue: Embedding(hidden)  *: Linear(hidden) } | relu
          repeat 2 {
            edges {
              author -[writes]-> paper: GATv2Conv(hidden / heads, heads = heads)
              *: SAGEConv(hidden)
            } combine mean | LayerNorm | relu | residual
          }
          predict author.y
        }
        """
    )
    hand, compiled = Mixed(), spec.compile()
    copy_mixed(hand, compiled)
    expected = hand(data.x_dict, edges(data))
    found = compiled(data.x_dict, data.edge_index_dict)
    torch.testing.assert_close(found, expected)
    expected.square().sum().backward()
    found.square().sum().backward()
    torch.testing.assert_close(compiled.heads["author__y"].weight.grad, hand.head.weight.grad)
    torch.testing.assert_close(compiled.stages["nodes1"].nodes["venue"].weight.grad, hand.venue.weight.grad)
    torch.testing.assert_close(compiled.stages["nodes1"].nodes["paper"].weight.grad, hand.paper.weight.grad)


def test_han_over_a_metapath_equals_hand_written_pyg(data: HeteroData) -> None:
    spec = graphdsl.loads(SCHEMA + "model han on library { edges { APA: HANConv(8, heads = 2) } predict author.y }")
    compiled = spec.compile()
    dense = torch.zeros(7, 11)
    dense[tuple(data[WRITES].edge_index)] = 1
    pairs = (dense @ dense.t()).nonzero().t()
    hand = HANConv({"author": 6}, 8, metadata=(["author"], [APA]), heads=2)
    state = compiled.state_dict()
    for name, value in hand.state_dict().items():
        (place,) = [key for key in state if key.endswith(name) and "joints" in key]
        state[place].copy_(value)
    expected = hand({"author": data["author"].x}, {APA: pairs})["author"] @ state["heads.author__y.weight"].t()
    expected = expected + state["heads.author__y.bias"]
    torch.testing.assert_close(compiled(data.x_dict, data.edge_index_dict), expected)


def test_rgcn_on_node_numbers_equals_hand_written_pyg() -> None:
    spec = graphdsl.loads(
        """
        schema kg {
          node person(count = 5) { y: class[2] }
          node place(count = 3)
          edge person -[lives_in]-> place reverse home_of
          edge person -[knows]-> person reverse known_by
        }
        model rgcn on kg { edges { *: RGCNConv(4) } | relu  edges { *: RGCNConv(4) } predict person.y }
        """
    )
    compiled = spec.compile()
    lives = torch.tensor([[0, 1, 4], [2, 0, 0]])
    knows = torch.tensor([[0, 1, 2, 2], [1, 3, 3, 4]])
    # One numbering: persons 0-4, places 5-7; relations in sorted order.
    shifted = lives + torch.tensor([[0], [5]])
    order = [("person", "known_by", "person"), ("person", "knows", "person"), ("person", "lives_in", "place")]
    assert sorted(compiled.plan.relations)[:3] == order
    graphs = [knows.flip(0), knows, shifted, shifted.flip(0)]
    index = torch.cat(graphs, 1)
    kind = torch.cat([torch.full((graph.size(1),), number) for number, graph in enumerate(graphs)])
    first, second = RGCNConv(8, 4, num_relations=4), RGCNConv(4, 4, num_relations=4)
    state = compiled.state_dict()
    for stage, module in (("edges1", first), ("edges2", second)):
        for name, value in module.state_dict().items():
            (place,) = [key for key in state if key.startswith(f"stages.{stage}.joints") and key.endswith(f".{name}")]
            state[place].copy_(value)
    h = second(first(None, index, kind).relu(), index, kind)[:5]
    expected = h @ state["heads.person__y.weight"].t() + state["heads.person__y.bias"]
    found = compiled({}, {("person", "lives_in", "place"): lives, ("person", "knows", "person"): knows})
    torch.testing.assert_close(found, expected)
