"""Models learn what only neighbours tell; runs are reproducible and can be resumed."""

from pathlib import Path

import pytest
import torch
from torch_geometric.data import HeteroData
from training_cases import SPEC, make_case, make_graph, read_curve

from graphdsl.model import ClassUse
from graphdsl.text import SpecError
from graphdsl.training import BatchSource, Machines, evaluate, read_checkpoint, read_supervision


def codes(error: pytest.ExceptionInfo[SpecError]) -> list[str]:
    return [item.code for item in error.value.diagnostics]


@pytest.mark.parametrize("batch_size", [None, 32])
def test_learns_classes_that_only_neighbours_tell(tmp_path: Path, batch_size: int | None) -> None:
    case = make_case("class", batch_size=batch_size, epochs=30 if batch_size is None else 10)
    model = case.compile()
    done = case.fit(tmp_path, model)
    majority = 0.45
    assert done.metrics["val_accuracy"] > 0.85 > majority
    supervision = read_supervision(case.data, done_heads(case))
    source = BatchSource(case.data, case.plan(), case.training, case.schema)
    found = evaluate(model, case.plan(), source, supervision)
    assert found["test"]["test_accuracy"] > 0.85
    # The model ends with the weights of the best epoch, whose metrics the checkpoint tells.
    assert found["val"]["val_accuracy"] == pytest.approx(done.metrics["val_accuracy"])
    assert found["val"]["val_loss"] == pytest.approx(done.metrics["val_loss"], rel=1e-5)


def done_heads(case: object) -> tuple:
    return case.plan().heads  # type: ignore[attr-defined]


def test_learns_two_classes_by_auroc(tmp_path: Path) -> None:
    done = make_case("binary").fit(tmp_path)
    assert done.monitor is not None
    assert (done.monitor.name, done.monitor.mode) == ("val_auroc", "max")
    assert done.metrics["val_auroc"] > 0.9
    assert done.metrics["val_average_precision"] > 0.8


def test_learns_several_labels(tmp_path: Path) -> None:
    done = make_case("multilabel", epochs=40).fit(tmp_path)
    assert done.monitor is not None
    assert done.monitor.name == "val_f1_micro"
    assert done.metrics["val_f1_micro"] > 0.8
    assert {"val_f1_macro", "val_auroc"} <= set(done.metrics)


def test_learns_numbers(tmp_path: Path) -> None:
    case = make_case("real", epochs=60)
    case.data["user"].y[:20] = float("nan")
    done = case.fit(tmp_path)
    assert done.monitor is not None
    assert (done.monitor.name, done.monitor.mode) == ("val_rmse", "min")
    assert done.metrics["val_r2"] > 0.5
    assert done.metrics["val_rmse"] == pytest.approx(done.metrics["val_loss"] ** 0.5, rel=1e-4)


TWO = SPEC.replace(
    "node item {{ x: float[5] }}", "node item {{ x: float[5], z: real, train_mask: mask, val_mask: mask }}"
)
TWO = TWO.replace("predict user.y", "predict user.y\n  predict item.z weight 0.5")


def two_task_data() -> object:
    data = make_graph("class")
    data["item"].z = data["item"].x[:, 0] * 2
    data["item"].train_mask = torch.arange(60) < 40
    data["item"].val_mask = torch.arange(60) >= 40
    return data


@pytest.mark.parametrize("batch_size", [None, 32])
def test_trains_several_predictions_together(tmp_path: Path, batch_size: int | None) -> None:
    case = make_case("class", TWO, two_task_data(), batch_size=batch_size, epochs=12 if batch_size else 30)
    done = case.fit(tmp_path)
    metrics = done.metrics
    assert done.monitor is not None
    assert done.monitor.name == "val_user.y_accuracy"
    assert metrics["val_user.y_accuracy"] > 0.8
    assert metrics["val_item.z_r2"] > 0.5
    total = metrics["val_user.y_loss"] + 0.5 * metrics["val_item.z_loss"]
    assert metrics["val_loss"] == pytest.approx(total, rel=1e-5)


def test_the_same_settings_give_the_same_curve(tmp_path: Path) -> None:
    case = make_case(batch_size=32, fanout=(3, 2), epochs=3, values={"dropout": 0.5})
    case.fit(tmp_path / "a")
    torch.randn(7)
    case.fit(tmp_path / "b")
    assert read_curve(tmp_path / "a") == read_curve(tmp_path / "b")
    case.with_(seed=1).fit(tmp_path / "c")
    assert read_curve(tmp_path / "a") != read_curve(tmp_path / "c")


