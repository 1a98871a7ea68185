"""What torch makes of every model of the zoo, and how the command tells it.

The table beside this file has a line for each model; a line that is no longer true fails. `--update-golden` rewrites it.
"""

import json
import logging
from pathlib import Path

import pytest
import torch
import torch_geometric
from drawing import small

import graphdsl
from graphdsl.tooling.cli import main
from graphdsl.tooling.reporting import capture, compile_status, export_status

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("zoo_report.txt")
VERSIONS = f"# torch {torch.__version__.rpartition('.')[0]}, PyG {torch_geometric.__version__.rpartition('.')[0]}"
FEW = {"layers": 1, "heads": 2, "channels": 2, "hops": 2, "depth": 1}
"""Values that keep models small; what torch refuses does not depend on them."""

LONG = {
    "hetsann",
    "hgt",
    "hgt_imdb",
    "nars",
    "ie_hgcn",
    "dna",
    "gin",
    "deepergcn",
    "magnn",
    "r_hgnn",
    "hetero_gat",
    "compgcn",
    "asap",
    "jknet",
}
CASES = [(path.stem, model) for path in sorted(ROOT.glob("specs/*.gnn")) for model in graphdsl.load(path).models]


@pytest.fixture(autouse=True)
def _no_trace(monkeypatch) -> None:
    """Do not let pytest keep what torch logs of each step of its tracing: that takes as long as the tracing."""
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)


def table() -> dict[str, str]:
    """Lines of the table by model."""
    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    return {line.partition(":")[0]: line for line in lines if not line.startswith("#")}


def line(spec: str, model: str) -> str:
    """What torch makes of a model of the zoo."""
    loaded = small(graphdsl.load(f"{spec}.gnn"))
    known = {item.name: item.default for item in loaded.model(model).declared.parameters}
    values = {name: value for name, value in FEW.items() if isinstance(known.get(name), int) and known[name] > value}
    found = capture(loaded, model, values, count=False)
    told = [f"{spec} {model}: compile {'one graph' if found.compiling is None else 'breaks'}"]
    told += [f"  ({found.compiling.message.partition(': ')[2]})"] if found.compiling else []
    told += [f", export {export_status(found)}"]
    refused = found.exporting is not None and found.exporting.code == "GNN371"
    told += [f"  ({found.exporting.message.partition(': ')[2]})"] if refused else []
    return "".join(told).replace("  (", " (")


@pytest.mark.parametrize(
    ("spec", "model"),
    [pytest.param(*case, marks=[pytest.mark.slow] if case[0] in LONG else []) for case in CASES],
)
@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")  # ASAPooling
@pytest.mark.filterwarnings("ignore:There exist:UserWarning")
def test_the_table_is_true(spec, model, monkeypatch, request) -> None:
    monkeypatch.chdir(ROOT / "specs")
    update = request.config.getoption("--update-golden")
    if not update and not TABLE.read_text(encoding="utf-8").startswith(f"{VERSIONS}\n"):
        pytest.skip("the table is of other versions of torch and PyG")
    now = line(spec, model)
    if update:
        known = table() | {f"{spec} {model}": now}
        kept = sorted(known[f"{name} {item}"] for name, item in CASES if f"{name} {item}" in known)
        TABLE.write_text("\n".join([VERSIONS, *kept]) + "\n", encoding="utf-8")
    assert now == table()[f"{spec} {model}"]


def test_the_table_has_the_zoo_and_nothing_else() -> None:
    assert sorted(table()) == sorted(f"{spec} {model}" for spec, model in CASES)


SPEC = """schema s { node a { x: float[*], y: class[2] } edge a -[to]-> a }
model plain on s { edges { to: SAGEConv(4) } predict a.y }
model jumping on s { h = edges { to: SAGEConv(4) }  h1 = edges { to: SAGEConv(4) }  jump(h, h1, mode = "lstm")  predict a.y }
"""


def test_the_command_shows_a_table_and_reasons(tmp_path, capsys) -> None:
    path, wrong = tmp_path / "s.gnn", tmp_path / "wrong.gnn"
    path.write_text(SPEC, encoding="utf-8")
    wrong.write_text("schema s { node a { x: flot[3] } }", encoding="utf-8")
    assert main(["build", str(path), "--report"]) == 0
    shown = capsys.readouterr().out
    assert [item.split()[1:] for item in shown.splitlines()[2:4]] == [
        ["plain", "one", "graph", "yes"],
        ["jumping", "2", "breaks", "yes"],
    ]
    assert '"GNN372"' not in shown
    assert "warning[GNN372]" in shown
    assert f"{path}:3:" in shown
    assert main(["build", str(tmp_path), "--report", "--format", "json"]) == 1
    captured = capsys.readouterr()
    rows = json.loads(captured.out)
    assert [(row["model"], row["compile"]["fullgraph"], row["compile"]["breaks"]) for row in rows] == [
        ("plain", True, 0),
        ("jumping", False, 2),
    ]
    assert rows[1]["compile"]["finding"]["code"] == "GNN372"
    assert all(row["export"]["possible"] for row in rows)
    assert "unknown attribute type `flot`" in captured.err
    assert main(["build", str(path), "--report", "-o", "x.py"]) == 1
    assert "`--report` writes nothing" in capsys.readouterr().err
    assert main(["build", str(path), "jumping", "more"]) == 2


def test_a_report_says_what_the_model_is_called() -> None:
    spec = graphdsl.loads(SPEC)
    found = capture(spec, "jumping", {})
    assert compile_status(found) == "2 breaks"
    assert export_status(found) == "yes"
    assert found.compiling.labels[0].span.line == 3
