"""`gnn plan`: the resolved model as a table, or as JSON; with data, also what it will cost."""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdsl.api import Spec, load
from graphdsl.plan import Plan
from graphdsl.plan.printing import render_plan
from graphdsl.plan.table import align
from graphdsl.text import SpecError, report, show_edge
from graphdsl.tooling.arguments import add_format, add_parameters, add_plugins, parameters
from graphdsl.tooling.commands.plan_passes import passes_json, passes_text
from graphdsl.tooling.output import CLEAN

if TYPE_CHECKING:
    from torch.nn import Module

    from graphdsl.data.estimates import RelationSize


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("plan", help="show what a model computes", description="Show the resolved model.")
    parser.add_argument("spec", help="a `.gnn` file")
    add_parameters(parser)
    parser.add_argument("--metadata", metavar="FILE", help="stored metadata of the data: fills widths left open by `*`")
    said = "the data (as of `gnn train`): adds edges per relation, paths per metapath and parameters; loads torch"
    parser.add_argument("--data", metavar="SOURCE", nargs="?", const="", help=said)
    parser.add_argument(
        "--passes",
        action="store_true",
        help="also what is left out, which kernels serve which layers and why others not, what they compute at once; "
        "with `--data` also the order of sums and matrices",
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    add_format(parser)
    add_plugins(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plan the model and print it."""
    spec = load(arguments.spec)
    values = parameters(arguments)
    name = spec.model(arguments.model).name
    if arguments.data is not None:
        _with_data(spec, name, values, arguments)
        return CLEAN
    plan = spec.plan(name, data=arguments.metadata, **values)
    _print(plan, arguments)
    return CLEAN


def _print(plan: Plan, arguments: argparse.Namespace, data: Any = None, more: Mapping[str, Any] | None = None) -> None:
    """The plan, with what its passes did if asked for; `more` stands in the JSON only."""
    if arguments.json:
        added = passes_json(plan, data) if arguments.passes else {}
        added.update(more or {})
        text = plan.to_json()
        print(json.dumps(json.loads(text) | added, indent=2, ensure_ascii=False) if added else text)
        return
    print(render_plan(plan, _columns()))
    if arguments.passes:
        print(f"\n{passes_text(plan, data, _columns())}")


def _columns() -> int | None:
    """How wide the terminal is; None when the table goes to a file or another program."""
    return max(60, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def _with_data(spec: Spec, name: str, values: dict[str, Any], arguments: argparse.Namespace) -> None:
    from graphdsl.data import estimate_relations, parse_source
    from graphdsl.tooling.running import open_data
    from graphdsl.training.liveness import dead_parameters

    if arguments.metadata:
        raise SpecError([report("GNN209", "`--metadata` and `--data` both give the sizes", where="gnn plan")])
    source = parse_source(arguments.data, Path()) if arguments.data else spec.training(name).data
    schema = spec.schema(name)
    data = open_data(source, schema, arguments.spec)
    model = spec.compile(name, data=data, **values)
    plan = model.plan
    counts = _count(model, {id(item) for item in dead_parameters(model, plan)})
    total, dead = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    sizes = estimate_relations(plan, data)
    _print(plan, arguments, data, _as_json(sizes, counts))
    if arguments.json:
        return
    if sizes:
        print(f"\n{_size_table(sizes)}")
    print(f"\n{_count_table(counts)}\n\n{total:,} parameters" + (f", {dead:,} of them dead" if dead else ""))


def _count(model: "Module", dead: set[int]) -> dict[str, tuple[int, int]]:
    """Parameters of each stage and head, and how many of them are dead, by the place in the state dict."""
    counts: dict[str, tuple[int, int]] = {}
    for name, item in model.named_parameters():
        place = ".".join(name.split(".")[:2])
        total, lost = counts.get(place, (0, 0))
        counts[place] = (total + item.numel(), lost + (item.numel() if id(item) in dead else 0))
    return counts


def _count_table(counts: Mapping[str, tuple[int, int]]) -> str:
    rows = [(place, f"{total:,}", f"{dead:,}" if dead else "") for place, (total, dead) in counts.items()]
    return align(("module", "parameters", "dead"), rows, _columns())


def _size_table(sizes: "tuple[RelationSize, ...]") -> str:
    rows: list[tuple[str, ...]] = []
    for item in sizes:
        edges = "absent" if item.edges is None else f"{item.edges:,}"
        if item.origin == "walk" and item.instances is not None:
            edges = "none made"
        elif item.instances is not None:
            edges = f"≤ {edges}"
        paths = "" if item.instances is None else f"{item.instances:,}"
        budget = "" if item.budget is None else f"{item.budget:,}" + ("  (may not do)" if item.exceeded else "")
        skew = "" if item.busiest is None else f"{item.busiest:,}"
        rows.append((show_edge(item.edge), item.origin, edges, paths, skew, budget))
    heads = ("relation", "from", "edges", "paths", "most to one node", "budget")
    return "\n".join([align(heads, rows, _columns()), *_hop_lines(sizes)])


def _hop_lines(sizes: "tuple[RelationSize, ...]") -> list[str]:
    """How many walks each metapath has after each hop."""
    return [
        f"walks of {item.edge[1]}, hop by hop: {' → '.join(f'{count:,}' for count in item.walks)}"
        for item in sizes
        if item.walks
    ]


def _as_json(sizes: "tuple[RelationSize, ...]", counts: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    relations = [
        {
            "edge": item.edge,
            "origin": item.origin,
            "edges": item.edges,
            "paths": item.instances,
            "walks": list(item.walks),
            "busiest": item.busiest,
            "budget": item.budget,
        }
        for item in sizes
    ]
    total, dead = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    modules = {place: {"parameters": pair[0], "dead": pair[1]} for place, pair in counts.items()}
    return {
        "relation_sizes": relations, "modules": modules, "parameter_count": total, "dead_parameter_count": dead,
    }  # fmt: skip
