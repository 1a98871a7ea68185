"""Neighbours within a radius, and pairs of edges that meet: what models of molecules build from positions."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.utils import to_dense_batch


def radius_edges(pos: Tensor, radius: float, batch: Tensor, most: int = 32, loop: bool = False) -> Tensor:
    """Edges from every point to those of its graph within a radius, nearest first.

    Where more than `most` points lie within the radius, the nearest are taken (PyG takes any).

    Args:
        pos: positions, shape [num_nodes, 3].
        radius: the largest distance.
        batch: the graph of each node, sorted, shape [num_nodes].
        most: largest number of neighbours of a node.
        loop: whether a node is its own neighbour, too.

    Returns:
        Shape [2, num_edges], from neighbours to nodes. Memory grows with the square of the largest graph.

    >>> pos = torch.tensor([[0.0, 0, 0], [1, 0, 0], [9, 0, 0]])
    >>> radius_edges(pos, 2.0, torch.zeros(3, dtype=torch.long))
    tensor([[1, 0],
            [0, 1]])
    """
    points, real = to_dense_batch(pos.detach(), batch)
    numbers = to_dense_batch(torch.arange(len(pos), device=pos.device), batch)[0]
    far = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    itself = torch.eye(points.size(1), dtype=torch.bool, device=pos.device)
    far = far.masked_fill(itself, -1.0 if loop else torch.inf)
    far = far.masked_fill(~(real.unsqueeze(1) & real.unsqueeze(2)), torch.inf)
    distance, nearest = far.topk(min(most, points.size(1)), largest=False)
    graph, node, place = (distance <= radius).nonzero(as_tuple=True)
    return torch.stack([numbers[graph, nearest[graph, node, place]], numbers[graph, node]])


class Triplets(NamedTuple):
    """Pairs of edges k -> j and j -> i with different k and i: nodes, and places of the edges; each shape [triplets]."""

    i: Tensor
    j: Tensor
    k: Tensor
    edge_kj: Tensor
    edge_ji: Tensor


def triplets(edge_index: Tensor, num_nodes: int) -> Triplets:
    """All pairs of edges that meet in a node and do not lead back.

    Args:
        edge_index: edges j -> i, shape [2, num_edges].
        num_nodes: how many nodes there are.
    """
    source, target = edge_index
    by_target = target.argsort(stable=True)
    into = target.bincount(minlength=num_nodes)
    start = into.cumsum(0) - into
    each = into[source]  # edges that end where this one starts
    edge_ji = torch.arange(len(source), device=source.device).repeat_interleave(each)
    within = torch.arange(len(edge_ji), device=source.device) - (each.cumsum(0) - each).repeat_interleave(each)
    edge_kj = by_target[start[source].repeat_interleave(each) + within]
    ahead = source[edge_kj] != target[edge_ji]
    edge_kj, edge_ji = edge_kj[ahead], edge_ji[ahead]
    return Triplets(target[edge_ji], source[edge_ji], source[edge_kj], edge_kj, edge_ji)
