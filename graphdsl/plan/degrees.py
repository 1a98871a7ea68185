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


def lacks_degrees(module: ModuleSpec) -> bool:
    """Whether degrees that a module needs are not known."""
    entry = find(module.name)
    named = [] if entry is None else [name for name, kind in entry.derived.items() if kind == "degrees"]
    return any(module.arguments.get(name) is None for name in named)


def degrees_unknown(module: ModuleSpec) -> Diagnostic:
    """The error for such a module, where it is to be compiled."""
    message = f"how many edges arrive at a node, which `{module.name}` scales by, is not known"
    helps = (
        "give data that holds the relation: `--data` on the command line, `data=` in Python",
        "a metadata file holds it if it is made so: `graphdsl.data.inspect(data, degrees=True)`",
    )
    notes = ("what a metapath gives is not known before it is composed",)
    return report("GNN311", message, module.span, helps=helps, notes=notes)
