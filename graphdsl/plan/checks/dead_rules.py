"""Rules of which not one relation matters to a prediction."""

from collections.abc import Iterable

from graphdsl.model import Schema
from graphdsl.plan.ir import Plan, RelationStage
from graphdsl.text import Diagnostic, EdgeKey, Span, report

_SHOWN = 3


def _served(stages: Iterable[RelationStage]) -> dict[Span, dict[EdgeKey, bool]]:
    """Relations by rule, and whether each matters in any turn of a repeat."""
    rules: dict[Span, dict[EdgeKey, bool]] = {}
    for stage in stages:
        for step in stage.steps:
            edges = rules.setdefault(step.rule, {})
            edges[step.edge] = edges.get(step.edge, False) or step.live
        for joint in stage.joints:
            edges = rules.setdefault(joint.rule, {})
            edges |= {edge: edges.get(edge, False) or joint.live for edge in joint.edges}
    return rules


def by_map(plan: Plan) -> dict[Span, dict[Span, dict[EdgeKey, bool]]]:
    """For each relation map of the spec, its rules with their relations, and whether these matter anywhere."""
    maps: dict[Span, list[RelationStage]] = {}
    for _, stage in plan.relation_stages():
        maps.setdefault(stage.span, []).append(stage)
    return {span: _served(stages) for span, stages in maps.items()}


def dead_rules(plan: Plan, _schema: Schema) -> list[Diagnostic]:
    """One finding for each relation map that has rules on which no prediction depends."""
    found: list[Diagnostic] = []
    for rules in by_map(plan).values() if plan.heads else ():
        dead = [rule for rule, edges in rules.items() if not any(edges.values())]
        if not dead:
            continue
        total = sum(map(len, rules.values()))
        lost = sum(len(rules[rule]) for rule in dead)
        if len(dead) == 1:
            message = "no prediction depends on what this rule sends"
            helps = ("leave the rule out, or predict something that it reaches",)
        else:
            message = f"no prediction depends on what {len(dead)} of the {len(rules)} rules of this map send"
            helps = ("leave the rules out, or predict something that they reach",)
        notes = (
            f"that is {lost} of the {total} relations of this map: their parameters are never trained "
            "(`gnn plan --data` counts them)",
        )
        also = [(rule, "nor on this one") for rule in dead[1 : _SHOWN + 1]]
        found.append(report("GNN507", message, dead[0], also=also, helps=helps, notes=notes))
    return found
