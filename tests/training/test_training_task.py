"""Losses and metrics against torch and scikit-learn; which nodes count."""

import numpy as np
import pytest
import sklearn.metrics as reference
import torch
from torch_geometric.data import HeteroData
from training_cases import LABELS, SPEC, make_case, make_graph

import graphdsl
from graphdsl.plan import Head
from graphdsl.text import SpecError
from graphdsl.training import read_supervision
from graphdsl.training.objective import Task
from graphdsl.training.scores import Scores
from graphdsl.training.task import head_task


def make_head(label: str) -> Head:
    spec = graphdsl.loads(SPEC.format(label=label), "shop.gnn")
    return spec.plan("m").heads[0]


def scores_of(label: str, outputs: torch.Tensor, labels: torch.Tensor, parts: int = 3) -> dict[str, float]:
    task = head_task(make_head(label))
    scores = Scores(task)
    for some, wanted in zip(outputs.chunk(parts), task.conform(labels).chunk(parts), strict=True):
        scores.update(some, wanted)
    return scores.compute()


def test_class_metrics_equal_scikit_learn() -> None:
    outputs, labels = torch.randn(60, 4), torch.randint(4, (60,))
    found = scores_of("class[4]", outputs, labels)
    predicted = outputs.argmax(1)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(labels, predicted))
    assert found["f1_macro"] == pytest.approx(reference.f1_score(labels, predicted, average="macro"))
    assert set(found) == {"accuracy", "f1_macro"}


def test_two_class_metrics_equal_scikit_learn() -> None:
    outputs, labels = torch.randn(60, 2), torch.randint(2, (60,))
    found = scores_of("class[2]", outputs, labels)
    chance = outputs.softmax(1)[:, 1]
    assert found["auroc"] == pytest.approx(reference.roc_auc_score(labels, chance), rel=1e-5)
    assert found["average_precision"] == pytest.approx(reference.average_precision_score(labels, chance), rel=1e-5)
    assert found["f1_macro"] == pytest.approx(reference.f1_score(labels, outputs.argmax(1), average="macro"))


def test_multilabel_metrics_equal_scikit_learn_and_skip_unknown_labels() -> None:
    outputs, labels = torch.randn(60, 3), torch.randint(2, (60, 3)).float()
    found = scores_of("multilabel[3]", outputs, labels)
    predicted = (outputs > 0).int()
    assert found["f1_micro"] == pytest.approx(reference.f1_score(labels, predicted, average="micro"))
    assert found["f1_macro"] == pytest.approx(reference.f1_score(labels, predicted, average="macro"))
    assert found["auroc"] == pytest.approx(reference.roc_auc_score(labels, outputs, average="macro"), rel=1e-5)
    labels[:20, 0] = float("nan")
    masked = scores_of("multilabel[3]", outputs, labels)
    known = ~labels.isnan()
    expected = reference.f1_score(labels[known], predicted[known])
    assert masked["f1_micro"] == pytest.approx(expected)


def test_real_metrics_equal_scikit_learn_where_means_are_large() -> None:
    labels = torch.randn(90, 2, dtype=torch.float64) + 1000
    outputs = labels + 0.5 * torch.randn(90, 2, dtype=torch.float64)
    found = scores_of("real[2]", outputs.float(), labels.float())
    assert found["rmse"] == pytest.approx(np.sqrt(reference.mean_squared_error(labels, outputs)), rel=1e-3)
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(labels, outputs), rel=1e-3)
    assert found["r2"] == pytest.approx(reference.r2_score(labels, outputs), rel=1e-2)


def test_real_rows_may_miss_numbers() -> None:
    labels = torch.tensor([[1.0, float("nan")], [2.0, 4.0], [3.0, 5.0]])
    outputs = torch.tensor([[1.0, 9.0], [2.0, 5.0], [4.0, 5.0]])
    found = scores_of("real[2]", outputs, labels, parts=1)
    assert found["mae"] == pytest.approx(2 / 5)
    assert found["r2"] == pytest.approx(reference.r2_score(labels[1:], outputs[1:]))
    term = head_task(make_head("real[2]")).loss(outputs, labels)
    assert (float(term.total), float(term.weight)) == (2.0, 5.0)


