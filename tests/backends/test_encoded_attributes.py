"""Attributes that layers read by name: the same network by hand, whole and sampled, and what the data may not hold."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import MLP, GATv2Conv, HeteroConv, Linear, PositionalEncoding, TemporalEncoding, TransformerConv

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.plan import attribute_reads
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main

SCHEMA = """
schema shop {
  node user { x: float[8], joined: time, age: float, trade: int, y: class[3], train_mask: mask, val_mask: mask }
  node item { listed: time, price: float[2] }
  edge user -[buys]-> item  reverse bought_by { at: time, kind: int, amount: float }
}
"""
SPEC = (
    SCHEMA
    + """
model m on shop {
  nodes {
    user: cat(Linear(6), TemporalEncoding(8, x = joined), Embedding(5, 4, x = trade), age)
    item: PositionalEncoding(10, x = listed)
  }
  edges {
    buys:      GATv2Conv(8, edge_attr = TemporalEncoding(12, x = at))
    bought_by: TransformerConv(8, edge_attr = cat(MLP(4, 4, norm = none, x = amount), Embedding(3, 4, x = kind), at))
  } | relu
  edges { *: GATv2Conv(8, edge_attr = Linear(4, x = amount)) }
  predict user.y
}
model tied on shop {
  nodes {
    user: Linear(6)
    item: Linear(6, x = price)
  }
  edges { *: share GATv2Conv(8, edge_attr = Linear(4, x = amount)) } | relu
  predict user.y
}
train m { epochs: 3, batch_size: 4, fanout: [2, 2] }
"""
)
BUYS, BACK = ("user", "buys", "item"), ("item", "bought_by", "user")


def shop(users: int = 9, items: int = 5, edges: int = 30) -> HeteroData:
    torch.manual_seed(0)
    data = HeteroData()
    user, item, buys = data["user"], data["item"], data[BUYS]
    user.x, user.joined, user.age = torch.randn(users, 8), torch.arange(users) * 3, torch.rand(users)
    user.trade, user.y = torch.arange(users) % 5, torch.arange(users) % 3
    user.train_mask = torch.arange(users) % 2 == 0
    user.val_mask = ~user.train_mask
    item.listed, item.price = torch.arange(items), torch.rand(items, 2)
    buys.edge_index = torch.stack([torch.randint(users, (edges,)), torch.randint(items, (edges,))])
    buys.at, buys.kind, buys.amount = torch.arange(edges), torch.arange(edges) % 3, torch.rand(edges)
    return data


class ByHand(nn.Module):
    """The first model of `SPEC`, in plain PyG."""

    def __init__(self) -> None:
        super().__init__()
        self.user = nn.ModuleList([Linear(8, 6), TemporalEncoding(8), nn.Embedding(5, 4), nn.Identity()])
        self.item = PositionalEncoding(10)
        self.at = TemporalEncoding(12)
        self.side = nn.ModuleList([MLP([1, 4, 4], norm=None), nn.Embedding(3, 4), nn.Identity()])
        buys = GATv2Conv((19, 10), 8, edge_dim=12, add_self_loops=False)
        self.first = HeteroConv({BACK: TransformerConv((10, 19), 8, edge_dim=9), BUYS: buys})
        self.amount = nn.ModuleDict({"back": Linear(1, 4), "buys": Linear(1, 4)})
        self.second = HeteroConv({key: GATv2Conv((8, 8), 8, edge_dim=4, add_self_loops=False) for key in (BACK, BUYS)})
        self.head = Linear(8, 3)

    def forward(self, data: HeteroData) -> Tensor:
        user, item, buys = data["user"], data["item"], data[BUYS]
        linear, time, look, same = self.user
        values = [linear(user.x), time(user.joined.float()), look(user.trade), same(user.age.unsqueeze(1))]
        x = {"user": torch.cat(values, dim=-1), "item": self.item(item.listed.float())}
        edges = {BUYS: buys.edge_index, BACK: buys.edge_index.flip(0)}
        mlp, kinds, _ = self.side
        amount, at = buys.amount.unsqueeze(1), buys.at.float()
        beside = torch.cat([mlp(amount), kinds(buys.kind), at.unsqueeze(1)], dim=-1)
        x = self.first(x, edges, edge_attr_dict={BUYS: self.at(at), BACK: beside})
        x = {name: value.relu() for name, value in x.items()}
        last = {BUYS: self.amount["buys"](amount), BACK: self.amount["back"](amount)}
        return self.head(self.second(x, edges, edge_attr_dict=last)["user"])


def renamed(name: str) -> str:
    """The key of a weight in the hand-written module."""
    rules = {
        "stages.nodes1.nodes.": "",
        "stages.edges1.conv.": "first.",
        "stages.edges2.conv.": "second.",
        "stages.edges1.encoders.item__bought_by__user.edge_attr": "side",
        "stages.edges1.encoders.user__buys__item.edge_attr": "at",
        "stages.edges2.encoders.item__bought_by__user.edge_attr": "amount.back",
        "stages.edges2.encoders.user__buys__item.edge_attr": "amount.buys",
        "heads.user__y": "head",
    }
    before, after = next((old, new) for old, new in rules.items() if name.startswith(old))
    return after + name.removeprefix(before)


def test_it_is_the_same_network_by_hand() -> None:
    data = shop()
    model: Any = graphdsl.loads(SPEC).compile("m", data=data)
    hand = ByHand()
    hand.load_state_dict({renamed(name): value for name, value in model.state_dict().items()})
    ours, theirs = model(**batch_inputs(data, model.plan)), hand(data)
    torch.testing.assert_close(ours, theirs)
    ours.sin().sum().backward()
    theirs.sin().sum().backward()
    gradients = {name: item.grad for name, item in hand.named_parameters()}
    for name, parameter in model.named_parameters():
        other = gradients[renamed(name)]
        if parameter.grad is None or other is None:
            assert parameter.grad is None or not parameter.grad.any()
            assert other is None or not other.any()
        else:
            torch.testing.assert_close(parameter.grad, other)


def test_it_is_built_without_data_and_reads_no_features_that_no_layer_needs() -> None:
    spec = graphdsl.loads(SPEC)
    model: Any = spec.compile("m")
    data = shop()
    inputs = batch_inputs(data, model.plan)
    torch.testing.assert_close(model.train(False)(**inputs), model(**inputs))
    del inputs["n_id_dict"]
    assert model(**inputs).shape == (9, 3)
    read = {(found.item.attribute, *found.places) for found in attribute_reads(model.plan)}
    assert {("joined", "user"), ("listed", "item"), ("kind", BACK), ("amount", BUYS)} <= read


def test_relations_that_share_a_layer_share_its_encoder() -> None:
    data = shop()
    model: Any = graphdsl.loads(SPEC).compile("tied", data=data)
    encoders = model.stages["edges1"].encoders
    assert encoders["user__buys__item"]["edge_attr"] is encoders["item__bought_by__user"]["edge_attr"]
    assert model(**batch_inputs(data, model.plan)).shape == (9, 3)


def test_a_number_without_a_vector_is_named() -> None:
    data = shop()
    model: Any = graphdsl.loads(SPEC).compile("m", data=data)
    data[BUYS].kind[3] = 7
    with pytest.raises(SpecError, match="numbers from 0 to 7, and there are vectors for 0 to 2") as caught:
        model(**batch_inputs(data, model.plan))
    (finding,) = caught.value.diagnostics
    assert finding.code == "GNN542"


def test_a_trimmed_batch_gives_the_rows_of_the_whole_one() -> None:
    data = shop(40, 12, 150)
    spec = graphdsl.loads(SPEC)
    model: Any = spec.compile("m", data=data)
    model.eval()
    loader = seed_loader(data, model.plan, ("user", torch.arange(4)), spec.training("m"))
    inputs = batch_inputs(next(iter(loader)), model.plan)
    whole = {key: value for key, value in inputs.items() if not key.startswith("num_sampled")}
    assert len(whole) < len(inputs)
    torch.testing.assert_close(model(**inputs), model(**whole)[:4])


def test_the_yaml_form_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.gnn").write_text(SPEC)
    assert main(["fmt", "--to", "yaml", str(tmp_path / "shop.gnn")]) == 0
    (tmp_path / "shop.yaml").write_text(capsys.readouterr().out)
    again = graphdsl.load(tmp_path / "shop.yaml")
    assert [str(step.module) for step in again.plan("m").stages[0].steps] == [  # type: ignore[union-attr]
        str(step.module)
        for step in graphdsl.loads(SPEC).plan("m").stages[0].steps  # type: ignore[union-attr]
    ]


def test_the_command_trains_on_sampled_batches_and_predicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, graph = tmp_path / "shop.gnn", tmp_path / "graph.pt"
    spec.write_text(SPEC)
    torch.save(shop(40, 12, 150).to_dict(), graph)
    assert main(["train", str(spec), "--model", "m", "--data", str(graph), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert (
        main(["predict", str(tmp_path / "run" / "best.ckpt"), "--data", str(graph), "--out", str(tmp_path / "p.csv")])
        == 0
    )
