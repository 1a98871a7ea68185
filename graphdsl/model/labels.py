"""Which attributes can be predicted."""

from graphdsl.model.schema import LABEL_KINDS, Schema
from graphdsl.model.schemas import unknown_type
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, did_you_mean, listing, renaming, report, show_name


def is_label(statement: n.LabelTarget, schema: Schema, found: list[Diagnostic]) -> bool:
    """Whether `predict type.attribute` names a label; problems are appended to `found`."""
    kind, attribute = statement.type, statement.attribute
    if kind.text not in schema.nodes:
        found.append(unknown_type(kind, schema.nodes))
        return False
    attributes = schema.nodes[kind.text].attributes
    declared = attributes.get(attribute.text)
    labels = [name for name, item in attributes.items() if item.type.kind in LABEL_KINDS]
    notes = listing(f"labels of `{kind.text}`", labels)
    if declared is None:
        only = (
            (f"its label is `{labels[0]}`: `{show_name(kind.text)}.{show_name(labels[0])}`",)
            if len(labels) == 1
            else ()
        )
        helps = did_you_mean(attribute.text, labels) or _elsewhere(attribute.text, schema) or only
        message = f"`{kind.text}` has no attribute `{attribute.text}`"
        fix = renaming(attribute.span, attribute.text, labels)
        found.append(report("GNN101", message, attribute.span, helps=helps, notes=notes, fix=fix))
        return False
    if declared.type.kind not in LABEL_KINDS:
        also = ((declared.span, f"`{declared.type}` is no label"),)
        message = f"`{kind.text}.{attribute.text}` cannot be predicted"
        helps = ("declare it as `class[k]`, `multilabel[k]` or `real`",)
        found.append(report("GNN511", message, attribute.span, also=also, helps=helps, notes=notes))
        return False
    if attribute.text == "x":
        helps = ("give the label another key than `x`, which models read",)
        found.append(report("GNN509", "the label is also the input", attribute.span, helps=helps))
        return False
    return True


def is_graph_label(statement: n.LabelTarget, schema: Schema, found: list[Diagnostic]) -> bool:
    """Whether `predict graph.attribute` names a label of whole graphs; problems are appended to `found`."""
    attribute = statement.attribute
    declared = schema.graph.get(attribute.text)
    labels = [name for name, item in schema.graph.items() if item.type.kind in LABEL_KINDS]
    if declared is None:
        helps = did_you_mean(attribute.text, labels) or _elsewhere(attribute.text, schema)
        if not schema.graph:
            helps = (*helps, f"declare it in the schema: `graph {{ {show_name(attribute.text)}: class[2] }}`")
        message = f"graphs have no attribute `{attribute.text}`"
        notes = listing("labels of `graph`", labels)
        found.append(report("GNN101", message, attribute.span, helps=helps, notes=notes))
        return False
    if declared.type.kind not in LABEL_KINDS:
        also = ((declared.span, f"`{declared.type}` is no label"),)
        helps = ("declare it as `class[k]`, `multilabel[k]` or `real`",)
        message = f"`graph.{attribute.text}` cannot be predicted"
        found.append(report("GNN511", message, attribute.span, also=also, helps=helps))
        return False
    return True


def _elsewhere(name: str, schema: Schema) -> tuple[str, ...]:
    """A type that has a label of this name."""
    owner = next(
        (
            node.name
            for node in schema.nodes.values()
            if name in node.attributes and node.attributes[name].type.kind in LABEL_KINDS
        ),
        None,
    )
    return (f"did you mean `{show_name(owner)}.{show_name(name)}`?",) if owner is not None else ()
