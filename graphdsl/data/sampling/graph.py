"""What is sampled from, read once out of PyG's containers into plain arrays.

Both a `HeteroData` and a PyG `(FeatureStore, GraphStore)` pair become one frozen `GraphArrays`; everything behind it
knows neither. All checks of indices, sizes and times happen here, so that sampling itself need not look again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch_geometric.data import FeatureStore, GraphStore, HeteroData
from torch_geometric.data.remote_backend_utils import num_nodes as stored_num_nodes

from graphdsl.data.sampling.times import Times, check_one_kind, read_times

EdgeType: TypeAlias = tuple[str, str, str]
Data: TypeAlias = HeteroData | tuple[FeatureStore, GraphStore]
Ints: TypeAlias = npt.NDArray[np.integer]
NodeTime: TypeAlias = str | Mapping[str, torch.Tensor] | None
EdgeTime: TypeAlias = str | Mapping[EdgeType, torch.Tensor] | None


@dataclass(frozen=True)
class GraphArrays:
    """A heterogeneous graph as plain arrays.

    Attributes:
        num_nodes: number of nodes of each node type; its order is the order of the types everywhere.
        edges: `(source, destination)` of each relation, two integer arrays of shape `[E]` on the CPU.
        node_time: times of the node types that carry them, shape `[num_nodes]`.
        edge_time: times of the relations that carry them, shape `[E]`.
    """

    num_nodes: dict[str, int]
    edges: dict[EdgeType, tuple[Ints, Ints]]
    node_time: dict[str, Times]
    edge_time: dict[EdgeType, Times]


def read_graph(data: Data, node_time: NodeTime = None, edge_time: EdgeTime = None) -> GraphArrays:
    """Read and check the structure and the times of `data`.

    Args:
        data: a `HeteroData`, or a pair of a `FeatureStore` and a `GraphStore`.
        node_time: the name of the attribute that holds node times, or the times of each node type.
        edge_time: the name of the attribute that holds edge times, or the times of each relation.

    Raises:
        ValueError: `data` is of another kind, an index is out of range, or times do not fit.
    """
    num_nodes, edges, node_attrs, edge_attrs = _open(data, _name_of(node_time), _name_of(edge_time))
    for relation, ends in edges.items():
        _check_edges(relation, ends, num_nodes)
    edge_count = {relation: len(ends[0]) for relation, ends in edges.items()}
    graph = GraphArrays(
        num_nodes,
        edges,
        read_times("node type", node_time if isinstance(node_time, Mapping) else node_attrs, num_nodes, node_time),
        read_times("relation", edge_time if isinstance(edge_time, Mapping) else edge_attrs, edge_count, edge_time),
    )
    check_one_kind([*graph.node_time.items(), *graph.edge_time.items()])
    return graph


def _name_of(time: NodeTime | EdgeTime) -> str | None:
    return time if isinstance(time, str) else None


_Opened: TypeAlias = tuple[dict[str, int], dict[EdgeType, tuple[Ints, Ints]], dict[str, Any], dict[EdgeType, Any]]


def _open(data: Data, node_name: str | None, edge_name: str | None) -> _Opened:
    """Take sizes, edges and the attributes of the given names out of either kind of container."""
    if isinstance(data, HeteroData):
        return _open_hetero_data(data, node_name, edge_name)
    if (
        isinstance(data, tuple | list)
        and len(data) == 2
        and isinstance(data[0], FeatureStore)
        and isinstance(data[1], GraphStore)
    ):
        return _open_stores(data[0], data[1], node_name, edge_name)
    raise ValueError(
        f"cannot sample from a {type(data).__name__}; accepted: a HeteroData or a (FeatureStore, GraphStore) pair "
        f"(a homogeneous Data becomes one with .to_heterogeneous())"
    )


def _open_hetero_data(data: HeteroData, node_name: str | None, edge_name: str | None) -> _Opened:
    edges: dict[EdgeType, tuple[Ints, Ints]] = {}
    for relation in data.edge_types:
        edge_index = data[relation].get("edge_index")
        if not isinstance(edge_index, torch.Tensor) or edge_index.dim() != 2 or edge_index.size(0) != 2:
            found = _describe(edge_index)
            raise ValueError(f"relation {relation}: edge_index is {found}; accepted: an integer tensor of shape [2, E]")
        edges[relation] = (_integers(relation, edge_index[0]), _integers(relation, edge_index[1]))
    num_nodes = {name: _size_of(data, name) for name in data.node_types}
    node_attrs = {t: data[t][node_name] for t in num_nodes if node_name is not None and node_name in data[t]}
    edge_attrs = {r: data[r][edge_name] for r in edges if edge_name is not None and edge_name in data[r]}
    return num_nodes, edges, node_attrs, edge_attrs


def _size_of(data: HeteroData, node_type: str) -> int:
    store = data[node_type]
    size = store.num_nodes if store.can_infer_num_nodes else None
    if size is None:
        held = sorted(str(key) for key in store)
        raise ValueError(f"node type {node_type!r}: its size is unknown (it holds {held}); set data[...].num_nodes")
    return int(size)


def _open_stores(features: FeatureStore, graph: GraphStore, node_name: str | None, edge_name: str | None) -> _Opened:
    relations = [attr.edge_type for attr in graph.get_all_edge_attrs()]
    if not relations or any(not isinstance(r, tuple) for r in relations):
        raise ValueError(
            f"the graph store holds edge types {relations}; accepted: at least one (source, name, destination)"
        )
    rows, cols, _ = graph.coo()
    edges = {r: (_integers(r, rows[r]), _integers(r, cols[r])) for r in dict.fromkeys(relations)}
    attrs = features.get_all_tensor_attrs()
    names = [attr.group_name for attr in attrs if isinstance(attr.group_name, str)]
    names += [end for source, _, destination in edges for end in (source, destination)]
    num_nodes = {name: int(stored_num_nodes(features, graph, name)) for name in dict.fromkeys(names)}
    node_attrs = _stored(features, attrs, node_name, num_nodes)
    return num_nodes, edges, node_attrs, _stored(features, attrs, edge_name, edges)


def _stored(features: FeatureStore, attrs: Iterable[Any], name: str | None, groups: Mapping[Any, Any]) -> dict:
    """The whole tensors called `name` of those groups (node types or relations) that have one."""
    wanted = [attr for attr in attrs if name is not None and attr.attr_name == name and attr.group_name in groups]
    return {attr.group_name: features.get_tensor(attr.group_name, attr.attr_name, index=None) for attr in wanted}


def _integers(relation: EdgeType, index: torch.Tensor) -> Ints:
    if index.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        raise ValueError(f"relation {relation}: edge indices are {index.dtype}; accepted: int64 or int32")
    # `EdgeIndex` and its rows are subclasses whose operators check invariants; plain memory is wanted here.
    return index.detach().as_subclass(torch.Tensor).cpu().numpy()


def _check_edges(relation: EdgeType, ends: tuple[Ints, Ints], num_nodes: Mapping[str, int]) -> None:
    for node_type, index, place in ((relation[0], ends[0], "source"), (relation[2], ends[1], "destination")):
        if node_type not in num_nodes:
            raise ValueError(f"relation {relation}: no nodes of type {node_type!r}; known: {sorted(num_nodes)}")
        size = num_nodes[node_type]
        if index.size and (index.min() < 0 or index.max() >= size):
            wrong = int(index.min()) if index.min() < 0 else int(index.max())
            raise ValueError(
                f"relation {relation}: {place} index {wrong}; accepted: 0 to {size - 1} ({size} nodes of {node_type!r})"
            )


def _describe(value: Any) -> str:
    if value is None:
        return "missing"
    return f"of shape {list(value.shape)}" if isinstance(value, torch.Tensor) else f"a {type(value).__name__}"
