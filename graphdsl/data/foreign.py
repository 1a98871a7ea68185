"""Graphs that other libraries hold, as PyG holds them."""

import sys
from typing import Any

from torch_geometric.data import Data, HeteroData


def from_foreign(data: Any) -> Any:
    """A graph of networkx (`from_networkx`) or a database of RelBench (`from_tables`) as a `HeteroData`; else what is given.

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
    if hasattr(data, "table_dict"):
        from graphdsl.data.relational import from_database

        return from_database(data)
    return data
