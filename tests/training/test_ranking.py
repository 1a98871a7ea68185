"""The best new targets of each source: PyG's metrics on a table made by hand, and the command."""

from pathlib import Path

import pytest
import torch
from link_cases import RATES, SPEC, make_links
from torch_geometric.metrics import LinkPredDiversity, LinkPredMAP, LinkPredNDCG, LinkPredRecall

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.data.hiding import without_edges
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, find_ends, rank_links, read_supervision

NAME = "user -[rates]-> film"


@pytest.mark.parametrize("split", ["val", "test"])
def test_ranks_are_those_of_a_table_of_all_scores(split: str) -> None:
    data, spec = make_links(), graphdsl.loads(SPEC, "shop.gnn")
    torch.manual_seed(0)
    model, training, schema = spec.compile("m", data=data), spec.training("m"), spec.schema("m")
    supervision = read_supervision(data, model.plan.heads, False, schema, training)
    source = BatchSource(data, model.plan, training, schema)
    (head,) = model.plan.link_heads
    ends, genre, wish = find_ends(data, head, schema), torch.arange(60) % 4, data[RATES].stars.abs() + 0.5
    found = rank_links(model, source, supervision, head, ends, split, 7, torch.device("cpu"), genre, wish)
    links = supervision.links[NAME]
    inputs = batch_inputs(without_edges(data, supervision.graph(split).kept), model.plan)
    with torch.no_grad():
        h = model.eval().encode(**inputs, prediction=NAME)
    scores = h["user"] @ h["film"].T
    later = ["test"] if split == "test" else ["val", "test"]
    known = torch.ones(links.edge_index.size(1), dtype=torch.bool)
    for name in later:
        known[links.edges[name]] = False
    scores[links.edge_index[0, known], links.edge_index[1, known]] = -torch.inf
    truth = links.edge_index[:, links.edges[split]].unique(dim=1)
    rows, row = truth[0].unique(return_inverse=True)
    table = scores[rows].topk(7).indices
    for name, metric in (("recall", LinkPredRecall(7)), ("map", LinkPredMAP(7)), ("ndcg", LinkPredNDCG(7))):
        metric.update(table, torch.stack([row, truth[1]]))
        assert found[f"{name}@7"] == pytest.approx(float(metric.compute()), abs=1e-6)
    diversity = LinkPredDiversity(7, genre)
    diversity.update(table, torch.stack([row, truth[1]]))
    assert found["diversity@7"] == pytest.approx(float(diversity.compute()), abs=1e-6)
    gain = torch.stack([wish[(links.edge_index == pair.unsqueeze(1)).all(0)].sum() for pair in truth.T])
    for name, metric in (("weighted_recall", LinkPredRecall(7, True)), ("weighted_ndcg", LinkPredNDCG(7, True))):
        metric.update(table, torch.stack([row, truth[1]]), gain)
        assert found[f"{name}@7"] == pytest.approx(float(metric.compute()), abs=1e-5)
    assert found["coverage@7"] == pytest.approx(len(table.unique()) / 60)
    popularity = torch.bincount(links.edge_index[1, known], minlength=60).float()
    assert found["average_popularity@7"] == pytest.approx(float(popularity[table].mean()), rel=1e-5)
    assert 0 <= found["personalization@7"] <= 1
    assert data[RATES].edge_index.size(1) == links.edge_index.size(1)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(make_links().to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("shop.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--model", "m", "--data", graph, "--out", run, "--epochs", "2"]) == 0
    best = str(tmp_path / "run" / "best.ckpt")
    capsys.readouterr()
    assert main(["evaluate", best, "--data", graph, "--top", "5", "--format", "json"]) == 0
    said = capsys.readouterr().out
    assert '"test_ndcg@5"' in said
    assert '"val_hit_ratio@5"' in said
    assert '"train_ndcg@5"' not in said
    assert main(["evaluate", best, "--data", graph, "--top", "0"]) == 1
    assert "at least 1" in capsys.readouterr().err


def test_categories_and_weights_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_links()
    data["film"].genre, data["film"].price = torch.arange(60) % 4, torch.rand(60)
    data[RATES].wish, data[RATES].sign = torch.rand(data[RATES].num_edges) + 0.1, torch.zeros(data[RATES].num_edges)
    (tmp_path / "shop.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(data.to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("shop.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--model", "m", "--data", graph, "--out", run, "--epochs", "1"]) == 0
    asked = ["evaluate", str(tmp_path / "run" / "best.ckpt"), "--data", graph]
    capsys.readouterr()
    assert main([*asked, "--top", "5", "--category", "genre", "--weight", "wish", "--format", "json"]) == 0
    said = capsys.readouterr().out
    assert all(f'"test_{name}@5"' in said for name in ("diversity", "weighted_recall", "weighted_ndcg", "recall"))
    assert main([*asked, "--top", "1", "--category", "genre", "--format", "json"]) == 0
    assert "diversity" not in capsys.readouterr().out
    for more, wanted in (
        (["--category", "genre"], "add `--top 10`"),
        (["--top", "5", "--category", "gener"], "did you mean `genre`"),
        (["--top", "5", "--category", "price"], "one whole number for each `film`, and `price` is float32 [60]"),
        (["--top", "5", "--weight", "sign"], "one positive number for each edge"),
        (["--top", "5", "--weight", "wihs"], "did you mean `wish`"),
    ):
        assert main([*asked, *more]) == 1
        assert wanted in capsys.readouterr().err, more
