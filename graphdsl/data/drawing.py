"""A graph as a draft of its schema: every type, attribute, width, class count, mask and time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data, Dataset, HeteroData, TemporalData

from graphdsl.data.foreign import from_foreign
from graphdsl.data.forms import explain_form
from graphdsl.data.homogeneous import as_hetero
from graphdsl.data.phrases import number, python
from graphdsl.data.places import BOOKKEEPING, Place, UnreadableTensorError, show_place
from graphdsl.data.survey import Survey
from graphdsl.data.temporal import from_events
from graphdsl.data.view import describe_tensor, form_of, open_data
from graphdsl.drafting import Draft, DraftAttribute, DraftEdges, DraftNodes, Remark, guess_type
from graphdsl.drafting.kinds import COUNTABLE, Numbers, promote_label, without_classes
from graphdsl.kernels.sweeping import pair_digest
from graphdsl.model import AttributeType, TensorInfo
from graphdsl.text import EdgeKey, SpecError, report

_VALIDATE = "`gnn validate` with this spec says how to mend it"


def draw(data: Any, name: str = "data") -> Draft:
    """Draw a schema from data.

    Names survive unchanged. Relations that hold the same edges both ways become one with its inverse. Of several graphs,
    what some of them lack is optional.

    Args:
        data: a `HeteroData`; a `Data`, whose types are called `node` and `to`; a `TemporalData`, whose ends are called
            `source` and `target` where one is numbered behind the other; a pair of a `FeatureStore` and a `GraphStore`; a list
            of graphs, a dataset or a batch; a graph of networkx (see `from_networkx`); a database of RelBench (see
            `from_tables`).
        name: of the schema.

    Raises:
        SpecError: GNN611: it is none of these, or a store fails.

    >>> data = HeteroData()
    >>> data["paper"].x = torch.zeros(3, 2)
    >>> draw(data).nodes[0].attributes[0].type
    AttributeType(kind='float', size=2, optional=False)
    """
    data = from_foreign(data)
    if isinstance(data, Batch) and getattr(data, "_slice_dict", None):
        data = data.to_data_list()
    if isinstance(data, Dataset | list | tuple) and not _is_store_pair(data):
        graphs = [_typed(graph) for graph in data]
        if not graphs:
            raise SpecError([report("GNN611", "there is no graph in the list", where="data")])
        return _draw_several(graphs, name)
    return _draw_one(_typed(data), name)


def _is_store_pair(data: Any) -> bool:
    return isinstance(data, tuple) and len(data) == 2 and not any(isinstance(item, Data | HeteroData) for item in data)


def _typed(graph: Any) -> Any:
    """A homogeneous graph or a list of events with types; anything else as it is."""
    if isinstance(graph, TemporalData):
        return from_events(graph)
    return as_hetero(graph) if isinstance(graph, Data) else graph


def _draw_one(data: Any, name: str) -> Draft:
    view = Survey(open_data(data))
    nodes = tuple(_draw_nodes(view, node_type) for node_type in view.node_types)
    return Draft(name, nodes, _pair(view, [_draw_edges(view, edge) for edge in view.edge_types]), (), _carried(data))


def _carried(data: Any) -> tuple[Remark, ...]:
    """What the whole of a single graph carries: a schema has no place for it."""
    if not isinstance(data, HeteroData):
        return ()
    keys = [key for key in data._global_store if key not in BOOKKEEPING]
    return tuple(Remark(key, "belongs to the graph as a whole, and there is one graph") for key in keys)


def _draw_nodes(view: Survey, name: str) -> DraftNodes:
    return DraftNodes(name, _draw_attributes(view, name), count=view.count(name), remark=_remark_on_count(view, name))


def _remark_on_count(view: Survey, name: str) -> Remark | None:
    """What is wrong with the number of nodes of a type."""
    where, count, misstated = show_place(name), view.count(name), view.misstated_count(name)
    if count is None:
        got = f" (got {misstated})" if misstated else ""
        return Remark(where, f"has no features and no whole `num_nodes`{got}", "set `num_nodes`")
    target = python(name, "num_nodes")
    if misstated:
        help_line = f"`{target} = {count}`, or leave it out: attributes tell it"
        return Remark(where, f"has a `num_nodes` of {misstated}, no whole number of nodes", help_line)
    for key in view.keys(name):
        info = None if key in BOOKKEEPING else _described(view, name, key)
        if info is not None and info.shape and info.shape[0] != count:
            said = f"has {number(count, 'node')}, and `{show_place(name, key)}` {number(info.shape[0], 'row')}"
            return Remark(where, said, _VALIDATE)
    return None


def _described(view: Survey, place: Place, key: str) -> TensorInfo | None:
    try:
        return view.describe(place, key)
    except UnreadableTensorError:  # Said where it is drawn.
        return None


def _draw_edges(view: Survey, edge: EdgeKey) -> DraftEdges:
    remark = None
    if view.ends(edge) is None:
        remark = Remark(show_place(edge), "has no `edge_index` of shape [2, E] with whole numbers", _VALIDATE)
    return DraftEdges(edge, _draw_attributes(view, edge), remark=remark)


def _draw_attributes(view: Survey, place: Place) -> tuple[DraftAttribute, ...]:
    found = promote_label([_draw_attribute(view, place, key) for key in view.keys(place) if key not in BOOKKEEPING])
    if {"x: float", "y: real"} <= {f"{item.name}: {item.type}" for item in found}:
        found = tuple(replace(item, remark=_doubt_label(place)) if item.name == "y" else item for item in found)
    return tuple(sorted(found, key=lambda item: _ORDER.index(_kind(item))))


def _doubt_label(place: Place) -> Remark:
    """A number `y` beside a number `x`, as networks and maps have coordinates."""
    x, y = python(place, "x"), python(place, "y")
    help_line = f"if they are coordinates: `{x} = torch.stack([{x}, {y}], dim=1)`, then `del {y}`"
    return Remark(show_place(place, "y"), "is taken for a label, and stands beside a single number `x`", help_line)


_ORDER = ("float", "int", "bool", "time", "class", "multilabel", "real", "mask", "")


def _kind(item: DraftAttribute) -> str:
    return item.type.kind if item.type is not None else ""


def _draw_attribute(view: Survey, place: Place, key: str) -> tuple[DraftAttribute, Numbers]:
    try:
        return _draw_readable(view, place, key)
    except UnreadableTensorError as error:
        said = str(error).partition("` ")[2]
        return DraftAttribute(key, None, Remark(show_place(place, key), said, _VALIDATE)), Numbers()


def _draw_readable(view: Survey, place: Place, key: str) -> tuple[DraftAttribute, Numbers]:
    where, form, info = show_place(place, key), view.form(place, key), view.describe(place, key)
    remark = None if form == "tensor" else _explain(view, place, key)
    if info is None:
        return DraftAttribute(key, None, remark), Numbers()
    numbers = _numbers(view.read(place, key), info)
    made = guess_type(key, info, numbers, where)
    if form == "meta tensor":
        made = without_classes(made)
    if remark is not None and made.type is not None:
        made = replace(made, remark=remark)
    return made, numbers


def _explain(view: Survey, place: Place, key: str) -> Remark:
    """Why something is no tensor, and what would make it one."""
    where, form = show_place(place, key), view.form(place, key)
    words, advice = explain_form(form, place, key)
    if form == "list with gaps":
        value = view.read(place, key)
        missing = sum(item is None for item in value)
        words, advice = f"has no value in {missing:,} of {number(len(value), 'row')}", "give each row one"
        return Remark(where, words, advice)
    return Remark(where, f"is {words}", advice)


def _numbers(value: Any, info: TensorInfo) -> Numbers:
    """Smallest and largest number of labels and masks, and whether all are 0 or 1."""
    if info.dtype not in COUNTABLE:
        return Numbers()
    tensor = torch.from_numpy(value) if isinstance(value, np.ndarray) else value
    if not isinstance(tensor, Tensor) or form_of(tensor) != "tensor" or not tensor.numel():
        return Numbers()
    known = tensor[~torch.isnan(tensor)] if tensor.is_floating_point() else tensor
    if not known.numel():
        return Numbers()
    is_binary = bool(((known == 0) | (known == 1) | (known == -1)).all())
    return Numbers(float(known.min()), float(known.max()), is_binary)


# --- inverses ---


def _pair(view: Survey, edges: list[DraftEdges]) -> tuple[DraftEdges, ...]:
    """Relations that hold each other's edges turned around, as one relation with its inverse."""
    digests: dict[EdgeKey, tuple[int, int]] = {}
    for item in edges:
        index = view.edges(item.key)
        if index is not None and index.size(1):
            digests[item.key] = pair_digest(index), pair_digest(index.flip(0))
    inverse_of: dict[EdgeKey, EdgeKey] = {}
    derived: set[EdgeKey] = set()
    by_digest = {(key[0], key[2], straight): key for key, (straight, _) in digests.items()}
    for key, (straight, turned) in digests.items():
        other = by_digest.get((key[2], key[0], turned))
        taken = {*inverse_of, *derived}
        if other is None or other == key or straight == turned or key in taken or other in taken:
            continue
        first, second = sorted((key, other), key=lambda item: (_looks_reverse(item[1]), list(digests).index(item)))
        if _can_be_made(first, second, edges):
            inverse_of[first] = second
            derived.add(second)
    kept = [item for item in edges if item.key not in derived]
    return tuple(_finish(item, inverse_of.get(item.key), digests.get(item.key)) for item in kept)


