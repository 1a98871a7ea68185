"""How many edges arrive at the nodes of a relation, as far as data tells."""

from graphdsl.catalog import find
from graphdsl.model import Degrees
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, EdgeKey, report


def known_degrees(edge: EdgeKey, flow: Flow) -> Degrees | None:
    """Degrees of the targets of a relation; of a declared inverse that the data does not hold, from its original."""
    if flow.metadata is None:
        return None
    store = flow.metadata.edges.get(edge)
    if store is not None:
        return store.received
    declared = flow.schema.edges.get(edge)
    original = flow.metadata.edges.get(declared.inverse) if declared is not None and declared.inverse else None
    return original.sent if original is not None else None


def known_sizes(name: str, flow: Flow) -> Degrees | None:
    """How many nodes of a type the graphs have, which is what a readout reduces."""
    store = flow.metadata.nodes.get(name) if flow.metadata is not None else None
    return store.sizes if store is not None else None


def lacking_degrees(module: ModuleSpec) -> ModuleSpec | None:
    """The module, or one among its arguments, that needs degrees that are not known."""
    entry = find(module.name)
    named = [] if entry is None else [name for name, kind in entry.derived.items() if kind == "degrees"]
    if any(module.arguments.get(name) is None for name in named):
        return module
    inside = (lacking_degrees(value) for value in module.arguments.values() if isinstance(value, ModuleSpec))
    return next((found for found in inside if found is not None), None)


def degrees_unknown(module: ModuleSpec, readout: bool) -> Diagnostic:
    """The error for such a module, where it is to be compiled; `readout` where it reduces the nodes of a graph."""
    if readout:
        message = f"how many nodes a graph has, which `{module.name}` scales by, is not known"
        helps = ("give the graphs: `--data` on the command line, `data=` in Python",)
    else:
        message = f"how many edges arrive at a node, which `{module.name}` scales by, is not known"
        helps = ("give data that holds the relation: `--data` on the command line, `data=` in Python",)
    helps += ("a metadata file holds it if it is made so: `graphdsl.data.inspect(data, degrees=True)`",)
    notes = () if readout else ("what a metapath gives is not known before it is composed",)
    return report("GNN311", message, module.span, helps=helps, notes=notes)
