"""Sizes and shapes of the code: what the style says and a machine can tell."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "graphdsl").rglob("*.py"))
FORBIDDEN = {"utils", "helpers", "common", "misc"}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

IDS = [str(path.relative_to(ROOT)) for path in MODULES]


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_module_is_short_named_and_explained(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert path.stem not in FORBIDDEN
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_no_manager_no_stub_no_note_to_self(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"class \w*(Manager|Handler|Helper|Util)\b", text)
    assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", text)
