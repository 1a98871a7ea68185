"""Graphs that other libraries hold, as PyG holds them."""

import sys
from typing import Any

from torch_geometric.data import Data, HeteroData


def from_foreign(data: Any) -> Any:
    """Graphs of networkx (`from_networkx`), one or a list, or a database of RelBench (`from_tables`); else what is given.

    >>> import networkx
    >>> from_foreign(networkx.path_graph(3)).edge_types, from_foreign(5)
    ([('node', 'to', 'node')], 5)
    """
    if isinstance(data, Data | HeteroData):
        return data
    networkx = sys.modules.get("networkx")  # Whoever has such a graph has imported it.
    if networkx is not None and isinstance(data, networkx.Graph):
        from graphdsl.data.networks import from_networkx

        return from_networkx(data)
    listed = networkx is not None and isinstance(data, list | tuple) and len(data) > 0
    if networkx is not None and listed and all(isinstance(item, networkx.Graph) for item in data):
        return [from_foreign(item) for item in data]
    if hasattr(data, "table_dict"):
        from graphdsl.data.relational import from_database

        return from_database(data)
    return data
