"""`gnn plan`: the resolved model as a table, or as JSON."""

import argparse
from typing import Any

from graphdsl.api import load
from graphdsl.tooling.arguments import add_format, add_parameters, parameters
from graphdsl.tooling.output import CLEAN


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("plan", help="show what a model computes", description="Show the resolved model.")
    parser.add_argument("spec", help="a `.gnn` file")
    add_parameters(parser)
    parser.add_argument("--metadata", metavar="FILE", help="stored metadata of the data: fills widths left open by `*`")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plan the model and print it."""
    spec = load(arguments.spec)
    plan = spec.plan(arguments.model, data=arguments.metadata, **parameters(arguments))
    print(plan.to_json() if arguments.json else plan)
    return CLEAN
