"""Scores of given pairs and the best new links, as tables."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from link_cases import KNOWS, RATES, SPEC, make_links, pairs

import graphdsl
from graphdsl.model import Training
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, find_ends, link_prediction, predict_pairs, predict_top

CPU = torch.device("cpu")
TRAIN = """
train m { data: "graph.pt"  epochs: 3 }
train stars { data: "graph.pt"  epochs: 2 }
"""


def prepared(model: str, **settings):
    data, spec = make_links(), graphdsl.loads(SPEC, "shop.gnn")
    torch.manual_seed(0)
    compiled, schema = spec.compile(model, data=data).eval(), spec.schema(model)
    (head,) = compiled.plan.link_heads
    source = BatchSource(data, compiled.plan, Training(model, **{"fanout": (-1,), **settings}), schema)
    return data, compiled, source, head, find_ends(data, head, schema)


@pytest.mark.parametrize(("model", "relation"), [("m", RATES), ("friends", KNOWS)])
def test_the_best_new_links_are_those_of_all_pairs(model: str, relation, monkeypatch) -> None:
    data, compiled, source, head, ends = prepared(model)
    monkeypatch.setattr(link_prediction, "NUMBERS_AT_ONCE", 7 * ends.targets)  # several chunks
    found = predict_top(compiled, source, head, ends, 4, CPU)
    every = torch.cartesian_prod(torch.arange(ends.sources), torch.arange(ends.targets)).t()
    with torch.no_grad():
        scores = compiled(**batch_inputs(data, compiled), edge_label_index=every).reshape(ends.sources, ends.targets)
    known = pairs(data[relation].edge_index)
    expected = []
    for user in range(ends.sources):
        order = scores[user].argsort(descending=True).tolist()
        new = [item for item in order if (user, item) not in known and (relation[0] != relation[2] or item != user)]
        expected += [(user, item) for item in new[:4]]
    assert [tuple(pair) for pair in found.pairs.t().tolist()] == expected
    torch.testing.assert_close(found.decisions["score"], scores[found.pairs[0], found.pairs[1]])


def batch_inputs(data, compiled):
    from graphdsl.data import batch_inputs

    return batch_inputs(data, compiled.plan)


def test_sampled_predictions_are_those_of_the_whole_graph() -> None:
    found = []
    for size in (None, 40):
        _, compiled, source, head, ends = prepared("stars", batch_size=size)
        found.append(predict_pairs(compiled, source, head, ends, ends.edges[:, :50], CPU).outputs)
    torch.testing.assert_close(*found)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "shop.gnn").write_text(SPEC + TRAIN)
    torch.save(make_links().to_dict(), tmp_path / "graph.pt")
    return tmp_path


def test_train_evaluate_predict_links(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "shop.gnn", "--model", "m", "--out", "run", "--baselines"]) == 0
    out = capsys.readouterr().out
    assert "predicts user -[rates]-> film" in out
    assert "test edges, user -[rates]-> film" in out
    assert "target popularity" in out
    assert main(["evaluate", "run/best.ckpt"]) == 0
    assert "auroc" in capsys.readouterr().out

    assert main(["predict", "run/best.ckpt", "--top", "2", "--output", "top.csv"]) == 0
    top = pd.read_csv("top.csv")
    assert list(top) == ["source", "target", "score", "probability"]
    assert list(top.source) == [user for user in range(150) for _ in range(2)]
    Path("pairs.csv").write_text("source,target\n3,5\n0,59\n3,5\n")
    assert main(["predict", "run/best.ckpt", "--pairs", "pairs.csv", "--output", "some.csv"]) == 0
    some = pd.read_csv("some.csv")
    assert some[["source", "target"]].to_numpy().tolist() == [[3, 5], [0, 59], [3, 5]]
    assert some.score[0] == some.score[2]
    assert main(["predict", "run/best.ckpt", "--top", "1", "--output", "top.pt"]) == 0
    content = torch.load("top.pt", weights_only=True)["user -[rates]-> film"]
    assert content["pairs"].shape == (2, 150)


def test_labels_of_edges_are_predicted_for_every_edge(folder: Path) -> None:
    assert main(["train", "shop.gnn", "--model", "stars", "--out", "run"]) == 0
    assert main(["predict", "run/best.ckpt", "--output", "stars.csv"]) == 0
    table = pd.read_csv("stars.csv")
    assert list(table) == ["source", "target", "value"]
    data = make_links()
    assert len(table) == data[RATES].num_edges


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,film\n1,2\n", "it has no column `source`"),
        ("source,target\n1,x\n", "`target` holds something else than whole numbers"),
        ("source,target\n1,2\n150,0\n", "line 3: 150 is no `user`, whose numbers are 0 to 149"),
        ("", "no columns to parse"),
    ],
)
def test_pairs_that_cannot_be_read_are_findings(folder: Path, capsys, text: str, said: str) -> None:
    assert main(["train", "shop.gnn", "--model", "m", "--out", "run", "--epochs", "1"]) == 0
    Path("pairs.csv").write_text(text)
    assert main(["predict", "run/best.ckpt", "--pairs", "pairs.csv"]) == 1
    err = capsys.readouterr().err
    assert "GNN611" in err
    assert said in err


def test_wrong_options_are_findings(folder: Path, capsys) -> None:
    assert main(["train", "shop.gnn", "--model", "m", "--out", "run", "--epochs", "1"]) == 0
    assert main(["predict", "run/best.ckpt", "--pairs", "none.csv"]) == 1
    assert "no such file" in capsys.readouterr().err
    assert main(["predict", "run/best.ckpt", "--only", "user -[rate]-> film"]) == 1
    assert "did you mean `user -[rates]-> film`?" in capsys.readouterr().err
    assert main(["predict", "run/best.ckpt", "--pairs", "x.csv", "--top", "3"]) == 2
