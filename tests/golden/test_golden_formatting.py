"""What formatting makes of texts, and that the specs of the repository are formatted."""

import re
from pathlib import Path

import pytest
from reading import GOOD, HERE

from graphdsl.api import loads
from graphdsl.syntax.formatting import format_source
from graphdsl.text import SourceText
from graphdsl.tooling.cli import main

ROOT = HERE.parents[1]
PAIRS = sorted((HERE / "format").glob("*.in.gnn"))
DOCUMENTS = ("README.md", "grammar/README.md")


def formatted(text: str) -> str:
    done = format_source(SourceText("t.gnn", text))
    assert done.diagnostics == ()
    return done.text


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.name.partition(".")[0])
def test_pairs(path: Path, golden) -> None:
    out = formatted(path.read_text(encoding="utf-8"))
    golden(path.with_name(path.name.replace(".in.", ".out.")), out)
    assert formatted(out) == out


def test_every_pair_is_complete() -> None:
    names = {path.name for path in (HERE / "format").iterdir()}
    assert names == {f"{path.name.partition('.')[0]}.{end}.gnn" for path in PAIRS for end in ("in", "out")}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_specs_keep_their_plans(path: Path, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    text = path.read_text(encoding="utf-8")
    before, after = loads(text, path.name), loads(formatted(text), path.name)
    assert after.models == before.models
    for name in before.models:
        if not any(item.default is None for item in before.model(name).declared.parameters):
            assert table(after.plan(name)) == table(before.plan(name))


def table(plan) -> str:
    """A plan without the places of rules."""
    return re.sub(r"\"(line|column|end_line|end_column)\": \d+", "", plan.to_json())


def test_specs_of_the_repository_are_formatted(monkeypatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["fmt", "--check", "specs", "examples"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("document", DOCUMENTS)
def test_specs_of_the_documents_are_formatted(document: str) -> None:
    blocks = re.findall(r"^```gnn\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    for text in blocks:
        assert formatted(text) == text
