"""Dense rows [graphs, nodes, width] to one row per graph."""

import torch
from torch import Tensor


def dense_add_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Sum over the real nodes of each graph.

    Args:
        x: [graphs, nodes, width].
        mask: which nodes are real, [graphs, nodes]; None = all.

    Returns:
        [graphs, width]; zeros for a graph without nodes.
    """
    return (x if mask is None else x * mask.unsqueeze(-1)).sum(dim=1)


def dense_mean_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over the real nodes of each graph; arguments and result as for `dense_add_pool`."""
    if mask is None:
        return x.mean(dim=1)
    return dense_add_pool(x, mask) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def dense_max_pool(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Maximum over the real nodes of each graph; arguments and result as for `dense_add_pool`."""
    if mask is None:
        return x.amax(dim=1)
    lowest = torch.finfo(x.dtype).min
    found = x.masked_fill(~mask.unsqueeze(-1), lowest).amax(dim=1)
    return found * mask.any(dim=1, keepdim=True)
