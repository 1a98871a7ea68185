"""Forward inputs bound by keyword: `edge_attr = year`, `x_0 = h0`."""

from collections.abc import Iterable, Mapping, Sequence

from graphdsl.model import Attribute, BoundInput, LayerUse
from graphdsl.plan.encoders import build_encoder, check_kind, is_looked_up, parts_of, rename
from graphdsl.plan.ir import InputBinding
from graphdsl.plan.origin import origin, origin_modules, side_by_side
from graphdsl.plan.state import Flow, listed
from graphdsl.text import EdgeKey, Fix, did_you_mean, listing, report, show_edge, show_name

METAPATH_WEIGHT = "weight"
"""Attribute under which a composed relation's path counts stand (`count` and `mean` metapaths)."""

_SHOWN = 3


def _metapath_weighted(edge: EdgeKey, flow: Flow) -> bool:
    path = flow.schema.metapaths.get(edge[1])
    return path is not None and path.key == edge and path.multiplicity != "set"


def _attribute(name: str, edge: EdgeKey, flow: Flow) -> Attribute | None:
    declared = flow.schema.edges.get(edge)
    return declared.attributes.get(name) if declared else None


def check_inputs(layer: LayerUse, edges: Sequence[EdgeKey], reads: int, flow: Flow) -> None:
    """Report inputs that are bound to what some of the relations of a rule do not have: one finding per input.

    Args:
        layer: the layer of the rule.
        edges: the relations that the rule decides.
        reads: number of the state that the rule reads.
        flow: the states so far, and where problems go.
    """
    for item in layer.inputs:
        if item.encoder is not None:
            _check_encoder(item, item.encoder, edges, flow)
        elif item.input.source == "edge":
            _check_edges(item, edges, flow)
        elif item.input.source == "label":  # `walked_labels` knows which types must have it
            continue
        elif item.input.source == "node":
            _check_nodes(item, edges, flow)
        else:
            _check_state(item, edges, reads, flow)
    if layer.entry.scope != "relation":
        _check_one_width(layer, edges, flow)
        check_one_encoder(layer, edges, flow)
    _check_weights(layer, edges, flow)


def _check_encoder(item: BoundInput, encoder: LayerUse, edges: Sequence[EdgeKey], flow: Flow) -> None:
    """Every relation needs the attributes that an encoder reads, of a kind that it can read."""
    for part in parts_of(encoder):
        (bound,) = part.inputs
        _check_edges(bound, edges, flow)
        for edge in edges:
            attribute = _attribute(bound.attribute, edge, flow)
            if attribute is not None:
                check_kind(part, attribute, _edge_columns(bound.attribute, edge, flow), flow)
    width = build_encoder(encoder, _encoded_widths(encoder, edges[0], flow), []).width_out if edges else None
    if item.input.scalar and width not in (None, 1):
        message = f"`{item.input.name}` is one number per edge, and this gives {width}"
        flow.found.append(report("GNN202", message, encoder.span))


def _encoded_widths(encoder: LayerUse, edge: EdgeKey, flow: Flow) -> list[int | None]:
    """Columns of the attributes that an encoder reads."""
    return [_edge_columns(item.attribute, edge, flow) for item in encoder.inputs]


def _check_edges(item: BoundInput, edges: Sequence[EdgeKey], flow: Flow) -> None:
    """Every relation needs the attribute, with one number per edge where the layer takes only that."""
    name = item.attribute
    weighted = [edge for edge in edges if name == METAPATH_WEIGHT and _metapath_weighted(edge, flow)]
    lacking = [edge for edge in edges if _attribute(name, edge, flow) is None and edge not in weighted]
    if lacking:
        known = _attributes(lacking[0], flow)
        verb = "has" if len(lacking) == 1 else "have"
        message = f"{listed(map(show_edge, lacking))} {verb} no attribute `{name}`"
        also = [(flow.schema.place(edge), "declared here") for edge in lacking[:_SHOWN]]
        notes = listing(f"attributes of `{show_edge(lacking[0])}`", known)
        helps = did_you_mean(name, known)
        if 0 < len(lacking) < len(edges):
            helps = (*helps, "limit the rule to the relations that have it")
        fix = _renamed(item, [set(_attributes(edge, flow)) for edge in edges])
        flow.found.append(report("GNN304", message, item.span, also=also, helps=helps, notes=notes, fix=fix))
    wide = next((edge for edge in edges if item.input.scalar and (_edge_columns(name, edge, flow) or 1) != 1), None)
    if wide is not None:
        columns = _edge_columns(name, wide, flow)
        message = f"`{item.input.name}` is one number per edge, but `{name}` has {columns} columns"
        also = [(flow.schema.place(wide), show_edge(wide))]
        flow.found.append(report("GNN202", message, item.span, also=also))


