"""`gnn build --train`: the written loop is run as a user runs it, and has the losses of `gnn train`."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main

SPEC = """schema s {{
  node a {{ x: float[6], y: {label}, train_mask: mask, val_mask: mask, test_mask: mask }}
  node "b c" {{ x: float[4] }}
  edge a -[to]-> "b c"  reverse back {{ w: float }}
}}
model m(hidden: int = 16) on s {{
  edges {{ back: GraphConv(hidden, edge_weight = w) *: SAGEConv(hidden) }} | relu
  {more}
  edges {{ *: SAGEConv(hidden) }}
  predict a.y
}}
train m {{ optimizer: Adam(lr = 0.02, weight_decay = 0.0005) epochs: 12 patience: 50 clip: 1.0 seed: 3 {settings} }}
"""


def planted(kind: str) -> HeteroData:
    """A graph whose labels follow from the features."""
    torch.manual_seed(1)
    data = HeteroData()
    data["a"].x, data["b c"].x = torch.randn(90, 6), torch.randn(30, 4)
    first = data["a"].x[:, :3]
    data["a"].y = {"class": first.argmax(1), "multilabel": (first > 0).float(), "real": first[:, 0]}[kind]
    part = torch.arange(90) % 3
    data["a"].train_mask, data["a"].val_mask, data["a"].test_mask = part == 0, part == 1, part == 2
    data["a", "to", "b c"].edge_index = torch.stack([torch.arange(90), torch.randint(30, (90,))])
    data["a", "to", "b c"].w = torch.rand(90)
    return data


@pytest.mark.parametrize(
    ("kind", "label", "more", "settings"),
    [
        ("class", "class[3]", "", ""),
        ("class", "class[3]", "penalty gini(a) weight 0.1", 'monitor: "val_loss"'),
        ("multilabel", "multilabel[3]", "", ""),
        ("real", "real", "", 'monitor: "train_loss"'),
    ],
)
def test_the_loop_trains_as_gnn_train_does(kind, label, more, settings, tmp_path, monkeypatch, capsys) -> None:
    spec = tmp_path / "s.gnn"
    spec.write_text(SPEC.format(label=label, more=more, settings=settings), encoding="utf-8")
    data = planted(kind)
    torch.save(data, tmp_path / "data.pt")
    torch.save(data.to_dict(), tmp_path / "plain.pt")
    program = tmp_path / "program.py"
    assert main(["build", str(spec), "--train", "-o", str(program)]) == 0
    done = subprocess.run(
        [sys.executable, str(program), "data.pt", "w.pt"], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    losses = [float(item) for item in re.findall(r"^epoch \d+: loss ([\d.]+)", done.stdout, re.MULTILINE)]
    assert len(losses) == 12
    assert losses[-1] < losses[0]
    assert re.search(r"^test \w+ [\d.]+$", done.stdout, re.MULTILINE)
    run = [
        "train",
        str(spec),
        "--data",
        str(tmp_path / "plain.pt"),
        "--out",
        str(tmp_path / "run"),
        "--accelerator",
        "cpu",
    ]
    assert main(run) == 0, capsys.readouterr().err
    with open(tmp_path / "run" / "metrics.csv", encoding="utf-8") as stream:
        wanted = [float(row["train_loss"]) for row in csv.DictReader(stream)]
    torch.testing.assert_close(torch.tensor(losses), torch.tensor(wanted), rtol=1e-3, atol=1e-5)
    compiled = graphdsl.load(spec).compile(data=data)
    compiled.load_state_dict(torch.load(tmp_path / "w.pt"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": 'precision: "bf16-mixed"'}, "it does not know `precision`"),
        ({"settings": 'monitor: "val_r2"'}, "does not compute `val_r2`; it knows train_loss, val_loss, val_accuracy"),
        ({"more": "predict a -[to]-> \"b c\""}, "trains one prediction"),
    ],
)  # fmt: skip
def test_what_a_loop_cannot_train_is_said(change, said) -> None:
    spec = graphdsl.loads(SPEC.format(**{"label": "class[3]", "more": "", "settings": "", **change}))
    with pytest.raises(SpecError) as caught:
        spec.to_script()
    assert [item.code for item in caught.value.diagnostics] == ["GNN373"]
    assert said in caught.value.diagnostics[0].message


def test_layout_is_the_one_of_ruff(tmp_path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    for kind in ("class[3]", "multilabel[3]", "real"):
        for settings in ("", 'monitor: "val_loss"', 'monitor: "train_loss"'):
            text = graphdsl.loads(SPEC.format(label=kind, more="", settings=settings), "s.gnn").to_script()
            name = re.sub(r"\W", "", kind + settings)
            (tmp_path / f"p_{name}.py").write_text(text, encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length", "100"]
    for command in (["format", "--check", "--diff", *options], ["check", "--extend-select", "I,E501,UP", *options]):
        done = subprocess.run([ruff, *command, "."], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def test_blocks_are_not_sampled() -> None:
    spec = graphdsl.loads("""schema s { node a { x: float[3], y: class[2], train_mask: mask } edge a -[to]-> a }
    model m on s { sequential x, edge_index { GCNConv(2): x, edge_index -> x } }
    train m { batch_size: 8 }""")
    with pytest.raises(SpecError, match="`m` reads the whole graph: a written loop does not know `batch_size` there"):
        spec.to_script()