def _looks_reverse(name: str) -> bool:
    return name.startswith(("rev_", "reverse_", "inv_", "inverse_")) or name.endswith(("_rev", "_inv", "_reverse"))


def _can_be_made(first: EdgeKey, second: EdgeKey, edges: Iterable[DraftEdges]) -> bool:
    """Whether an inverse can be made from its original: it has no attribute that the original lacks."""
    types = {item.key: {(it.name, it.type) for it in item.attributes} for item in edges}
    return types[second] <= types[first]


def _finish(item: DraftEdges, inverse: EdgeKey | None, digests: tuple[int, int] | None) -> DraftEdges:
    symmetric = digests is not None and digests[0] == digests[1] and item.key[0] == item.key[2]
    return replace(item, inverse=inverse[1] if inverse else None, symmetric=symmetric)


# --- several graphs ---


@dataclass
class _Seen:
    """An attribute of several graphs: in how many, and as what."""

    count: int
    made: DraftAttribute


def _draw_several(graphs: list[Any], name: str) -> Draft:
    """What all graphs have is declared, what some lack is optional; what each carries is of the graph."""
    drafts = [_draw_one(graph, name) for graph in graphs]
    nodes = [_merge_nodes(key, drafts) for key in dict.fromkeys(item.name for draft in drafts for item in draft.nodes)]
    keys = dict.fromkeys(item.key for draft in drafts for item in draft.edges)
    edges = [_merge_edges(key, drafts) for key in keys]
    return Draft(name, tuple(nodes), tuple(edges), _draw_carried(graphs))


