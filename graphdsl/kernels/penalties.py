"""Losses of values, beside those of predictions: what PyG has in `torch_geometric.nn.functional`, without its loops."""

import torch
from torch import Tensor
from torch_geometric.nn import MemPooling
from torch_geometric.utils import to_dense_batch


def gini(w: Tensor) -> Tensor:
    """Mean Gini coefficient of the rows: small when few columns of a row are far from the others.

    Numbers and gradients are those of PyG's `gini`, which compares all pairs of columns row by row.

    Args:
        w: [rows, columns].

    Returns:
        A scalar in [0, 1]; 0 where there is no row.

    >>> gini(torch.tensor([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]))
    tensor(0.5000)
    """
    count = w.size(1)
    ordered = w.detach().contiguous().sort(dim=1).values
    below = torch.searchsorted(ordered, w.detach().contiguous())
    above = count - torch.searchsorted(ordered, w.detach().contiguous(), right=True)
    # A column stands as the larger one in as many pairs as there are columns below it.
    differences = 2 * (w * (below - above)).sum(1)
    scale = 2 * (count**2 - count) * w.abs().mean(1) + torch.finfo().eps
    return (differences / scale).sum() / max(w.size(0), 1)


def bro(x: Tensor, batch: Tensor, p: float | str = 2) -> Tensor:
    """How far the nodes of each graph are from orthonormal rows: mean over graphs of the norm of `H Hᵀ - I`.

    Args:
        x: [nodes, columns].
        batch: the graph of each node [nodes], in order.
        p: the norm of the matrix, taken element by element; or "fro" or "nuc".

    Returns:
        A scalar; 0 where there is no node.

    >>> bro(torch.eye(3), torch.zeros(3, dtype=torch.long))
    tensor(0.)
    """
    if x.size(0) == 0:
        return x.sum()
    rows, mask = to_dense_batch(x, batch)
    held = mask.any(1)
    rows, mask = rows[held], mask[held]
    unit = torch.diag_embed(mask.to(rows))
    return torch.norm(rows @ rows.transpose(1, 2) - unit, p=p, dim=(1, 2)).mean()


def kl_loss(S: Tensor) -> Tensor:
    """How far the assignments of `MemPooling` are from clear-cut ones: Kullback-Leibler divergence.

    Args:
        S: what `MemPooling` gives second, [graphs, nodes, clusters].

    Returns:
        A scalar.
    """
    return MemPooling.kl_loss(S)
