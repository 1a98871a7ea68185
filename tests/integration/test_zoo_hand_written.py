"""Specs of the zoo against PyG written by hand, with copied weights: same parameters, same numbers."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import (
    APPNP,
    GATConv,
    GCNConv,
    GINConv,
    HANConv,
    HeteroConv,
    JumpingKnowledge,
    Linear,
    SAGEConv,
    SAGPooling,
    Set2Set,
    SGConv,
    global_add_pool,
    global_max_pool,
    global_mean_pool,
)
from torch_geometric.nn import MLP as PyGMLP

import graphdsl
from graphdsl.tooling.commands.zoo import zoo_files

Forward = Callable[[nn.ModuleList, Tensor, Tensor, Tensor], Tensor]


def gcn(m: nn.ModuleList, x: Tensor, edges: Tensor, _: Tensor) -> Tensor:
    return m[1](m[0](x, edges).relu(), edges)


def gat(m: nn.ModuleList, x: Tensor, edges: Tensor, _: Tensor) -> Tensor:
    return m[1](functional.elu(m[0](x, edges)), edges)


def appnp(m: nn.ModuleList, x: Tensor, edges: Tensor, _: Tensor) -> Tensor:
    return APPNP(10, 0.1)(m[1](m[0](x).relu()), edges)


def sgc(m: nn.ModuleList, x: Tensor, edges: Tensor, _: Tensor) -> Tensor:
    return m[0](x, edges)


def jknet(m: nn.ModuleList, x: Tensor, edges: Tensor, _: Tensor) -> Tensor:
    states = []
    for conv in m[:3]:
        x = conv(x, edges).relu()
        states.append(x)
    return m[3](JumpingKnowledge("cat")(states))


def gin(m: nn.ModuleList, x: Tensor, edges: Tensor, batch: Tensor) -> Tensor:
    read = [global_add_pool(x, batch)]
    for conv in m[:4]:
        x = conv(x, edges)
        read.append(global_add_pool(x, batch))
    return m[4](torch.cat(read, dim=1))


def sagpool(m: nn.ModuleList, x: Tensor, edges: Tensor, batch: Tensor) -> Tensor:
    read = []
    for conv, pool in zip(m[0:6:2], m[1:6:2], strict=True):
        x, edges, _, batch, _, _ = pool(conv(x, edges).relu(), edges, None, batch)
        read.append(torch.cat([global_mean_pool(x, batch), global_max_pool(x, batch)], dim=1))
    return m[8](m[7](m[6](sum(read)).relu()).relu())


def set2set(m: nn.ModuleList, x: Tensor, edges: Tensor, batch: Tensor) -> Tensor:
    for conv in m[:3]:
        x = conv(x, edges).relu()
    return m[5](m[4](m[3](x, batch)).relu())


def _gin(width: int) -> GINConv:
    return GINConv(PyGMLP([width, 32, 32], plain_last=False))


HAND: dict[str, tuple[Forward, int, list[nn.Module]]] = {
    "gcn": (gcn, 1433, [GCNConv(1433, 16), GCNConv(16, 7)]),
    "gat": (gat, 1433, [GATConv(1433, 8, heads=8), GATConv(64, 7)]),
    "appnp": (appnp, 1433, [Linear(1433, 64), Linear(64, 7)]),
    "sgc": (sgc, 1433, [SGConv(1433, 7, K=2)]),
    "jknet": (jknet, 1433, [GCNConv(1433, 16), GCNConv(16, 16), GCNConv(16, 16), Linear(48, 7)]),
    "gin": (gin, 7, [_gin(7), _gin(32), _gin(32), _gin(32), Linear(7 + 4 * 32, 2)]),
    "sagpool": (
        sagpool,
        3,
        [
            *(m for width in (3, 128, 128) for m in (GCNConv(width, 128), SAGPooling(128, 0.5))),
            *(Linear(256, 128), Linear(128, 64), Linear(64, 2)),
        ],
    ),
    "set2set": (
        set2set,
        3,
        [SAGEConv(3, 64), SAGEConv(64, 64), SAGEConv(64, 64), Set2Set(64, 4), Linear(128, 64), Linear(64, 2)],
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_same_numbers_as_by_hand(name: str) -> None:
    torch.manual_seed(0)
    forward, width, modules = HAND[name]
    hand = nn.ModuleList(modules).eval()
    compiled = graphdsl.load(zoo_files()[name]).compile().eval()
    ours, theirs = compiled.state_dict(), hand.state_dict()
    assert [value.shape for value in ours.values()] == [value.shape for value in theirs.values()]
    assert sum(p.numel() for p in compiled.parameters()) == sum(p.numel() for p in hand.parameters())
    compiled.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    x, edges, batch = torch.randn(30, width), torch.randint(15, (2, 60)), torch.arange(30) // 15
    edges[:, 30:] += 15
    grouped = (x, edges, batch) if name in ("gin", "sagpool", "set2set") else (x, edges)
    torch.testing.assert_close(compiled(*grouped), forward(hand, x, edges, batch))


def test_han_is_one_layer_and_a_linear_map() -> None:
    torch.manual_seed(0)
    compiled = graphdsl.load(zoo_files()["han"]).compile().eval()
    paths = [("movie", "MAM", "movie"), ("movie", "MDM", "movie")]
    conv = HANConv(3066, 64, metadata=(["movie"], paths), heads=8, dropout=0.6).eval()
    state = {key.split(".joints.0.")[1]: value for key, value in compiled.state_dict().items() if ".joints.0." in key}
    conv.load_state_dict(state)
    x = {name: torch.randn(9, 3066) for name in ("movie", "director", "actor")}
    edges = {path: torch.randint(9, (2, 20)) for path in paths}
    head = Linear(64, 3)
    head.load_state_dict({key: compiled.state_dict()[f"heads.movie__y.{key}"] for key in ("weight", "bias")})
    counts = [sum(p.numel() for p in module.parameters()) for module in (compiled, conv, head)]
    assert counts[0] == counts[1] + counts[2]
    torch.testing.assert_close(compiled(x, edges), head(conv({"movie": x["movie"]}, edges)["movie"]))


def test_hetero_sage_is_hetero_conv() -> None:
    torch.manual_seed(0)
    spec = graphdsl.load(zoo_files()["hetero_sage"])
    compiled, keys = spec.compile().eval(), list(spec.schema().edges)
    types = ["author", "field_of_study", "institution", "paper"]
    convs = [HeteroConv({key: SAGEConv((64, 64), 64) for key in keys}, aggr="sum") for _ in range(2)]
    maps, head = nn.ModuleDict({name: Linear(128, 64) for name in types}), Linear(64, 349)
    state = compiled.state_dict()
    for prefix, module in (("stages.edges1.conv.", convs[0]), ("stages.edges2.conv.", convs[1])):
        module.load_state_dict({key.removeprefix(prefix): v for key, v in state.items() if key.startswith(prefix)})
    for name in types:
        part = {key: v for key, v in state.items() if key.startswith("stages.nodes1.") and f".{name}." in key}
        maps[name].load_state_dict({key.rsplit(".", 1)[1]: value for key, value in part.items()})
    head.load_state_dict({key: state[f"heads.paper__y.{key}"] for key in ("weight", "bias")})
    hand = nn.ModuleList([*convs, maps, head])
    assert sum(p.numel() for p in compiled.parameters()) == sum(p.numel() for p in hand.parameters())
    x = {name: torch.randn(8, 128) for name in types}
    edges = {key: torch.randint(8, (2, 15)) for key in keys}
    h = {name: maps[name](value).relu() for name, value in x.items()}
    for conv in convs:
        h = {name: value.relu() for name, value in conv(h, edges).items()}
    torch.testing.assert_close(compiled(x, edges), head(h["paper"]))
