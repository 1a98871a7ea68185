"""What a written program says at its top: where it comes from, what it reads and what it gives."""

import textwrap

from graphdsl.model import TRAIN_MASK
from graphdsl.plan import ObjectiveHead, event_head, forecast_head
from graphdsl.source.attributes import argument, attribute_inputs, may_be_absent
from graphdsl.source.context import Context
from graphdsl.source.expressions import LINE
from graphdsl.source.labels import label_inputs
from graphdsl.source.reading import derivations, ids
from graphdsl.text import show_edge, show_name


def safe(text: str) -> str:
    """A text that can stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''")


def document(context: Context) -> str:
    """The docstring of the program."""
    plan = context.plan
    file = next((place.span.file for place in (*plan.stages, *plan.heads)), "a spec")
    values = ", ".join(f"{name}={value!r}" for name, value in plan.parameters.items())
    said = f" with {values}" if values else ""
    lines = [
        f"Model `{plan.model}` on the schema `{plan.schema}`.",
        "",
        *textwrap.wrap(f"Written by `gnn build` from {file}{said}.", LINE),
        "",
        *_inputs(context),
        "",
        *_outputs(context),
        "",
        *_penalties(context),
        *textwrap.wrap(
            "The state dict has the keys of the module that graphdsl compiles from the same spec: a checkpoint of one "
            "loads into the other.",
            LINE,
        ),
    ]
    text = safe("\n".join(line.rstrip() for line in lines))
    return f'"""{text}\n"""'


def _inputs(context: Context) -> list[str]:
    plan = context.plan
    if (head := event_head(plan)) is not None and head.events is not None:
        carried = [f"    msg: their {show_name(head.events.message)}."] if head.events.message else []
        return [
            "Inputs:",
            "    edge_label_index: pairs of nodes to score, [2, num_pairs].",
            f"    t: the attribute {show_name(head.events.time)} of all events, in that order.",
            *carried,
        ]
    if (head := forecast_head(plan)) is not None and head.events is not None:
        rel, time = (show_name(name) for name in (head.events.message, head.events.time))
        return [f"Input: events with their histories, which `EventHistories` finds by `rel` ({rel}) and `t` ({time})."]
    if plan.walks is not None:
        return ["Inputs: none is read: vectors are the model's own."]
    if plan.sequence is not None:
        pairs = ["edge_label_index"] if plan.link_heads else []
        names = [*(item.name for item in plan.sequence.inputs), *pairs]
        return ["Inputs: " + ", ".join(f"`{name}`" for name in names) + "."]
    widths = [
        f"{show_name(name)} [num_nodes, {width}]"
        for name, width in plan.inputs.items()
        if isinstance(width, int) and name in context.needed[0]
    ]
    labels = label_inputs(plan)
    lines = ["Inputs:", *(_wrapped("x_dict: ", ", ".join(widths)) if widths else []), *_relations(context)]
    for attribute in attribute_inputs(context):
        if attribute == TRAIN_MASK and attribute in labels:
            said = "tells whose labels are read"
        else:
            said = f"the {'label' if attribute in labels else 'attribute'} {show_name(attribute)}"
        lines.append(f"    {argument(attribute)}: {said}.")
    numbered = ids(context)
    if numbered:
        counts = ", ".join(f"{show_name(name)} [num_nodes] of {count}" for name, count in numbered.items())
        lines += _wrapped("n_id_dict: ", f"node numbers of {counts}; by default all in order.")
    if plan.graph_heads:
        lines.append("    batch_dict: the graph of each node, [num_nodes], by type; by default one graph.")
    if plan.link_heads:
        lines.append("    edge_label_index: pairs of nodes to score, [2, num_pairs].")
    return lines


def _relations(context: Context) -> list[str]:
    lines = ["    edge_index_dict, [2, num_edges] each:"]
    derived = {item.edge: item for item in derivations(context)}
    for edge in sorted(context.requirements.relations):
        item = derived.get(edge)
        note = " (may be missing)" if may_be_absent(edge, context) else ""
        if item is not None and item.inverse_of is not None:
            note = f" (where missing: {show_edge(item.inverse_of)} turned around)"
        elif item is not None:
            note = " (where missing: composed along the metapath)"
        lines += _wrapped("", f"{show_edge(edge)}{note}", 8)
    return lines


def _wrapped(name: str, text: str, indent: int = 4) -> list[str]:
    return textwrap.wrap(
        name + text, LINE, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _penalties(context: Context) -> list[str]:
    names = ", ".join(item.name for item in context.plan.penalties)
    if not names:
        return []
    said = f"`penalty()` is what training adds to the loss behind a forward pass: {names}."
    return [*textwrap.wrap(said, LINE), ""]


def _outputs(context: Context) -> list[str]:
    plan = context.plan
    shown: list[str] = []
    for head in plan.heads:
        if isinstance(head, ObjectiveHead):
            shown.append(f"{head.name} [num_nodes, {head.size}], vectors of {show_name(head.type)}")
            continue
        rows = "num_graphs" if head in plan.graph_heads else "num_pairs" if head in plan.link_heads else "num_nodes"
        if head.kind == "event":
            shown.append(f"{head.name} [2, num_events, {head.size}], log-probabilities of targets and sources")
            continue
        size = "" if head.kind == "link" else f", {head.size}"
        shown.append(f"{head.name} [{rows}{size}], {head.kind}")
    if len(shown) == 1:
        return [f"Output: {shown[0]}."]
    return ["Outputs, by name:", *(f"    {item}" for item in shown)]
