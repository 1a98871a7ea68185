"""Small inputs of the shapes and dtypes that a written program takes; their values mean nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim

from graphdsl.model import TRAIN_MASK, Metadata, Schema
from graphdsl.plan import Ids, InputBinding, LinkHead, Plan, attribute_reads, forecast_head, read_labels
from graphdsl.plan.passes.mark_live import needed_types
from graphdsl.plan.requirements import find_requirements
from graphdsl.source.naming import identifier
from graphdsl.text import EdgeKey, join_edge
from graphdsl.text.encoding import encode

_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Example:
    """Keyword arguments of an exported program.

    Attributes:
        values: tensors, dictionaries of tensors by plain name, and numbers, by argument.
        places: of each argument that is a dictionary by node type or relation, its places in order.
    """

    values: Mapping[str, Any]
    places: Mapping[str, tuple[str | EdgeKey, ...]]

    @property
    def dimensions(self) -> dict[str, Any]:
        """Which dimensions are of any size: rows, edges, pairs; and numbers."""
        return {name: _dimensions(name, value) for name, value in self.values.items()}


def _dimensions(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dimensions(name, item) for key, item in value.items()}
    if not isinstance(value, Tensor):
        return Dim.DYNAMIC
    return {1 if name in ("edge_index", "edge_label_index") else 0: Dim.DYNAMIC}


def plain_name(place: str | EdgeKey) -> str:
    """A node type or an edge type as one string.

    >>> plain_name(("author", "writes", "paper")), plain_name("web page")
    ('author__writes__paper', 'webZ20Zpage')
    """
    return encode(place) if isinstance(place, str) else join_edge(place)


class _Drawing:
    """Sizes that differ from each other, so that torch takes none of them for another."""

    def __init__(self, plan: Plan, schema: Schema, metadata: Metadata | None) -> None:
        self.plan, self.schema, self.metadata = plan, schema, metadata
        self._numbers = count(_FEWEST)
        self._rows: dict[str | EdgeKey, int] = {}

    def rows(self, place: str | EdgeKey) -> int:
        if place not in self._rows:
            self._rows[place] = next(self._numbers)
        return self._rows[place]

    def edges(self, edge: EdgeKey) -> Tensor:
        fewest = min(self.rows(edge[0]), self.rows(edge[2]))
        return torch.arange(self.rows(edge)).remainder(fewest).expand(2, -1).contiguous()

    def attribute(self, name: str, place: str | EdgeKey, item: InputBinding | None = None) -> Tensor:
        rows = self.rows(place)
        shape, dtype = self._form(name, place, item)
        return torch.zeros((rows, *shape), dtype=dtype)

    def _form(self, name: str, place: str | EdgeKey, item: InputBinding | None) -> tuple[tuple[int, ...], torch.dtype]:
        stores: Any = None
        if self.metadata is not None:
            stores = self.metadata.nodes if isinstance(place, str) else self.metadata.edges
        if stores and place in stores and name in stores[place].tensors:
            stored = stores[place].tensors[name]
            return tuple(stored.shape[1:]), getattr(torch, stored.dtype)
        declared: Any = self.schema.nodes if isinstance(place, str) else self.schema.edges
        found = declared[place].attributes.get(name) if place in declared else None
        width = item.width if item is not None and not item.scalar else None
        if found is None:
            return ((width,) if width else ()), torch.get_default_dtype()
        kind, size = found.type.kind, found.type.size
        if kind in ("class", "time", "int", "mask", "bool"):
            dtype = torch.bool if kind in ("mask", "bool") else torch.long
            return ((size,) if kind == "int" and isinstance(size, int) else ()), dtype
        return ((size if isinstance(size, int) else width or 1,) if size is not None else ()), torch.get_default_dtype()


def make_example(plan: Plan, schema: Schema, metadata: Metadata | None) -> Example:
    """Inputs for the program of a plan.

    Args:
        plan: the model.
        schema: tells the dtypes and shapes of attributes.
        metadata: of the data, if there is any.
    """
    drawing = _Drawing(plan, schema, metadata)
    if plan.sequence is not None:
        return _sequence(drawing)
    types = sorted(needed_types(plan)[0] & set(plan.inputs))
    numbered = [name for name in types if isinstance(plan.inputs[name], Ids)]
    features = {name: drawing.attribute("x", name) for name in types if name not in numbered}
    values: dict[str, Any] = {
        "x": {name: _wide(x, plan.inputs[name]) for name, x in features.items()},
        "edge_index": {edge: drawing.edges(edge) for edge in given_relations(plan, metadata)},
    }
    if numbered:
        values["n_id"] = {name: torch.arange(drawing.rows(name)) for name in numbered}
    for item, place in _attributes(plan, metadata):
        table = values.setdefault(identifier(item.attribute).removesuffix("_"), {})
        table[place] = drawing.attribute(item.attribute, place, item)
    for head in plan.node_heads:
        if head.spread is not None and head.spread.weight:
            item = InputBinding("edge_weight", "edge", head.spread.weight, scalar=True, width=1)
            place = _origin(head.spread.edge, plan, metadata)
            values.setdefault(identifier(item.attribute).removesuffix("_"), {})[place] = drawing.attribute(
                item.attribute, place, item
            )
    for name, label in read_labels(plan):
        for key in (label, TRAIN_MASK):
            values.setdefault(identifier(key).removesuffix("_"), {})[name] = drawing.attribute(key, name)
    values |= _asked(drawing)
    if plan.graph_heads:
        values["batch"] = {name: torch.arange(drawing.rows(name)).remainder(3) for name in types}
        values["num_graphs"] = 3
    return _plain(values)


def _asked(drawing: _Drawing) -> dict[str, Any]:
    """What is asked of links: pairs, or the events themselves."""
    if (head := forecast_head(drawing.plan)) is not None:
        return _events(head, drawing)
    return {"edge_label_index": _pairs(drawing)} if drawing.plan.link_heads else {}


def _events(head: LinkHead, drawing: _Drawing) -> dict[str, Any]:
    """Events, when they happen, and of which kind they are."""
    assert head.events is not None
    found: dict[str, Any] = {"edge_index": {head.edge: drawing.edges(head.edge)}}
    for key in (head.events.time, head.events.message):
        found[identifier(key).removesuffix("_")] = {head.edge: drawing.attribute(key, head.edge)}
    return found


def _pairs(drawing: _Drawing) -> Any:
    """Pairs for each link prediction."""
    heads = drawing.plan.link_heads
    pairs = {head.name: torch.zeros(2, drawing.rows(head.name), dtype=torch.long) for head in heads}
    return pairs if len(pairs) > 1 else next(iter(pairs.values()))


def _plain(values: dict[str, Any]) -> Example:
    """The same with plain names."""
    tables = {name: value for name, value in values.items() if isinstance(value, dict) and name != "edge_label_index"}
    places = {name: tuple(value) for name, value in tables.items()}
    plain = {name: {plain_name(place): item for place, item in value.items()} for name, value in tables.items()}
    return Example(values | plain, places)


def given_relations(plan: Plan, metadata: Metadata | None) -> list[EdgeKey]:
    """The relations that the exported program takes: what it cannot make, and what the data brings, sorted."""
    return sorted({_origin(edge, plan, metadata) for edge in find_requirements(plan, live=True).relations})


def _origin(edge: EdgeKey, plan: Plan, metadata: Metadata | None) -> EdgeKey:
    if metadata is not None and edge in metadata.edges:
        return edge
    return next((item.inverse_of for item in plan.derived if item.edge == edge and item.inverse_of), edge)


def _attributes(plan: Plan, metadata: Metadata | None) -> Iterator[tuple[InputBinding, str | EdgeKey]]:
    """Attributes that live steps read, and where they stand."""
    for found in attribute_reads(plan):
        if found.live and found.item.attribute != "x":
            for place in sorted(found.places) if isinstance(found.places[0], str) else found.places:
                yield found.item, place if isinstance(place, str) else _origin(place, plan, metadata)


def _wide(x: Tensor, width: Any) -> Tensor:
    """Features of the width that the model was planned with."""
    return x if x.dim() > 1 and x.size(1) == width else x.new_zeros(x.size(0), width)


def _sequence(drawing: _Drawing) -> Example:
    stage = drawing.plan.sequence
    assert stage is not None
    values: dict[str, Any] = {}
    graphs = 3
    for item in stage.inputs:
        name = identifier(item.name)
        if item.source == "edge_index":
            values[name] = drawing.edges(stage.edge)
        elif item.source == "batch":
            values[name] = (
                torch.arange(drawing.rows(stage.type)).mul(graphs).div(drawing.rows(stage.type), rounding_mode="floor")
            )
        elif item.source == "batch_size":
            values[name] = graphs
        elif item.source == "graph":
            values[name] = torch.zeros(graphs, *_graph_shape(item.name, drawing))
        else:
            values[name] = drawing.attribute(item.name, stage.type if item.source == "node" else stage.edge)
    if drawing.plan.link_heads:
        values["edge_label_index"] = _pairs(drawing)
    return Example(values, {})


def _graph_shape(name: str, drawing: _Drawing) -> tuple[int, ...]:
    size = drawing.schema.graph[name].type.size
    return (size,) if isinstance(size, int) else ()


__all__ = ["Example", "given_relations", "make_example"]
