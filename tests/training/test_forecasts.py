"""Forecasts of events: histories, losses and scores of PyG's `examples/renet.py`, and everything that trains on them."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch_geometric.data import Data, HeteroData
from torch_geometric.datasets import ICEWS18
from torch_geometric.loader import DataLoader
from torch_geometric.nn import RENet

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.data.sources import load_source
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, evaluate, fit, read_supervision
from graphdsl.training.checkpoint import Origin
from graphdsl.training.forecasting import forecasts_of
from graphdsl.training.module import measured_outputs, wanted_rows

SPEC = """
schema world {
  node actor
  edge actor -[acts]-> actor { t: time, what: class[3] }
}
model renet on world {
  predict actor -[acts]-> actor: renet(16, rel = "what", seq_len = 4) weight 2
}
train renet { optimizer: Adam(lr = 0.02)  epochs: 3  batch_size: 50  split: [0.7, 0.15, 0.15] }
"""
EDGE = ("actor", "acts", "actor")
NAME = "actor -[acts]-> actor"


def world(events: int = 400, actors: int = 10, planted: bool = True) -> HeteroData:
    """An actor does to another what it did to it last time, and turns to the next one now and then; in any order."""
    g = torch.Generator().manual_seed(0)
    source, kind = torch.randint(actors, (events,), generator=g), torch.randint(3, (events,), generator=g)
    draws, change = torch.randint(actors, (events,), generator=g), torch.rand(events, generator=g) < 0.05
    last = {(node, what): int(node + what + 1) % actors for node in range(actors) for what in range(3)}
    target = draws.clone()
    for number in range(events if planted else 0):
        key = (int(source[number]), int(kind[number]))
        if change[number]:
            last[key] = int(draws[number])
        target[number] = last[key]
    order = torch.randperm(events, generator=g)
    data = HeteroData()
    data["actor"].num_nodes = actors
    store = data[EDGE]
    store.edge_index = torch.stack([source, target])[:, order]
    store.t, store.what = (torch.arange(events) // 8 * 3)[order], kind[order]
    return data


def setup(data: HeteroData, text: str = SPEC) -> tuple[Any, Any, Any, BatchSource]:
    torch.manual_seed(0)
    spec = graphdsl.loads(text, "world.gnn")
    model, training, schema = spec.compile("renet", data=data), spec.training("renet"), spec.schema("renet")
    supervision = read_supervision(data, model.plan.heads, False, schema, training)
    return spec, model, supervision, BatchSource(data, model.plan, training, schema)


def example(data: HeteroData) -> tuple[list[Data], torch.Tensor]:
    """The events as PyG has them, with the histories that its `pre_transform` makes, and where each stands in the data."""
    store = data[EDGE]
    order = store.t.argsort(stable=True)
    make = RENet.pre_transform(4)
    (source, target), kinds, times = (
        store.edge_index[:, order].tolist(),
        store.what[order].tolist(),
        store.t[order].tolist(),
    )
    found = [
        make(Data(sub=sub, rel=rel, obj=obj, t=t))
        for sub, rel, obj, t in zip(source, kinds, target, times, strict=True)
    ]
    return found, order


def loaded(events: list[Data]) -> Any:
    return next(iter(DataLoader(events, batch_size=len(events), follow_batch=["h_sub", "h_obj"])))


def test_losses_gradients_and_scores_are_those_of_pygs_example() -> None:
    data = world()
    _, model, supervision, source = setup(data)
    theirs = RENet(10, 3, 16, 4)
    module = model.heads["actor__acts__actor"]
    assert type(module) is RENet
    assert {name: value.shape for name, value in module.state_dict().items()} == {
        name: value.shape for name, value in theirs.state_dict().items()
    }
    theirs.load_state_dict(module.state_dict())
    known, order = example(data)
    place = {int(edge): known[number] for number, edge in enumerate(order.tolist())}
    task, head = supervision.task.heads[0], model.plan.heads[0]
    (batches,) = source.batches(wanted_rows(supervision, model.plan, "train"), shuffle=True)
    seen: list[int] = []
    for batch in batches:
        events = batch.nodes[NAME][: len(batch.nodes[NAME]) // 2].tolist()
        seen += events
        given = loaded([place[event] for event in events])
        outputs = measured_outputs(model, model.plan, batch)[NAME]
        for_targets, for_sources = theirs(given)
        torch.testing.assert_close(outputs, torch.cat([for_targets, for_sources]))
        term = task.loss(outputs[batch.rows[NAME]], batch.labels[NAME])
        loss = head.weight * term.total / term.weight
        wanted = F.nll_loss(for_targets, given.obj) + F.nll_loss(for_sources, given.sub)
        torch.testing.assert_close(loss, wanted)
        model.zero_grad()
        theirs.zero_grad()
        loss.backward()
        wanted.backward()
        for (name, ours), other in zip(module.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, other.grad, msg=f"gradient of {name}")
    assert sorted(seen) == sorted(supervision.links[NAME].edges["train"].tolist())
    tested = loaded([place[event] for event in supervision.links[NAME].edges["test"].tolist()])
    with torch.no_grad():
        log_prob_obj, log_prob_sub = theirs.eval()(tested)
    wanted = (theirs.test(log_prob_obj, tested.obj) + theirs.test(log_prob_sub, tested.sub)) / 2
    found = evaluate(model, model.plan, source, supervision, ("test",))["test"]
    scores = [found[f"test_{name}"] for name in ("mrr", "hits@1", "hits@3")]
    torch.testing.assert_close(torch.tensor(scores), wanted[:3], atol=1e-5, rtol=1e-5)
    assert "test_hits@10" not in found  # there are ten nodes in all


def test_no_event_is_told_of_itself_or_of_later_ones() -> None:
    data, other = world(), world()
    late = data[EDGE].t >= 60
    other[EDGE].edge_index[:, late] = (other[EDGE].edge_index[:, late] + 1) % 10
    _, model, _, _ = setup(data)
    model.eval()
    ours, theirs = (
        model({}, {EDGE: item[EDGE].edge_index}, t_dict={EDGE: item[EDGE].t}, what_dict={EDGE: item[EDGE].what})
        for item in (data, other)
    )
    assert ours.shape == (2, 400, 10)
    torch.testing.assert_close(ours.exp().sum(-1), torch.ones(2, 400))
    assert torch.equal(model(**batch_inputs(data, model.plan)), ours)
    assert torch.equal(ours[:, ~late], theirs[:, ~late])
    assert not torch.equal(ours[:, late], theirs[:, late])
    with pytest.raises(SpecError, match="reads `t_dict`, and was given none"):
        model({}, {EDGE: data[EDGE].edge_index}, what_dict={EDGE: data[EDGE].what})


def trained(data: HeteroData, folder: Path, epochs: int) -> dict[str, float]:
    spec, model, _, _ = setup(data)
    schema, metadata = spec.schema(), spec.metadata(data)
    origin = Origin(spec.text, spec.name, "renet", model.plan.parameters, schema, metadata)
    training = replace(spec.training(), epochs=epochs, batch_size=100)
    return fit(model, model.plan, data, training, origin, folder).metrics


def test_what_repeats_is_learned(tmp_path: Path) -> None:
    found = trained(world(1200), tmp_path / "planted", 12)
    assert found["val_mrr"] > 0.7
    assert trained(world(1200, planted=False), tmp_path / "drawn", 12)["val_mrr"] < 0.45


def test_sizes_and_settings_are_asked_for(tmp_path: Path) -> None:
    data = world()
    with pytest.raises(SpecError, match="the number of nodes that `renet` needs is not known"):
        graphdsl.loads(SPEC).compile()
    open_kinds = graphdsl.loads(SPEC.replace("class[3]", "class[*]"))
    with pytest.raises(SpecError, match="that `renet` needs is not known"):
        graphdsl.loads(SPEC.replace("class[3]", "class[*]").replace("node actor", "node actor(count = 10)")).compile()
    assert open_kinds.compile(data=data).heads["actor__acts__actor"].num_rels == 3
    for change, code in (
        ("", "GNN644"),
        ("batch_size: 50 disjoint: 0.5", "GNN645"),
        ("batch_size: 50 workers: 1", "GNN645"),
    ):
        (tmp_path / "s.gnn").write_text(SPEC.replace("batch_size: 50", change), encoding="utf-8")
        assert {item.code for item in graphdsl.check(tmp_path / "s.gnn")} == {code}
    mixed = world()
    mixed[EDGE].train_mask = torch.arange(400) % 2 == 0
    mixed[EDGE].test_mask = ~mixed[EDGE].train_mask
    _, model, supervision, source = setup(mixed)
    with pytest.raises(SpecError, match="not in the order of time"):
        source.batches(wanted_rows(supervision, model.plan, "train"))
    data[EDGE].what[3] = 7
    _, model, supervision, source = setup(data)
    with pytest.raises(SpecError, match="is 7, which is none of 3 kinds"):
        source.batches(wanted_rows(supervision, model.plan, "train"))


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "world.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(world().to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("world.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--data", graph, "--out", run, "--baselines"]) == 0, capsys.readouterr().err
    assert "popularity" in capsys.readouterr().out
    best, out = str(tmp_path / "run" / "best.ckpt"), tmp_path / "p.csv"
    assert main(["evaluate", best, "--data", graph]) == 0
    assert main(["predict", best, "--data", graph, "--out", str(out), "--top", "3"]) == 0
    with out.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * 400
    assert list(rows[0]) == ["event", "rank", "target", "target_probability", "source", "source_probability"]
    assert [row["rank"] for row in rows[:4]] == ["1", "2", "3", "1"]
    assert float(rows[0]["target_probability"]) >= float(rows[1]["target_probability"]) > 0
    assert main(["predict", best, "--data", graph, "--out", str(tmp_path / "p.pt")]) == 0
    content = torch.load(tmp_path / "p.pt")[NAME]
    assert content["events"].tolist() == [event for event in range(400) for _ in range(10)]
    capsys.readouterr()
    (tmp_path / "pairs.csv").write_text("source,target\n0,1\n", encoding="utf-8")
    for asked in (["predict", best, "--pairs", str(tmp_path / "pairs.csv")], ["evaluate", best, "--top", "5"]):
        assert main([*asked, "--data", graph]) == 1
        assert "GNN204" in capsys.readouterr().err


def test_datasets_of_quadruples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of `ICEWS18`, some lines of each."""
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    for number, name in enumerate(("train", "valid", "test")):
        lines = [f"{item % 4}\t{item % 3}\t{(item + 1) % 4}\t{24 * (10 * number + item // 2)}\t0" for item in range(10)]
        (raw / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(ICEWS18, "splits", [0, 10, 20, 30])
    monkeypatch.chdir(tmp_path)
    text = SPEC.replace("what", "rel") + ' train again { data: pyg("ICEWS18", root = "data") batch_size: 8 epochs: 1 }'
    text = text.replace("train again", "model again amends renet {}\ntrain again")
    spec = graphdsl.loads(text, "world.gnn")
    data = load_source(spec.training("again").data, spec.schema("again"))
    store = data[EDGE]
    assert data["actor"].num_nodes == 23033
    assert [int(store[f"{name}_mask"].sum()) for name in ("train", "val", "test")] == [10, 10, 10]
    assert store.t[:4].tolist() == [0, 0, 1, 1]
    assert store.rel.max() == 2
    _, model, supervision, source = setup(data, text)
    assert {name: len(edges) for name, edges in supervision.links[NAME].edges.items()} == {
        "train": 10,
        "val": 10,
        "test": 10,
    }
    (batches,) = source.batches(wanted_rows(supervision, model.plan, "test"))
    assert forecasts_of(model, model.plan.heads[0], next(iter(batches))).shape == (20, 23033)
