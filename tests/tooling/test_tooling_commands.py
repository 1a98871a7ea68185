"""The command line: check, plan, layers, validate, and the exit codes of every way to end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphdsl.tooling import cli
from graphdsl.tooling.cli import COMMANDS, main
from graphdsl.tooling.markdown import show_markdown

GOOD = """schema s {
  node a { x: float[*], y: class[2] }
  edge a -[r]-> a
}
model m(hidden: int = 8) on s {
  edges { r: SAGEConv(hidden) }
  predict a.y
}
model k on s { predict a.y }
"""
WARNS = GOOD.replace("SAGEConv(hidden)", "SAGEConv(8)")
BAD = GOOD.replace("SAGEConv", "SAGECov")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def put(name: str, text: str | bytes) -> str:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    return put


def test_check(write, capsys) -> None:
    assert main(["check", write("good.gnn", GOOD)]) == 0
    assert capsys.readouterr().out == "no findings\n"
    assert main(["check", write("warns.gnn", WARNS)]) == 0
    assert "1 warning" in capsys.readouterr().out
    assert main(["check", "good.gnn", write("bad.gnn", BAD), "missing.gnn"]) == 1
    out = capsys.readouterr().out
    assert "bad.gnn:6:14" in out
    assert "GNN001" in out
    assert out.endswith("2 errors\n")


def test_denied_warnings(write, capsys) -> None:
    assert main(["check", "--deny-warnings", write("warns.gnn", WARNS)]) == 1
    assert "1 warning" in capsys.readouterr().out
    assert main(["check", "--deny-warnings", "--pedantic", write("good.gnn", GOOD)]) == 0


def test_check_as_json(write, capsys) -> None:
    assert main(["check", "--format", "json", write("bad.gnn", BAD)]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["code"] == "GNN103"
    assert found["name"] == "unknown-layer"
    assert found["severity"] == "error"
    span = found["labels"][0]["span"]
    assert span == {"file": "bad.gnn", "line": 6, "column": 14, "end_line": 6, "end_column": 21}
    assert found["helps"] == ["did you mean `SAGEConv`?"]
    assert found["fix"] == {"title": "rename to `SAGEConv`", "edits": [{"span": span, "replacement": "SAGEConv"}]}
    assert main(["check", "--format", "json", write("good.gnn", GOOD)]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert (
        main(["check", "--format", "json", write("quoted.gnn", GOOD.replace("SAGEConv(hidden)", "SAGEConv(8, 'max')"))])
        == 1
    )
    fix = json.loads(capsys.readouterr().out)[0]["fix"]
    assert fix["edits"][0]["replacement"] == '"max"'


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("empty.gnn", b"", "GNN004"),
        ("comment.gnn", b"# nothing", "GNN004"),
        ("binary.gnn", bytes(range(256)), "GNN002"),
        ("zeros.gnn", b"\0" * 100, "GNN002"),
        ("utf16.gnn", GOOD.encode("utf-16"), "GNN002"),
        ("large.gnn", b"#" * 50_000_000, "GNN003"),
    ],
)
def test_files_that_are_no_specs(write, capsys, name: str, raw: bytes, code: str) -> None:
    for command in (["check"], ["plan"], ["validate"]):
        assert main([*command, write(name, raw)]) == 1
        printed = capsys.readouterr()
        assert code in printed.out + printed.err
        assert "Traceback" not in printed.err


def test_unreadable_paths(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (".", "missing.gnn", "", "a\nb", "\udcff", "x" * 5000):
        assert main(["check", path]) == 1
        assert "GNN001" in capsys.readouterr().out


def test_plan(write, capsys) -> None:
    path = write("good.gnn", GOOD)
    assert main(["plan", path, "--model", "m"]) == 0
    assert "SAGEConv(out_channels=8)" in capsys.readouterr().out
    assert main(["plan", path, "--model", "m", "--set", "hidden=16"]) == 0
    assert "SAGEConv(out_channels=16)" in capsys.readouterr().out
    write("p.yaml", "hidden: 32\n")
    assert main(["plan", path, "--model", "m", "--params", "p.yaml"]) == 0
    assert "SAGEConv(out_channels=32)" in capsys.readouterr().out
    assert main(["plan", path, "--model", "m", "--params", "p.yaml", "--set", "hidden=64"]) == 0
    assert "SAGEConv(out_channels=64)" in capsys.readouterr().out
    assert main(["plan", path, "--model", "m", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "m"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "GNN101"),
        (["--model", "mm"], "GNN101"),
        (["--model", "m", "--set", "hidden"], "GNN210"),
        (["--model", "m", "--set", "hiden=3"], "GNN207"),
        (["--model", "m", "--set", "hidden=many"], "GNN202"),
        (["--model", "m", "--set", "hidden=0"], "GNN204"),
        (["--model", "m", "--set", "data=3"], "GNN207"),
        (["--model", "m", "--set", "self=3"], "GNN207"),
        (["--model", "m", "--params", "missing.yaml"], "GNN001"),
        (["--model", "m", "--params", "good.gnn"], "GNN210"),
        (["--model", "m", "--metadata", "missing.json"], "GNN611"),
        (["--model", "m", "--metadata", "good.gnn"], "GNN611"),
    ],
)
def test_plan_with_wrong_values(write, capsys, arguments: list[str], code: str) -> None:
    assert main(["plan", write("good.gnn", GOOD), *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert code in printed.err


def test_plan_with_metadata(write, capsys) -> None:
    from graphdsl.model import Metadata, StoreInfo, TensorInfo
    from graphdsl.model.metadata_file import write_metadata

    write_metadata(Metadata({"a": StoreInfo(5, {"x": TensorInfo((5, 77), "float32")})}, {}), "data.json")
    assert main(["plan", write("good.gnn", GOOD), "--model", "m", "--metadata", "data.json"]) == 0
    assert "77, 77 → 8" in capsys.readouterr().out


def test_explain(capsys) -> None:
    assert main(["explain", "GNN303"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("# GNN303 self-loops-between-types\n")
    assert "## Bad" in page
    for name in ("gnn303", "self-loops-between-types", "Self_Loops-Between-Types"):
        assert main(["explain", name]) == 0
        assert capsys.readouterr().out == page
    assert main(["explain", "GNN101", "GNN303"]) == 0
    assert capsys.readouterr().out.endswith(page)
    assert main(["explain"]) == 0
    assert "GNN303  error    self-loops-between-types\n" in capsys.readouterr().out
    assert main(["explain", "GNN303", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["code"], entry["explanation"]) == ("GNN303", page)


def test_explain_something_unknown(capsys) -> None:
    assert main(["explain", "GNN3033", "self-loop-between-types", "?"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "did you mean `GNN303`?" in err
    assert "did you mean `self-loops-between-types`?" in err
    assert "`gnn explain` lists all codes" in err


def test_pages_on_a_terminal() -> None:
    shown = show_markdown("# GNN1 a\n\nThe `x`.\n\n```gnn\n# no heading `x`\n```")
    assert [line.replace("\x1b", "") for line in shown.splitlines()] == [
        "[1mGNN1 a[0m", "", "The [36mx[0m.", "", "[1;34m  |[0m # no heading `x`"
    ]  # fmt: skip


def test_layers(capsys) -> None:
    assert main(["layers"]) == 0
    out = capsys.readouterr().out
    for title in (
        "convolutions: ",
        "whole models: ",
        "norms: ",
        "scorers of links: ",
        "said in another way",
        "no layers of a spec",
    ):
        assert f"\n{title}" in f"\n{out}"
    assert "SAGEConv" in out
    assert "relu" in out
    assert main(["layers", "distmult"]) == 0
    assert "both ends must be equally wide" in capsys.readouterr().out
    assert main(["layers", "GATConv"]) == 0
    page = capsys.readouterr().out
    for part in ("torch_geometric.nn.GATConv", "heads", "a whole number ≥ 1", "edge_attr", "in_channels"):
        assert part in page
    assert main(["layers", "--json"]) == 0
    assert {entry["name"] for entry in json.loads(capsys.readouterr().out)} >= {"GATConv", "relu", "Linear"}
    assert main(["layers", "GATConv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "GATConv"
    assert main(["layers", "GCN"]) == 0
    page = capsys.readouterr().out
    for part in ("whole models", "Kipf", "always `none`:       edge_attr", "only within one node type", "norm_kwargs"):
        assert part in page
    assert main(["layers", "HeteroConv"]) == 0
    assert "a spec says it as `edges" in capsys.readouterr().out
    assert main(["layers", "RENet"]) == 0
    assert "renet(200, rel" in capsys.readouterr().out
    assert main(["layers", "QFormer"]) == 1
    assert "it is no layer of a spec" in capsys.readouterr().err
    assert main(["layers", "--kind", "model"]) == 0
    out = capsys.readouterr().out
    assert "GraphUNet" in out
    assert "SAGEConv  " not in out
    assert main(["layers", "rotate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"][0]["name"] == "margin"
    assert main(["layers", "renet"]) == 0
    assert capsys.readouterr().out.endswith("it is the whole of a model\n")
    assert main(["layers", "GATConvs"]) == 1
    assert "did you mean `GATConv`?" in capsys.readouterr().err


def test_validate_needs_data(write, capsys) -> None:
    assert main(["validate", write("good.gnn", GOOD), "--model", "m"]) == 1
    assert "GNN612" in capsys.readouterr().err
    assert main(["validate", write("bad.gnn", BAD)]) == 1
    assert "GNN103" in capsys.readouterr().err


def test_validate(write, capsys) -> None:
    import torch
    from torch_geometric.data import HeteroData

    data = HeteroData()
    data["a"].x, data["a"].y = torch.rand(4, 3), torch.tensor([0, 1, 0, -1])
    data["a", "r", "a"].edge_index = torch.tensor([[0, 1], [2, 3]])
    torch.save(data, "data.pt")
    assert main(["validate", write("good.gnn", GOOD), "data.pt", "--model", "m"]) == 0
    assert "error" not in capsys.readouterr().out
    data["a"].y[0] = 5
    torch.save(data, "data.pt")
    assert main(["validate", "good.gnn", "data.pt", "--model", "m", "--format", "json"]) == 1
    assert "GNN608" in {item["code"] for item in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize(
    "arguments",
    [[], ["chekc"], ["check"], ["check", "--format", "xml", "a"], ["plan"], ["plan", "a", "b"], ["layers", "a", "b"]],
)
def test_misuse(arguments: list[str], capsys) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("usage: gnn")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help(arguments: list[str], capsys) -> None:
    assert main(arguments) == 0
    assert "g" in capsys.readouterr().out


def test_internal_errors_are_ours(monkeypatch, capsys) -> None:
    def fail(_arguments: list[str]) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("graphdsl.tooling.commands.check.run", fail)
    assert main(["check", "a.gnn"]) == 70
    err = capsys.readouterr().err
    assert "GNN900" in err
    assert "ZeroDivisionError: a defect" in err
    assert "test_tooling_commands.py:" in err
    assert "Traceback" in err


def test_interruption(monkeypatch, capsys) -> None:
    def interrupt(_arguments: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graphdsl.tooling.commands.check.run", interrupt)
    assert main(["check", "a.gnn"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def run(*arguments: str, **more) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "graphdsl", *arguments]
    return subprocess.run(command, capture_output=True, check=False, **more)


def test_terminals_without_unicode(write) -> None:
    path = write(
        "good.gnn",
        GOOD.replace("node a", "node größe")
        .replace("edge a -[r]-> a", "edge größe -[r]-> größe")
        .replace("a.y", "größe.y"),
    )
    for encoding in ("ascii", "latin-1", "cp1252"):
        done = run("plan", path, "--model", "m", env={**os.environ, "PYTHONIOENCODING": encoding})
        assert done.returncode == 0
        assert b"SAGEConv" in done.stdout
        assert done.stderr == b""


def test_nobody_reads_on() -> None:
    command = f"{sys.executable} -m graphdsl layers | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""


def test_the_module_is_the_command(write) -> None:
    done = run("check", write("bad.gnn", BAD))
    assert done.returncode == 1
    assert b"GNN103" in done.stdout


def test_every_command_explains_itself() -> None:
    parser = cli.build_parser()
    text = parser.format_help()
    for name in cli.COMMANDS:
        assert name in text


def test_colours_only_for_terminals(monkeypatch) -> None:
    from io import StringIO

    from graphdsl.tooling.output import wants_color

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_color(Terminal())
    assert not wants_color(StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_color(Terminal())


def test_waiting_threads_spin_for_a_moment_unless_the_user_decides(monkeypatch) -> None:
    from graphdsl.tooling.cli import be_patient

    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    be_patient()
    assert os.environ["GOMP_SPINCOUNT"] == "10000"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    be_patient()
    assert "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.parametrize(
    ("name", "said"),
    [("numba", "`GRAPHDSL_KERNELS` is one of torch, cpu, triton (got 'numba')"), ("cpu", ""), ("", "")],
)
def test_kernels_that_the_environment_asks_for(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRAPHDSL_KERNELS", name)
    assert main(["layers"]) == (2 if said else 0)
    assert said in capsys.readouterr().err
