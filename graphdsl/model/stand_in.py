"""Sizes for a schema that leaves them to the data, where any will do."""

from graphdsl.model.metadata import Degrees, Metadata, StoreInfo, TensorInfo
from graphdsl.model.schema import Attribute, EdgeType, NodeType, Schema

NODES, EDGES, COLUMNS, CLASSES = 12, 40, 5, 3
"""Nodes of a type, edges of a relation, columns and classes where the schema says `*`."""


def stand_in(schema: Schema) -> Metadata:
    """Metadata of a graph that fits a schema: small, with every type and relation.

    Only what the schema leaves open is made up; counts and widths that it states stay.
    """
    return Metadata(
        nodes={name: _nodes(node) for name, node in schema.nodes.items()},
        edges={key: _edges(edge) for key, edge in schema.edges.items() if not edge.derived},
    )


def _nodes(node: NodeType) -> StoreInfo:
    rows = NODES if node.count is None else node.count
    return StoreInfo(rows, {name: _tensor(item, rows) for name, item in node.attributes.items() if _is_open(item)})


def _edges(edge: EdgeType) -> StoreInfo:
    found = {name: _tensor(item, EDGES) for name, item in edge.attributes.items() if _is_open(item)}
    degrees = Degrees(((2, NODES - 4), (6, 4)))
    return StoreInfo(EDGES, found, degrees, degrees)


def _is_open(item: Attribute) -> bool:
    return item.type.size == "*"


def _tensor(item: Attribute, rows: int) -> TensorInfo:
    if item.type.kind == "class":
        return TensorInfo((rows,), "int64", CLASSES)
    dtype = "int64" if item.type.kind == "int" else "float32"
    return TensorInfo((rows, COLUMNS), dtype)


__all__ = ["stand_in"]
