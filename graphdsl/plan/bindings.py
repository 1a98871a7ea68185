"""Forward inputs bound by keyword: `edge_attr = year`, `x_0 = h0`."""

from collections.abc import Iterable, Mapping

from graphdsl.model import Attribute, BoundInput, LayerUse
from graphdsl.plan.ir import InputBinding
from graphdsl.plan.state import Flow
from graphdsl.text import EdgeKey, did_you_mean, listing, report, show_edge, show_name

METAPATH_WEIGHT = "weight"
"""Attribute under which a composed relation's path counts stand (`count` and `mean` metapaths)."""


def _metapath_weighted(edge: EdgeKey, flow: Flow) -> bool:
    path = flow.schema.metapaths.get(edge[1])
    return path is not None and path.key == edge and path.multiplicity != "set"


def _edge_attribute(item: BoundInput, edge: EdgeKey, flow: Flow) -> Attribute | None:
    """The attribute of a relation that an input is bound to; reports when there is none."""
    declared = flow.schema.edges.get(edge)
    attributes: Mapping[str, Attribute] = declared.attributes if declared else {}
    found = attributes.get(item.attribute)
    if found is None and not (_metapath_weighted(edge, flow) and item.attribute == METAPATH_WEIGHT):
        also = [(declared.span, "declared here")] if declared else []
        helps = did_you_mean(item.attribute, attributes)
        notes = listing(f"attributes of `{show_edge(edge)}`", attributes)
        message = f"`{show_edge(edge)}` has no attribute `{item.attribute}`"
        flow.found.append(report("GNN304", message, item.span, also=also, helps=helps, notes=notes))
    return found


def _node_attributes(item: BoundInput, edges: Iterable[EdgeKey], flow: Flow) -> None:
    """Both ends of every relation must have the attribute."""
    for name in sorted({end for edge in edges for end in (edge[0], edge[2])}):
        node = flow.schema.nodes[name]
        if item.attribute not in node.attributes:
            message = f"`{show_name(name)}` has no attribute `{item.attribute}`"
            also = ((node.span, "declared here"),)
            notes = listing(f"attributes of `{name}`", node.attributes)
            flow.found.append(report("GNN304", message, item.span, also=also, notes=notes))


def edge_width(layer: LayerUse, edge: EdgeKey, flow: Flow) -> int | None:
    """Width of the edge attribute that sets a constructor argument (`edge_dim`), if one is bound."""
    for item in layer.inputs:
        if item.input.width_parameter is None or item.input.source != "edge":
            continue
        return _edge_columns(item.attribute, edge, flow)
    return None


def _edge_columns(name: str, edge: EdgeKey, flow: Flow) -> int | None:
    """Width of a relation's attribute: from the schema, or from the data where the schema says `*`."""
    declared = flow.schema.edges.get(edge)
    attribute = declared.attributes.get(name) if declared else None
    if attribute is None:
        return 1 if _metapath_weighted(edge, flow) else None
    if attribute.type.width is not None:
        return attribute.type.width
    store = flow.metadata.edges.get(edge) if flow.metadata else None
    tensor = store.tensors.get(name) if store else None
    return tensor.width if tensor else None


def _columns(item: BoundInput, edge: EdgeKey, flow: Flow) -> int | None:
    """Width of the attribute that an input is bound to."""
    if item.input.source == "edge":
        return _edge_columns(item.attribute, edge, flow)
    attribute = flow.schema.nodes[edge[2]].attributes.get(item.attribute) if item.input.source == "node" else None
    return attribute.type.width if attribute else None


def bind_inputs(layer: LayerUse, edges: tuple[EdgeKey, ...], flow: Flow) -> tuple[InputBinding, ...]:
    """The forward inputs of a layer on some relations; missing attributes are reported.

    A metapath with path counts hands them to layers that take `edge_weight`, without being asked.
    """
    bound: list[InputBinding] = []
    for item in layer.inputs:
        source = item.input.source
        if source == "edge":
            for edge in edges:
                _edge_attribute(item, edge, flow)
        elif source == "node":
            _node_attributes(item, edges, flow)
        attribute = "" if source == "state" else item.attribute
        columns = _columns(item, edges[0], flow)
        bound.append(InputBinding(item.input.name, source, attribute, item.state, item.input.scalar, columns))
    weighted = [edge for edge in edges if _metapath_weighted(edge, flow)]
    if weighted and all(item.input.name != "edge_weight" for item in layer.inputs):
        if layer.entry.input("edge_weight") is None:
            if not layer.inputs:
                path = flow.schema.metapaths[weighted[0][1]]
                message = f"`{layer.entry.name}` cannot use the path weights of `{path.name}`"
                also = ((path.span, f"`{path.multiplicity}` gives weights"),)
                helps = ("leave the multiplicity out, or use a layer with `edge_weight` such as `GraphConv`",)
                flow.found.append(report("GNN305", message, layer.span, also=also, helps=helps))
        else:
            bound.append(InputBinding("edge_weight", "edge", METAPATH_WEIGHT, scalar=True, width=1))
    return tuple(bound)
