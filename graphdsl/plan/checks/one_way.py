"""Types that only send: no relation of the schema ends in them, so deeper layers read what the first one read."""

from graphdsl.model import Schema
from graphdsl.plan.ir import Plan
from graphdsl.plan.passes.mark_live import read_inputs
from graphdsl.plan.reach import depths
from graphdsl.text import Diagnostic, report, show_edge, show_name


def one_way_types(plan: Plan, schema: Schema) -> list[Diagnostic]:
    """A type that a model of several layers reads, and into which no relation of the schema leads."""
    deepest = max((depths(plan)[head.state] for head in plan.heads), default=0)
    predicted = {name for head in plan.heads for name in head.types}
    found: list[Diagnostic] = []
    for name in sorted(read_inputs(plan) - predicted) if deepest > 1 else ():
        leaving = [edge for edge in schema.edges.values() if edge.source == name]
        if not leaving or any(edge[2] == name for edge in schema.relations()):
            continue
        message = f"`{show_name(name)}` sends messages and receives none: every layer reads the same value of it"
        helps = (f"let messages come back: `edge {show_edge(leaving[0].key)} reverse NAME`",)
        found.append(report("GNN703", message, leaving[0].span, f"leaves `{show_name(name)}`", helps=helps))
    return found
