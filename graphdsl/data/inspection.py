"""From data to metadata: what there is, how many, how wide, of which dtype."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from graphdsl.data.view import BOOKKEEPING, GraphView, Place, UnreadableTensorError, open_data
from graphdsl.model import Attribute, Metadata, Schema, StoreInfo, TensorInfo
from graphdsl.text import SpecError, report

_LABEL_NAMES = ("y", "label", "labels", "target")


def inspect(data: Any, schema: Schema | None = None) -> Metadata:
    """Tell what a graph holds, without copying or guessing.

    Args:
        data: a `HeteroData` or a pair of a PyG `FeatureStore` and `GraphStore`.
        schema: says which attributes are labels; without it the names `y`, `label`, … do. Integer labels of shape
            [num_nodes] get `classes`, their largest value + 1.

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
    view = open_data(data)
    labels = _declared_labels(schema)
    try:
        return Metadata(
            nodes={name: _inspect_store(view, name, labels) for name in view.node_types},
            edges={edge: _inspect_store(view, edge, labels) for edge in view.edge_types},
        )
    except UnreadableTensorError as error:
        raise SpecError([report("GNN611", str(error), where="data")]) from error


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
    return max(0, int(value.max()) + 1) if isinstance(value, Tensor | np.ndarray) else None
