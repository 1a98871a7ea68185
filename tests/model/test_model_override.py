"""Train settings given on the command line."""

import pytest

from graphdsl.model import Training, can_override, override_training


def test_settings_and_the_optimizers_numbers() -> None:
    training, found = override_training(
        Training("m"), {"epochs": 7, "fanout": 5, "lr": 1, "weight_decay": 0.1}, "--set"
    )
    assert not found
    assert (training.epochs, training.fanout) == (7, (5,))
    assert training.optimizer.name == "Adam"
    assert training.optimizer.arguments == {"lr": 1, "weight_decay": 0.1}
    assert Training("m").optimizer.arguments == {"lr": 0.01}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("epochs", 0, "GNN204"), ("epochs", "many", "GNN202"), ("lr", "big", "GNN204"), ("lr", -1, "GNN204"),
     ("lr", True, "GNN204"), ("precision", "8-bit", "GNN202")],
)  # fmt: skip
def test_values_that_a_setting_does_not_accept(name: str, value: object, code: str) -> None:
    training, found = override_training(Training("m"), {name: value}, "--set")
    assert [(item.code, item.where) for item in found] == [(code, "--set")]
    assert training == Training("m")


def test_what_can_be_overridden() -> None:
    assert can_override("patience")
    assert can_override("lr")
    assert not can_override("data")
    assert not can_override("hidden")
