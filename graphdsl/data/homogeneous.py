"""A homogeneous `Data` as a graph of one node type and one relation, as a schema names them."""

from typing import Any

import torch
from torch_geometric.data import Data, HeteroData

from graphdsl.model import Schema
from graphdsl.text import EdgeKey, SpecError, report, show_name

_CONNECTIVITY = frozenset({"edge_index", "adj", "adj_t"})
_BOOKKEEPING = frozenset({"num_nodes", "batch", "ptr"})


def only_types(schema: Schema) -> tuple[str, EdgeKey] | None:
    """The only node type and the only edge type of a schema, inverses aside; None if there are others."""
    edges = [edge.key for edge in schema.edges.values() if not edge.derived]
    return (next(iter(schema.nodes)), edges[0]) if len(schema.nodes) == 1 and len(edges) == 1 else None


def as_hetero(data: Data, schema: Schema) -> HeteroData:
    """A homogeneous graph with the types of a schema that has one of each.

    Whose an attribute is the schema says; what it does not mention is of the nodes, edges or the graph as PyG guesses
    from its rows.

    Args:
        data: the graph.
        schema: names the types.

    Raises:
        SpecError: GNN611: the schema has several types.

    >>> import graphdsl
    >>> spec = graphdsl.loads("schema s { node a { x: float[3] } edge a -[r]-> a  graph { y: class[2] } }")
    >>> made = as_hetero(Data(x=torch.zeros(2, 3), edge_index=torch.tensor([[0], [1]]), y=torch.tensor([1])), spec.schema())
    >>> made["a"].x.shape, made["a", "r", "a"].edge_index.shape, made.y
    (torch.Size([2, 3]), torch.Size([2, 1]), tensor([1]))
    """
    types = only_types(schema)
    if types is None:
        message = f"a `Data` has one type of nodes and of edges, and the schema `{show_name(schema.name)}` has several"
        helps = ("give a `HeteroData`: `data.to_heterogeneous(node_type_names=[…], edge_type_names=[…])`",)
        raise SpecError([report("GNN611", message, schema.span, "declared here", where="data", helps=helps)])
    node, edge = types
    made = HeteroData()
    # Touching the stores makes the types, also where a graph has no nodes or edges.
    made[node].num_nodes = data.num_nodes
    made[edge].edge_index = data.edge_index if data.edge_index is not None else torch.zeros(2, 0, dtype=torch.long)
    names: list[str] = list(data.keys())
    for key in names:
        if key not in _CONNECTIVITY | _BOOKKEEPING:
            _place(made, data, key, schema, node, edge)
    return made


def _place(made: HeteroData, data: Data, key: str, schema: Schema, node: str, edge: EdgeKey) -> None:
    value: Any = data[key]
    declared = (schema.nodes[node].attributes, schema.edges[edge].attributes, schema.graph)
    owners = [key in attributes for attributes in declared]
    if not any(owners):
        owners = [data.is_node_attr(key), data.is_edge_attr(key), True]
    if owners[0]:
        made[node][key] = value
    elif owners[1]:
        made[edge][key] = value
    else:
        made[key] = value
