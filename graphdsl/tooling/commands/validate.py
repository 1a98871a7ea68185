"""`gnn validate`: data against a spec."""

import argparse
from pathlib import Path
from typing import Any

from graphdsl.api import load
from graphdsl.text import SpecError, report
from graphdsl.tooling.arguments import add_deny_warnings, add_format, add_plugins
from graphdsl.tooling.output import print_findings


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "validate", help="check data against a spec", description="Check data against a spec."
    )
    parser.add_argument("spec", help="a `.gnn` file")
    parser.add_argument("data", nargs="?", help="tables folder, `.pt` file, `pyg(…)`, or `file.py:function`")
    parser.add_argument("--model", metavar="NAME", help="whose schema, where the spec has several")
    add_deny_warnings(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load the data, compare, print."""
    from graphdsl.data import load_source, parse_source

    spec = load(arguments.spec)
    schema = spec.schema(arguments.model)
    source = parse_source(arguments.data, Path()) if arguments.data else spec.training(arguments.model).data
    if source is None:
        helps = ("name it: `gnn validate SPEC DATA`, or `data:` in the train block",)
        raise SpecError([report("GNN612", "no data is named", where=arguments.spec, helps=helps)])
    findings = spec.validate(load_source(source, schema), arguments.model).findings
    return print_findings(findings, arguments.format, deny_warnings=arguments.deny_warnings)
