"""`gnn validate`: data against a spec."""

import argparse
from pathlib import Path
from typing import Any

from graphdsl.api import Spec, load
from graphdsl.text import SpecError, report
from graphdsl.tooling.arguments import add_deny_warnings, add_format, add_plugins
from graphdsl.tooling.output import print_findings

_DATA = "tables folder, `.pt` file, `pyg(…)`, `file.py:function`, or a metadata file (`.json`)"
_TIER = "how deep to look: types and widths; the edges too; the numbers too (default)"


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "validate", help="check data against a spec", description="Check data against a spec."
    )
    parser.add_argument("spec", help="a `.gnn` file")
    parser.add_argument("data", nargs="?", help=_DATA)
    parser.add_argument("--model", metavar="NAME", help="whose schema, where the spec has several")
    parser.add_argument("--tier", choices=("metadata", "structure", "values"), default="values", help=_TIER)
    parser.add_argument(
        "--seconds", type=float, metavar="N", help="begin no check after N seconds, and say which are left"
    )
    add_deny_warnings(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load the data, compare, print."""
    spec = load(arguments.spec)
    data = arguments.data
    if data is None or not data.endswith(".json"):
        data = _load(spec, arguments)
    found = spec.validate(data, arguments.model, tier=arguments.tier, seconds=arguments.seconds).findings
    return print_findings(found, arguments.format, deny_warnings=arguments.deny_warnings)


def _load(spec: Spec, arguments: argparse.Namespace) -> Any:
    from graphdsl.data import load_source, parse_source

    source = parse_source(arguments.data, Path()) if arguments.data else spec.training(arguments.model).data
    if source is None:
        helps = ("name it: `gnn validate SPEC DATA`, or `data:` in the train block",)
        raise SpecError([report("GNN612", "no data is named", where=arguments.spec, helps=helps)])
    return load_source(source, spec.schema(arguments.model))
