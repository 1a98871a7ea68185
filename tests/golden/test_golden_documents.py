"""Every good spec of the repository means the same in YAML and JSON."""

import re
from dataclasses import fields, is_dataclass

import pytest
from reading import GOOD, HERE, directive

from graphdsl.api import load, loads
from graphdsl.model import parse_assignment
from graphdsl.syntax import parse
from graphdsl.syntax.documents.conversion import convert
from graphdsl.text import SourceText, Span, read_source, render_all

ROOT = HERE.parents[1]
SPECS = [*GOOD, *sorted(path for place in ("specs", "examples") for path in (ROOT / place).rglob("*.gnn"))]


def plain(item):
    """A tree without places."""
    if isinstance(item, Span):
        return None
    if isinstance(item, tuple):
        return tuple(map(plain, item))
    if is_dataclass(item):
        return (type(item).__name__, *(plain(getattr(item, field.name)) for field in fields(item)))
    return item


def converted(source: SourceText, notation: str) -> str:
    done = convert(source, notation)
    assert isinstance(done, str), render_all(done)
    return done


@pytest.mark.parametrize("notation", ["yaml", "json"])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_trees_are_equal(path, notation: str, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    source = read_source(path.name)
    document = SourceText(f"t.{notation}", converted(source, notation))
    parsed = parse(document)
    assert parsed.diagnostics == (), render_all(parsed.diagnostics, {document.name: document})
    assert plain(parsed.file.declarations) == plain(parse(source).file.declarations)
    again = parse(SourceText("t.gnn", converted(document, "gnn")))
    assert plain(again.file.declarations) == plain(parse(source).file.declarations)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_plans_are_equal(path, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    spec = load(path.name)
    other = loads(converted(read_source(path.name), "yaml"), "t.yaml")
    assert other.models == spec.models
    given = dict(parse_assignment(item) for item in (directive(spec.text, "with") or "").split())
    for name in spec.models:
        assert meaning(other.plan(name, **given)) == meaning(spec.plan(name, **given))


def meaning(plan) -> str:
    """A plan without its places."""
    return re.sub(r'"span": \{[^}]*\}|"rule": \{[^}]*\}', "", plan.to_json())
