"""Relations that run both ways between two types, and do not say whether one is the other's inverse."""

from graphdsl.model.schema import EdgeType, Schema
from graphdsl.text import Diagnostic, report, show_edge, show_name


def undeclared_inverses(schema: Schema) -> list[Diagnostic]:
    """Two edge types between the same two node types, one each way and neither with a declared inverse.

    If one is made of the other's edges, a split of links that knows only one of them shows the rest.
    """
    found: list[Diagnostic] = []
    single = [edge for edge in schema.edges.values() if edge.inverse is None and edge.source != edge.target]
    by_ends: dict[tuple[str, str], list[EdgeType]] = {}
    for edge in single:
        by_ends.setdefault((edge.source, edge.target), []).append(edge)
    for (source, target), there in by_ends.items():
        back = by_ends.get((target, source), [])
        # With several of them, which one belongs to which cannot be told.
        if len(there) != 1 or len(back) != 1 or there[0].span > back[0].span:
            continue
        first, edge = there[0], back[0]
        message = f"`{show_edge(edge.key)}` may be the inverse of `{show_edge(first.key)}`, and does not say so"
        also = ((first.span, "runs the other way"),)
        helps = (f"declare both at once: `edge {show_edge(first.key)} reverse {show_name(edge.relation)}`",)
        found.append(report("GNN709", message, edge.span, also=also, helps=helps))
    return found
