"""`gnn check`: everything that is wrong with specs, before any tensor exists."""

import argparse
from typing import Any

from graphdsl.api import check_source
from graphdsl.text import SourceText
from graphdsl.tooling.arguments import add_deny_warnings, add_format, add_plugins, read_spec
from graphdsl.tooling.files import find_specs
from graphdsl.tooling.output import print_findings


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("check", help="check specs", description="Check specs; imports no torch.")
    parser.add_argument("spec", nargs="+", help="`.gnn` files, folders, or `-` for standard input")
    parser.add_argument("--pedantic", action="store_true", help="report also what is right and could be better (7xx)")
    add_deny_warnings(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check all files and print what was found."""
    paths, found = find_specs(arguments.spec)
    sources: dict[str, SourceText] = {}
    for path in paths:
        source = read_spec(path)
        if isinstance(source, SourceText):
            sources[source.name] = source
            found += check_source(source, arguments.pedantic)
        else:
            found.append(source)
    return print_findings(found, arguments.format, sources, deny_warnings=arguments.deny_warnings)
