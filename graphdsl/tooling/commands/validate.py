"""`gnn validate`: data against a spec."""

import argparse
from pathlib import Path
from typing import Any

from graphdsl.api import Spec, load
from graphdsl.text import Diagnostic, SpecError, report
from graphdsl.text.rewriting import write_bytes
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
    parser.add_argument("--tier", choices=("metadata", "structure", "values"), help=_TIER)
    parser.add_argument(
        "--seconds", type=_seconds, metavar="N", help="begin no check after N seconds, and say which are left"
    )
    parser.add_argument(
        "--html", metavar="FILE", help="write a page, too: findings, the schema as a picture, statistics"
    )
    add_deny_warnings(parser)
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    """A time that is not negative; argparse says what is wrong with others."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"a number of seconds >= 0 is needed, not {text!r}")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Load the data, compare, print."""
    spec = load(arguments.spec)
    data = arguments.data
    if data is None or not data.endswith(".json"):
        data = _load(spec, arguments)
    elif arguments.html:
        raise SpecError([report("GNN209", "metadata has no numbers to draw: `--html` needs the data", where="--html")])
    elif arguments.tier not in (None, "metadata"):
        message = f"metadata has no edges and no numbers: `--tier {arguments.tier}` needs the data"
        raise SpecError([report("GNN209", message, where="--tier")])
    tier = arguments.tier or "values"
    found = spec.validate(data, arguments.model, tier=tier, seconds=arguments.seconds).findings
    if arguments.html:
        _write_page(spec, data, found, arguments)
    return print_findings(found, arguments.format, deny_warnings=arguments.deny_warnings)


def _write_page(spec: Spec, data: Any, found: tuple[Diagnostic, ...], arguments: argparse.Namespace) -> None:
    from graphdsl import __version__
    from graphdsl.data.statistics import describe_graph
    from graphdsl.pages import validation_page

    title = f"{arguments.spec} and {arguments.data or 'its data'}"
    statistics = describe_graph(data, spec.schema(arguments.model))
    page = validation_page(title, spec.text, found, statistics, __version__)
    if (refused := write_bytes(arguments.html, page.encode())) is not None:
        raise SpecError([refused])


def _load(spec: Spec, arguments: argparse.Namespace) -> Any:
    from graphdsl.data import load_source, parse_source

    source = parse_source(arguments.data, Path()) if arguments.data else spec.training(arguments.model).data
    if source is None:
        helps = ("name it: `gnn validate SPEC DATA`, or `data:` in the train block",)
        raise SpecError([report("GNN612", "no data is named", where=arguments.spec, helps=helps)])
    return load_source(source, spec.schema(arguments.model))
