"""What README and the language reference show is what happens."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphdsl.api import check, check_source
from graphdsl.text import SourceText, render_all

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "grammar" / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("document", ["README.md", "grammar/README.md"])
def test_every_spec_shown_is_clean(document: str) -> None:
    specs = blocks((ROOT / document).read_text(encoding="utf-8"), "gnn")
    assert specs
    for number, text in enumerate(specs):
        source = SourceText(f"{document}, block {number}", text)
        found = check_source(source)
        assert not found, render_all(found, {source.name: source})


def test_every_document_shown_is_clean() -> None:
    (text,) = blocks(REFERENCE, "yaml")
    for line in ("", "# yaml-language-server: $schema=gnn.schema.json\n"):
        source = SourceText("t.yaml", line + text)
        found = check_source(source)
        assert not found, render_all(found, {source.name: source})


def test_texts_and_objects_of_the_table_mean_the_same() -> None:
    """Each row of the table of objects: the models take both forms."""
    table = REFERENCE.split("| what | as text | as object |", 1)[1].split("\n\n", 1)[0]
    keys = set(re.findall(r"\b(\w+): ", table))
    schema = json.loads((ROOT / "grammar" / "gnn.schema.json").read_text(encoding="utf-8"))
    known = {key for item in schema["$defs"].values() for key in item.get("properties", ())}
    assert keys - {"heads"} <= known


@pytest.mark.parametrize(
    "path",
    sorted(path for place in ("specs", "examples") for path in (ROOT / place).rglob("*.gnn")),
    ids=lambda p: p.stem,
)
def test_every_spec_of_the_repository_is_clean(path: Path) -> None:
    found = check(path)
    if path.name == "shop.gnn":  # the tutorial's mistake is the point of it
        assert [item.code for item in found] == ["GNN303"]
    else:
        assert not found, render_all(found)


@pytest.mark.parametrize(
    ("command", "code"),
    [("python examples/tutorial/shop.py", 0), ("gnn check examples/tutorial/shop.gnn", 1)],
)
def test_shown_output_is_the_real_one(command: str, code: int) -> None:
    shown = README.split(f"<!-- output of: {command} -->\n```\n", 1)[1].split("```\n", 1)[0]
    words = command.split()
    head = [sys.executable] if words[0] == "python" else [sys.executable, "-m", "graphdsl"]
    done = subprocess.run([*head, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == shown
    assert done.returncode == code


def test_every_command_is_in_the_table() -> None:
    from graphdsl.tooling.cli import COMMANDS

    assert set(re.findall(r"^\| `gnn (\w+)", README, re.MULTILINE)) == set(COMMANDS)


def test_every_setting_is_in_the_reference() -> None:
    from graphdsl.model.settings import SETTINGS

    table = REFERENCE.split("## Train", 1)[1]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(SETTINGS)


def test_every_parameter_type_and_attribute_type_is_in_the_reference() -> None:
    from graphdsl.model import KINDS
    from graphdsl.model.parameters import TYPES

    for name in (*KINDS, *TYPES):
        assert f"`{name}" in REFERENCE, name


def test_links_lead_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "grammar" / "README.md", ROOT / "graphdsl" / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
