"""How data and a schema have drifted apart: what each has that the other lacks, and what changed its type."""

from collections.abc import Iterator, Mapping

from graphdsl.drafting.draft import Draft, DraftAttribute
from graphdsl.model import Attribute, AttributeType, Schema
from graphdsl.text import Diagnostic, EdgeKey, Span, report, show_edge, show_name


def find_drift(schema: Schema, draft: Draft) -> Iterator[Diagnostic]:
    """Compare a schema with a draft of the data, name by name.

    A declared inverse need not be in the data, metapaths never are, and what is optional may be absent. Sizes that the
    schema leaves open (`*`) fit any. What a schema cannot declare is no drift, and is told
    of as when it is drawn (GNN675).

    Args:
        schema: as the spec declares it.
        draft: of the data as it is now.
    """
    nodes = {item.name: item for item in draft.nodes}
    for node in schema.nodes.values():
        if node.name in nodes:
            yield from _compare(show_name(node.name), node.attributes, nodes[node.name].attributes, node.span)
        elif not node.optional:
            yield _say(f"the data no longer has the node type `{node.name}`", node.span, show_name(node.name))
    for name in nodes:
        if name not in schema.nodes:
            yield _say(f"the data has a new node type `{name}`", None, show_name(name))
    yield from _compare_edges(schema, draft)
    yield from _compare("graph", schema.graph, draft.graph, schema.span)


def _compare_edges(schema: Schema, draft: Draft) -> Iterator[Diagnostic]:
    held: dict[EdgeKey, tuple[DraftAttribute, ...]] = {}
    for item in draft.edges:
        held[item.key] = item.attributes
        if item.inverse is not None:
            held[item.key[2], item.inverse, item.key[0]] = item.attributes
    for edge in schema.edges.values():
        if edge.key in held:
            yield from _compare(f"({show_edge(edge.key)})", edge.attributes, held[edge.key], edge.span)
        elif not (edge.optional or edge.derived or edge.inverse in held):
            message = f"the data no longer has the relation `{show_edge(edge.key)}`"
            yield _say(message, edge.span, show_edge(edge.key))
    paths = {path.key for path in schema.metapaths.values()}
    for key in held:
        if key not in schema.edges and key not in paths:
            yield _say(f"the data has a new relation `{show_edge(key)}`", None, show_edge(key))


def _compare(
    place: str, declared: Mapping[str, Attribute], drawn: tuple[DraftAttribute, ...], span: Span
) -> Iterator[Diagnostic]:
    found = {item.name: item for item in drawn}
    for name, attribute in declared.items():
        where = f"{place}.{show_name(name)}"
        if name not in found:
            if not attribute.type.optional:
                yield _say(f"the data no longer has `{where}`", attribute.span, where)
            continue
        type_ = found[name].type
        if type_ is not None and not _fits(attribute.type, type_):
            message = f"`{where}` is declared as `{attribute.type}`, and is `{type_}` now"
            yield _say(message, attribute.span, where, f"write `{show_name(name)}: {type_}`")
    for name, item in found.items():
        if name not in declared and item.type is None and item.remark is not None:
            yield item.remark.as_warning()
        elif name not in declared:
            where = f"{place}.{show_name(name)}"
            yield _say(
                f"the data has a new attribute `{where}`", span, where, f"write `{show_name(name)}: {item.type}`"
            )


def _fits(declared: AttributeType, drawn: AttributeType) -> bool:
    """Whether numbers that look like one type may be declared as another: names only suggest labels and times."""
    same_size = declared.size in ("*", drawn.size) or declared.width == drawn.width
    if declared.kind == drawn.kind:
        return same_size and (declared.kind != "class" or declared.size in ("*", drawn.size))
    alike = (
        {"float", "real"},
        {"int", "time", "class"},
        {"bool", "mask", "multilabel"},
        {"multilabel", "float", "int"},
    )
    return same_size and any({declared.kind, drawn.kind} <= kinds for kinds in alike)


def _say(message: str, span: Span | None, where: str, advice: str = "") -> Diagnostic:
    return report(
        "GNN676", message, span, "declared here" if span else "", where=where, helps=(advice,) if advice else ()
    )
