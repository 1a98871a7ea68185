"""What to say about a layer that exists, but cannot stand at a place."""

from graphdsl.catalog import Entry, parts
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, report

_SEQUENCES = ("readout", "pool", "dense")


def misplaced(call: n.Call, entry: Entry, place: str, where: str) -> Diagnostic:
    """Why a layer cannot stand here, and where it can.

    Args:
        call: the layer as written.
        entry: what it is.
        place: a key of `graphdsl.model.layers.PLACES`.
        where: how the place is called.
    """
    if place == "step":
        message, said = _of_step(entry)
    elif place == "convolution":
        message, said = _inside(entry)
    elif place == "aggregation":
        message = f"`{entry.name}` cannot reduce the messages of edges"
        said = f"aggregations that can: {', '.join(f'`{name}`' for name in sorted(parts.MESSAGE_AGGREGATIONS))}"
    else:
        message, said = _elsewhere(call, entry, place, where)
    return report("GNN107", message, call.name.span, helps=(said,))


def is_nestable(entry: Entry, place: str) -> bool:
    """Whether a layer can stand inside another: an aggregation of messages, or what is called with nodes, edges and values."""
    if place == "aggregation":
        return entry.name in parts.MESSAGE_AGGREGATIONS
    return entry.scope == "relation" and not entry.stacked and all(item.source == "edge" for item in entry.inputs)


def _inside(entry: Entry) -> tuple[str, str]:
    what = "reads more than nodes, edges and their values" if entry.kind == "conv" else "is no convolution"
    said = "use one such as `GCNConv(…)`, `SAGEConv(…)` or `GINConv(nn = MLP(…))`"
    return f"`{entry.name}` {what} and cannot stand inside another layer", said


def _of_step(entry: Entry) -> tuple[str, str]:
    return f"`{entry.name}` reads several relations and cannot stand in a `sequential` block", "use `edges { … }`"


_STEPS = {
    "color": "reads no features",
    "search": "does not read the relation",
    "recurrent": "reads a hidden state beside its input",
}
"""What stands in `sequential` blocks alone, with the reason."""


def _elsewhere(call: n.Call, entry: Entry, place: str, where: str) -> tuple[str, str]:
    name = entry.name
    if entry.kind == "loss":
        return (
            f"`{name}` is a loss and cannot stand in {where}",
            f"write `penalty {name}(TYPE)` as a statement of its own",
        )
    if place == "readout":
        return f"`{name}` is no readout", "use one such as `mean`, `sum`, `max` or `Set2Set(processing_steps = 3)`"
    if entry.kind == "readout":
        return (
            f"`{name}` makes one row of a graph and cannot stand in {where}",
            f"predict with it: `predict graph.y from …: readout({name})`; or use it in a `sequential` block",
        )
    if entry.kind in _STEPS:
        return f"`{name}` {_STEPS[entry.kind]} and cannot stand in {where}", "it is a step of a `sequential` block"
    if entry.kind in _SEQUENCES:
        return f"`{name}` changes the graph and cannot stand in {where}", "it is a step of a `sequential` block"
    if entry.kind == "model":
        said = "it is a step of a `sequential` block" + (
            ", or a layer of `edges { … }`" if entry.scope == "relation" else ""
        )
        return f"`{name}` is a whole model and cannot stand in {where}", said
    if entry.kind == "conv":
        return f"`{name}` passes messages and cannot stand in {where}", "put it into `edges { … }`"
    if entry.accepts_ids and place == "argument":
        said = f"give the type its embedding first: `nodes {{ TYPE: {name}(…) }}`"
        return f"`{name}` reads node numbers and cannot stand inside another layer", said
    if place == "activation":
        return f"`{name}` is no activation", "use one such as `relu`, `elu` or `tanh`"
    said = f"put it into `nodes {{ … }}` or behind `|`: `edges {{ … }} | {call.name.text}`"
    return f"`{name}` works on nodes and cannot serve a relation", said
