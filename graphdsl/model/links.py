"""From `predict a -[r]-> b` to a link prediction: the relation, the label that its edges carry, the scorer."""

from collections.abc import Callable, Mapping
from typing import Any

from graphdsl.catalog import (
    SCORERS,
    Parameter,
    Problem,
    Scorer,
    check_value,
    describe,
    entries,
    find_scorer,
    seek,
)
from graphdsl.model.layers import LayerReader
from graphdsl.model.matching import match_relation
from graphdsl.model.program import LayerUse, ScorerUse
from graphdsl.model.schema import LABEL_KINDS, Attribute, Schema
from graphdsl.model.values import UNKNOWN, Refused, evaluate, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, EdgeKey, did_you_mean, listing, report, show_edge


def find_target(target: n.LinkTarget, schema: Schema, found: list[Diagnostic]) -> EdgeKey | None:
    """The relation that is predicted, or None after a report."""
    path = schema.metapaths.get(target.relation.text)
    if path is not None and (target.source.text, target.target.text) == (path.source, path.target):
        first = show_edge(path.hops[0].edge)
        message = f"`{path.name}` is a metapath and cannot be predicted: its edges follow from other relations"
        helps = (f"predict a relation that it is made of, such as `{first}`",)
        also = ((path.span, "declared here"),)
        found.append(report("GNN521", message, target.relation.span, also=also, helps=helps))
        return None
    pattern = n.RelationPattern(target.source, target.relation, target.target, target.span)
    matched = match_relation(pattern, schema, found)
    return matched[0] if matched else None


def is_edge_label(attribute: n.Name, edge: EdgeKey, schema: Schema, found: list[Diagnostic]) -> bool:
    """Whether edges of a relation carry a label of this name; problems are appended to `found`."""
    known: Mapping[str, Attribute] = schema.edges[edge].attributes
    declared, shown = known.get(attribute.text), show_edge(edge)
    labels = [name for name, item in known.items() if item.type.kind in LABEL_KINDS]
    notes = listing(f"labels of `{shown}`", labels)
    if declared is None:
        helps = did_you_mean(attribute.text, labels)
        if attribute.text in schema.nodes[edge[2]].attributes:
            helps = (f"`{edge[2]}.{attribute.text}` is of nodes: `predict {edge[2]}.{attribute.text}`",)
        message = f"edges of `{shown}` carry no attribute `{attribute.text}`"
        found.append(report("GNN101", message, attribute.span, helps=helps, notes=notes))
        return False
    if declared.type.kind not in LABEL_KINDS:
        also = ((declared.span, f"`{declared.type}` is no label"),)
        message = f"`{attribute.text}` of `{shown}` cannot be predicted"
        helps = ("declare it as `class[k]`, `multilabel[k]` or `real`",)
        found.append(report("GNN511", message, attribute.span, also=also, helps=helps, notes=notes))
        return False
    return True


def read_scorer(
    head: n.Call | None, default: str, layers: LayerReader, found: list[Diagnostic]
) -> ScorerUse | LayerUse | str | None:
    """A scorer, a layer on the concatenation of both ends, or the name of the default; None after a report."""
    if head is None:
        known = find_scorer(default)
        return default if known is None else ScorerUse(known, {})
    name = head.name.text
    scorer = find_scorer(name)
    if scorer is not None:
        arguments = read_arguments(head, scorer, layers, found)
        return None if arguments is None else ScorerUse(scorer, arguments)
    entry = seek(name)
    if isinstance(entry, Problem):
        return layers.read(head, "head")
    if entry is None:
        known = (*SCORERS, *(item.name for item in entries("node") if not (item.accepts_ids or item.loss)))
        helps, notes = did_you_mean(name, known), listing("what can score a pair", known)
        found.append(report("GNN103", f"unknown scorer `{name}`", head.name.span, helps=helps, notes=notes))
        return None
    if entry.accepts_ids or entry.loss:
        why = "reads node numbers" if entry.accepts_ids else "is for values of nodes"
        message = f"`{name}` {why} and cannot score a pair"
        helps = ("use `dot`, `distmult`, `bilinear` or `MLP(64, 1)`",)
        found.append(report("GNN107", message, head.name.span, helps=helps))
        return None
    return layers.read(head, "head")


def read_arguments(head: n.Call, scorer: Scorer, layers: LayerReader, found: list[Diagnostic]) -> dict[str, Any] | None:
    """Arguments of a scorer by name; None after a report."""
    known = {item.name: item for item in scorer.parameters}
    given: dict[str, Any] = {}
    before = len(found)
    for place, item in enumerate(head.arguments):
        names = list(known)
        name = item.name.text if item.name else names[place] if place < len(names) else ""
        if name not in known:
            takes = ", ".join(f"`{other}`" for other in known)
            message = f"`{scorer.name}` takes {takes or 'no argument'}" + (" and nothing else" if takes else "")
            found.append(report("GNN201", message, item.span, helps=did_you_mean(name, known)))
        elif name in given:
            helps = ("leave one of them out",)
            found.append(report("GNN209", f"`{name}` is given twice", item.span, helps=helps))
        else:
            given[name] = _argument(known[name], scorer, item.value, layers, found)
    for item in scorer.parameters if len(found) == before else ():
        if item.required and item.name not in given:
            helps = (f"write `{scorer.name}({item.name} = …)`: {describe(item)}",)
            found.append(report("GNN203", f"`{scorer.name}` needs `{item.name}`", head.span, helps=helps))
    return given if len(found) == before else None


def _argument(
    parameter: Parameter, scorer: Scorer, node: n.Expression, layers: LayerReader, found: list[Diagnostic]
) -> Any:
    try:
        value = evaluate(node, layers.values)
    except Refused as refused:
        found.append(refused.diagnostic)
        return UNKNOWN
    problem = None if value is UNKNOWN else check_value(parameter, value)
    if problem is not None:
        message = f"`{parameter.name}` of `{scorer.name}` must be {describe(parameter)}; found {show(value)}"
        found.append(report(problem.code, message, node.span))
    return value


def read_negatives(
    statement: n.PredictStatement,
    has_attribute: bool,
    value: Callable[[n.Expression], Any],
    found: list[Diagnostic],
) -> int:
    """How many pairs without an edge are drawn for each edge: 1 unless the spec says otherwise, 0 for a label."""
    given = statement.negatives
    if given is None:
        return 0 if has_attribute else 1
    if has_attribute:
        message = "a label is learned from edges that carry it, not from pairs without an edge"
        found.append(report("GNN522", message, given.span, helps=("leave `negatives` out",)))
        return 0
    number = value(given)
    if number is UNKNOWN:
        return 1
    if isinstance(number, bool) or not isinstance(number, int):
        found.append(report("GNN202", f"`negatives` is a whole number, not {show(number)}", given.span))
        return 1
    if number < 1:
        message = f"`negatives` is at least 1, not {number}: nothing else tells an edge from no edge"
        found.append(report("GNN204", message, given.span))
        return 1
    return number


def refuse_link_options(statement: n.PredictStatement, found: list[Diagnostic]) -> None:
    """`negatives` and `keep_target` are about edges: report them behind any other prediction."""
    options = (("negatives", statement.negatives and statement.negatives.span), ("keep_target", statement.keep_target))
    for name, span in options:
        if span is not None:
            message = f"`{name}` goes with the prediction of a link"
            helps = (f"leave `{name}` out, or predict `a -[r]-> b`",)
            found.append(report("GNN522", message, span, helps=helps))
