"""Graphs made smaller by clusters, and what edges tell of positions: PyG's functions and transforms on plain values."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_geometric import nn as pyg
from torch_geometric import utils
from torch_geometric.data import Batch, Data

Pooled = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]
"""Rows, edges, values of edges, positions and graph numbers of the clusters."""


def graclus(edge_index: Tensor, weight: Tensor | None, onto: Tensor) -> Tensor:
    """PyG's `graclus` of all nodes, also those without edges: `onto` are any rows [num_nodes, …] of them."""
    return pyg.graclus(edge_index, weight, onto.size(0))


def normalized_cut(edge_index: Tensor, edge_attr: Tensor, onto: Tensor) -> Tensor:
    """PyG's `normalized_cut` of edges [num_edges] with weights, among the nodes of `onto`."""
    return utils.normalized_cut(edge_index, edge_attr, onto.size(0))


def max_pool(
    cluster: Tensor,
    x: Tensor,
    edge_index: Tensor,
    edge_attr: Tensor | None = None,
    pos: Tensor | None = None,
    batch: Tensor | None = None,
) -> Pooled:
    """PyG's `max_pool` without a `Data` object: positions are averaged, edges between clusters joined."""
    return _pooled(pyg.max_pool, cluster, Batch(x=x, edge_index=edge_index, edge_attr=edge_attr, pos=pos, batch=batch))


def avg_pool(
    cluster: Tensor,
    x: Tensor,
    edge_index: Tensor,
    edge_attr: Tensor | None = None,
    pos: Tensor | None = None,
    batch: Tensor | None = None,
) -> Pooled:
    """PyG's `avg_pool`, as `max_pool`."""
    return _pooled(pyg.avg_pool, cluster, Batch(x=x, edge_index=edge_index, edge_attr=edge_attr, pos=pos, batch=batch))


def _pooled(pool: Callable[..., Any], cluster: Tensor, graph: Data) -> Pooled:
    made = pool(cluster, graph)
    return made.x, made.edge_index, made.edge_attr, made.pos, made.batch


def max_pool_neighbor_x(x: Tensor, edge_index: Tensor) -> Tensor:
    """The largest of a node and its neighbours, column by column."""
    made: Any = pyg.max_pool_neighbor_x(Data(x=x, edge_index=edge_index))
    return made.x


def avg_pool_neighbor_x(x: Tensor, edge_index: Tensor) -> Tensor:
    """The mean of a node and its neighbours."""
    made: Any = pyg.avg_pool_neighbor_x(Data(x=x, edge_index=edge_index))
    return made.x


def cartesian(pos: Tensor, edge_index: Tensor, norm: bool = True, max_value: float | None = None) -> Tensor:
    """Where neighbours lie, [num_edges, dimensions]: PyG's transform `Cartesian`, without other edge attributes."""
    made = pos[edge_index[0]] - pos[edge_index[1]]
    made = made.unsqueeze(1) if made.dim() == 1 else made
    if not norm or made.numel() == 0:
        return made
    return made / (2 * (made.detach().abs().max() if max_value is None else max_value)) + 0.5


def distance(pos: Tensor, edge_index: Tensor, norm: bool = True, max_value: float | None = None) -> Tensor:
    """How far neighbours are, [num_edges, 1]: PyG's transform `Distance`, without other edge attributes."""
    made = torch.linalg.vector_norm(pos[edge_index[1]] - pos[edge_index[0]], dim=-1).unsqueeze(1)
    if not norm or made.numel() == 0:
        return made
    return made / (made.detach().max() if max_value is None else max_value)
