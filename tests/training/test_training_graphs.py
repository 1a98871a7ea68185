"""Training predictions of whole graphs: splits, batches, commands, and a set of graphs that must be learnt."""

import json

import pytest
import torch
from graph_cases import PARTIES, SHAPES, shapes, votes

import graphdsl
from graphdsl.data import GraphSet
from graphdsl.model import Training
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, all_nodes, predict, read_supervision

FUNCTIONS = "import sys\nsys.path.insert(0, {folder!r})\nfrom graph_cases import shapes, votes\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    from pathlib import Path

    (tmp_path / "shapes.gnn").write_text(SHAPES)
    (tmp_path / "votes.gnn").write_text(PARTIES)
    (tmp_path / "make.py").write_text(FUNCTIONS.format(folder=str(Path(__file__).parent)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("model", "batches"), [("pooled", 5), ("typed", 1)])
def test_stars_and_paths_are_told_apart(folder, model: str, batches: int) -> None:
    arguments = ["train", "shapes.gnn", "--model", model, "--data", "make.py:shapes", "--out", "run", "--baselines"]
    assert main([*arguments, "--accelerator", "cpu"]) == 0
    result = json.loads((folder / "run" / "result.json").read_text())
    majority = next(item for item in result["baselines"] if item["name"] == "majority class")
    assert result["runs"][0]["metrics"]["test_accuracy"] > 0.9
    assert majority["metrics"]["accuracy"] < 0.7
    assert {item["name"] for item in result["baselines"]} == {
        "majority class",
        "numbers of nodes and edges",
        "mean features",
    }


def test_types_that_some_graphs_lack(folder, capsys) -> None:
    assert main(["train", "votes.gnn", "--data", "make.py:votes", "--out", "run", "--accelerator", "cpu"]) == 0
    metrics = json.loads((folder / "run" / "result.json").read_text())["runs"][0]["metrics"]
    assert metrics["val_graph.y_auroc"] > 0.8
    assert metrics["test_graph.margin_rmse"] < 0.4
    assert "test graphs, graph.y" in capsys.readouterr().out
    checkpoint = str(folder / "run" / "best.ckpt")
    assert main(["evaluate", checkpoint, "--data", "make.py:votes", "--format", "json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["test"]["test_graph.margin_rmse"] == pytest.approx(metrics["test_graph.margin_rmse"], abs=1e-6)
    assert main(["predict", checkpoint, "--data", "make.py:votes", "--only", "graph.y", "--output", "y.csv"]) == 0
    lines = (folder / "y.csv").read_text().splitlines()
    assert lines[0] == "graph,class,probability_0,probability_1"
    assert len(lines) == 61


def test_masks_of_graphs_decide() -> None:
    spec = graphdsl.loads(PARTIES)
    plan = spec.plan("m", data=votes())
    found = read_supervision(votes(), plan.heads, schema=spec.schema())
    nodes = found.targets["graph.y"].nodes
    assert {split: (int(item[0]), int(item[-1])) for split, item in nodes.items()} == {
        "train": (0, 39),
        "val": (40, 49),
        "test": (50, 59),
    }


@pytest.mark.parametrize(
    ("shares", "sizes"), [((0.6, 0.2, 0.2), [72, 24, 24]), ((0.75, 0.25), [90, 30]), ((0.5, 0.0, 0.5), [60, 60])]
)
def test_shares_split_all_labelled_graphs(shares, sizes) -> None:
    spec = graphdsl.loads(SHAPES)
    plan = spec.plan("pooled")
    training = Training("pooled", split=shares)
    found = [read_supervision(shapes(), plan.heads, schema=spec.schema(), training=training) for _ in range(2)]
    nodes = [item.targets["graph.y"].nodes for item in found]
    assert [len(item) for item in nodes[0].values()] == sizes
    assert all(torch.equal(nodes[0][split], nodes[1][split]) for split in nodes[0])
    assert torch.cat(list(nodes[0].values())).sort().values.tolist() == list(range(120))


def test_unlabelled_graphs_are_in_no_split() -> None:
    spec, graphs = graphdsl.loads(SHAPES), shapes(20)
    graphs[3].y = torch.tensor([-1])
    found = read_supervision(graphs, spec.plan("pooled").heads, schema=spec.schema())
    assert 3 not in torch.cat(list(found.targets["graph.y"].nodes.values()))


def test_too_few_graphs_for_a_split() -> None:
    spec = graphdsl.loads(SHAPES)
    with pytest.raises(SpecError) as failed:
        read_supervision(shapes(2), spec.plan("pooled").heads, schema=spec.schema())
    assert {item.code for item in failed.value.diagnostics} == {"GNN613"}


@pytest.mark.parametrize("model", ["pooled", "typed"])
def test_predictions_do_not_depend_on_the_batches(model: str) -> None:
    torch.manual_seed(0)
    spec, graphs = graphdsl.loads(SHAPES), shapes(13)
    data = GraphSet(graphs, spec.schema())
    compiled = spec.compile(model, data=data).eval()
    outputs = []
    for size in (None, 1, 5):
        source = BatchSource(data, compiled.plan, Training(model, batch_size=size), spec.schema())
        (found,) = predict(compiled, compiled.plan, source, all_nodes(data, compiled.plan))
        assert found.nodes.tolist() == list(range(13))
        outputs.append(found.outputs)
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(outputs[0], outputs[2])


def test_processes_share_the_graphs_of_a_batch() -> None:
    from graphdsl.training.batch import Share
    from graphdsl.training.batches import Wanted

    spec = graphdsl.loads(SHAPES)
    data = GraphSet(shapes(11), spec.schema())
    plan = spec.plan("pooled", data=data)
    source = BatchSource(data, plan, Training("pooled", batch_size=4), spec.schema())
    wanted = {"graph.y": Wanted("graph", torch.arange(11), data.values("y"))}
    seen = [
        batch.nodes["graph.y"].tolist()
        for rank in range(2)
        for batches in source.batches(wanted, shuffle=True, share=Share(rank, 2))
        for batch in batches
    ]
    assert sorted(number for batch in seen for number in batch) == list(range(11))


def test_sequential_models_of_nodes_train_on_the_whole_graph(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.gnn").write_text("""
schema s {
  node a { x: float[2], y: class[2], train_mask: mask, val_mask: mask }
  edge a -[r]-> a
}
model m on s {
  sequential x, edge_index { GCNConv(8): x, edge_index -> x  relu  GCNConv(2): x, edge_index -> x }
}
train m { data: "graph.pt"  epochs: 40  optimizer: Adam(lr = 0.05) }
""")
    from torch_geometric.data import Data

    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(40) < 30
    edges = torch.stack([torch.arange(40), torch.arange(40)])
    torch.save(Data(x=x, edge_index=edges, y=(x[:, 0] > 0).long(), train_mask=mask, val_mask=~mask), "graph.pt")
    assert main(["train", "s.gnn", "--out", "run", "--accelerator", "cpu"]) == 0
    metrics = json.loads((tmp_path / "run" / "result.json").read_text())["runs"][0]["metrics"]
    assert metrics["val_accuracy"] > 0.8
    assert main(["train", "s.gnn", "--out", "other", "--accelerator", "cpu", "--batch-size", "8"]) == 1


def test_plan_with_data_counts_the_edges_of_all_graphs(folder, capsys) -> None:
    assert main(["plan", "votes.gnn", "--data", "make.py:votes"]) == 0
    joins = sum(graph["person", "joins", "club"].edge_index.size(1) for graph in votes() if "club" in graph.node_types)
    assert f"person -[joins]-> club    data     {joins}" in capsys.readouterr().out


def test_layers_show_their_headers(capsys) -> None:
    assert main(["layers", "TopKPooling"]) == 0
    assert (
        "  usually              x, edge_index, none, batch -> x, edge_index, _, batch, _, _" in capsys.readouterr().out
    )
    assert main(["layers", "TopKPooling", "--json"]) == 0
    header = json.loads(capsys.readouterr().out)["header"]
    assert [item["name"] for item in header["takes"]] == ["x", "edge_index", "edge_attr", "batch", "attn"]


def test_labels_of_nodes_beside_attributes_of_the_graph(tmp_path, monkeypatch, capsys) -> None:
    """A schema may say what a graph carries, and a model predict nodes of one graph."""
    from torch_geometric.data import HeteroData

    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.gnn").write_text("""
schema s { node a { x: float[2], y: class[2], train_mask: mask } edge a -[r]-> a  graph { z: real? } }
model m on s { edges { r: GCNConv(4) } | relu  predict a.y }
train m { epochs: 2 }
""")
    graph = HeteroData()
    graph["a"].x, graph["a"].y = torch.randn(6, 2), torch.tensor([0, 1] * 3)
    graph["a"].train_mask = torch.ones(6, dtype=torch.bool)
    graph["a", "r", "a"].edge_index = torch.zeros(2, 1, dtype=torch.long)
    torch.save(graph, "one.pt")
    torch.save([graph, graph], "two.pt")
    arguments = ["train", "s.gnn", "--out", "run", "--accelerator", "cpu"]
    assert main([*arguments, "--data", "one.pt", "--baselines"]) == 0
    assert main([*arguments[:2], "--out", "both", "--data", "two.pt", "--accelerator", "cpu"]) == 0
    assert "train 12" in capsys.readouterr().out


def test_graphs_and_nodes_are_not_trained_together() -> None:
    spec = graphdsl.loads("""
schema s { node a { x: float[2], y: class[2] } edge a -[r]-> a  graph { y: class[2] } }
model m on s { edges { r: GCNConv(4) } | relu  predict a.y  predict graph.y from a }
""")
    with pytest.raises(SpecError) as failed:
        read_supervision(shapes(3), spec.plan("m").heads, schema=spec.schema())
    assert [item.code for item in failed.value.diagnostics] == ["GNN631"]