def _attributes(edge: EdgeKey, flow: Flow) -> Mapping[str, Attribute]:
    declared = flow.schema.edges.get(edge)
    return declared.attributes if declared else {}


def _renamed(item: BoundInput, known: Iterable[set[str]]) -> Fix | None:
    """The fix that binds the input to the attribute that can be meant, if all of its places have that one."""
    everywhere = sorted(set[str].intersection(*known))
    return rename(item, everywhere)


def _check_nodes(item: BoundInput, edges: Iterable[EdgeKey], flow: Flow) -> None:
    """Both ends of every relation must have the attribute, equally wide."""
    edges = tuple(edges)
    for name in sorted({end for edge in edges for end in (edge[0], edge[2])}):
        node = flow.schema.nodes[name]
        if item.attribute not in node.attributes:
            message = f"`{show_name(name)}` has no attribute `{item.attribute}`"
            also = ((node.span, "declared here"),)
            helps = did_you_mean(item.attribute, node.attributes)
            notes = listing(f"attributes of `{name}`", node.attributes)
            fix = _renamed(
                item, [set(flow.schema.nodes[end].attributes) for edge in edges for end in (edge[0], edge[2])]
            )
            flow.found.append(report("GNN304", message, item.span, also=also, helps=helps, notes=notes, fix=fix))
    for edge in edges:
        widths = [_node_columns(item.attribute, end, flow) for end in (edge[0], edge[2])]
        if None not in widths and widths[0] != widths[1]:
            message = f"`{item.attribute}` has {widths[0]} columns in `{edge[0]}` and {widths[1]} in `{edge[2]}`"
            also = [(flow.schema.nodes[end].attributes[item.attribute].span, "") for end in (edge[0], edge[2])]
            flow.unequal(message, item.span, "both ends are read together", also)
            return


def _check_state(item: BoundInput, edges: Iterable[EdgeKey], reads: int, flow: Flow) -> None:
    """An earlier state must hold every type, as wide as what the layer reads now."""
    state = flow.states[item.state]
    for name in sorted({end for edge in edges for end in (edge[0], edge[2])}):
        if name not in state:
            message = f"`{item.attribute}` has no `{show_name(name)}`: it was dropped before"
            flow.found.append(report("GNN503", message, item.span))
            continue
        then, now = flow.columns(name, state[name], item.span), flow.states[reads].get(name)
        if then is not None and isinstance(now, int) and then != now:
            message = f"`{name}` is {then} wide in `{item.attribute}` and {now} wide here"
            helps = (
                *side_by_side(origin_modules(flow, reads, name), then),
                f"`{item.input.name}` must be as wide as what the layer reads",
            )
            also = [*origin(flow, item.state, name), *origin(flow, reads, name)]
            flow.unequal(message, item.span, f"{then} wide", also, helps)


def _check_one_width(layer: LayerUse, edges: Sequence[EdgeKey], flow: Flow) -> None:
    """One module that sees several relations takes edge attributes of one width."""
    widths = {edge: width for edge in edges if (width := edge_width(layer, edge, flow)) is not None}
    other = next((edge for edge, width in widths.items() if width != next(iter(widths.values()))), None)
    if other is not None:
        first = next(iter(widths))
        also = [(flow.schema.place(edge), f"{widths[edge]} columns") for edge in (first, other)]
        message = f"`{layer.entry.name}` sees all relations together, so their attributes must be equally wide"
        flow.unequal(message, layer.span, "one joint layer", also)


def check_one_encoder(layer: LayerUse, edges: Sequence[EdgeKey], flow: Flow) -> None:
    """One module that serves several relations has one encoder, so the attributes that it reads are equally wide."""
    for item in (read for bound in layer.inputs if bound.encoder is not None for read in bound.read):
        widths = {edge: _edge_columns(item.attribute, edge, flow) for edge in edges}
        known = {edge: width for edge, width in widths.items() if width is not None}
        if len(set(known.values())) > 1:
            first = next(iter(known))
            other = next(edge for edge in known if known[edge] != known[first])
            also = [(flow.schema.place(edge), f"{known[edge]} columns") for edge in (first, other)]
            message = f"one encoder of `{item.attribute}` serves these relations, and it is not equally wide in all"
            flow.unequal(message, item.span, "read here", also)
            return


def _takes_weight(layer: LayerUse) -> bool:
    """Whether a layer, or a convolution to which it passes its inputs on, takes a weight of each edge."""
    inside = [item for item in layer.arguments.values() if isinstance(item, LayerUse)] if layer.entry.hands_on else []
    return layer.entry.input("edge_weight") is not None or any(map(_takes_weight, inside))


