"""`gnn train`, `evaluate` and `predict` as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from training_cases import SPEC, make_graph, read_curve

from graphdsl.tooling.cli import main

ROOT = Path(__file__).parents[2]
FUNCTION = """
import torch
from torch_geometric.data import HeteroData


def graph():
    print("running code")
    return HeteroData.from_dict(torch.load("graph.pt", weights_only=True))
"""
TRAIN = """
train m {
  data: "graph.pt"
  epochs: 6
  optimizer: Adam(lr = 0.02)
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec and its data, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "shop.gnn").write_text(SPEC.format(label="class[3]") + TRAIN)
    torch.save(make_graph().to_dict(), tmp_path / "graph.pt")
    return tmp_path


def test_train_evaluate_predict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "shop.gnn", "--baselines", "--set", "hidden=8"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "model     m of shop.gnn: 659 parameters (136 of them serve no prediction)" in out
    assert "data      user 240, item 60; 1,440 edges in 1 relation\n" in out
    assert "epoch 6/6" in out
    assert "ids over item -[bought_by]-> user" in out
    assert "majority class" in out
    run = folder / "runs" / "m-1"
    assert sorted(path.name for path in run.iterdir()) == ["best.ckpt", "last.ckpt", "metrics.csv", "result.json"]
    result = json.loads((run / "result.json").read_text())
    assert result["parameters"] == {"hidden": 8, "dropout": 0.0}
    assert result["baselines"][0]["name"] == "majority class"
    (trial,) = result["runs"]

    assert main(["evaluate", "runs/m-1/best.ckpt", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["test"]["test_accuracy"] == trial["metrics"]["test_accuracy"]
    assert main(["evaluate", "runs/m-1/best.ckpt", "--spec", "shop.gnn"]) == 0
    assert "train" in capsys.readouterr().out

    assert main(["predict", "runs/m-1/best.ckpt", "--output", "out/users.csv"]) == 0
    table = pd.read_csv(folder / "out" / "users.csv")
    data = make_graph()["user"]
    right = (torch.tensor(table["class"].to_numpy()) == data.y)[data.test_mask]
    assert right.float().mean().item() == pytest.approx(trial["metrics"]["test_accuracy"])


def test_runs_are_numbered_and_resumed(folder: Path) -> None:
    assert main(["train", "shop.gnn", "--epochs", "2"]) == 0
    assert main(["train", "shop.gnn", "--epochs", "3"]) == 0
    assert main(["train", "shop.gnn", "--epochs", "5", "--resume"]) == 0
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["m-1", "m-2"]
    assert main(["train", "shop.gnn", "--epochs", "5", "--out", "whole"]) == 0
    assert read_curve(folder / "runs" / "m-2") == read_curve(folder / "whole")


def test_a_folder_with_a_run_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "shop.gnn", "--epochs", "1", "--out", "here"]) == 0
    assert main(["train", "shop.gnn", "--epochs", "1", "--out", "here"]) == 1
    assert "`here` holds a run already" in capsys.readouterr().err


def test_several_seeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "shop.gnn", "--epochs", "2", "--seeds", "2", "--seed", "5", "--batch-size", "64"]) == 0
    assert " ± " in capsys.readouterr().out
    result = json.loads((folder / "runs" / "m-1" / "result.json").read_text())
    assert [trial["seed"] for trial in result["runs"]] == [5, 6]
    assert result["runs"][0]["metrics"] != result["runs"][1]["metrics"]
    assert main(["train", "shop.gnn", "--epochs", "2", "--seed", "6", "--batch-size", "64", "--out", "alone"]) == 0
    assert read_curve(folder / "alone") == read_curve(folder / "runs" / "m-1" / "seed-6")


def test_data_that_does_not_fit_stops_before_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_graph()
    data["item"].x = data["item"].x[:, :3]
    data["user"].y[0] = 9
    torch.save(data.to_dict(), folder / "other.pt")
    assert main(["train", "shop.gnn", "--data", "other.pt"]) == 1
    err = capsys.readouterr().err
    assert "GNN604" in err
    assert "GNN608" in err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["train", "missing.gnn"], 1),
        (["train", "shop.gnn", "--data", "missing.pt"], 1),
        (["train", "shop.gnn", "--set", "hiden=3"], 1),
        (["train", "shop.gnn", "--model", "n"], 1),
        (["train", "shop.gnn", "--epochs", "0"], 2),
        (["train", "shop.gnn", "--seed", "-1"], 2),
        (["train", "shop.gnn", "--seeds", "2", "--resume"], 2),
        (["train", "shop.gnn", "--seeds", "2", "--devices", "2"], 2),
        (["train", "shop.gnn", "--nodes", "2"], 2),
        (["train", "shop.gnn", "--resume", "--out", "nowhere"], 1),
        (["train", "shop.gnn", "--out", "shop.gnn/run"], 1),
        (["evaluate", "shop.gnn"], 1),
        (["evaluate", "missing.ckpt"], 1),
        (["predict", "."], 1),
    ],
)
def test_mistakes_end_with_a_message(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert main(words) == code
    err = capsys.readouterr().err
    assert err
    assert "Traceback" not in err


def test_a_checkpoint_never_says_which_code_to_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "loading.py").write_text(FUNCTION)
    source = ["--data", "loading.py:graph"]
    assert main(["train", "shop.gnn", "--epochs", "1", *source]) == 0
    assert "running code" in capsys.readouterr().out
    assert main(["evaluate", "runs/m-1/best.ckpt"]) == 1
    out, err = capsys.readouterr()
    assert "running code" not in out
    assert "no data is named" in err
    assert main(["evaluate", "runs/m-1/best.ckpt", *source]) == 0


def test_another_schema_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "shop.gnn", "--epochs", "1"]) == 0
    (folder / "other.gnn").write_text((folder / "shop.gnn").read_text().replace("bought_by", "sold_to"))
    assert main(["evaluate", "runs/m-1/best.ckpt", "--spec", "other.gnn"]) == 1
    err = capsys.readouterr().err
    assert "GNN614" in err
    assert "+ edge ('item', 'sold_to', 'user')" in err


@pytest.mark.slow
def test_two_processes_started_by_the_command(folder: Path) -> None:
    spec = (folder / "shop.gnn").read_text().replace("epochs: 6", "epochs: 3\n  batch_size: 50\n  fanout: [-1]")
    (folder / "shop.gnn").write_text(spec)
    command = [sys.executable, "-m", "graphdsl", "train", "shop.gnn", "--devices", "2", "--accelerator", "cpu"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("epoch 3/3") == 1
    assert [path.name for path in (folder / "runs").iterdir()] == ["m-1"]
    assert main(["train", "shop.gnn", "--out", "alone"]) == 0
    for row, other in zip(read_curve(folder / "runs" / "m-1"), read_curve(folder / "alone"), strict=True):
        assert row == pytest.approx(other, rel=1e-4)
