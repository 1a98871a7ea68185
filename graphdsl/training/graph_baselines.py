"""Baselines for whole graphs: what can be told without message passing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphdsl.data.graph_set import GraphSet


def graph_features(graphs: GraphSet) -> Iterator[tuple[str, Any]]:
    """What each baseline looks at: its name and a matrix with a row for each graph.

    Numbers of nodes and edges of each type; the mean features of each type, zeros where a graph has none of it.
    """
    schema = graphs.schema
    edges = [key for key, edge in schema.edges.items() if not edge.derived]
    sizes = [
        [graph[name].num_nodes or 0 for name in schema.nodes] + [graph[edge].edge_index.size(1) for edge in edges]
        for graph in map(graphs.alike, range(len(graphs)))
    ]
    yield "numbers of nodes and edges", np.asarray(sizes, dtype=np.float32)
    featured = [name for name, node in schema.nodes.items() if node.features is not None]
    means = [
        torch.cat([_mean(graph[name].x) for name in featured if "x" in graph[name]])
        for graph in map(graphs.alike, range(len(graphs)))
        if featured
    ]
    if means and means[0].numel():
        yield "mean features", torch.stack(means).numpy()


def _mean(x: Tensor) -> Tensor:
    columns = (x.unsqueeze(1) if x.dim() == 1 else x.flatten(1)).float()
    return columns.mean(0) if columns.size(0) else columns.new_zeros(columns.size(1))
