"""`gnn fmt`: files, folders and standard input; what is written, what is left alone, and the exit codes."""

import io
import os
import sys
from pathlib import Path

import pytest

from graphdsl.tooling.cli import main

LOOSE = "schema s{node a{x:float[3]}}\n"
TIDY = "schema s {\n  node a { x: float[3] }\n}\n"
BROKEN = "schema s {\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def give(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_files_and_folders(here: Path, capsys) -> None:
    (here / "deep" / ".hidden").mkdir(parents=True)
    for name, text in (("a.gnn", LOOSE), ("deep/b.gnn", TIDY), ("deep/.hidden/c.gnn", LOOSE), ("deep/d.txt", LOOSE)):
        (here / name).write_text(text)
    before = (here / "deep" / "b.gnn").stat().st_mtime_ns
    assert main(["fmt", ".", "a.gnn"]) == 0
    assert capsys.readouterr() == ("1 file formatted, 1 file unchanged\n", "")
    assert (here / "a.gnn").read_text() == TIDY
    assert (here / "deep" / "b.gnn").stat().st_mtime_ns == before
    assert (here / "deep" / ".hidden" / "c.gnn").read_text() == LOOSE
    assert (here / "deep" / "d.txt").read_text() == LOOSE
    assert sorted(path.name for path in here.iterdir()) == ["a.gnn", "deep"]


