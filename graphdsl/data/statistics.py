"""What a graph is like, type by type and relation by relation: numbers to look at beside the findings."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.places import BOOKKEEPING, Place, UnreadableTensorError
from graphdsl.data.survey import Survey
from graphdsl.data.view import open_data
from graphdsl.drafting.kinds import COUNTABLE
from graphdsl.kernels.sweeping import PIECE
from graphdsl.model import Attribute, Schema
from graphdsl.text import EdgeKey, SpecError

_MOST_CLASSES = 50


@dataclass(frozen=True, slots=True)
class AttributeStatistics:
    """An attribute of a type.

    Attributes:
        declared: its type in the schema; empty if it has none.
        dtype: of the tensor, or what it is stored as instead.
        shape: of the tensor.
        low: smallest number; None where there is none, or one of them is NaN.
        high: largest number.
        mean: mean of all numbers.
        constant: columns that are the same in every row.
        classes: rows of each class, of labels; rows without one are not counted.
        chosen: rows that a mask selects.
    """

    name: str
    declared: str
    dtype: str
    shape: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    constant: int = 0
    classes: tuple[int, ...] = ()
    chosen: int | None = None


@dataclass(frozen=True, slots=True)
class DegreeStatistics:
    """Edges of the nodes at one end of a relation.

    Attributes:
        mean: edges of a node on average.
        high: most edges of a node.
        without: nodes without an edge.
        histogram: nodes with 0, 1, 2 to 3, 4 to 7, … edges.
    """

    mean: float
    high: int
    without: int
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TypeStatistics:
    """A node type; `count` is None where it cannot be told."""

    name: str
    declared: bool
    count: int | None
    attributes: tuple[AttributeStatistics, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationStatistics:
    """A relation; degrees are None where its edges are not sound."""

    key: EdgeKey
    declared: bool
    count: int | None
    sent: DegreeStatistics | None = None
    received: DegreeStatistics | None = None
    attributes: tuple[AttributeStatistics, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """A graph, or several as one.

    Attributes:
        graphs: how many there are.
    """

    nodes: tuple[TypeStatistics, ...]
    edges: tuple[RelationStatistics, ...]
    graphs: int = 1


def describe_graph(data: Any, schema: Schema) -> GraphStatistics:
    """Count, measure and sum up what data holds, whether the schema mentions it or not.

    Each tensor is read about twice. What cannot be read or is no tensor has a name only.

    Args:
        data: as for `validate`; several graphs count together, if they fit each other.
        schema: says what is declared.

    Raises:
        SpecError: GNN611 for what is no graph.
    """
    read = read_data(data, schema)
    whole, graphs = _as_one(read) if isinstance(read, GraphSet) else (read, 1)
    view = Survey(open_data(whole))
    nodes = tuple(
        TypeStatistics(
            name,
            name in schema.nodes,
            view.count(name),
            _attributes(view, name, dict(schema.nodes[name].attributes) if name in schema.nodes else {}),
        )
        for name in view.node_types
    )
    edges = tuple(
        RelationStatistics(
            key,
            key in schema.edges,
            view.count(key),
            _degrees(view.degrees(key, 0)),
            _degrees(view.degrees(key, 1)),
            _attributes(view, key, dict(schema.edges[key].attributes) if key in schema.edges else {}),
        )
        for key in view.edge_types
    )
    return GraphStatistics(nodes, edges, graphs)


def _as_one(read: GraphSet) -> tuple[Any, int]:
    """Several graphs as one, and how many; the first alone where they do not fit each other, which validation says."""
    try:
        return read.batch(range(len(read))), len(read)
    except (SpecError, RuntimeError, TypeError, ValueError):
        return read[0], 1


def _attributes(view: Survey, place: Place, declared: dict[str, Attribute]) -> tuple[AttributeStatistics, ...]:
    keys = [key for key in view.keys(place) if key not in BOOKKEEPING]
    return tuple(_attribute(view, place, key, declared.get(key)) for key in keys)


def _attribute(view: Survey, place: Place, key: str, declared: Attribute | None) -> AttributeStatistics:
    said = "" if declared is None else str(declared.type)
    try:
        form, info = view.form(place, key), view.describe(place, key)
        value = view.read(place, key) if form == "tensor" else None
    except UnreadableTensorError:
        return AttributeStatistics(key, said, "unreadable", ())
    if info is None or not isinstance(value, Tensor) or info.dtype not in COUNTABLE:
        return AttributeStatistics(key, said, form if info is None else info.dtype, info.shape if info else ())
    kind = "" if declared is None else declared.type.kind
    if kind == "mask" or value.dtype == torch.bool:
        return AttributeStatistics(key, said, info.dtype, info.shape, chosen=int((value != 0).sum()))
    ends = view.columns(place, key) if value.dim() else None
    if ends is None:
        return AttributeStatistics(key, said, info.dtype, info.shape)
    low, high = ends
    finite = bool((torch.isfinite(low) & torch.isfinite(high)).all()) if low.is_floating_point() else True
    return AttributeStatistics(
        key,
        said,
        info.dtype,
        info.shape,
        low=float(low.min()) if finite else None,
        high=float(high.max()) if finite else None,
        mean=_mean(value) if finite else None,
        constant=int((low == high).sum()) if len(value) > 1 else 0,
        classes=_classes(value, int(high.max())) if kind == "class" and value.dim() == 1 else (),
    )


def _mean(value: Tensor) -> float:
    parts = value.reshape(-1).split(PIECE)
    return sum(float(part.sum(dtype=torch.float64)) for part in parts) / value.numel()


def _classes(value: Tensor, high: int) -> tuple[int, ...]:
    if value.is_floating_point() or high < 0 or high >= _MOST_CLASSES:
        return ()
    return tuple(torch.bincount(value[value >= 0], minlength=high + 1).tolist())


def _degrees(degrees: Tensor | None) -> DegreeStatistics | None:
    if degrees is None or not degrees.numel():
        return None
    high = int(degrees.max())
    # Degree 0 is bin 0, 1 is 1, 2 and 3 are 2, 4 to 7 are 3, …
    bins = torch.where(degrees > 0, torch.log2(degrees.clamp(min=1).double()).floor().long() + 1, 0)
    histogram = tuple(torch.bincount(bins).tolist())
    return DegreeStatistics(float(degrees.double().mean()), high, int((degrees == 0).sum()), histogram)
