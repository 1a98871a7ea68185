"""`gnn bench` as users run it."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from graphdsl.backends import selection
from graphdsl.benching import shapes
from graphdsl.benching.records import Cell, Measured, Refusal, geometric_mean
from graphdsl.tooling.bench_table import BenchTable, notes
from graphdsl.tooling.cli import main
from graphdsl.tooling.commands import bench

QUICK = ["bench", "--shape", "tiny", "--repeats", "1"]


def test_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bench.json"
    assert main([*QUICK, "--model", "sage,gcn", "--json", str(file)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert re.search(r"^tiny +sage +[\d.]+ ms +[\d.]+ ms +[\d.]+ / [\d.]+ +[\d.]+ ", out, re.MULTILINE)
    assert "GCNConv takes no relation between two types" in out
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["format"] == 1
    assert set(found) == {"format", "setting", "cells", "means"}
    assert {"backend", "against", "device", "threads", "clock", "seed", "versions"} <= set(found["setting"])
    sage, gcn = found["cells"]
    assert (sage["shape"], sage["model"], sage["relations"], sage["edges"]) == ("tiny", "sage", 8, 2108)
    assert gcn["skipped"]
    for item in (sage["ours"], *sage["others"]):
        assert {"name", "runs", "peaks", "refusals", "layout", "median", "compiling", "shares"} <= set(item)
        assert item["median"]["step"] > 0
        assert item["peaks"]["step"] > 0
    assert sage["others"][0]["outputs"] < 1e-5
    assert sage["others"][0]["ratio"]["forward"] == pytest.approx(
        sage["others"][0]["median"]["forward"] / sage["ours"]["median"]["forward"]
    )


def test_numbers_that_differ_are_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def doubled(stage: object) -> torch.nn.Module:
        module = build(stage)
        module.register_forward_hook(lambda _, __, made: {name: 2 * value for name, value in made.items()})
        return module

    build = selection.BACKENDS["pyg"]
    monkeypatch.setattr(selection, "BACKENDS", {"pyg": build, "fused": doubled})
    monkeypatch.setattr("graphdsl.backends.BACKENDS", {"pyg": build, "fused": doubled})
    monkeypatch.setattr("graphdsl.benching.cases.BACKENDS", {"pyg": build, "fused": doubled})
    assert main([*QUICK, "--model", "sage"]) == 1
    out, err = capsys.readouterr()
    assert "backend fused, kernels cpu;" in out
    assert " pyg " in out
    assert " idiom " in out
    assert "GNN685" in err
    assert "`fused` and `pyg` differ by" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--shape", "mog"], "GNN101", "did you mean `mag`?"),
        (["--model", "sag"], "GNN101", "did you mean `sage`?"),
        (["--against", "dgl"], "GNN101", "baselines: `pyg`, `idiom`, `compile`"),
        (["--backend", "fast"], "GNN101", "backends: `auto`, `pyg`"),
        (["--json", "nowhere/bench.json"], "GNN616", "there is no such folder"),
        (["--scale", "edges", "--svg", "nowhere/bench.svg"], "GNN616", "there is no such folder"),
    ],
)
def test_refusals(words: list[str], code: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 1
    err = capsys.readouterr().err
    assert f"error[{code}]" in err
    assert said in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--device", "cuda"]) == 1
    assert "GNN204" in capsys.readouterr().err


@pytest.mark.parametrize("scale", ["edges", "relations"])
def test_scales(
    scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"edges": (400, 2000), "relations": (4, 8)}
    monkeypatch.setattr(bench, "SCALES", sizes)
    monkeypatch.setattr(shapes, "many_relations", lambda name, about, count, *_: made(name, about, count, 40, 90, 4))
    files = {name: tmp_path / f"bench.{name}" for name in ("svg", "json")}
    words = [
        "bench",
        "--scale",
        scale,
        "--repeats",
        "1",
        "--backend",
        "pyg",
        "--svg",
        str(files["svg"]),
        "--json",
        str(files["json"]),
    ]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^{size:,} +sage ", out, re.MULTILINE) for size in sizes[scale])
    svg = ElementTree.fromstring(files["svg"].read_text(encoding="utf-8"))
    assert len(svg.findall(".//{http://www.w3.org/2000/svg}circle")) == 8, "two contenders, two sizes, two panels"
    cells = json.loads(files["json"].read_text(encoding="utf-8"))["cells"]
    assert len(cells) == 2


made = shapes.many_relations


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--svg", "a.svg"], "needs `--scale`"),
        (["--scale", "edges", "--shape", "mag"], "goes with neither"),
        (["a.gnn", "--scale", "edges"], "goes with neither"),
    ],
)
def test_options_that_do_not_go_together(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--repeats", "0"], ["--seconds", "-1"], ["--memory", "nan"], ["--threads", "x"]])
def test_misuse(words: list[str]) -> None:
    assert main(["bench", *words]) == 2


def test_interruption_prints_and_writes_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from graphdsl.benching import cases

    measure = cases.measure_shape

    def interrupted(shape: object, model: str, *rest: object) -> Cell:
        if model == "gat":
            raise KeyboardInterrupt
        return measure(shape, model, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(cases, "measure_shape", interrupted)
    file = tmp_path / "bench.json"
    assert main([*QUICK, "--model", "sage", "gat", "--json", str(file)]) == 130
    assert "interrupted: 1 of 2 cells" in capsys.readouterr().out
    assert len(json.loads(file.read_text(encoding="utf-8"))["cells"]) == 1


def cell_with(**others: Measured) -> Cell:
    ours = Measured("fused", {"forward": [0.01], "step": [0.02]}, {"forward": 1 << 20, "step": 2 << 20})
    return Cell("acm", "sage", "", 10, 2, 100, ours, list(others.values()))


def test_what_does_not_fit_and_what_is_too_slow_is_said_in_the_table() -> None:
    large = Refusal("memory", "needs 15.4 GiB", 15.4 * 2**30)
    cell = cell_with(
        pyg=Measured("pyg", refusals={"forward": large, "step": large}),
        idiom=Measured("idiom", {"forward": [0.1]}, refusals={"step": Refusal("time", "takes more than 30 s", 30.0)}),
    )
    line = BenchTable(("pyg", "idiom"), ["acm"], 80, False).line(cell).plain
    assert "too large" in line
    assert "10.0 / >1500" in line
    assert notes([cell]) == ["acm sage, pyg: forward: needs 15.4 GiB", "acm sage, idiom: step: takes more than 30 s"]


@pytest.mark.parametrize(("width", "most"), [(80, 80), (120, 120)])
def test_lines_fit_the_terminal(width: int, most: int) -> None:
    slow = Measured("pyg", {"forward": [11.1], "step": [22.2]}, {"step": 5 << 30}, outputs=1e-6, gradients=2e-5)
    table = BenchTable(("pyg", "idiom"), ["flights"], width, False)
    cell = cell_with(pyg=slow, idiom=slow)
    cell.ours.layout = 0.1234
    lines = [*table.header(), table.line(cell), table.mean([cell, cell])]
    assert all(line is not None and len(line.plain) <= most for line in lines)


def test_ratios_of_unequal_numbers_become_null() -> None:
    assert bench._finite({"a": [float("inf"), float("nan"), 1.0], "b": (2,)}) == {"a": [None, None, 1.0], "b": [2]}


def test_means_are_geometric() -> None:
    assert geometric_mean([1.0, 4.0, 16.0]) == pytest.approx(4.0)