SCHEDULERS = [
    ClassUse("StepLR", {"step_size": 2, "gamma": 0.5}),
    ClassUse("ReduceLROnPlateau", {"patience": 0, "factor": 0.5}),
    ClassUse("CosineAnnealingLR", {"T_max": 8}),
    ClassUse("CosineWithWarmupLR", {"num_warmup_steps": 2, "num_training_steps": 8}),
]


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda use: use.name)
@pytest.mark.parametrize("batch_size", [None, 48])
def test_a_resumed_run_goes_on_as_if_never_interrupted(
    tmp_path: Path, batch_size: int | None, scheduler: ClassUse
) -> None:
    case = make_case(
        batch_size=batch_size, fanout=(4, 2), epochs=8, scheduler=scheduler, clip=1.0, values={"dropout": 0.3}
    )
    whole = case.fit(tmp_path / "whole")
    case.with_(epochs=3).fit(tmp_path / "parts")
    resumed = case.fit(tmp_path / "parts", resume=True)
    assert read_curve(tmp_path / "parts") == read_curve(tmp_path / "whole")
    assert resumed.best_epoch == whole.best_epoch
    assert resumed.metrics == whole.metrics
    one, other = (read_checkpoint(folder / "last.ckpt").weights for folder in (tmp_path / "whole", tmp_path / "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    case = make_case(epochs=3)
    first = case.fit(tmp_path)
    curve = read_curve(tmp_path)
    again = case.fit(tmp_path, resume=True)
    assert read_curve(tmp_path) == curve
    assert (again.best_epoch, again.epochs, again.metrics) == (first.best_epoch, 3, first.metrics)


def test_patience_stops_and_a_stopped_run_stays_stopped(tmp_path: Path) -> None:
    case = make_case(epochs=200, patience=3, optimizer=ClassUse("Adam", {"lr": 0.05}))
    done = case.fit(tmp_path)
    assert done.epochs == done.best_epoch + 3 < 200
    again = case.fit(tmp_path, resume=True)
    assert again.epochs == done.epochs
    more = case.with_(patience=6).fit(tmp_path, resume=True)
    assert more.epochs >= done.epochs + 3


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    make_case(epochs=1).fit(tmp_path)
    with pytest.raises(SpecError) as error:
        make_case(epochs=2, optimizer=ClassUse("Adam", {"lr": 0.5})).fit(tmp_path, resume=True)
    assert codes(error) == ["GNN614"]
    assert "+ optimizer: {'name': 'Adam', 'arguments': {'lr': 0.5}}" in error.value.diagnostics[0].notes
    with pytest.raises(SpecError) as error:
        make_case(epochs=2, values={"dropout": 0.5}).fit(tmp_path, resume=True)
    assert error.value.diagnostics[0].notes == ("- dropout = 0.0", "+ dropout = 0.5")


def test_resuming_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        make_case().fit(tmp_path, resume=True)
    assert codes(error) == ["GNN615"]


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    case = make_case(epochs=50, optimizer=ClassUse("SGD", {"lr": 1e30}))
    case.with_(epochs=1, optimizer=ClassUse("SGD", {"lr": 0.01})).fit(tmp_path)
    before = (tmp_path / "last.ckpt").read_bytes()
    with pytest.raises(SpecError) as error:
        case.fit(tmp_path)
    found = error.value.diagnostics[0]
    assert found.code == "GNN620"
    assert "`user.y`" in found.message
    assert "in epoch 1" in found.message
    assert found.primary is not None
    assert (tmp_path / "last.ckpt").read_bytes() == before


def test_without_validation_the_last_epoch_is_kept(tmp_path: Path) -> None:
    case = make_case(epochs=4)
    del case.data["user"].val_mask
    done = case.fit(tmp_path)
    assert done.monitor is None
    assert done.best_epoch == 4
    with pytest.raises(SpecError) as error:
        case.with_(patience=3).fit(tmp_path / "b")
    assert codes(error) == ["GNN613"]


def test_an_unknown_metric_to_monitor_lists_what_exists(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        make_case(monitor="val_acuracy").fit(tmp_path)
    found = error.value.diagnostics[0]
    assert found.code == "GNN101"
    assert found.helps == ("did you mean `val_accuracy`?",)
    assert "`val_f1_macro`" in found.notes[0]


def test_a_metric_undefined_on_the_validation_nodes_cannot_pick_an_epoch(tmp_path: Path) -> None:
    case = make_case("binary")
    case.data["user"].val_mask &= case.data["user"].y == 1
    with pytest.raises(SpecError) as error:
        case.fit(tmp_path)
    assert codes(error) == ["GNN613"]
    assert case.with_(monitor="val_loss", epochs=2).fit(tmp_path).monitor.name == "val_loss"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"optimizer": ClassUse("SDG")}, "GNN101", "did you mean `SGD`?"),
        ({"optimizer": ClassUse("Adam", {"lrr": 1.0})}, "GNN201", "did you mean `lr`?"),
        ({"optimizer": ClassUse("Adam", {"lr": -1.0})}, "GNN204", None),
        ({"scheduler": ClassUse("StepLR")}, "GNN203", None),
    ],
)
def test_what_torch_refuses_is_said_in_one_line(tmp_path: Path, settings: dict, code: str, said: str | None) -> None:
    with pytest.raises(SpecError) as error:
        make_case(**settings).fit(tmp_path)
    assert codes(error) == [code]
    assert said is None or said in error.value.diagnostics[0].helps


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "64-true"])
def test_other_precisions_train(tmp_path: Path, precision: str) -> None:
    case = make_case("real", epochs=30, precision=precision, clip=0.5)
    model = case.compile()
    done = case.fit(tmp_path, model)
    assert done.metrics["val_r2"] > 0.3
    assert {item.dtype for item in model.parameters()} == {torch.float32}
    supervision = read_supervision(case.data, case.plan().heads)
    source = BatchSource(case.data, case.plan(), case.training, case.schema)
    found = evaluate(model, case.plan(), source, supervision, ("val",))["val"]
    assert found["val_rmse"] == pytest.approx(done.metrics["val_rmse"], rel=1e-2)


