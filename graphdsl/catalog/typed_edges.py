"""Layers with weights for each relation, as steps: one edge index, and for each edge a number that says its kind."""

from dataclasses import replace
from typing import Final

from graphdsl.catalog.entry import Derivation, Entry, Parameter, Slot, SlotKind

_TOLD: Final[dict[Derivation, tuple[str, SlotKind]]] = {
    "types": ("node_type", "numbers"),
    "relations": ("edge_type", "edge numbers"),
}
"""What the compiler counts in a schema, and the forward argument that tells the kinds one by one."""


def of_one_graph(entry: Entry) -> Entry:
    """The entry, and what it means in a `sequential` block, if its layer takes the kinds of edges as numbers.

    >>> from graphdsl.catalog import find
    >>> [item.name for item in find("RGCNConv").as_step.parameters][:3]
    ['out_channels', 'num_relations', 'num_bases']
    """
    counted: dict[str, Derivation] = {name: way for name, way in entry.derived.items() if way in _TOLD}
    if not counted:
        return entry
    rest: dict[str, Derivation] = {name: way for name, way in entry.derived.items() if name not in counted}
    out, *others = entry.parameters
    kinds = tuple(Slot(_TOLD[way][0], (_TOLD[way][1],), limit=name) for name, way in counted.items())
    values = tuple(Slot(item.name, ("edge values",), optional=not item.required) for item in entry.inputs)
    step = replace(
        entry,
        doc=f"{entry.doc} Kinds are numbers from 0, of one graph.",
        parameters=(out, *(Parameter(name, "int", minimum=1) for name in counted), *others),
        derived=rest,
        takes=(Slot("x", ("nodes",)), Slot("edge_index", ("edges",)), *kinds, *values),
        scope="relation",
        bipartite=False,
        accepts_ids=False,
        id_rules=(),
    )
    return replace(entry, as_step=step)
