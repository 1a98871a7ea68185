"""Relations that a rule serves beside useful ones, and on which no prediction depends."""

from graphdsl.model import Schema
from graphdsl.plan.checks.dead_rules import by_map
from graphdsl.plan.ir import Plan
from graphdsl.text import Diagnostic, listing, report, show_edge, show_name


def wasted_relations(plan: Plan, _schema: Schema) -> list[Diagnostic]:
    """One finding for each relation map of which only a part reaches a prediction."""
    found: list[Diagnostic] = []
    into = sorted({show_name(name) for head in plan.heads for name in head.types})
    for rules in by_map(plan).values():
        for rule, edges in rules.items():
            dead = [edge for edge, live in edges.items() if not live]
            if not dead or len(dead) == len(edges):
                continue
            message = f"no prediction depends on {len(dead)} of the {len(edges)} relations that this rule serves"
            helps = (
                (f"serve what is needed, as `* -[*]-> {into[0]}` in the last layer, or look further",) if into else ()
            )
            notes = listing("without effect", [show_edge(edge) for edge in sorted(dead)])
            found.append(report("GNN707", message, rule, helps=helps, notes=notes))
    return found