def test_a_spec_with_errors_is_left_alone(here: Path, capsys) -> None:
    (here / "bad.gnn").write_text(BROKEN)
    (here / "good.gnn").write_text(LOOSE)
    assert main(["fmt", "bad.gnn", "good.gnn", "missing.gnn"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "1 file formatted, 0 files unchanged\n"
    assert "error[GNN012]" in printed.err
    assert "bad.gnn:1:10" in printed.err
    assert "error[GNN001]: cannot read `missing.gnn`" in printed.err
    assert (here / "bad.gnn").read_text() == BROKEN
    assert (here / "good.gnn").read_text() == TIDY


def test_check_lists_and_writes_nothing(here: Path, capsys) -> None:
    (here / "a.gnn").write_text(LOOSE)
    (here / "b.gnn").write_text(TIDY)
    assert main(["fmt", "--check", "."]) == 1
    assert capsys.readouterr().out == "would format a.gnn\n1 file would be formatted, 1 file unchanged\n"
    assert (here / "a.gnn").read_text() == LOOSE
    assert main(["fmt", "--check", "b.gnn"]) == 0
    assert main(["fmt", "--check", "missing.gnn"]) == 1


def test_diff_shows_and_writes_nothing(here: Path, capsys) -> None:
    (here / "a.gnn").write_text(LOOSE)
    assert main(["fmt", "--diff", "a.gnn"]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "--- a.gnn",
        "+++ a.gnn (formatted)",
        "@@ -1 +1,3 @@",
        "-schema s{node a{x:float[3]}}",
        "+schema s {",
        "+  node a { x: float[3] }",
        "+}",
    ]
    assert (here / "a.gnn").read_text() == LOOSE


def test_standard_input(here: Path, capsys, monkeypatch) -> None:
    give(monkeypatch, LOOSE.encode())
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == (TIDY, "")
    give(monkeypatch, BROKEN.encode())
    assert main(["fmt", "-"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "<stdin>:1:10" in printed.err
    give(monkeypatch, TIDY.encode())
    assert main(["fmt", "--check", "-"]) == 0
    give(monkeypatch, LOOSE.encode())
    assert main(["fmt", "--diff", "-"]) == 1
    give(monkeypatch, b"\xff")
    assert main(["fmt", "-"]) == 1
    assert "GNN002" in capsys.readouterr().err
    assert main(["fmt", "-", "a.gnn"]) == 2


def test_bytes(here: Path) -> None:
    """A byte order mark goes, the kind of line end stays, one line end closes the file."""
    path = here / "a.gnn"
    cases = {
        b"\xef\xbb\xbf" + TIDY.encode(): TIDY.encode(),
        LOOSE.strip().encode(): TIDY.encode(),
        TIDY.encode() + b"\n \n": TIDY.encode(),
        TIDY.replace("\n", "\r\n").encode(): TIDY.replace("\n", "\r\n").encode(),
        LOOSE.replace("\n", "\r\n").encode(): TIDY.replace("\n", "\r\n").encode(),
        TIDY.replace("\n", "\r").encode(): TIDY.encode(),
        b"": b"",
        b"\n\n": b"",
        b"# only \r\n": b"# only\r\n",
    }
    for old, new in cases.items():
        path.write_bytes(old)
        assert main(["fmt", "a.gnn"]) == 0
        assert path.read_bytes() == new
        assert main(["fmt", "--check", "a.gnn"]) == 0


def test_permissions_and_links_stay(here: Path) -> None:
    real = here / "real.gnn"
    real.write_text(LOOSE)
    real.chmod(0o640)
    (here / "link.gnn").symlink_to(real)
    assert main(["fmt", "link.gnn"]) == 0
    assert (here / "link.gnn").is_symlink()
    assert real.read_text() == TIDY
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_written(here: Path, capsys, monkeypatch) -> None:
    (here / "a.gnn").write_text(LOOSE)

    def refuse(*_arguments) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    assert main(["fmt", "a.gnn"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "0 files formatted, 0 files unchanged\n"
    assert "error[GNN616]: cannot write `a.gnn`: permission denied" in printed.err
    assert (here / "a.gnn").read_text() == LOOSE
    assert [path.name for path in here.iterdir()] == ["a.gnn"]


def test_a_folder_without_specs(here: Path, capsys) -> None:
    (here / "empty").mkdir()
    assert main(["fmt", "empty"]) == 1
    assert "there is no `.gnn` file in `empty`" in capsys.readouterr().err


def test_deep_and_large_specs(here: Path, capsys) -> None:
    """Nesting is followed without recursion; beyond the limit the file is refused as by every command."""
    path = here / "deep.gnn"
    repeats, calls, terms = "repeat 2 {" * 90 + "edges { *: A }" + "}" * 90, "A(" * 90 + ")" * 90, " + ".join("1" * 190)
    path.write_text(f"model m on s {{ {repeats} nodes {{ *: {calls} }} cat(h, x = {terms}) }}")
    assert main(["fmt", "deep.gnn"]) == 0
    assert main(["fmt", "--check", "deep.gnn"]) == 0
    path.write_text(f"model m on s {{ nodes {{ *: {'A(' * 200}{')' * 200} }} }}")
    assert main(["fmt", "deep.gnn"]) == 1
    assert "GNN005" in capsys.readouterr().err
    edges = "\n".join(f"edge a{i}-[r{i}]->b reverse q{i}" for i in range(2000))
    path.write_text(f"schema s {{ {edges} }}")
    assert main(["fmt", "deep.gnn"]) == 0
    assert len(path.read_text().splitlines()) == 2002


COMMENTED = "# first\nschema s { node a { x: float[3] } }  # last\n"
YAML = "declarations:\n- schema: s\n  members:\n  - node: a\n    attributes:\n      x: float[3]\n"
NOTE = "note: comments are left out, for they cannot be moved from one notation to another\n"


def test_conversion_prints(here: Path, capsys, monkeypatch) -> None:
    (here / "a.gnn").write_text(COMMENTED)
    assert main(["fmt", "--to", "yaml", "a.gnn"]) == 0
    assert capsys.readouterr() == (YAML, NOTE)
    assert main(["fmt", "--to", "json", "a.gnn"]) == 0
    as_json, said = capsys.readouterr()
    assert said == NOTE
    (here / "b.yaml").write_text(YAML)
    (here / "c.json").write_text(as_json)
    for name in ("b.yaml", "c.json"):
        assert main(["fmt", "--to", "gnn", name]) == 0
        assert capsys.readouterr() == (TIDY, "")
        assert main(["fmt", "--to", "yaml", name]) == 0
        assert capsys.readouterr() == (YAML, "")
        assert main(["check", name]) == 0
        assert capsys.readouterr().out == "no findings\n"
    assert main(["fmt", "--to", "gnn", "a.gnn"]) == 0
    out, said = capsys.readouterr()
    assert "# last" in out
    assert "note" not in said
    assert (here / "a.gnn").read_text() == COMMENTED
    give(monkeypatch, YAML.encode())
    assert main(["fmt", "--from", "yaml", "--to", "gnn", "-"]) == 0
    assert capsys.readouterr().out == TIDY


def test_conversion_refuses(here: Path, capsys) -> None:
    cases = {
        "bad.gnn": (BROKEN, "GNN012"),
        "twice.gnn": ("schema s { node a { x: float x: int } }", "`x` stands here twice"),
        "options.gnn": ("schema s { node a(size = 3) }", "a node type has `count` only"),
        "weights.gnn": ("model m on s { predict a.y weight 1 weight 2 }", "`weight` stands here twice"),
        "bad.yaml": ("declarations: [", "GNN015"),
        "form.json": ('{"declarations": [{}]}', "GNN016"),
    }
    for name, (text, said) in cases.items():
        (here / name).write_text(text)
        assert main(["fmt", "--to", "yaml", name]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert said in printed.err
        assert f"{name}:1:" in printed.err
    assert main(["fmt", "--to", "yaml", "missing.gnn"]) == 1
    assert "GNN001" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "yaml", "a.gnn", "b.gnn"],
        ["--to", "yaml", "."],
        ["--to", "xml", "a.gnn"],
        ["--to", "gnn", "--check", "a.gnn"],
        ["a.yaml"],
    ],
)
def test_conversion_misuse(here: Path, capsys, arguments: list[str]) -> None:
    assert main(["fmt", *arguments]) == 2
    assert capsys.readouterr().out == ""
