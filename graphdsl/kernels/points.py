"""Two sets of points: rows of one, values of both, and edges from one to the other, senders first."""

from torch import Tensor
from torch_geometric import nn as pyg


def take(x: Tensor, index: Tensor) -> Tensor:
    """Rows [chosen, …] at an index [chosen].

    >>> import torch
    >>> take(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([2, 0])).flatten()
    tensor([3., 1.])
    """
    return x[index]


def pair(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Values of senders and of receivers, as PyG's convolutions read them."""
    return x, y


def radius(
    x: Tensor,
    y: Tensor,
    r: float,
    batch_x: Tensor | None = None,
    batch_y: Tensor | None = None,
    max_num_neighbors: int = 32,
) -> Tensor:
    """Edges [2, num_edges] from points of x to each of y within a distance: PyG's `radius`, its rows swapped."""
    return pyg.radius(x, y, r, batch_x, batch_y, max_num_neighbors).flip(0)


def knn(
    x: Tensor,
    y: Tensor,
    k: int,
    batch_x: Tensor | None = None,
    batch_y: Tensor | None = None,
    cosine: bool = False,
) -> Tensor:
    """Edges [2, num_edges] to each point of y from its k nearest in x: PyG's `knn`, its rows swapped."""
    return pyg.knn(x, y, k, batch_x, batch_y, cosine).flip(0)


def approx_knn(x: Tensor, y: Tensor, k: int, batch_x: Tensor | None = None, batch_y: Tensor | None = None) -> Tensor:
    """Edges as those of `knn`, found by PyG's `approx_knn`."""
    graphs = {} if batch_x is None or batch_y is None else {"batch_x": batch_x, "batch_y": batch_y}
    return pyg.approx_knn(x, y, k, **graphs).flip(0)