def _merge_nodes(name: str, drafts: list[Draft]) -> DraftNodes:
    found = [item for draft in drafts for item in draft.nodes if item.name == name]
    remark = next((item.remark for item in found if item.remark), None)
    optional, attributes = len(found) < len(drafts), _merge_attributes([item.attributes for item in found])
    return DraftNodes(name, attributes, optional, remark=remark)


def _merge_edges(key: EdgeKey, drafts: list[Draft]) -> DraftEdges:
    found = [item for draft in drafts for item in draft.edges if item.key == key]
    remark = next((item.remark for item in found if item.remark), None)
    return DraftEdges(
        key,
        _merge_attributes([item.attributes for item in found]),
        symmetric=all(item.symmetric for item in found),
        optional=len(found) < len(drafts),
        remark=remark,
    )


def _merge_attributes(found: list[tuple[DraftAttribute, ...]]) -> tuple[DraftAttribute, ...]:
    seen: dict[str, _Seen] = {}
    for attributes in found:
        for item in attributes:
            if item.name in seen:
                seen[item.name].count += 1
                seen[item.name].made = _wider(seen[item.name].made, item)
            else:
                seen[item.name] = _Seen(1, item)
    return tuple(
        replace(item.made, type=replace(item.made.type, optional=True))
        if item.count < len(found) and item.made.type is not None
        else item.made
        for item in seen.values()
    )


def _wider(first: DraftAttribute, second: DraftAttribute) -> DraftAttribute:
    """A type that holds both: the larger number of classes, `*` for widths that differ."""
    one, two = first.type, second.type
    if one is None or two is None:
        return first if one is None else second
    if one.kind != two.kind:
        where = (first.remark or second.remark or Remark(first.name, "")).where
        return DraftAttribute(first.name, one, Remark(where, f"is `{one}` in some graphs and `{two}` in others"))
    size = one.size
    if one.size != two.size:
        size = max(one.size, two.size) if one.kind == "class" and _are_numbers(one, two) else "*"  # type: ignore[type-var]
    return DraftAttribute(first.name, AttributeType(one.kind, size), first.remark or second.remark)


def _are_numbers(one: AttributeType, two: AttributeType) -> bool:
    return isinstance(one.size, int) and isinstance(two.size, int)


def _draw_carried(graphs: list[Any]) -> tuple[DraftAttribute, ...]:
    """Attributes of whole graphs, with a row for each graph."""
    stores = [graph._global_store if isinstance(graph, HeteroData) else {} for graph in graphs]
    found: list[DraftAttribute] = []
    for key in dict.fromkeys(str(key) for store in stores for key in store if key not in BOOKKEEPING):
        values = [store.get(key) for store in stores]
        given = [torch.as_tensor(value).reshape(-1) for value in values if isinstance(value, Tensor | int | float)]
        if len(given) < len([value for value in values if value is not None]) or len({len(row) for row in given}) != 1:
            found.append(DraftAttribute(key, None, Remark(f"graph.{key}", "is not as many numbers in each graph")))
            continue
        table = torch.stack(given).squeeze(1)
        info = describe_tensor(table)
        assert info is not None
        made = guess_type(key, info, _numbers(table, info), f"graph.{key}")
        if len(given) < len(graphs) and made.type is not None:
            made = replace(made, type=replace(made.type, optional=True))
        found.append(made)
    return tuple(found)
