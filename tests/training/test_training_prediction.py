"""Predictions for all nodes, and baselines on the same splits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from training_cases import Case, make_case

from graphdsl.text import SpecError
from graphdsl.training import (
    BatchSource,
    all_nodes,
    baselines,
    predict,
    read_supervision,
    run_baselines,
    write_predictions,
)


def predict_all(case: Case, batch_size: int | None = None, **options: object) -> list:
    case = case.with_(batch_size=batch_size)
    source = BatchSource(case.data, case.plan(), case.training, case.schema)
    return predict(case.compile(), case.plan(), source, all_nodes(case.data, case.plan()), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["class", "multilabel", "real"])
def test_predictions_are_the_models_outputs_for_every_node(kind: str) -> None:
    case = make_case(kind, values={"dropout": 0.5})
    (whole,) = predict_all(case)
    with torch.no_grad():
        expected = case.compile().eval()(case.data.x_dict, case.data.edge_index_dict)
    assert whole.nodes.tolist() == list(range(240))
    assert torch.allclose(whole.outputs, expected)
    (sampled,) = predict_all(case, 50)
    assert sampled.nodes.tolist() == list(range(240))
    assert torch.allclose(sampled.outputs, whole.outputs, atol=1e-5)


def test_prediction_leaves_the_model_as_it_was() -> None:
    case = make_case()
    model = case.compile()
    source = BatchSource(case.data, case.plan(), case.training, case.schema)
    some = {"user.y": torch.tensor([3, 9])}
    (found,) = predict(model, case.plan(), source, some)
    assert model.training
    assert found.nodes.tolist() == [3, 9]
    assert found.outputs.shape == (2, 3)


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("class", ["node", "class", "probability_0", "probability_1", "probability_2"]),
        ("multilabel", ["node", *(f"label_{i}" for i in range(3)), *(f"probability_{i}" for i in range(3))]),
        ("real", ["node", "value"]),
    ],
)
def test_tables_of_predictions(tmp_path: Path, kind: str, columns: list[str]) -> None:
    found = predict_all(make_case(kind))
    (path,) = write_predictions(found, tmp_path / "out.csv")
    table = pd.read_csv(path)
    assert list(table.columns) == columns
    assert len(table) == 240
    if kind == "class":
        chances = table[[f"probability_{i}" for i in range(3)]].to_numpy()
        assert np.allclose(chances.sum(1), 1, atol=1e-6)
        assert (chances.argmax(1) == table["class"]).all()


def test_tensors_of_predictions(tmp_path: Path) -> None:
    found = predict_all(make_case())
    (path,) = write_predictions(found, tmp_path / "out.pt")
    content = torch.load(path, weights_only=True)["user.y"]
    assert torch.equal(content["outputs"], found[0].outputs)
    assert torch.equal(content["class"], found[0].outputs.argmax(1))


def test_predictions_go_into_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError) as error:
        write_predictions(predict_all(make_case()), tmp_path / "file" / "out.csv")
    assert error.value.diagnostics[0].code == "GNN616"


def score(case: Case) -> dict[str, dict[str, float]]:
    supervision = read_supervision(case.data, case.plan().heads)
    return {item.name: dict(item.scores) for item in run_baselines(case.data, case.plan(), supervision)}


def test_baselines_of_classes_are_scikit_learns() -> None:
    case = make_case()
    data, found = case.data, score(case)
    assert list(found) == ["majority class", "own features", "ids over item -[bought_by]-> user"]
    y, train, test = (data["user"][key].numpy() for key in ("y", "train_mask", "test_mask"))
    assert found["majority class"]["accuracy"] == pytest.approx((y[test] == np.bincount(y[train]).argmax()).mean())
    ids = np.zeros((240, 60), np.float32)
    buyer, item = data["user", "buys", "item"].edge_index.numpy()
    ids[buyer, item] = 1
    model = LogisticRegression(max_iter=300).fit(ids[train], y[train])
    expected = model.score(ids[test], y[test])
    assert found["ids over item -[bought_by]-> user"]["accuracy"] == pytest.approx(expected)
    assert found["own features"]["accuracy"] < 0.6 < expected


def test_baselines_of_numbers_are_scikit_learns() -> None:
    case = make_case("real")
    data, found = case.data, score(case)
    y, train, test = (data["user"][key].numpy() for key in ("y", "train_mask", "test_mask"))
    assert found["mean"]["mae"] == pytest.approx(np.abs(y[test] - y[train].mean()).mean(), rel=1e-5)
    x = data["user"].x.numpy()
    x = (x - x[train].mean(0)) / x[train].std(0)
    expected = Ridge(alpha=1.0).fit(x[train], y[train]).predict(x[test])
    assert found["own features"]["mae"] == pytest.approx(np.abs(y[test] - expected).mean(), rel=1e-3)


def test_baselines_of_several_labels_and_of_two_classes() -> None:
    several, two = score(make_case("multilabel")), score(make_case("binary"))
    assert several["ids over item -[bought_by]-> user"]["f1_micro"] > several["majority class"]["f1_micro"]
    assert two["majority class"]["auroc"] == pytest.approx(0.5)
    assert two["ids over item -[bought_by]-> user"]["auroc"] > 0.9


def test_many_training_nodes_are_subsampled_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "LARGEST", 50)
    case = make_case()
    supervision = read_supervision(case.data, case.plan().heads)
    first, second, _ = run_baselines(case.data, case.plan(), supervision)
    assert first.note == ""
    assert second.note.startswith("fitted on 50 of 1")


def test_several_relations_are_also_taken_together() -> None:
    case = make_case()
    case.data["user", "knows", "user"].edge_index = torch.randint(240, (2, 500))
    assert list(score(case))[-1] == "one-hop ids"
