"""Which types and relations are there: missing, extra, misspelt, turned around."""

from collections.abc import Iterator

from graphdsl.data.holdings import Holdings
from graphdsl.data.phrases import python
from graphdsl.data.places import show_place
from graphdsl.model import EdgeType, NodeType, Schema
from graphdsl.text import Diagnostic, EdgeKey, closest, listing, report, show_edge, show_name


def check_presence(schema: Schema, view: Holdings) -> Iterator[Diagnostic]:
    """Compare the types of schema and data.

    A relation is not missed if it can be derived (declared by `reverse`), if it or one of its ends is optional, or if
    one of its ends is missing itself and so is reported already. Metapaths are never expected.
    """
    yield from _check_node_types(schema, view)
    yield from _check_relations(schema, view)


def _check_node_types(schema: Schema, view: Holdings) -> Iterator[Diagnostic]:
    extra = [name for name in view.node_types if name not in schema.nodes]
    for node in schema.nodes.values():
        if node.name in view.node_types or node.optional:
            continue
        meant = closest(node.name, extra)
        if meant is not None:
            extra.remove(meant)
        yield _missing_node_type(node, meant, view)
    for name in extra:
        yield report(
            "GNN602",
            f"the data has a node type `{name}` that the schema does not declare",
            where=show_place(name),
            helps=(f"declare it with `node {show_name(name)} {{ … }}`, or leave it: it is not used",),
        )


def _missing_node_type(node: NodeType, meant: str | None, view: Holdings) -> Diagnostic:
    if meant is None:
        help_line = f"add it, or declare it `optional node {show_name(node.name)}`"
    else:
        help_line = f'is it `{meant}`? then rename one of them: `data = data.rename("{meant}", "{node.name}")`'
    return report(
        "GNN601",
        f"the data has no node type `{node.name}`",
        node.span,
        "declared here",
        where=show_place(node.name),
        helps=(help_line,),
        notes=listing("node types of the data", view.node_types),
    )


def _check_relations(schema: Schema, view: Holdings) -> Iterator[Diagnostic]:
    extra = [edge for edge in view.edge_types if edge not in schema.edges and _is_foreign(edge, schema)]
    for edge in schema.edges.values():
        if edge.key in view.edge_types or not _is_required(edge, schema, view):
            continue
        meant = _find_meant(edge.key, extra)
        if meant is not None:
            extra.remove(meant)
        yield _missing_relation(edge, meant, view)
    for edge in extra:
        yield report(
            "GNN602",
            f"the data has a relation `{show_edge(edge)}` that the schema does not declare",
            where=show_place(edge),
            helps=(f"declare it with `edge {show_edge(edge)}`, or leave it: it is not used",),
        )


def _is_foreign(edge: EdgeKey, schema: Schema) -> bool:
    """Whether the data's relation is to be reported by itself: not a metapath, and not of a type that is reported."""
    is_metapath = any(edge == path.key for path in schema.metapaths.values())
    return not is_metapath and edge[0] in schema.nodes and edge[2] in schema.nodes


def _is_required(edge: EdgeType, schema: Schema, view: Holdings) -> bool:
    ends_are_there = edge.source in view.node_types and edge.target in view.node_types
    return not (edge.optional or edge.derived) and ends_are_there


def _find_meant(edge: EdgeKey, extra: list[EdgeKey]) -> EdgeKey | None:
    """The relation of the data that was probably meant: turned around, or between the same types by another name."""
    source, relation, target = edge
    flipped = (target, relation, source)
    if flipped in extra:
        return flipped
    names = {name: (first, name, second) for first, name, second in extra if (first, second) == (source, target)}
    found = closest(relation, names)
    if found is not None:
        return names[found]
    return next(iter(names.values())) if len(names) == 1 else None


def _missing_relation(edge: EdgeType, meant: EdgeKey | None, view: Holdings) -> Diagnostic:
    place = python(edge.key, "edge_index")
    message = f"the data has no relation `{show_edge(edge.key)}`"
    if meant is not None and meant == (edge.target, edge.relation, edge.source):
        message = f"the relation `{show_edge(edge.key)}` stands in the data the other way round"
        help_line = f"`{place} = {python(meant, 'edge_index')}.flip(0)`, or turn the declaration around"
    elif meant is not None:
        help_line = f"is it `{show_edge(meant)}`? then rename one of them: `{place} = {python(meant, 'edge_index')}`"
    elif edge.inverse is not None and edge.inverse in view.edge_types:
        help_line = f"make it from its inverse: `{place} = {python(edge.inverse, 'edge_index')}.flip(0)`"
    else:
        help_line = f"add `{place}`, of shape [2, E], or declare it `optional edge {show_edge(edge.key)}`"
    return report(
        "GNN601",
        message,
        edge.span,
        "declared here",
        where=show_place(edge.key),
        helps=(help_line,),
        notes=listing("relations of the data", [show_edge(item) for item in view.edge_types]),
    )
