"""`gnn check`: everything that is wrong with specs, before any tensor exists."""

import argparse
from typing import Any

from graphdsl.api import check
from graphdsl.tooling.arguments import add_deny_warnings, add_format
from graphdsl.tooling.output import print_findings


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("check", help="check specs", description="Check specs; imports no torch.")
    parser.add_argument("spec", nargs="+", help="`.gnn` files")
    parser.add_argument("--pedantic", action="store_true", help="report also what is right and could be better (7xx)")
    add_deny_warnings(parser)
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check all files and print what was found."""
    found = [item for path in arguments.spec for item in check(path, arguments.pedantic)]
    return print_findings(found, arguments.format, deny_warnings=arguments.deny_warnings)
