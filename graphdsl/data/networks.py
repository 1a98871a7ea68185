"""Graphs of networkx as heterogeneous data."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import networkx as nx
import numpy as np
import torch
from torch_geometric.data import HeteroData

from graphdsl.text import EdgeKey

NODE, EDGE = "node", "to"
_DEFAULTS = ("node_default", "edge_default")
"""What readers of networkx note in a graph about a file of GraphML."""


def from_networkx(graph: nx.Graph, node_type: str = "type", edge_type: str = "type") -> HeteroData:
    """A graph of networkx with the types that its nodes and edges bear.

    Attributes that all nodes or edges of a type have, as numbers or as equally long rows of numbers, become tensors; others
    stay lists, with None where there is none. An undirected edge within a type runs both ways; between two types it runs
    from that whose node came first, and its inverse is for the schema to declare. Nodes are numbered within their type, in
    the order of the graph. What the graph itself carries becomes an attribute of the whole.

    Args:
        graph: directed or not, with parallel edges or not.
        node_type: key of the nodes' types; without it `bipartite` tells two parts, and otherwise all are of type "node".
        edge_type: key of the edges' types; without it all are called "to".

    >>> made = from_networkx(nx.Graph([(0, 1), (1, 2)]))
    >>> made["node", "to", "node"].edge_index
    tensor([[0, 1, 1, 2],
            [1, 0, 2, 1]])
    """
    types = {node: _type_of(attributes, node_type) for node, attributes in graph.nodes(data=True)}
    numbers: dict[Hashable, int] = {}
    members: dict[str, list[Hashable]] = {}
    for node, name in types.items():
        numbers[node] = len(members.setdefault(name, []))
        members[name].append(node)
    data = HeteroData()
    for name, nodes in members.items():
        data[name].num_nodes = len(nodes)
        _put(data[name], [graph.nodes[node] for node in nodes], {node_type, "bipartite"})
    rank = {name: place for place, name in enumerate(members)}
    for key, edges in _by_relation(graph, types, rank, edge_type).items():
        index = [[numbers[source] for source, _, _ in edges], [numbers[target] for _, target, _ in edges]]
        data[key].edge_index = torch.tensor(index, dtype=torch.long)
        _put(data[key], [attributes for *_, attributes in edges], {edge_type})
    for name, value in graph.graph.items():
        if name not in _DEFAULTS:
            made = _as_tensor([value])
            data._global_store[str(name)] = made if isinstance(made, torch.Tensor) else value
    return data


def _type_of(attributes: Mapping[str, Any], key: str) -> str:
    if attributes.get(key) is not None:
        return str(attributes[key])
    return f"part {attributes['bipartite']}" if "bipartite" in attributes else NODE


def _by_relation(
    graph: nx.Graph, types: Mapping[Hashable, str], rank: Mapping[str, int], edge_type: str
) -> dict[EdgeKey, list[tuple[Hashable, Hashable, Mapping[str, Any]]]]:
    found: dict[EdgeKey, list[tuple[Hashable, Hashable, Mapping[str, Any]]]] = {}
    for source, target, attributes in graph.edges(data=True):
        given = attributes.get(edge_type)
        name = EDGE if given is None else str(given)
        if not graph.is_directed() and rank[types[source]] > rank[types[target]]:
            source, target = target, source
        key = (types[source], name, types[target])
        found.setdefault(key, []).append((source, target, attributes))
        if not graph.is_directed() and types[source] == types[target] and source != target:
            found[key].append((target, source, attributes))
    return found


def _put(store: Any, rows: list[Mapping[str, Any]], skipped: Iterable[str]) -> None:
    """Attributes of a type as tensors where they are numbers, as lists otherwise."""
    keys = dict.fromkeys(str(key) for row in rows for key in row if key not in set(skipped))
    for key in keys:
        values = [row.get(key) for row in rows]
        store[key] = _as_tensor(values)


def _as_tensor(values: list[Any]) -> Any:
    if any(value is None or isinstance(value, str) for value in values):
        return values
    try:
        array = np.array(values)
    except (ValueError, TypeError):  # Rows of different lengths.
        return values
    if array.dtype.kind not in "iufb":
        return values
    return torch.from_numpy(array.astype(np.float32) if array.dtype.kind == "f" else array)
