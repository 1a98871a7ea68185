"""Temporal sampling asks what was known when: each seed needs a time."""

from graphdsl.model.schema import Schema
from graphdsl.model.training import Training
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, listing, report, show_name


def temporal_without_time(
    declared: n.TrainDecl, training: Training, model: n.ModelDecl, schema: Schema
) -> list[Diagnostic]:
    """`temporal: true` for a model that predicts nodes of a type without a `time`."""
    if not training.temporal:
        return []
    place = next((item.span for item in declared.settings if item.name.text == "temporal"), declared.span)
    found: list[Diagnostic] = []
    for name, span in _predicted(model.body):
        node = schema.nodes.get(name)
        if node is None or any(item.type.kind == "time" for item in node.attributes.values()):
            continue
        message = f"`temporal` samples what each `{show_name(name)}` could know, but the type has no `time`"
        also = ((node.span, "declared here"), (span, "predicted here"))
        helps = (f"declare when: `node {show_name(name)} {{ at: time, … }}`, or leave `temporal` out",)
        timed = [
            key for key, item in schema.nodes.items() if any(a.type.kind == "time" for a in item.attributes.values())
        ]
        notes = listing("types with a `time`", timed)
        found.append(report("GNN624", message, place, also=also, helps=helps, notes=notes))
    return found


def _predicted(statements: tuple[n.Statement, ...]) -> list[tuple[str, Span]]:
    """Node types whose labels a model predicts, each once."""
    first: dict[str, Span] = {}
    for item in statements:
        if isinstance(item, n.PredictStatement) and isinstance(item.target, n.LabelTarget) and not item.target.sources:
            first.setdefault(item.target.type.text, item.target.span)
    return list(first.items())
