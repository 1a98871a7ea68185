"""Graphs of networkx as heterogeneous data."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

import networkx as nx
import numpy as np
import torch
from torch_geometric.data import HeteroData

from graphdsl.data.places import BOOKKEEPING, CONNECTIVITY
from graphdsl.text import Diagnostic, EdgeKey, SpecError, report, show_edge, show_name

NODE, EDGE = "node", "to"
_TAKEN = CONNECTIVITY | BOOKKEEPING
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
        edge_type: key of the edges' types; without it the keys of parallel edges tell them, where these are texts, and
            otherwise all are called "to".

    Raises:
        SpecError: GNN611: an attribute has a name under which PyG keeps something of its own, such as `num_nodes`, or two have
            the same.

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
    _refuse_taken(graph, types, edge_type)
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
    for source, target, name, attributes in _edges(graph, edge_type):
        if not graph.is_directed() and rank[types[source]] > rank[types[target]]:
            source, target = target, source
        key = (types[source], name, types[target])
        found.setdefault(key, []).append((source, target, attributes))
        if not graph.is_directed() and types[source] == types[target] and source != target:
            found[key].append((target, source, attributes))
    return found


def _edges(graph: nx.Graph, edge_type: str) -> Iterator[tuple[Hashable, Hashable, str, Mapping[str, Any]]]:
    """Ends, type and attributes of each edge."""
    edges: Any = graph.edges
    for source, target, *key, attributes in edges(data=True, keys=True) if graph.is_multigraph() else edges(data=True):
        told = attributes.get(edge_type)
        if told is None and key and isinstance(key[0], str):
            told = key[0]
        yield source, target, EDGE if told is None else str(told), attributes


def _refuse_taken(graph: nx.Graph, types: Mapping[Hashable, str], edge_type: str) -> None:
    """An attribute must not overwrite what PyG keeps under its name, nor another one."""
    places: dict[str, set[Hashable]] = {"graph": set(graph.graph)}
    for node, attributes in graph.nodes(data=True):
        places.setdefault(show_name(types[node]), set()).update(attributes)
    for source, target, name, attributes in _edges(graph, edge_type):
        shown = f"({show_edge((types[source], name, types[target]))})"
        places.setdefault(shown, set()).update(attributes)
    found = list[Diagnostic]()
    for place, keys in places.items():
        names = [str(key) for key in keys]
        for name in sorted(set(names)):
            where = f"{place}.{show_name(name)}"
            if name in _TAKEN:
                message = f"`{where}` has a name under which PyG keeps something of its own"
                found.append(report("GNN611", message, where=where, helps=(_rename(place, name),)))
            elif names.count(name) > 1:
                message = f"two attributes are called `{where}`: their keys are a text and something else"
                found.append(report("GNN611", message, where=where, helps=("give them texts that differ as keys",)))
    if found:
        raise SpecError(found)


def _rename(place: str, name: str) -> str:
    if place == "graph":
        return f"rename it: `graph.graph[{name + '_'!r}] = graph.graph.pop({name!r})`"
    items = "graph.edges" if place.startswith("(") else "graph.nodes"
    change = f"item.update({{{name + '_'!r}: item.pop({name!r})}} if {name!r} in item else {{}})"
    loop = f"for *_, item in {items}(data=True): {change}"
    return f"rename it: `{loop}`"


def _put(store: Any, rows: list[Mapping[str, Any]], skipped: Iterable[str]) -> None:
    """Attributes of a type as tensors where they are numbers, as lists otherwise."""
    keys = dict.fromkeys(key for row in rows for key in row if key not in set(skipped))
    for key in keys:
        store[str(key)] = _as_tensor([row.get(key) for row in rows])


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
