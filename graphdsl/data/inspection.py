"""From data to metadata: what there is, how many, how wide, of which dtype."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from graphdsl.data.degrees import count_degrees
from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.places import BOOKKEEPING, Place, UnreadableTensorError
from graphdsl.data.view import GraphView, describe_tensor, form_of, open_data
from graphdsl.model import Attribute, Degrees, Metadata, Schema, StoreInfo, TensorInfo
from graphdsl.text import EdgeKey, SpecError, report

_LABEL_NAMES = ("y", "label", "labels", "target")


def inspect(data: Any, schema: Schema | None = None, degrees: bool = False) -> Metadata:
    """Tell what a graph holds, without copying or guessing.

    Args:
        data: a `HeteroData` or a pair of a PyG `FeatureStore` and `GraphStore`; with a schema, also a list of graphs,
            or a homogeneous `Data`.
        schema: says which attributes are labels; without it the names `y`, `label`, … do. Integer labels of shape
            [num_nodes] get `classes`, their largest value + 1.
        degrees: count the edges of each node, which layers such as `PNAConv` scale by: of all nodes of all graphs,
            whatever their split; and the nodes of each graph, for readouts that scale by them.

    Returns:
        Counts, shapes and dtypes by node type and edge type. The keys that PyG's loaders leave in a batch are not
        among the tensors, nor is what is no tensor.

    Raises:
        SpecError: GNN611: `data` is of another kind, such as a homogeneous `Data`, or a store fails.

    >>> import torch
    >>> from torch_geometric.data import HeteroData
    >>> data = HeteroData()
    >>> data["author"].x, data["author"].y = torch.zeros(3, 8), torch.tensor([0, 2, 1])
    >>> inspect(data).nodes["author"].tensors["y"]
    TensorInfo(shape=(3,), dtype='int64', classes=3)
    """
    read = read_data(data, schema)
    if isinstance(read, GraphSet):
        return _inspect_graphs(read, degrees)
    view = open_data(read)
    labels = _declared_labels(schema)
    return _inspect_view(view, labels, degrees)


def _inspect_view(view: GraphView, labels: frozenset[tuple[Place, str]], degrees: bool) -> Metadata:
    try:
        return Metadata(
            nodes={name: _inspect_nodes(view, name, labels, degrees) for name in view.node_types},
            edges={edge: _inspect_edges(view, edge, labels, degrees) for edge in view.edge_types},
        )
    except UnreadableTensorError as error:
        raise SpecError([report("GNN611", str(error), where="data")]) from error


def _inspect_nodes(view: GraphView, name: str, labels: frozenset[tuple[Place, str]], degrees: bool) -> StoreInfo:
    store = _inspect_store(view, name, labels)
    counted = degrees and store.count is not None
    return replace(store, sizes=Degrees(((store.count or 0, 1),))) if counted else store


def _inspect_edges(view: GraphView, edge: EdgeKey, labels: frozenset[tuple[Place, str]], degrees: bool) -> StoreInfo:
    store = _inspect_store(view, edge, labels)
    if not degrees:
        return store
    sent, received = count_degrees(view.connectivity(edge), view.count(edge[0]), view.count(edge[2]))
    return replace(store, sent=sent, received=received)


def _inspect_graphs(graphs: GraphSet, degrees: bool) -> Metadata:
    """Sizes that all graphs share: widths, the largest number of classes, and counts that are the same in each."""
    schema = graphs.schema
    labels = _declared_labels(schema)
    found = [_inspect_view(open_data(graph), labels, degrees) for graph in graphs]
    nodes: dict[str, StoreInfo] = {}
    edges: dict[EdgeKey, StoreInfo] = {}
    for item in found:
        nodes |= {name: _join(nodes.get(name), store) for name, store in item.nodes.items()}
        edges |= {edge: _join(edges.get(edge), store) for edge, store in item.edges.items()}
    carried: dict[str, TensorInfo] = {}
    for name, attribute in schema.graph.items():
        values = graphs.values(name)
        info = None if values is None else describe_tensor(values)
        if info is not None and values is not None:
            classes = max(0, int(values.max()) + 1) if attribute.type.kind == "class" else None
            carried[name] = TensorInfo(info.shape, info.dtype, classes)
    return Metadata(nodes, edges, StoreInfo(len(graphs), carried))


def _join(before: StoreInfo | None, store: StoreInfo) -> StoreInfo:
    if before is None:
        return store
    tensors = {**store.tensors, **before.tensors}
    for key, info in store.tensors.items():
        classes = max(info.classes or 0, tensors[key].classes or 0) if info.classes is not None else None
        tensors[key] = replace(tensors[key], classes=classes)
    count = before.count if before.count == store.count else None
    sent, received = _together(before.sent, store.sent), _together(before.received, store.received)
    return StoreInfo(count, tensors, sent, received, _together(before.sizes, store.sizes))


def _together(before: Degrees | None, degrees: Degrees | None) -> Degrees | None:
    return None if before is None or degrees is None else before.together(degrees)


def _declared_labels(schema: Schema | None) -> frozenset[tuple[Place, str]]:
    if schema is None:
        return frozenset()
    places: list[tuple[Place, Mapping[str, Attribute]]] = [
        (node.name, node.attributes) for node in schema.nodes.values()
    ]
    places += [(edge.key, edge.attributes) for edge in schema.edges.values()]
    return frozenset(
        (place, item.name) for place, attributes in places for item in attributes.values() if item.type.kind == "class"
    )


def _inspect_store(view: GraphView, place: Place, labels: frozenset[tuple[Place, str]]) -> StoreInfo:
    tensors: dict[str, TensorInfo] = {}
    for key in view.keys(place):
        found = None if key in BOOKKEEPING else view.describe(place, key)
        if found is None:
            continue
        is_label = (place, key) in labels or (isinstance(place, str) and _is_label_name(key))
        classes = _count_classes(view, place, key, found) if is_label else None
        tensors[key] = TensorInfo(found.shape, found.dtype, classes)
    return StoreInfo(view.count(place), tensors)


def _is_label_name(key: str) -> bool:
    return key in _LABEL_NAMES or key.endswith("_label") or key.startswith("y_")


def _count_classes(view: GraphView, place: Place, key: str, found: TensorInfo) -> int | None:
    """Largest value + 1 of an integer vector; at least 0, which is what a vector of unlabelled nodes gives."""
    if len(found.shape) != 1 or not found.dtype.startswith(("int", "uint")):
        return None
    if not found.shape[0]:
        return 0
    value = view.read(place, key)
    if isinstance(value, Tensor) and form_of(value) == "tensor":
        value = value.long()  # Of `uint64` and its like nothing else can be asked.
    elif not isinstance(value, np.ndarray):
        return None
    return max(0, int(value.max()) + 1)
