"""`gnn check`: everything that is wrong with specs, before any tensor exists."""

import argparse
from typing import Any

from graphdsl.api import check
from graphdsl.tooling.arguments import add_format
from graphdsl.tooling.output import FINDINGS, print_findings


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("check", help="check specs", description="Check specs; imports no torch.")
    parser.add_argument("spec", nargs="+", help="`.gnn` files")
    parser.add_argument("--pedantic", action="store_true", help="report also what is right and could be better (7xx)")
    parser.add_argument("--deny-warnings", action="store_true", help="end with 1 when there is a warning, too")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check all files and print what was found."""
    found = [item for path in arguments.spec for item in check(path, arguments.pedantic)]
    code = print_findings(found, arguments.format)
    return FINDINGS if arguments.deny_warnings and any(item.severity == "warning" for item in found) else code
