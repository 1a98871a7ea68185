"""`gnn pull`: a spec from data."""

import argparse
import io
import os
import re
import sys
from pathlib import Path
from typing import Any

from graphdsl.api import load
from graphdsl.model import DataSource
from graphdsl.text import Diagnostic, SpecError, read_source, report
from graphdsl.text.rewriting import write_bytes
from graphdsl.tooling.arguments import add_deny_warnings, add_format, add_plugins
from graphdsl.tooling.output import print_findings
from graphdsl.tooling.table_keys import TableKeys, add_table_keys, load_keyed, read_table_keys

_SCHEMAS = (".pbtxt", ".textproto")
_SAID = """Write the schema of data: types, relations, widths, classes, masks, times. With --model, a model that trains, too.
With --check, say instead how the data has drifted from the schema of a spec."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("pull", help="write a spec from data", description=_SAID)
    parser.add_argument(
        "data", help="tables folder, `.pt` file, `pyg(…)`, `file.py:function`, or a schema of TensorFlow GNN (`.pbtxt`)"
    )
    parser.add_argument("--name", help="of the schema; otherwise from the data's")
    parser.add_argument("--model", action="store_true", help="propose a model and a train block")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; otherwise it is printed")
    parser.add_argument("--force", action="store_true", help="with `--output`: replace a file that is there")
    parser.add_argument("--check", metavar="SPEC", help="compare the data with the schema of this spec")
    parser.add_argument(
        "--schema-of", metavar="MODEL", help="with `--check`: the model, where the spec has several schemas"
    )
    add_table_keys(parser)
    add_deny_warnings(parser)
    add_plugins(parser)
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load the data, write its spec or compare it with one."""
    from graphdsl.pulling import drift, pull_text

    if arguments.check and (arguments.model or arguments.output or arguments.graph):
        raise SpecError(
            [report("GNN209", "`--check` writes nothing, so it goes with no option that does", where="gnn pull")]
        )
    keys = read_table_keys(arguments)
    if arguments.graph and not keys:
        helps = ("add `--key`, `--link` or `--time`",)
        raise SpecError([report("GNN209", "`--graph` saves what keys make of tables", where="gnn pull", helps=helps)])
    if arguments.check:
        schema = load(arguments.check).schema(arguments.schema_of)
        found = drift(schema, _read(arguments.data, keys)[0])
        return print_findings(found, arguments.format, deny_warnings=arguments.deny_warnings)
    for path in (arguments.output, arguments.graph):
        _refuse_to_replace(path, arguments.force)
    data, name, source = _read(arguments.data, keys)
    if arguments.graph:
        _save(data, arguments.graph)
        source = DataSource("file", arguments.graph)
    written = _written(source, arguments.output) if source is not None and (arguments.graph or not keys) else ""
    pulled = pull_text(data, arguments.name or name, model=arguments.model, source=written)
    if arguments.output is None:
        print(pulled.text, end="")
    elif (refused := write_bytes(arguments.output, pulled.text.encode())) is not None:
        raise SpecError([refused])
    if not pulled.findings:
        return 0
    return print_findings(pulled.findings, arguments.format, stream=sys.stderr, deny_warnings=arguments.deny_warnings)


def _read(path: str, keys: TableKeys) -> tuple[Any, str, DataSource | None]:
    """The data, a name for its schema, and where it is."""
    if Path(path).suffix in _SCHEMAS and not keys:
        read = read_source(path)
        if isinstance(read, Diagnostic):
            raise SpecError([read])
        return read, _identifier(Path(path).stem), None
    from graphdsl.data import load_raw, parse_source

    source = parse_source(path, Path())
    return load_keyed(source, keys) if keys else load_raw(source), _name(source), source


def _save(data: Any, path: str) -> None:
    """A graph as `to_dict()` gives it, which opens without running code."""
    import torch

    content = io.BytesIO()
    torch.save(data.to_dict(), content)
    if (refused := write_bytes(path, content.getvalue())) is not None:
        raise SpecError([refused])


def _refuse_to_replace(path: str | None, force: bool) -> None:
    if path and Path(path).exists() and not force:
        message = f"`{path}` is there already"
        raise SpecError([report("GNN616", message, where="gnn pull", helps=("`--force` replaces it",))])


def _name(source: DataSource) -> str:
    """A schema's name from a source: the dataset, the file, or the function."""
    stem = source.name.rpartition(":")[2] if source.kind == "function" else Path(source.name).stem
    return _identifier(str(source.arguments.get("name", stem)))


def _identifier(text: str) -> str:
    name = re.sub(r"\W+", "_", text).strip("_").lower()
    return name if name.isidentifier() else "data"


def _written(source: DataSource, output: str | None) -> str:
    """The source as a train block names it, from the folder of the spec; nothing for a function, which a spec never calls."""
    if source.kind == "function":
        return ""
    if source.kind == "pyg":
        arguments = "".join(f", {key} = {_constant(value)}" for key, value in source.arguments.items())
        return f"pyg({_quote(source.name)}{arguments})"
    path = source.name
    if output is not None and not os.path.isabs(path) and os.path.dirname(output):
        path = Path(os.path.relpath(path, os.path.dirname(output))).as_posix()
    return _quote(path) if source.kind == "file" else f"{source.kind}({_quote(path)})"


def _constant(value: Any) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_constant, value))}]"
    return {True: "true", False: "false", None: "none"}[value] if isinstance(value, bool | None) else repr(value)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
