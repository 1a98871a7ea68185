"""The written form of a source on the command line: `pyg("DBLP", root="x")`, `tables("dir")`, a path, `file.py:f`."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from graphdsl.model import DataSource
from graphdsl.text import Diagnostic, SpecError, closest, did_you_mean, report

_CALL = re.compile(r"\s*([^\W\d]\w*)\s*\(")
_FUNCTION = re.compile(r".+\.py:[^\W\d]\w*")
_SUFFIXES = (".pt", ".pth")
_LONGEST = 10_000
_KINDS: Mapping[str, Literal["pyg", "tables", "file"]] = {"pyg": "pyg", "tables": "tables", "file": "file"}
_HELP = 'accepted: `pyg("DBLP", root="data")`, a folder of tables, `graph.pt`, `file.py:function`'


def parse_source(text: str, base: Path = Path()) -> DataSource:
    """Read a source as the command line gives it. Nothing is opened, and nothing evaluated.

    Args:
        text: `pyg("NAME", argument=constant, …)`, `tables("folder")`, `file("graph.pt")`, the path of a `.pt` file or
            of a folder of tables, or `path/to/file.py:function`.
        base: folder that relative paths start from.

    Raises:
        SpecError: GNN612: none of these.

    >>> parse_source('pyg("DBLP", root="data")')
    DataSource(kind='pyg', name='DBLP', arguments={'root': 'data'}, base=PosixPath('.'), span=None)
    >>> parse_source("graphs.py:build").kind
    'function'
    """
    if _is_folder(text, base):
        return DataSource("tables", text, {}, base)
    call = _CALL.match(text)
    if call is not None:
        return _parse_call(text, call.group(1), base)
    if _FUNCTION.fullmatch(text):
        return DataSource("function", text, {}, base)
    if text.endswith(_SUFFIXES):
        return DataSource("file", text, {}, base)
    raise SpecError([_explain_unknown(text, base)])


def _is_folder(text: str, base: Path) -> bool:
    try:
        return bool(text) and (base / text).is_dir()
    except (OSError, ValueError):  # A name that no file can have.
        return False


def _explain_unknown(text: str, base: Path) -> Diagnostic:
    if text.endswith(".py"):
        return _refuse(text, "names a program, but not which function makes the graph", f"`{text}:NAME`")
    if text.endswith(".json"):
        return _refuse(text, "is a `.json` file, which holds no graph", "metadata: `gnn validate SPEC FILE.json`")
    name, names = Path(text).name, _neighbours(base / text)
    suggested = did_you_mean(name, names) if text and name not in names else ()
    return _refuse(text, "is neither a folder nor a known form of a data source", *suggested, _HELP)


def _neighbours(path: Path) -> list[str]:
    """Names beside a path that does not exist."""
    try:
        return sorted(item.name for item in path.parent.iterdir())
    except (OSError, ValueError):
        return []


def _refuse(text: str, problem: str, *helps: str) -> Diagnostic:
    shown = text if len(text) <= 100 else text[:99] + "…"
    return report("GNN612", f"`{shown}` {problem}", where="data", helps=helps)


def _parse_call(text: str, kind_name: str, base: Path) -> DataSource:
    kind = _KINDS.get(kind_name)
    if kind is None:
        meant = closest(kind_name, _KINDS)
        helps = (f"did you mean `{meant}(…)`?",) if meant else ()
        raise SpecError([_refuse(text, f"asks for an unknown source `{kind_name}`", *helps, _HELP)])
    call = _parse_expression(text)
    values = [_constant(text, item) for item in call.args]
    named = {item.arg: _constant(text, item.value) for item in call.keywords if item.arg is not None}
    if len(named) < len(call.keywords):
        is_unpacked = any(item.arg is None for item in call.keywords)
        problem = "unpacks a mapping; arguments are constants" if is_unpacked else "gives an argument twice"
        raise SpecError([_refuse(text, problem, _HELP)])
    if len(values) != 1 or not isinstance(values[0], str):
        raise SpecError([_refuse(text, "needs exactly one name or path, as a string", f'`{kind}("…")`')])
    if named and kind != "pyg":
        raise SpecError([_refuse(text, f"has arguments that `{kind}` does not take", f'`{kind}("…")`')])
    return DataSource(kind, values[0], named, base)


def _parse_expression(text: str) -> ast.Call:
    """The call as a syntax tree; Python's parser runs nothing."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body if len(text) <= _LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise SpecError([_refuse(text, "is no call that can be read", "quotes and brackets must be closed", _HELP)])
    return tree


def _constant(text: str, node: ast.expr) -> Any:
    """A number, string, boolean, None, or a tuple or list of them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _constant(text, node.operand)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value
    if isinstance(node, ast.Tuple | ast.List):
        items = [_constant(text, item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    said = ast.unparse(node)
    helps = (f'a name is written as a string: `"{said}"`',) if isinstance(node, ast.Name) else (_HELP,)
    raise SpecError([_refuse(text, f"has an argument `{said}` that is no constant", *helps)])
