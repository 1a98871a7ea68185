"""How `gnn build --report` tells what torch makes of models."""

import json

import graphdsl
from graphdsl.tooling.cli import main
from graphdsl.tooling.reporting import capture, compile_status, export_status

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
