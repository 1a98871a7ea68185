"""`gnn fix`: what it writes, what it keeps, and what it leaves alone."""

import io
import os
import stat
from pathlib import Path

import pytest

from graphdsl.api import check_source
from graphdsl.checking import fix_source
from graphdsl.text import Edit, Fix, SourceText, Span, report
from graphdsl.text.rewriting import apply_edits, rewrite
from graphdsl.tooling.cli import main

BAD = """schema s {
  node 'a b' { x: float[3], y: class[2] }
  node c { x: float[3] }
  edge c -[reads]-> "a b"
}
model m(hidden: int = 8, heads: int = 2) on s {
  edges { raeds: GATConv(hidden, add_self_loops = true, in_channels = 3, aggr = mean }
  predict "a b".y
}
"""
MENDED = """schema s {
  node "a b" { x: float[3], y: class[2] }
  node c { x: float[3] }
  edge c -[reads]-> "a b"
}
model m(hidden: int = 8) on s {
  edges { reads: GATConv(hidden, add_self_loops = false, aggr = "mean") }
  predict "a b".y
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fixes_go_on_until_nothing_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.gnn").write_text(BAD)
    assert main(["fix", "a.gnn"]) == 0
    assert (folder / "a.gnn").read_text() == MENDED
    assert capsys.readouterr().out == "fixed 7 findings in 1 file\nno findings\n"
    assert main(["fix", "a.gnn"]) == 0
    assert capsys.readouterr().out == "nothing fixed\nno findings\n"
    assert [path.name for path in folder.iterdir()] == ["a.gnn"]


def test_what_remains_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.gnn").write_text(BAD.replace("predict", "drop c  predict").replace("class[2]", "time"))
    assert main(["fix", "a.gnn", "missing.gnn"]) == 1
    out = capsys.readouterr().out
    assert "fixed 7 findings in 1 file" in out
    assert "GNN511" in out
    assert "GNN001" in out


def test_a_difference_is_shown_and_nothing_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.gnn").write_text("schema s {\n  node a { x: flot[3] }\n}")
    assert main(["fix", "--diff", "a.gnn"]) == 1
    out, err = capsys.readouterr()
    assert out == (
        "--- a.gnn\n+++ a.gnn\n@@ -1,3 +1,3 @@\n schema s {\n-  node a { x: flot[3] }\n+  node a { x: float[3] }\n }\n"
        "\\ No newline at end of file\n"
    )
    assert err == "would fix 1 finding in 1 file\nno findings\n"
    assert "flot" in (folder / "a.gnn").read_text()
    (folder / "a.gnn").write_text(MENDED)
    assert main(["fix", "--diff", "a.gnn"]) == 0
    assert capsys.readouterr().out == ""


def test_standard_input_becomes_standard_output(capfdbinary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["fix", "-"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == MENDED.encode()
    assert b"fixed 7 findings" in err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert main(["fix", "-"]) == 1
    assert b"<stdin>" in capfdbinary.readouterr().err


def test_check_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["check", "-"]) == 1
    out = capsys.readouterr().out
    assert "<stdin>:2:8" in out
    assert "node 'a b'" in out


def test_folders_stand_for_the_specs_below(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sub").mkdir()
    for name in ("a.gnn", "sub/b.gnn"):
        (folder / name).write_text(BAD)
    assert main(["check", "."]) == 1
    out = capsys.readouterr().out
    assert "a.gnn:2:8" in out
    assert f"{Path('sub', 'b.gnn')}:2:8" in out
    assert main(["fix", "sub", "."]) == 0
    assert capsys.readouterr().out == "fixed 14 findings in 2 files\nno findings\n"
    assert main(["check", "."]) == 0
    assert main(["fix", "-", "."]) == 2


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_mark_and_permissions_stay(folder: Path, ending: str, mark: bytes) -> None:
    path = folder / "a.gnn"
    path.write_bytes(mark + BAD.replace("\n", ending).encode())
    path.chmod(0o640)
    (folder / "link.gnn").symlink_to("a.gnn")
    assert main(["fix", "link.gnn"]) == 0
    assert path.read_bytes() == mark + MENDED.replace("\n", ending).encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (folder / "link.gnn").is_symlink()


def test_a_file_that_cannot_be_replaced_stays(folder: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.gnn").write_text(BAD)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    assert main(["fix", "a.gnn"]) == 1
    assert "GNN616" in capsys.readouterr().out
    assert (folder / "a.gnn").read_text() == BAD
    assert [path.name for path in folder.iterdir()] == ["a.gnn"]


def test_a_file_that_has_changed_meanwhile_is_left_alone(folder: Path) -> None:
    (folder / "a.gnn").write_text("schema s { }")
    found = rewrite(SourceText("a.gnn", "schema t { }"), "schema u { }")
    assert found is not None
    assert "has changed" in found.message
    assert (folder / "a.gnn").read_text() == "schema s { }"


def test_overlapping_edits_wait_for_the_next_round() -> None:
    first = Fix("a", (Edit(Span("t", 1, 1, 1, 3), "x"),))
    second = Fix("b", (Edit(Span("t", 1, 2, 1, 4), "y"),))

    def check(source: SourceText):
        if source.text == "abcd":
            return [report("GNN010", "1", Span("t", 1, 1, 1, 3), fix=first), report("GNN010", "2", fix=second)]
        return [report("GNN010", "2", fix=second)] if source.text == "xcd" else []

    done = fix_source(SourceText("t", "abcd"), check)
    assert (done.source.text, [item.message for item in done.applied]) == ("xy", ["1", "2"])


def test_fixes_that_make_it_worse_or_go_round_are_left_out() -> None:
    worse = report("GNN201", "w", fix=Fix("w", (Edit(Span("t", 1, 1, 1, 2), "!"),)))
    good = report("GNN010", "g", fix=Fix("g", (Edit(Span("t", 1, 4, 1, 5), "."),)))

    def check(source: SourceText):
        return (
            [worse] * source.text.startswith("a")
            + [good] * source.text.endswith("d")
            + [report("GNN010", "n")] * (3 * source.text.startswith("!"))
        )

    done = fix_source(SourceText("t", "abcd"), check)
    assert (done.source.text, done.applied, done.findings) == ("abc.", (good,), (worse,))

    found = {"a": [1], "b": [2, 2], "c": [3, 3]}  # The fix of syntax brings up two errors, and only one can be mended.

    def reveal(source: SourceText):
        other = {"a": "b", "b": "c", "c": "c"}[source.text]
        fix = Fix("t", (Edit(Span("t", 1, 1, 1, 2), other),))
        return [report("GNN010", f"{n}{i}", fix=fix) for i, n in enumerate(found[source.text])]

    assert fix_source(SourceText("t", "a"), reveal).source.text == "a"
    found["c"] = [3]
    assert fix_source(SourceText("t", "a"), reveal).source.text == "c"

    def turn(source: SourceText):
        other = "b" if source.text == "a" else "a"
        return [report("GNN010", source.text, fix=Fix("t", (Edit(Span("t", 1, 1, 1, 2), other),)))]

    assert fix_source(SourceText("t", "a"), turn).source.text == "b"


def test_edits_keep_the_kind_of_line_ends() -> None:
    source = SourceText("t", "é😀 b\r\nc")
    assert (
        apply_edits(source, [Edit(Span("t", 1, 4, 1, 5), "x\ny"), Edit(Span("t", 2, 2, 2, 2), "!")])
        == "é😀 x\r\ny\r\nc!"
    )


def test_renaming_is_offered_only_where_one_name_can_be_meant() -> None:
    text = "schema s {{ node a {{ x: float[3], y: class[2] }} edge a -[r]-> a }} model m on s {{ {} predict a.y }}"
    states = "h1 = nodes { a: Linear(3) } h2 = nodes { a: Linear(3) }"
    for statement, fixable in (("edges { r: SAGECov(3) }", True), (f"{states} cat(h1, h3)", False)):
        found = check_source(SourceText("t", text.format(statement)))
        assert any(item.fix for item in found if item.is_error) == fixable