TIMED = """
schema s {
  node a { x: float[3], y: class[2], when: time, train_mask: mask, val_mask: mask }
  edge a -[to]-> a
}
model m on s { edges { *: SAGEConv(8) } | relu  predict a.y }
"""


def test_temporal_training_sees_no_later_neighbours(tmp_path: Path) -> None:
    g = torch.Generator().manual_seed(0)
    data = HeteroData()
    number = 200
    data["a"].y = torch.randint(2, (number,), generator=g)
    data["a"].when = torch.arange(number)
    data["a"].x = torch.randn(number, 3, generator=g)
    # Only neighbours of a later time tell the label.
    source = (torch.arange(number) + 1) % number
    data["a"].x[source, 0] = data["a"].y.float() * 4
    data["a", "to", "a"].edge_index = torch.stack([source, torch.arange(number)])
    data["a"].train_mask = torch.arange(number) < 120
    data["a"].val_mask = torch.arange(number) >= 120
    known = make_case(text=TIMED.replace("{", "{{").replace("}", "}}"), data=data, batch_size=40, epochs=12)
    assert known.fit(tmp_path / "all").metrics["val_auroc"] > 0.95
    assert known.with_(temporal=True).fit(tmp_path / "past").metrics["val_auroc"] < 0.7


def test_no_gpu_is_said_in_one_line(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(SpecError) as error:
        make_case().fit(tmp_path, machines=Machines(accelerator="gpu"))
    assert codes(error) == ["GNN204"]


def test_class_weights_follow_frequencies() -> None:
    data = make_graph("binary")
    heads = make_case("binary").plan().heads
    task = read_supervision(data, heads, class_weights=True).task.heads[0]
    labels = data["user"].y[data["user"].train_mask]
    expected = len(labels) / (2 * torch.bincount(labels).float())
    assert torch.allclose(task.class_weights, expected)  # type: ignore[attr-defined]


def test_dead_parameters_are_left_as_they_are(tmp_path: Path) -> None:
    case = make_case(epochs=3, optimizer=ClassUse("Adam", {"lr": 0.01, "weight_decay": 0.1}))
    model = case.compile()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    case.fit(tmp_path, model)
    # Of the second layer only what goes to users matters.
    dead = [name for name in before if name.startswith("stages.edges2.") and "bought_by" not in name]
    assert dead
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items() if name in dead)
    assert all(item.requires_grad for item in model.parameters())
