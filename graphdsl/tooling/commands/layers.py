"""`gnn layers`: what can stand in a spec, and with which arguments."""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from graphdsl.catalog import (
    INSTEAD,
    NOT_YET,
    SCORERS,
    Entry,
    Parameter,
    Scorer,
    Slot,
    describe,
    describe_requirement,
    entries,
    find,
    find_scorer,
    header_of,
    missing,
    names,
)
from graphdsl.model.values import show
from graphdsl.text import did_you_mean, report
from graphdsl.tooling.arguments import add_plugins
from graphdsl.tooling.output import CLEAN, print_findings


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("layers", help="list layers", description="List layers, norms and activations.")
    parser.add_argument("name", nargs="?", help="one of them, for its arguments")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    add_plugins(parser)
    parser.set_defaults(run=run)


def _line(parameter: Parameter) -> str:
    default = "required" if parameter.required else f"default {show(parameter.default)}"
    since = f"; since PyG {parameter.since}" if parameter.since else ""
    return f"  {parameter.name:<20} {describe(parameter)}; {default}{since}"


def _names(slots: Iterable[Slot]) -> str:
    return ", ".join(slot.name for slot in slots)


def _page(entry: Entry) -> str:
    lines = [f"{entry.name}  ({entry.path})", f"  {entry.doc}"]
    lines += [f"  paper: {entry.paper}"] if entry.paper else []
    lacking = missing(entry)
    lines += [
        f"  needs {describe_requirement(item)}{'; not installed here' if item in lacking else ''}"
        for item in entry.requires
    ]
    lines += ["", "arguments:", *(_line(item) for item in entry.parameters)] if entry.parameters else []
    if entry.derived:
        lines += ["", "filled in by the compiler: " + ", ".join(entry.derived)]
    bound = [
        f"  {item.name:<20} bound to {item.source} data{' (required)' if item.required else ''}"
        for item in entry.inputs
    ]
    lines += ["", "forward inputs:", *bound] if bound else []
    header = header_of(entry)
    if header is not None:
        optional = [slot.name for slot in header.takes if slot.optional and not slot.ignored]
        ignored = [slot.name for slot in header.takes if slot.ignored]
        lines += ["", "in a `sequential` block:", f"  {entry.name}: {_names(header.takes)} -> {_names(header.gives)}"]
        lines += [f"  usually              {header.example}"]
        lines += [f"  may be `none`:       {', '.join(optional)}"] if optional else []
        lines += [f"  always `none`:       {', '.join(ignored)}"] if ignored else []
    if entry.kind == "conv" or entry.scope == "relation":
        between = "may join two node types" if entry.bipartite else "only within one node type"
        lines += ["", f"scope: {entry.scope}; {between}"]
    return "\n".join(lines)


def _scorer_page(scorer: Scorer) -> str:
    ends = "both ends must be equally wide" if scorer.equal_ends else "ends of any width"
    lines = [f"{scorer.name}  ({scorer.path})", f"  {scorer.doc}"]
    lines += [f"  paper: {scorer.paper}"] if scorer.paper else []
    lines += ["", "arguments:", *map(_line, scorer.parameters)] if scorer.parameters else []
    return "\n".join([*lines, "", f"scores the pairs of a link prediction: {ends}"])


def _as_dict(entry: Entry) -> dict[str, Any]:
    header = header_of(entry)
    return {
        "header": header
        and {
            "takes": [{"name": slot.name, "kinds": slot.kinds, "optional": slot.optional} for slot in header.takes],
            "gives": [{"name": slot.name, "kinds": slot.kinds} for slot in header.gives],
        },
        "name": entry.name,
        "kind": entry.kind,
        "path": entry.path,
        "doc": entry.doc,
        "paper": entry.paper,
        "requires": list(entry.requires),
        "scope": entry.scope,
        "bipartite": entry.bipartite,
        "parameters": [
            {
                "name": item.name,
                "type": item.type,
                "required": item.required,
                "since": item.since,
                "default": None if item.required else item.default,
                "accepts": describe(item),
            }
            for item in entry.parameters
        ],
        "derived": dict(entry.derived),
        "inputs": [{"name": item.name, "source": item.source, "required": item.required} for item in entry.inputs],
    }


def _absent(name: str) -> tuple[str, ...]:
    """Why a name is no layer here, where PyG has it; else the nearest one that is."""
    if name in INSTEAD:
        return (f"a spec says it as {INSTEAD[name]}",)
    if name in NOT_YET:
        return (f"PyG has it, but a spec cannot say it yet: {NOT_YET[name]}",)
    return did_you_mean(name, (*names(), *SCORERS))


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or one entry."""
    if arguments.name is None:
        if arguments.json:
            print(json.dumps([_as_dict(entry) for entry in entries()], indent=2))
            return CLEAN
        width = max(len(name) for name in names())
        print("\n".join(f"{entry.name:<{width}}  {entry.kind:<10}  {entry.doc}" for entry in entries()))
        print("\n".join(f"{item.name:<{width}}  {'scorer':<10}  {item.doc}" for item in SCORERS.values()))
        return CLEAN
    scorer = find_scorer(arguments.name)
    if scorer is not None and not arguments.json:
        print(_scorer_page(scorer))
        return CLEAN
    entry = find(arguments.name)
    if entry is None:
        helps = _absent(arguments.name)
        found = report("GNN103", f"unknown layer `{arguments.name}`", where="gnn layers", helps=helps)
        return print_findings([found], stream=sys.stderr)
    print(json.dumps(_as_dict(entry), indent=2) if arguments.json else _page(entry))
    return CLEAN
