"""A homogeneous `Data` as a graph of one node type and one relation, as a schema names them."""

import copy
from typing import Any, Literal

import torch
from torch_geometric.data import Data, HeteroData

from graphdsl.data.places import CONNECTIVITY
from graphdsl.data.view import whole_count
from graphdsl.model import Schema
from graphdsl.text import EdgeKey, SpecError, report, show_name

NODE, EDGE = "node", ("node", "to", "node")
"""What the types of a homogeneous graph are called where no schema names them."""
_BOOKKEEPING = frozenset({"num_nodes", "batch", "ptr"})


def only_types(schema: Schema) -> tuple[str, EdgeKey] | None:
    """The only node type and the only edge type of a schema, inverses aside; None if there are others."""
    edges = [edge.key for edge in schema.edges.values() if not edge.derived]
    return (next(iter(schema.nodes)), edges[0]) if len(schema.nodes) == 1 and len(edges) == 1 else None


def as_hetero(data: Data, schema: Schema | None = None) -> HeteroData:
    """A homogeneous graph with one node type and one relation.

    Whose an attribute is the schema says; what it does not mention is of the nodes, edges or the graph as PyG guesses
    from its rows.

    Args:
        data: the graph.
        schema: names the types; without it they are called `node` and `to`.

    Raises:
        SpecError: GNN611: the schema has several types.

    >>> import graphdsl
    >>> spec = graphdsl.loads("schema s { node a { x: float[3] } edge a -[r]-> a  graph { y: class[2] } }")
    >>> made = as_hetero(Data(x=torch.zeros(2, 3), edge_index=torch.tensor([[0], [1]]), y=torch.tensor([1])), spec.schema())
    >>> made["a"].x.shape, made["a", "r", "a"].edge_index.shape, made.y
    (torch.Size([2, 3]), torch.Size([2, 1]), tensor([1]))
    """
    types = (NODE, EDGE) if schema is None else only_types(schema)
    if types is None:
        assert schema is not None
        message = f"a `Data` has one type of nodes and of edges, and the schema `{show_name(schema.name)}` has several"
        helps = ("give a `HeteroData`: `data.to_heterogeneous(node_type_names=[…], edge_type_names=[…])`",)
        raise SpecError([report("GNN611", message, schema.span, "declared here", where="data", helps=helps)])
    node, edge = types
    made = HeteroData()
    # Touching the stores makes the types, also where a graph has no nodes or edges.
    given, data = data._store.get("num_nodes"), _without_false_count(data)
    made[node].num_nodes = data.num_nodes if given is None else given
    values: dict[str, Any] = data.to_dict()
    if CONNECTIVITY.isdisjoint(values):
        made[edge].edge_index = torch.zeros(2, 0, dtype=torch.long)
    for key, value in values.items():
        if key in _BOOKKEEPING or value is None:
            continue
        owner = "edges" if key in CONNECTIVITY else _owner(data, key, schema, node, edge)
        target = {"nodes": made[node], "edges": made[edge], "graph": made}[owner]
        target[key] = value
    return made


def _without_false_count(data: Data) -> Data:
    """The graph without a `num_nodes` that is none, or that features contradict: PyG would tell by it whose attributes are."""
    given, x = data._store.get("num_nodes"), data._store.get("x")
    rows = len(x) if isinstance(x, torch.Tensor) and x.dim() else None
    if given is None or (whole_count(given) is not None and rows in (None, whole_count(given))):
        return data
    plain = copy.copy(data)
    del plain["num_nodes"]
    return plain


def _owner(data: Data, key: str, schema: Schema | None, node: str, edge: EdgeKey) -> Literal["nodes", "edges", "graph"]:
    """Whose an attribute is: by the schema, or by its rows."""
    if schema is not None:
        declared = (schema.nodes[node].attributes, schema.edges[edge].attributes, schema.graph)
        owners = [key in attributes for attributes in declared]
        if any(owners):
            return "nodes" if owners[0] else "edges" if owners[1] else "graph"
    return "nodes" if data.is_node_attr(key) else "edges" if data.is_edge_attr(key) else "graph"
