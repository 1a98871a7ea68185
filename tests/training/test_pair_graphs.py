"""Scorers that read the graph: steps of some pairs on the whole graph, and the commands."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, read_supervision
from graphdsl.training.module import wanted_rows

SPEC = """
schema papers {
  node paper { x: float[8] }
  edge paper -[cites]-> paper
}
model near on papers {
  predict paper -[cites]-> paper: lpformer(16, gnn_dropout = 0.0, transformer_dropout = 0.0)
}
train near { batch_size: 40  epochs: 4  optimizer: Adam(lr = 0.01)  split: [0.7, 0.15, 0.15] }
"""
EDGE = ("paper", "cites", "paper")
NAME = "paper -[cites]-> paper"


def papers() -> HeteroData:
    """Four groups that cite each other much more than others."""
    g = torch.Generator().manual_seed(1)
    group = torch.randint(4, (60,), generator=g)
    chance = torch.where(group[:, None] == group[None, :], 0.35, 0.01)
    data = HeteroData()
    data["paper"].x = torch.randn(60, 8, generator=g)
    data[EDGE].edge_index = (torch.rand(60, 60, generator=g) < chance).triu(1).nonzero().t().contiguous()
    return data


def test_steps_ask_for_every_edge_once_and_read_the_whole_graph() -> None:
    spec, data = graphdsl.loads(SPEC), papers()
    plan, training = spec.plan("near"), spec.training("near")
    supervision = read_supervision(data, plan.heads, schema=spec.schema(), training=training)
    source = BatchSource(data, plan, training, spec.schema())
    (batches,) = source.batches(wanted_rows(supervision, plan, "train"), graph=supervision.graph("train"), shuffle=True)
    targets = supervision.links[NAME]
    train = targets.edges["train"]
    for epoch in (0, 1):
        batches.epoch = epoch
        steps = list(batches)
        assert len(steps) == len(batches) == -(-len(train) // 40)
        assert sorted(torch.cat([step.nodes[NAME] for step in steps]).tolist()) == sorted(train.tolist())
        for step in steps:
            pairs = step.inputs["edge_label_index"][NAME]
            asked = step.nodes[NAME]
            assert torch.equal(pairs[:, : len(asked)], targets.edge_index[:, asked])
            assert step.labels[NAME].tolist() == [[1, 0]] * len(asked)
            assert step.inputs["edge_index_dict"][EDGE].size(1) == len(train)


def test_a_step_does_not_see_the_edges_that_it_asks_for() -> None:
    """Scores in training are those on the graph without them, whatever was there."""
    spec, data = graphdsl.loads(SPEC), papers()
    torch.manual_seed(0)
    model: Any = spec.compile("near")
    edges = data[EDGE].edge_index
    asked, rest = edges[:, :30], edges[:, 30:]
    # PageRank is that of the graph, as in PyG's example: here of the same one on both sides.
    ranks = model.heads["paper__cites__paper"]._rank(edges, 60)
    model.heads["paper__cites__paper"]._rank = lambda *_: ranks
    inputs = {"x_dict": {"paper": data["paper"].x}}
    seen = model.train()(**inputs, edge_index_dict={EDGE: edges}, edge_label_index=asked)
    hidden = model(**inputs, edge_index_dict={EDGE: rest}, edge_label_index=asked)
    torch.testing.assert_close(seen, hidden)
    with torch.no_grad():
        shown = model.eval()(**inputs, edge_index_dict={EDGE: edges}, edge_label_index=asked)
    assert not torch.allclose(seen, shown)


def test_encode_and_score_are_one_pass() -> None:
    spec, data = graphdsl.loads(SPEC), papers()
    model = spec.compile("near").eval()
    inputs, pairs = batch_inputs(data, model.plan), torch.randint(60, (2, 25))
    h = model.encode(**inputs, prediction=NAME)
    assert h["paper"].shape == (60, 17)
    torch.testing.assert_close(model.score(h, NAME, pairs), model(**inputs, edge_label_index=pairs))


def test_the_commands(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "near.gnn").write_text(SPEC)
    here = str(Path(__file__).parent)
    (tmp_path / "make.py").write_text(
        f"import sys\nsys.path.insert(0, {here!r})\nfrom test_pair_graphs import papers\n"
    )
    data = ["--data", "make.py:papers", "--accelerator", "cpu"]
    assert main(["train", "near.gnn", "--out", "run", *data]) == 0
    assert "batches of 40 edges, on the whole graph" in capsys.readouterr().out
    scores = json.loads((tmp_path / "run" / "result.json").read_text())["runs"][0]["metrics"]
    assert scores["test_auroc"] > 0.7
    checkpoint = str(tmp_path / "run" / "best.ckpt")
    assert main(["evaluate", checkpoint, *data, "--top", "5", "--format", "json"]) == 0
    measured = json.loads(capsys.readouterr().out)["test"]
    assert measured["test_auroc"] == pytest.approx(scores["test_auroc"], abs=1e-6)
    assert 0 < measured["test_recall@5"] <= 1
    assert main(["predict", checkpoint, *data, "--top", "2", "--output", "new.csv"]) == 0
    with (tmp_path / "new.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 120
    known = set(map(tuple, papers()[EDGE].edge_index.t().tolist()))
    assert not known & {(int(row["source"]), int(row["target"])) for row in rows}


def test_settings_that_leave_no_edge() -> None:
    spec = graphdsl.loads(SPEC)
    plan, training = spec.plan("near"), spec.training("near")
    with pytest.raises(SpecError, match="a step asks for all"):
        BatchSource(papers(), plan, replace(training, batch_size=None), spec.schema())
    BatchSource(papers(), plan, replace(training, batch_size=None, disjoint=0.3), spec.schema())
