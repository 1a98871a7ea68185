"""Training with penalties against training steps of PyG written by hand: the same weights, epoch by epoch."""

import copy
import csv
import pickle

import pytest
import torch
import torch.nn.functional as F
from graph_cases import shapes
from torch import Tensor, nn
from torch_geometric import seed_everything  # negatives are drawn by Python's random numbers
from torch_geometric.data import HeteroData
from torch_geometric.nn import DenseGCNConv, DenseSAGEConv, GCNConv, SAGEConv, SuperGATConv, dense_mincut_pool
from torch_geometric.nn.functional import bro, gini
from torch_geometric.utils import to_dense_adj, to_dense_batch
from training_cases import Case

import graphdsl
from graphdsl.data import GraphSet, batch_inputs
from graphdsl.text import SpecError

RATES = ("user", "rates", "user")
SOCIAL = """
schema social {
  node user { x: float[4], y: class[2], train_mask: mask, val_mask: mask, test_mask: mask }
  edge user -[rates]-> user
}
model m(weight: float = 4.0) on social {
  h1 = edges { rates: SuperGATConv(8, heads = 2, neg_sample_ratio = 1.0) } | elu
  edges { rates: SuperGATConv(2) }
  penalty SuperGATConv weight weight
  penalty gini(h1.user) weight 0.5
  predict user.y
}
train m { epochs: 3  optimizer: SGD(lr = 0.1) }
"""
POOLED = """
schema shapes {
  node atom { x: float[2] }
  edge atom -[bond]-> atom
  graph { y: class[2], train_mask: mask, val_mask: mask, test_mask: mask }
}
model m on shapes {
  sequential x, edge_index, batch {
    GCNConv(8): x, edge_index -> x
    relu
    bro: x, batch -> spread
    to_dense_batch: x, batch -> x, mask
    to_dense_adj: edge_index, batch -> adj
    DenseSAGEConv(3): x, adj, mask -> s
    dense_mincut_pool: x, adj, s, mask -> x, adj, cut, ortho
    DenseGCNConv(8): x, adj -> x
    DenseSAGEConv(2): x, adj -> s
    dense_mincut_pool: x, adj, s -> x, _, cut, ortho
    dense_mean_pool: x -> x
    Linear(2)
  }
  penalty cut
  penalty ortho weight 0.5
  penalty spread weight 0.01
}
train m { epochs: 3  optimizer: SGD(lr = 0.05) }
"""


@pytest.fixture
def social() -> HeteroData:
    torch.manual_seed(0)
    graph = HeteroData()
    graph["user"].x, graph["user"].y = torch.randn(40, 4), torch.randint(2, (40,))
    graph[RATES].edge_index = torch.randint(40, (2, 160))
    for place, split in enumerate(("train", "val", "test")):
        graph["user"][f"{split}_mask"] = torch.arange(40) % 3 == place
    return graph


