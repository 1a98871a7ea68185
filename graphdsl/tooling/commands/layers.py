"""`gnn layers`: what can stand in a spec, and with which arguments."""

import argparse
import json
import sys
from typing import Any

from graphdsl.catalog import (
    INSTEAD,
    MASK_LABEL,
    NOT_YET,
    OBJECTIVES,
    SCORERS,
    SPREADERS,
    Problem,
    entries,
    find_scorer,
    names,
    offered,
    seek,
)
from graphdsl.text import did_you_mean, report
from graphdsl.tooling.arguments import add_plugins
from graphdsl.tooling.catalogue import KINDS, as_dict, overview, page, scorer_as_dict, scorer_page
from graphdsl.tooling.output import CLEAN, print_findings

_BESIDE = {**OBJECTIVES, **SPREADERS, MASK_LABEL.name: MASK_LABEL}
"""Entries that are no layers: what stands elsewhere in a spec."""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    what = "List what can stand in a spec: layers, models, norms, activations, readouts, pooling, scorers."
    parser = subparsers.add_parser("layers", help="list layers", description=what)
    parser.add_argument("name", nargs="?", help="one of them, or any name of torch_geometric.nn")
    parser.add_argument("--kind", choices=[kind for kind, _ in KINDS], help="only layers of one kind")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    add_plugins(parser)
    parser.set_defaults(run=run)


def _absent(name: str) -> tuple[str, ...]:
    """Why a name is no layer here, where PyG has it; else the nearest one that is."""
    if name in NOT_YET:
        return (f"PyG has it, but it is no layer of a spec: {NOT_YET[name]}",)
    return did_you_mean(name, (*names(), *SCORERS, *INSTEAD, *NOT_YET))


def _all(kind: str | None) -> list[dict[str, Any]]:
    """Everything as JSON."""
    found = [as_dict(entry) for entry in (*entries(), *_BESIDE.values()) if kind in (None, entry.kind)]
    return found + ([scorer_as_dict(item) for item in SCORERS.values()] if kind is None else [])


def _refuse(problems: list[Problem], style: str = "text") -> int:
    """Say what is wrong with layers of other packages."""
    found = [
        report(item.code, item.message, where="gnn layers", helps=(item.help,) if item.help else ())
        for item in problems
    ]
    return print_findings(found, style, stream=sys.stderr) if found else CLEAN


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or one entry."""
    name = arguments.name
    if name is None:
        wrong = [item for item in map(seek, offered()) if isinstance(item, Problem)]
        _refuse(wrong)  # A package that keeps its word is in the list, what is wrong with others is said beside it.
        print(json.dumps(_all(arguments.kind), indent=2) if arguments.json else overview(arguments.kind))
        return CLEAN
    scorer = find_scorer(name)
    entry = _BESIDE.get(name) or (None if scorer is not None or name in INSTEAD else seek(name))
    if isinstance(entry, Problem):
        return _refuse([entry], "json" if arguments.json else "text")
    if entry is not None:
        print(json.dumps(as_dict(entry), indent=2) if arguments.json else page(entry))
    elif scorer is not None:
        print(json.dumps(scorer_as_dict(scorer), indent=2) if arguments.json else scorer_page(scorer))
    elif name in INSTEAD:
        said = {"name": name, "instead": INSTEAD[name]}
        print(json.dumps(said, indent=2) if arguments.json else f"{name}\n  a spec says it as {INSTEAD[name]}")
    else:
        found = report("GNN103", f"unknown layer `{name}`", where="gnn layers", helps=_absent(name))
        return print_findings([found], "json" if arguments.json else "text", stream=sys.stderr)
    return CLEAN