def test_metrics_without_meaning_are_nan() -> None:
    ones = torch.ones(5, dtype=torch.long)
    assert np.isnan(scores_of("class[2]", torch.randn(5, 2), ones, 1)["auroc"])
    assert np.isnan(scores_of("class[2]", torch.randn(5, 2), 0 * ones, 1)["average_precision"])
    assert np.isnan(scores_of("real", torch.randn(1, 1), torch.randn(1), 1)["r2"])
    nothing = scores_of("class[3]", torch.randn(0, 3), ones[:0], 1)
    assert all(np.isnan(value) for value in nothing.values())


def test_computing_forgets() -> None:
    task = head_task(make_head("class[2]"))
    scores = Scores(task)
    scores.update(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([1, 0]))
    assert scores.compute()["accuracy"] == 1.0
    scores.update(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    assert scores.compute()["accuracy"] == 0.0


@pytest.mark.parametrize("weights", [False, True])
def test_class_loss_is_torchs(weights: bool) -> None:
    outputs, labels = torch.randn(30, 3), torch.cat([torch.arange(3), torch.randint(3, (27,))])
    task = head_task(make_head("class[3]"), labels if weights else None)
    term = task.loss(outputs, labels)
    given = task.class_weights if weights else None  # type: ignore[attr-defined]
    assert torch.allclose(term.total / term.weight, torch.nn.functional.cross_entropy(outputs, labels, given))


def test_a_class_that_does_not_occur_weighs_nothing() -> None:
    task = head_task(make_head("class[3]"), torch.tensor([0, 0, 1]))
    assert task.class_weights.tolist() == pytest.approx([0.5, 1.0, 0.0])  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", LABELS)
def test_unlabelled_nodes_are_in_no_split(kind: str) -> None:
    case = make_case(kind)
    data = case.data
    unlabelled = data["user"].train_mask.nonzero()[:5, 0]
    before = read_supervision(data, case.plan().heads).targets["user.y"].nodes["train"]
    data["user"].y[unlabelled] = -1 if kind in ("class", "binary") else float("nan")
    after = read_supervision(data, case.plan().heads).targets["user.y"].nodes["train"]
    assert sorted({*before.tolist()} - {*after.tolist()}) == unlabelled.tolist()


def supervise(data: HeteroData) -> list:
    case = make_case()
    with pytest.raises(SpecError) as error:
        read_supervision(data, case.plan().heads, schema=case.schema)
    return list(error.value.diagnostics)


def test_a_missing_training_split_is_located() -> None:
    data = make_graph()
    del data["user"].train_mask
    (found,) = supervise(data)
    assert (found.code, found.where) == ("GNN613", "user.train_mask")
    assert "predict user.y" in SPEC.splitlines()[found.primary.span.line - 1]
    assert [label.text for label in found.labels] == ["predicted here", "declared here"]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_an_empty_split_is_located(split: str) -> None:
    data = make_graph()
    data["user"][f"{split}_mask"][:] = False
    (found,) = supervise(data)
    assert (found.code, found.where) == ("GNN613", f"user.{split}_mask")
    assert found.message == f"`user.{split}_mask` selects no node"


def test_a_split_of_unlabelled_nodes_is_empty() -> None:
    data = make_graph()
    data["user"].y[data["user"].val_mask] = -1
    (found,) = supervise(data)
    assert "none of which has a label" in found.message


def test_missing_labels_and_short_masks_are_found() -> None:
    data = make_graph()
    data["user"].val_mask = data["user"].val_mask[:-1]
    assert [item.code for item in supervise(data)] == ["GNN607"]
    del data["user"].y
    assert [item.code for item in supervise(data)] == ["GNN603"]


def test_metrics_of_several_predictions_bear_their_names() -> None:
    head = make_head("class[2]")
    one, two = Task([head_task(head)]), Task([head_task(head), head_task(head)])
    assert one.names("val") == ("val_loss", "val_accuracy", "val_f1_macro", "val_auroc", "val_average_precision")
    assert "val_user.y_auroc" in two.names("val")
    assert "val_user.y_loss" in two.names("val")


@pytest.mark.parametrize(("name", "mode"), [("val_loss", "min"), ("val_accuracy", "max"), ("train_loss", "min")])
def test_a_monitor_knows_its_direction(name: str, mode: str) -> None:
    monitor = Task([head_task(make_head("class[3]"))]).monitor(name, has_validation=True)
    assert monitor is not None
    assert monitor.mode == mode
    assert monitor.is_better(2.0, 1.0) == (mode == "max")
    assert not monitor.is_better(float("nan"), None)
