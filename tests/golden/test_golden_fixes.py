"""Fixes of the bad specs: each removes its finding and brings up no new error, and all together leave fewer."""

from pathlib import Path

import pytest
from reading import BAD

from graphdsl.api import check, check_source
from graphdsl.checking import fix_source
from graphdsl.text import Diagnostic, SourceText, read_source, render_all
from graphdsl.text.rewriting import apply_edits


def fixable(path) -> list[tuple[Path, int]]:
    """Findings of a bad spec that can be fixed in its own text."""
    found = enumerate(check(path))
    return [
        (path, number) for number, item in found if item.fix and all(e.span.file == str(path) for e in item.fix.edits)
    ]


FIXABLE = [pair for path in BAD for pair in fixable(path)]


def said(found) -> list[tuple[str, str]]:
    return [(item.code, item.message) for item in found]


def start(item: Diagnostic) -> tuple[int, int] | None:
    return (item.primary.span.line, item.primary.span.column) if item.primary else None


def is_revealed(item: Diagnostic, mended: Diagnostic) -> bool:
    """Whether a finding was only hidden by a statement that could not be read: it lies behind it, or in its meaning."""
    syntax = item.code.startswith("GNN0")
    behind = item.primary is not None and mended.primary is not None and item.primary.span >= mended.primary.span
    return mended.code.startswith("GNN0") and (behind or not syntax)


@pytest.mark.parametrize(("path", "number"), FIXABLE, ids=lambda value: getattr(value, "stem", str(value)))
def test_a_fix_mends_what_it_is_for_and_nothing_else_breaks(path, number, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    source = read_source(path.name)
    found = check_source(source)
    mended = found[number]
    fixed = SourceText(source.name, apply_edits(source, mended.fix.edits))
    after = check_source(fixed)
    assert not [item for item in after if said([item]) == said([mended]) and start(item) == start(mended)], fixed.text
    new = [item for item in after if item.is_error and (item.code, item.message) not in said(found)]
    assert all(is_revealed(item, mended) for item in new), render_all(new, {fixed.name: fixed})


@pytest.mark.parametrize("path", sorted({path for path, _ in FIXABLE}), ids=lambda path: path.stem)
def test_fixing_is_finished_when_it_ends(path, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    source = read_source(path.name)
    done = fix_source(source, check_source)
    assert done.applied
    assert done.findings == check_source(done.source)
    assert sum(item.is_error for item in done.findings) <= sum(item.is_error for item in check_source(source))
    assert not fix_source(done.source, check_source).applied
