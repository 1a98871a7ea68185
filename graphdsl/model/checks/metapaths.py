"""Metapaths that say again what the schema says already."""

from graphdsl.model.schema import Metapath, Schema
from graphdsl.text import Diagnostic, report, show_edge


def same_metapaths(schema: Schema) -> list[Diagnostic]:
    """A metapath of one hop, which is the relation itself, and two metapaths with the same hops."""
    found: list[Diagnostic] = []
    first: dict[object, Metapath] = {}
    for path in schema.metapaths.values():
        key = (path.hops, path.multiplicity)
        if key in first:
            also = ((first[key].span, "the same path"),)
            message = f"`{path.name}` composes the same relations as `{first[key].name}`"
            found.append(report("GNN708", message, path.span, also=also, helps=("keep one of them",)))
            continue
        first[key] = path
        hop = path.hops[0]
        forward = not hop.backward or schema.edges[hop.edge].inverse is not None
        if len(path.hops) == 1 and path.multiplicity == "set" and forward:
            edge = schema.edges[hop.edge].inverse if hop.backward else hop.edge
            assert edge is not None
            message = f"`{path.name}` has one hop: it is the relation `{show_edge(edge)}` without duplicates"
            found.append(report("GNN708", message, path.span, helps=(f"use `{edge[1]}` itself",)))
    return found
