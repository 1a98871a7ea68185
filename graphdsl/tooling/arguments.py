"""Arguments that several commands share."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from graphdsl.api import use_plugins
from graphdsl.model import parse_assignment, read_parameters
from graphdsl.model.parameters import RESERVED
from graphdsl.text import Diagnostic, SourceText, SpecError, decode_source, read_source, report
from graphdsl.tooling.output import FORMATS

STDIN = "<stdin>"
"""What standard input is called in messages."""


def read_spec(path: str) -> SourceText | Diagnostic:
    """Read a spec file, or with `-` standard input."""
    return decode_source(sys.stdin.buffer.read(), STDIN) if path == "-" else read_source(path)


def add_format(parser: argparse.ArgumentParser) -> None:
    """`--format`: findings are printed so, on standard output where they are what the command gives."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed")


def add_deny_warnings(parser: argparse.ArgumentParser) -> None:
    """`--deny-warnings`."""
    parser.add_argument("--deny-warnings", action="store_true", help="end with 1 when there is a warning, too")


def add_plugins(parser: argparse.ArgumentParser) -> None:
    """`--plugin`."""
    said = "a module that holds further layers; of installed packages none need be named"
    parser.add_argument("--plugin", metavar="MODULE", action="append", default=[], help=said)


def load_plugins(names: Sequence[str]) -> None:
    """Make the layers of the modules known that `--plugin` names; they may lie in the current folder.

    Raises:
        SpecError: GNN112, GNN113 or GNN114.
    """
    if names and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # Behind everything else: nothing there hides a package.
    if found := use_plugins(names):
        raise SpecError(found)


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """`--model`, `--params`, `--set`."""
    parser.add_argument("--model", metavar="NAME", help="the model, where the spec has several")
    parser.add_argument("--params", metavar="FILE", help="YAML file with values for the model's parameters")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a value for a parameter (`gnn train`: or a train setting); wins over --params",
    )


def whole_number(text: str) -> int:
    """The type of an argument that counts something: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number ≥ 1")
    return int(text)


def parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Values for the model's parameters: `--params`, then `--set` over it.

    Raises:
        SpecError: if the file or an assignment cannot be read.
    """
    values: dict[str, Any] = {}
    found: list[Diagnostic] = []
    if arguments.params:
        read = read_parameters(arguments.params)
        if isinstance(read, Diagnostic):
            found.append(read)
        else:
            values |= read
    for text in arguments.set:
        pair = parse_assignment(text)
        if isinstance(pair, Diagnostic):
            found.append(pair)
        else:
            values[pair[0]] = pair[1]
    taken = [name for name in values if name in RESERVED]
    found += [report("GNN207", f"no model has a parameter `{name}`", where=name) for name in taken]
    if found:
        raise SpecError(found)
    return values
