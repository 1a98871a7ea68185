"""Small graphs whose labels only neighbours tell, and the specs for them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import seed_everything
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import inspect
from graphdsl.model import Training
from graphdsl.training import Fit, Origin, fit

SPEC = """
schema shop {{
  node user {{ x: float[4], y: {label}, train_mask: mask, val_mask: mask, test_mask: mask }}
  node item {{ x: float[5] }}
  edge user -[buys]-> item reverse bought_by
}}
model m(hidden: int = 16, dropout: float = 0.0) on shop {{
  nodes {{ *: Linear(hidden) }} | relu
  edges {{ *: SAGEConv(hidden) }} | relu | dropout(dropout)
  edges {{ *: SAGEConv(hidden) }} | relu
  predict user.y
}}
"""
LABELS = {"class": "class[3]", "binary": "class[2]", "multilabel": "multilabel[3]", "real": "real"}


def make_graph(kind: str = "class", users: int = 240, items: int = 60, seed: int = 0) -> HeteroData:
    """Users buy items of mostly one colour; the label is that colour, their own features are noise."""
    g = torch.Generator().manual_seed(seed)
    data = HeteroData()
    colour = torch.arange(items) % 3
    taste = torch.randint(3, (users,), generator=g)
    data["user"].x = torch.randn(users, 4, generator=g)
    data["item"].x = torch.cat([torch.eye(3)[colour], torch.zeros(items, 2)], 1) + 0.3 * torch.randn(
        items, 5, generator=g
    )
    buyer = torch.arange(users).repeat_interleave(6)
    liked = torch.randint(items // 3, (len(buyer),), generator=g) * 3 + taste[buyer]
    other = torch.randint(items, (len(buyer),), generator=g)
    item = torch.where(torch.rand(len(buyer), generator=g) < 0.8, liked, other)
    data["user", "buys", "item"].edge_index = torch.stack([buyer, item])
    data["user"].y = make_labels(kind, taste, torch.stack([buyer, colour[item]]), users)
    draw = torch.rand(users, generator=g)
    for split, low, high in (("train", 0.0, 0.5), ("val", 0.5, 0.75), ("test", 0.75, 1.0)):
        data["user"][f"{split}_mask"] = (draw >= low) & (draw < high)
    return data


def make_labels(kind: str, taste: torch.Tensor, colours: torch.Tensor, users: int) -> torch.Tensor:
    if kind == "class":
        return taste
    if kind == "binary":
        return (taste == 0).long()
    count = torch.zeros(users, 3).index_put_((colours[0], colours[1]), torch.ones(colours.size(1)), accumulate=True)
    return (count >= 2).float() if kind == "multilabel" else count[:, 0] * 0.5 + 3.0


@dataclass
class Case:
    """A spec, its data, and everything that `fit` wants."""

    spec: graphdsl.Spec
    data: Any
    training: Training
    values: dict[str, Any]

    @property
    def schema(self) -> Any:
        return self.spec.schema("m")

    def compile(self) -> Any:
        seed_everything(self.training.seed, workers=True, verbose=False)
        return self.spec.compile("m", data=self.data, **self.values)

    def plan(self) -> Any:
        return self.spec.plan("m", data=self.data, **self.values)

    def origin(self) -> Origin:
        plan = self.plan()
        return Origin(
            self.spec.text, self.spec.name, "m", plan.parameters, self.schema, inspect(self.data, self.schema)
        )

    def fit(self, folder: Path, model: Any = None, **options: Any) -> Fit:
        model = self.compile() if model is None else model
        return fit(model, self.plan(), self.data, self.training, self.origin(), folder, **options)

    def with_(self, **settings: Any) -> "Case":
        return replace(self, training=replace(self.training, **settings))


def make_case(kind: str = "class", text: str = SPEC, data: Any = None, **settings: Any) -> Case:
    """A case with one prediction of the given kind."""
    spec = graphdsl.loads(text.format(label=LABELS[kind]), "shop.gnn")
    values = settings.pop("values", {})
    training = replace(spec.training("m"), **{"epochs": 30, "fanout": (-1,), **settings})
    return Case(spec, make_graph(kind) if data is None else data, training, values)


def read_curve(folder: Path) -> list[list[float]]:
    """The numbers of `metrics.csv`."""
    lines = (folder / "metrics.csv").read_text().splitlines()[1:]
    return [[float(value) for value in line.split(",")] for line in lines]
