"""The way back behind pooling layers: rows of the nodes that a pooling had."""

from typing import Protocol

import torch
from torch import Tensor


class Merged(Protocol):
    """What `EdgePooling` and `ClusterPooling` tell about the nodes that they merged."""

    edge_index: Tensor
    cluster: Tensor
    batch: Tensor


def unpool(x: Tensor, perm: Tensor, onto: Tensor) -> Tensor:
    """Rows of chosen nodes at their places among all nodes, zeros for the others.

    Args:
        x: rows [chosen, width].
        perm: which nodes were chosen, shape [chosen].
        onto: any rows of all nodes [num_nodes, …].

    Returns:
        Shape [num_nodes, width].

    >>> unpool(torch.tensor([[1.0], [2.0]]), torch.tensor([2, 0]), torch.zeros(3, 5)).flatten()
    tensor([2., 0., 1.])
    """
    return x.new_zeros(onto.size(0), *x.shape[1:]).index_copy(0, perm, x)


def unpool_merged(x: Tensor, unpool_info: Merged) -> tuple[Tensor, Tensor, Tensor]:
    """The row of each merged node for all that it was made of, without its score, as in `EdgePooling.unpool`.

    Args:
        x: rows [merged, width].
        unpool_info: what the pooling gave.

    Returns:
        Rows [num_nodes, width], edges [2, num_edges] and the graph of each node [num_nodes], as they were.
    """
    score = getattr(unpool_info, "new_edge_score", None)  # `EdgePooling` multiplied by it, `ClusterPooling` has none.
    rows = x if score is None else x / score.view(-1, 1)
    return rows.index_select(0, unpool_info.cluster), unpool_info.edge_index, unpool_info.batch


def stack(*xs: Tensor) -> Tensor:
    """Values [num_nodes, width] as [num_nodes, number, width]."""
    return torch.stack(xs, dim=1)