class Pooled(nn.Module):
    """The model `m` of POOLED with what its training adds, as PyG's examples write it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.assign = GCNConv(2, 8), DenseSAGEConv(8, 3)
        self.dense, self.again, self.out = DenseGCNConv(8, 8), DenseSAGEConv(8, 2), nn.Linear(8, 2)

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.conv(x, edge_index).relu()
        spread = bro(x, batch)
        x, mask = to_dense_batch(x, batch)
        adj = to_dense_adj(edge_index, batch)
        x, adj, cut1, ortho1 = dense_mincut_pool(x, adj, self.assign(x, adj, mask), mask)
        x = self.dense(x, adj)
        x, adj, cut2, ortho2 = dense_mincut_pool(x, adj, self.again(x, adj))
        return self.out(x.mean(1)), cut1 + cut2, ortho1 + ortho2, spread


def copied(by_hand: nn.Module, model: nn.Module) -> nn.Module:
    """Weights of a compiled model in a hand-written one, whose modules stand in the same order."""
    with torch.no_grad():
        for mine, other in zip(by_hand.parameters(), model.parameters(), strict=True):
            mine.copy_(other)
    return by_hand


def columns(folder) -> list[dict[str, float]]:
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def test_losses_of_pooling_are_trained_as_by_hand(tmp_path) -> None:
    graphs = shapes(30)
    for number, graph in enumerate(graphs):
        graph.train_mask, graph.val_mask, graph.test_mask = number < 20, 20 <= number < 25, number >= 25
    spec = graphdsl.loads(POOLED)
    assert not spec.findings
    case = Case(spec, graphs, spec.training("m"), {})
    model = case.compile()
    by_hand = copied(Pooled(), model)
    whole = GraphSet(graphs, case.schema)
    inputs = batch_inputs(whole.batch(list(range(20))), model.plan)
    labels = torch.tensor([int(graph.y) for graph in graphs[:20]])
    case.fit(tmp_path, model)
    optimizer = torch.optim.SGD(by_hand.parameters(), lr=0.05)
    for row in columns(tmp_path):
        optimizer.zero_grad()
        out, cut, ortho, spread = by_hand(**inputs)
        loss = F.cross_entropy(out, labels)
        added = cut + 0.5 * ortho + 0.01 * spread
        (loss + added).backward()
        optimizer.step()
        assert row["train_loss"] == pytest.approx(loss.item(), abs=1e-5)
        assert row["train_penalty"] == pytest.approx(added.item(), abs=1e-5)
        assert row["train_cut_penalty"] == pytest.approx(cut.item(), abs=1e-5)
        assert row["train_spread_penalty"] == pytest.approx(spread.item(), abs=1e-5)


@pytest.mark.parametrize("weight", [4.0, 0.0])
def test_losses_of_layers_and_of_values_are_those_of_a_step_by_hand(social, weight: float) -> None:
    spec = graphdsl.loads(SOCIAL)
    model = spec.compile("m", data=social, weight=weight)
    first, second = SuperGATConv(4, 8, heads=2, neg_sample_ratio=1.0), SuperGATConv(16, 2)
    convs = [module for module in model.modules() if isinstance(module, SuperGATConv)]
    first.load_state_dict(convs[0].state_dict())
    second.load_state_dict(convs[1].state_dict())
    edge_index = social[RATES].edge_index
    seed_everything(7)
    model({"user": social["user"].x}, {RATES: edge_index})
    seed_everything(7)
    h1 = F.elu(first(social["user"].x, edge_index))
    second(h1, edge_index)
    wanted = first.get_attention_loss() + second.get_attention_loss()
    assert list(model.penalties) == ["SuperGATConv", "gini(h1.user)"]
    torch.testing.assert_close(model.penalties["SuperGATConv"], wanted)
    torch.testing.assert_close(model.penalties["gini(h1.user)"], gini(h1))
    total = sum(item.weight * model.penalties[item.name] for item in model.plan.penalties)
    mine = torch.autograd.grad(total, convs[0].lin.weight)
    theirs = torch.autograd.grad(weight * wanted + 0.5 * gini(h1), first.lin.weight)
    torch.testing.assert_close(mine, theirs)


def test_eval_mode_and_copies(social) -> None:
    model = graphdsl.loads(SOCIAL).compile("m", data=social)
    inputs = {"user": social["user"].x}, {RATES: social[RATES].edge_index}
    model.eval()
    model(*inputs)
    assert float(model.penalties["SuperGATConv"]) == 0  # as in PyG
    assert float(model.penalties["gini(h1.user)"].detach()) > 0
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.penalties == {}
        other.train()
        other(*inputs)
        assert float(other.penalties["SuperGATConv"].detach()) > 0
    assert float(model.penalties["SuperGATConv"]) == 0
    model.encode(*inputs)
    model.encode(*inputs)
    model(*inputs)
    assert float(model.penalties["SuperGATConv"]) == 0


def test_all_passes_through_shared_weights_count(social) -> None:
    text = (
        SOCIAL[: SOCIAL.index("model m")]
        + """
    model m on social {
      nodes { *: Linear(4) }
      repeat 2 share { edges { rates: SuperGATConv(4) } }
      penalty SuperGATConv
      predict user.y
    }
    """
    )
    model = graphdsl.loads(text).compile("m", data=social)
    x, edge_index = social["user"].x, social[RATES].edge_index
    conv = copy.deepcopy(next(module for module in model.modules() if isinstance(module, SuperGATConv)))
    conv._forward_hooks.clear()
    linear = next(module for module in model.modules() if type(module).__name__ == "Linear")
    seed_everything(3)
    model({"user": x}, {RATES: edge_index})
    seed_everything(3)
    first = conv(linear(x), edge_index)
    wanted = conv.get_attention_loss()
    conv(first, edge_index)
    torch.testing.assert_close(model.penalties["SuperGATConv"], wanted + conv.get_attention_loss())


def test_a_penalty_that_is_no_number_is_refused(social, tmp_path) -> None:
    text = SOCIAL.replace("penalty gini(h1.user) weight 0.5", "penalty bro(h1.user) weight 0.5")
    social["user"].x[0, 0] = 1e30
    spec = graphdsl.loads(text)
    case = Case(spec, social, spec.training("m"), {})
    with pytest.raises(SpecError, match="GNN620"):
        case.fit(tmp_path)


def test_several_predictions_share_their_penalties(social, tmp_path) -> None:
    social["user"].z = torch.randn(40)
    text = SOCIAL.replace("y: class[2],", "y: class[2], z: real,").replace("predict", "predict user.z\n  predict")
    spec = graphdsl.loads(text)
    case = Case(spec, social, spec.training("m"), {})
    case.fit(tmp_path)
    assert all(row["train_penalty"] > 0 for row in columns(tmp_path))


def test_relations_that_share_a_layer_add_up(social) -> None:
    schema = SOCIAL[: SOCIAL.index("model m")].replace("edge user", "edge user -[trusts]-> user\n  edge user")
    block = "edges {{ rates, trusts: {}SuperGATConv(2) }}\n  penalty SuperGATConv\n  predict user.y"
    for share in ("", "share "):
        model = graphdsl.loads(schema + f"model m on social {{ {block.format(share)} }}").compile("m", data=None)
        one = (
            {"user": social["user"].x},
            {RATES: social[RATES].edge_index, ("user", "trusts", "user"): social[RATES].edge_index},
        )
        model(*one)
        hooked = {id(module) for module in model.modules() if isinstance(module, SuperGATConv)}
        assert len(hooked) == (1 if share else 2)
        assert float(model.penalties["SuperGATConv"].detach()) > 1  # two losses of about log 2 each


def test_layers_without_losses_are_left_alone(social) -> None:
    text = SOCIAL[: SOCIAL.index("model m")] + "model m on social { edges { *: SAGEConv(4) } predict user.y }"
    model = graphdsl.loads(text).compile("m", data=social)
    model({"user": social["user"].x}, {RATES: social[RATES].edge_index})
    assert model.penalties == {}
    assert not any(module._forward_hooks for module in model.modules() if isinstance(module, SAGEConv))


def test_a_graph_too_small_for_negatives(social) -> None:
    """PyG's class fails here: no pair is drawn, and the mean over none is no number."""
    text = (
        SOCIAL[: SOCIAL.index("model m")]
        + """
    model m on social {
      edges { rates: SuperGATConv(2, add_self_loops = false) }
      penalty SuperGATConv
      predict user.y
    }
    """
    )
    model = graphdsl.loads(text).compile("m", data=social)
    for edges in (0, 1):
        model({"user": social["user"].x}, {RATES: social[RATES].edge_index[:, :edges]})
        penalty = model.penalties["SuperGATConv"]
        penalty.backward()
        assert bool(penalty.isfinite())