def _check_weights(layer: LayerUse, edges: Iterable[EdgeKey], flow: Flow) -> None:
    """A metapath with path counts needs a layer that takes weights."""
    weighted = next((edge for edge in edges if _metapath_weighted(edge, flow)), None)
    if weighted is not None and not _takes_weight(layer) and not layer.inputs:
        path = flow.schema.metapaths[weighted[1]]
        message = f"`{layer.entry.name}` cannot use the path weights of `{path.name}`"
        also = ((path.span, f"`{path.multiplicity}` gives weights"),)
        helps = ("leave the multiplicity out, or use a layer with `edge_weight` such as `GraphConv`",)
        flow.found.append(report("GNN305", message, layer.span, also=also, helps=helps))


def edge_width(layer: LayerUse, edge: EdgeKey, flow: Flow) -> int | None:
    """Width of the edge attribute that sets a constructor argument (`edge_dim`), if one is bound."""
    for item in layer.inputs:
        if item.input.width_parameter is None or item.input.source != "edge":
            continue
        return _columns(item, edge, flow)
    return None


def _edge_columns(name: str, edge: EdgeKey, flow: Flow) -> int | None:
    """Width of a relation's attribute: from the schema, or from the data where the schema says `*`."""
    attribute = _attribute(name, edge, flow)
    if attribute is None:
        return 1 if _metapath_weighted(edge, flow) else None
    if attribute.type.width is not None:
        return attribute.type.width
    for key in (edge, flow.schema.edges[edge].inverse):  # An inverse has the attributes of its original.
        store = flow.metadata.edges.get(key) if flow.metadata and key is not None else None
        if store is not None and name in store.tensors:
            return store.tensors[name].width
    return None


def input_columns(layer: LayerUse, edge: EdgeKey, flow: Flow) -> dict[str, int | None]:
    """Columns of the attributes that a layer's inputs are bound to, by input."""
    return {item.input.name: _columns(item, edge, flow) for item in layer.inputs}


def _columns(item: BoundInput, edge: EdgeKey, flow: Flow) -> int | None:
    """Width of the attribute that an input is bound to, or of what its encoder gives."""
    if item.encoder is not None:
        return build_encoder(item.encoder, _encoded_widths(item.encoder, edge, flow), []).width_out
    if item.input.source == "edge":
        return _edge_columns(item.attribute, edge, flow)
    return _node_columns(item.attribute, edge[2], flow) if item.input.source == "node" else None


def _node_columns(name: str, node: str, flow: Flow) -> int | None:
    """Width of a type's attribute: from the schema, or from the data where the schema says `*`."""
    attribute = flow.schema.nodes[node].attributes.get(name)
    if attribute is None or attribute.type.width is not None:
        return attribute.type.width if attribute else None
    store = flow.metadata.nodes.get(node) if flow.metadata else None
    tensor = store.tensors.get(name) if store else None
    return tensor.width if tensor else None


def _encoded(item: BoundInput, encoder: LayerUse, edge: EdgeKey, flow: Flow) -> InputBinding:
    """An input that is given what a module makes of attributes."""
    widths = _encoded_widths(encoder, edge, flow)
    module = build_encoder(encoder, widths, flow.found)
    parts = tuple(
        InputBinding("x", "edge", part.inputs[0].attribute, width=width, numbers=is_looked_up(part))
        for part, width in zip(parts_of(encoder), widths, strict=True)
    )
    scalar, width = item.input.scalar, module.width_out
    return InputBinding(item.input.name, "edge", scalar=scalar, width=width, encoder=module, parts=parts)


def bind_inputs(layer: LayerUse, edges: tuple[EdgeKey, ...], flow: Flow) -> tuple[InputBinding, ...]:
    """The forward inputs of a layer on some relations.

    A metapath with path counts hands them to layers that take `edge_weight`, without being asked.
    """
    bound: list[InputBinding] = []
    for item in layer.inputs:
        source = item.input.source
        if source == "label":
            continue
        assert source != "relation"  # what labels spread along is no input of a layer
        attribute = "" if source == "state" else item.attribute
        columns = _columns(item, edges[0], flow)
        if item.encoder is not None:
            bound.append(_encoded(item, item.encoder, edges[0], flow))
            continue
        bound.append(InputBinding(item.input.name, source, attribute, item.state, item.input.scalar, columns))
    given = any(item.input.name == "edge_weight" for item in layer.inputs)
    if not given and _takes_weight(layer) and any(_metapath_weighted(edge, flow) for edge in edges):
        bound.append(InputBinding("edge_weight", "edge", METAPATH_WEIGHT, scalar=True, width=1))
    if layer.entry.batch:
        bound.append(InputBinding("batch", "batch"))
    return tuple(bound)
