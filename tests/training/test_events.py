"""Events with a memory: PyG's example with the same weights, events and targets; what is known when; and the commands."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch_geometric.data import HeteroData, TemporalData
from torch_geometric.nn import GATConv, GATv2Conv, TGNMemory, TransformerConv
from torch_geometric.nn.models.tgn import IdentityMessage, LastAggregator, LastNeighborLoader

import graphdsl
from graphdsl.data import inspect
from graphdsl.plan import event_head
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, Origin, evaluate, fit, read_supervision
from graphdsl.training.events import keep_memory, memory_of
from graphdsl.training.fitting import Machines
from graphdsl.training.module import measured_outputs, wanted_rows

SPEC = """
schema wiki {
  node user
  node page
  edge user -[edits]-> page { at: time, msg: float[4] }
}
model tgn on wiki {
  predict user -[edits]-> page: tgn(12, 8, 16, msg = "msg", num_neighbors = 5, dropout = 0.0)
}
train tgn {
  optimizer: Adam(lr = 0.003)
  epochs: 2
  batch_size: 50
  split: [0.7, 0.15, 0.15]
}
"""
EDITS = ("user", "edits", "page")
NAME = "user -[edits]-> page"


def wiki(events: int = 600, users: int = 20, pages: int = 15) -> HeteroData:
    """A user edits the page of the last time again, and another one now and then; events are stored in any order."""
    generator = torch.Generator().manual_seed(0)
    user = torch.randint(users, (events,), generator=generator)
    change = torch.rand(events, generator=generator) < 0.08
    draws = torch.randint(pages, (events,), generator=generator)
    last, page = torch.arange(users) % pages, torch.empty(events, dtype=torch.long)
    for number in range(events):
        if change[number]:
            last[user[number]] = draws[number]
        page[number] = last[user[number]]
    order = torch.randperm(events, generator=generator)
    data = HeteroData()
    data["user"].num_nodes, data["page"].num_nodes = users, pages
    data[EDITS].edge_index = torch.stack([user, page])[:, order]
    data[EDITS].at = torch.arange(events)[order] * 3
    data[EDITS].msg = nn.functional.one_hot(page % 4, 4).float()[order]
    return data


def setup(graph: HeteroData, text: str = SPEC) -> tuple[Any, Any, BatchSource]:
    torch.manual_seed(0)
    spec = graphdsl.loads(text, "wiki.gnn")
    model, training, schema = spec.compile("tgn", data=graph), spec.training("tgn"), spec.schema("tgn")
    supervision = read_supervision(graph, model.plan.heads, False, schema, training)
    return model, supervision, BatchSource(graph, model.plan, training, schema)


def batches_of(model: Any, supervision: Any, source: BatchSource, split: str) -> Any:
    seed = 0 if split == "train" else None
    wanted = wanted_rows(supervision, model.plan, split, seed or 0)
    (batches,) = source.batches(wanted, graph=supervision.graph(split))
    return batches


class GraphAttentionEmbedding(nn.Module):
    """From PyG's `examples/tgn.py`."""

    def __init__(self, in_channels: int, out_channels: int, msg_dim: int, time_enc: nn.Module, layer: Any) -> None:
        super().__init__()
        self.time_enc = time_enc
        edge_dim = msg_dim + time_enc.out_channels
        self.conv = layer(in_channels, out_channels // 2, heads=2, dropout=0.0, edge_dim=edge_dim)

    def forward(self, x: Tensor, last_update: Tensor, edge_index: Tensor, t: Tensor, msg: Tensor) -> Tensor:
        rel_t = last_update[edge_index[0]] - t
        rel_t_enc = self.time_enc(rel_t.to(x.dtype))
        return self.conv(x, edge_index, torch.cat([rel_t_enc, msg], dim=-1))


class LinkPredictor(nn.Module):
    """From PyG's `examples/tgn.py`."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.lin_src, self.lin_dst = nn.Linear(in_channels, in_channels), nn.Linear(in_channels, in_channels)
        self.lin_final = nn.Linear(in_channels, 1)

    def forward(self, z_src: Tensor, z_dst: Tensor) -> Tensor:
        return self.lin_final((self.lin_src(z_src) + self.lin_dst(z_dst)).relu())


class Example:
    """The steps of PyG's example, with the weights of our model."""

    def __init__(self, own: Any, data: TemporalData, layer: Any) -> None:
        self.data, nodes = data, 35
        self.memory = TGNMemory(nodes, 4, 12, 8, IdentityMessage(4, 12, 8), LastAggregator())
        self.gnn = GraphAttentionEmbedding(12, 16, 4, self.memory.time_enc, layer)
        self.link_pred = LinkPredictor(16)
        self.memory.load_state_dict(own.memory.state_dict())
        self.gnn.conv.load_state_dict(own.conv.state_dict())
        heads = {key: value for key, value in own.state_dict().items() if key.startswith("lin_")}
        self.link_pred.load_state_dict(heads)
        parameters = {*self.memory.parameters(), *self.gnn.parameters(), *self.link_pred.parameters()}
        self.optimizer = torch.optim.Adam(parameters, lr=0.003)
        self.criterion = nn.BCEWithLogitsLoss()
        self.neighbor_loader = LastNeighborLoader(nodes, size=5)
        self.assoc = torch.empty(nodes, dtype=torch.long)

    def scores(self, batch: TemporalData, neg_dst: Tensor) -> tuple[Tensor, Tensor]:
        n_id = torch.cat([batch.src, batch.dst, neg_dst]).unique()
        n_id, edge_index, e_id = self.neighbor_loader(n_id)
        self.assoc[n_id] = torch.arange(n_id.size(0))
        z, last_update = self.memory(n_id)
        z = self.gnn(z, last_update, edge_index, self.data.t[e_id], self.data.msg[e_id])
        pos = self.link_pred(z[self.assoc[batch.src]], z[self.assoc[batch.dst]])
        return pos, self.link_pred(z[self.assoc[batch.src]], z[self.assoc[neg_dst]])

    def learn(self, batch: TemporalData) -> None:
        self.memory.update_state(batch.src, batch.dst, batch.t, batch.msg)
        self.neighbor_loader.insert(batch.src, batch.dst)


def as_temporal(graph: HeteroData) -> TemporalData:
    store = graph[EDITS]
    order = store.at.argsort()
    source, target = store.edge_index[:, order]
    return TemporalData(src=source, dst=target + 20, t=store.at[order], msg=store.msg[order])


@pytest.mark.parametrize("layer", [TransformerConv, GATConv, GATv2Conv])
def test_losses_and_scores_are_those_of_pyg(layer: Any) -> None:
    graph = wiki()
    model, supervision, source = setup(
        graph, SPEC.replace("dropout = 0.0", f'dropout = 0.0, conv = "{layer.__name__}"')
    )
    task, data = supervision.task.heads[0], as_temporal(graph)
    own = memory_of(model, event_head(model.plan))
    theirs = Example(own, data, layer)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    model.train()
    for batch in batches_of(model, supervision, source, "train"):
        optimizer.zero_grad()
        outputs = measured_outputs(model, model.plan, batch)[NAME]
        term = task.loss(outputs[batch.rows[NAME]], batch.labels[NAME])
        loss = 2 * term.total / term.weight
        loss.backward()
        optimizer.step()
        events = data[batch.inputs["first"] : batch.inputs["last"]]
        theirs.optimizer.zero_grad()
        pos, neg = theirs.scores(events, batch.inputs["others"].reshape(-1))
        wanted = theirs.criterion(pos, torch.ones_like(pos)) + theirs.criterion(neg, torch.zeros_like(neg))
        theirs.learn(events)
        wanted.backward()
        theirs.optimizer.step()
        theirs.memory.detach()
        torch.testing.assert_close(loss, wanted)
        torch.testing.assert_close(outputs, torch.cat([pos, neg]).squeeze(-1))
    keep_memory(model, model.plan)
    theirs.memory.eval()
    torch.testing.assert_close(own.kept_memory, theirs.memory.memory)
    model.eval()
    for split in ("val", "test"):
        labels, scores = [], []
        for batch in batches_of(model, supervision, source, split):
            events = data[batch.inputs["first"] : batch.inputs["last"]]
            with torch.no_grad():
                outputs = measured_outputs(model, model.plan, batch)[NAME]
                pair = theirs.scores(events, batch.inputs["others"].reshape(-1))
                theirs.learn(events)
            torch.testing.assert_close(outputs, torch.cat(pair).squeeze(-1))
            scores += outputs.sigmoid().tolist()
            labels += [1] * len(pair[0]) + [0] * len(pair[1])
        found = evaluate(model, model.plan, source, supervision, (split,))[split][f"{split}_average_precision"]
        assert found == pytest.approx(average_precision_score(labels, scores), abs=2e-4)  # scores nearly tie


def scores_in_order(graph: HeteroData, is_training: bool) -> Tensor:
    model, supervision, source = setup(graph)
    model.train(is_training)
    with torch.no_grad():
        batches = batches_of(model, supervision, source, "train")
        return torch.cat(
            [measured_outputs(model, model.plan, batch)[NAME][: len(batch.rows[NAME])] for batch in batches]
        )


@pytest.mark.parametrize("is_training", [True, False])
def test_no_later_event_is_seen(is_training: bool) -> None:
    graph, other = wiki(), wiki()
    late = graph[EDITS].at >= 3 * 200
    store = other[EDITS]
    store.edge_index[1, late] = (store.edge_index[1, late] + 1) % 15
    store.msg[late] += 5
    found, changed = scores_in_order(graph, is_training), scores_in_order(other, is_training)
    assert torch.equal(found[:200], changed[:200])
    assert not torch.equal(found[250:], changed[250:])


def trained(graph: HeteroData, folder: Path, epochs: int, **machines: Any) -> tuple[Any, Any]:
    text = SPEC.replace("tgn(12, 8, 16", "tgn(32, 16, 32").replace("lr = 0.003", "lr = 0.01")
    torch.manual_seed(0)
    spec = graphdsl.loads(text, "wiki.gnn")
    model, schema = spec.compile("tgn", data=graph), spec.schema("tgn")
    origin = Origin(spec.text, spec.name, "tgn", model.plan.parameters, schema, inspect(graph, schema))
    training = replace(spec.training("tgn"), epochs=epochs)
    return model, fit(model, model.plan, graph, training, origin, folder, machines=Machines(**machines))


def test_events_are_learned(tmp_path: Path) -> None:
    graph = wiki(1200)
    _, done = trained(graph, tmp_path / "as it is", 12)
    assert done.metrics["val_average_precision"] > 0.8
    mixed = wiki(1200)
    mixed[EDITS].at = mixed[EDITS].at[torch.randperm(1200, generator=torch.Generator().manual_seed(1))]
    _, other = trained(mixed, tmp_path / "mixed", 12)
    assert done.metrics["val_average_precision"] > other.metrics["val_average_precision"] + 0.05


def test_a_checkpoint_holds_the_memory(tmp_path: Path) -> None:
    graph = wiki()
    model, done = trained(graph, tmp_path, 2)
    spec = graphdsl.loads(SPEC, "wiki.gnn")
    training, schema = spec.training("tgn"), spec.schema("tgn")
    supervision = read_supervision(graph, model.plan.heads, False, schema, training)
    source = BatchSource(graph, model.plan, training, schema)
    everything = evaluate(model, model.plan, source, supervision)
    assert everything["val"]["val_loss"] == pytest.approx(done.metrics["val_loss"], abs=1e-6)
    alone = evaluate(model, model.plan, source, supervision, ("test",))
    assert alone["test"] == everything["test"]
    memory = memory_of(model, event_head(model.plan))
    assert int(memory.kept_events) == len(supervision.links[NAME].edges["train"])
    assert memory.kept_memory.abs().sum() > 0
    torch.nn.init.zeros_(memory.kept_memory)
    assert evaluate(model, model.plan, source, supervision, ("test",))["test"] != alone["test"]


def test_one_type(tmp_path: Path) -> None:
    text = """
    schema mail {
      node person(count = 12)
      edge person -[writes]-> person { at: time }
    }
    model m on mail { predict person -[writes]-> person: tgn(8, 8, 8, message = "mlp", aggregator = "mean") negatives 3 }
    train m { epochs: 2  batch_size: 16 }
    """
    graph = HeteroData()
    graph["person"].num_nodes = 12
    edge = ("person", "writes", "person")
    graph[edge].edge_index = torch.randint(12, (2, 100), generator=torch.Generator().manual_seed(0))
    graph[edge].at = torch.arange(100)
    spec = graphdsl.loads(text, "mail.gnn")
    model, schema = spec.compile("m", data=graph), spec.schema("m")
    origin = Origin(spec.text, spec.name, "m", model.plan.parameters, schema, inspect(graph, schema))
    done = fit(model, model.plan, graph, spec.training("m"), origin, tmp_path)
    assert {"val_mrr", "val_hits@3"} <= done.metrics.keys()
    known = model.eval().encode({}, {}, prediction="person -[writes]-> person")
    assert known["person"].shape == (12, 8)
    pairs = torch.tensor([[0, 1], [2, 3]])
    torch.testing.assert_close(
        model({}, {}, edge_label_index=pairs), model.score(known, "person -[writes]-> person", pairs)
    )


def test_refusals(tmp_path: Path) -> None:
    graph = wiki()
    with pytest.raises(SpecError, match="the number of nodes that `tgn` needs is not known"):
        graphdsl.loads(SPEC).compile()
    counted = SPEC.replace("node user", "node user(count = 20)").replace("node page", "node page(count = 15)")
    with pytest.raises(SpecError, match="the width that `tgn` needs is not known"):
        graphdsl.loads(counted.replace("float[4]", "float[*]")).compile()
    with pytest.raises(SpecError, match="GNN645"):
        trained(graph, tmp_path, 1, devices=2)
    with pytest.raises(SpecError, match="GNN644"):
        setup(graph, SPEC.replace("batch_size: 50", "batch_size: none"))[2].batches({})
    for split, chosen in (("train", graph[EDITS].at > 600), ("val", graph[EDITS].at <= 600)):
        graph[EDITS][f"{split}_mask"] = chosen
    masks = "msg: float[4], train_mask: mask, val_mask: mask"
    model, supervision, source = setup(graph, SPEC.replace("msg: float[4]", masks))
    with pytest.raises(SpecError, match="GNN646"):
        batches_of(model, supervision, source, "train")
    model.train()
    memory = memory_of(model, event_head(model.plan))
    known = setup(wiki())[2].event_log(event_head(model.plan)).on(torch.device("cpu"))
    from graphdsl.kernels.events import Events

    with pytest.raises(ValueError, match="order of time"):
        memory.step(Events(**known), 50, 100, others=torch.full((50, 1), 20))


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wiki.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(wiki().to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("wiki.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--data", graph, "--out", run, "--baselines"]) == 0
    best = str(tmp_path / "run" / "best.ckpt")
    assert main(["evaluate", best, "--data", graph]) == 0
    assert main(["predict", best, "--data", graph, "--out", str(tmp_path / "p.csv")]) == 0
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines[0] == "source,target,score,probability"
    assert len(lines) == 1 + 20 * 10
    capsys.readouterr()
    assert main(["evaluate", best, "--data", graph, "--top", "5"]) == 1
    assert "GNN647" in capsys.readouterr().err
    assert main(["train", spec, "--data", graph, "--out", run + "2", "--set", "workers=2"]) == 1
    assert "GNN645" in capsys.readouterr().err
