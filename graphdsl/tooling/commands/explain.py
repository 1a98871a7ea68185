"""`gnn explain`: what a finding means, why it matters, and how it looks when it is right."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from graphdsl.text import CODES, Code, Diagnostic, did_you_mean, explain, find_code, report
from graphdsl.tooling.markdown import show_markdown
from graphdsl.tooling.output import CLEAN, print_findings, wants_color


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "explain", help="explain a finding", description="Explain findings: what they mean, a bad and a good example."
    )
    parser.add_argument("code", nargs="*", help="`GNN303` or `self-loops-between-types`; without one, all are listed")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or the pages asked for."""
    asked: list[str] = arguments.code
    found = [(name, find_code(name)) for name in asked]
    if unknown := [_unknown(name) for name, entry in found if entry is None]:
        return print_findings(unknown, stream=sys.stderr)
    entries = [entry for _, entry in found if entry is not None] or list(CODES)
    if arguments.json:
        content = [asdict(entry) | {"explanation": explain(entry.code)} for entry in entries]
        print(json.dumps(content, indent=2, ensure_ascii=False))
    elif asked:
        pages = "\n".join(explain(entry.code) for entry in entries).rstrip()
        print(show_markdown(pages) if wants_color(sys.stdout) else pages)
    else:
        print("\n".join(_line(entry) for entry in entries))
    return CLEAN


def _line(entry: Code) -> str:
    return f"{entry.code}  {entry.severity:<7}  {entry.name}"


def _unknown(name: str) -> Diagnostic:
    known = [word for entry in CODES for word in (entry.code, entry.name)]
    helps = did_you_mean(name, known) or ("`gnn explain` lists all codes",)
    return report("GNN101", f"unknown code `{name}`", where="gnn explain", helps=helps)
