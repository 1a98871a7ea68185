"""What other versions and frameworks call a layer or an argument, and which layers read what this one does not."""

from graphdsl.catalog import Entry, Renamed, entries, renamed_argument
from graphdsl.text import Diagnostic, Edit, Fix, Span, closest, report

_SHOWN = 6
_USUAL = ("GATv2Conv", "TransformerConv", "GINEConv", "GCNConv", "GraphConv")


def renamed(code: str, message: str, span: Span, instead: Renamed, place: Span | None = None) -> Diagnostic:
    """A name of another version or framework, with what is written here.

    Args:
        code: GNN801 for a layer, GNN802 for an argument.
        message: what is wrong.
        span: the name.
        instead: what to write.
        place: what a machine replaces; the name itself if not given.
    """
    helps = [f"here it is called `{instead.name}`"] if instead.name else []
    helps += [instead.said] if instead.said else []
    removable = not instead.name and instead.said.startswith("leave it out") and place is not None
    fix = None
    if instead.name and not instead.said.startswith("`"):
        fix = Fix(f"write `{instead.name}`", (Edit(place or span, instead.name),))
    elif removable and place is not None:
        fix = Fix("remove it", (Edit(place, ""),))
    return report(code, message, span, f"a name of {instead.origin}", helps=helps, fix=fix)


def other_layers(entry: Entry, name: str) -> tuple[str, ...]:
    """Layers that read an input which this one does not read, those that most people use first.

    Layers that need a further package are not proposed.
    """
    if entry.kind not in ("conv", "model"):
        return ()
    others = [other for other in entries(entry.kind) if not other.requires]
    able = [other.name for other in others if other.input(name) is not None]
    if not able:
        having = [other.name for other in others if other.parameter(name) is not None]
        having.sort(key=lambda other: (_USUAL.index(other) if other in _USUAL else len(_USUAL), other))
        return (f"layers that have it: {', '.join(f'`{item}`' for item in having[:_SHOWN])}",) if having else ()
    able.sort(key=lambda other: (_USUAL.index(other) if other in _USUAL else len(_USUAL), other))
    own = [item.name for item in entry.inputs if item.source == "edge"]
    instead = (f"`{entry.name}` reads `{own[0]}` instead",) if own else ()
    return (*instead, f"layers that read `{name}`: {', '.join(f'`{item}`' for item in able[:_SHOWN])}")


def meant(entry: Entry, name: str) -> str:
    """The argument that a written name stands for, so that a misspelt one is not missing as well."""
    known = [*(item.name for item in entry.parameters), *(item.name for item in entry.inputs)]
    if name in known:
        return name
    elsewhere = renamed_argument(entry, name)
    return (elsewhere.name if elsewhere else closest(name, known)) or name
