"""Personalized PageRank of every node, approximately: pushed until what is left is small."""

import torch
from torch import Tensor

_AT_ONCE = 1 << 22
"""Pairs of a source and a node that are pushed to at a time, about."""


def personal_pagerank(edge_index: Tensor, num_nodes: int, alpha: float = 0.15, eps: float = 5e-5) -> Tensor:
    """How often a walk from each node stands at each other, if it goes home with chance `alpha` before every step.

    The algorithm of PyG's `get_ppr`, which needs numba: what is left at a node is pushed to its neighbours while it is at
    least `alpha * eps` times their number. All such nodes of many sources push at once, so the loop is over rounds.

    Source: Andersen et al., Local Graph Partitioning using PageRank Vectors, 2006.

    Args:
        edge_index: edges [2, num_edges] from a node to the next, each once.
        num_nodes: number of nodes.
        alpha: the chance to go home.
        eps: how much may be left, smaller is exacter.

    Returns:
        A coalesced sparse matrix [num_nodes, num_nodes], a row for each start.

    >>> personal_pagerank(torch.tensor([[0, 1], [1, 0]]), 2, alpha=0.5, eps=1e-6).to_dense().mul(3).round()
    tensor([[2., 1.],
            [1., 2.]])
    """
    row, order = edge_index[0].sort(stable=True)
    col = edge_index[1][order]
    degree = torch.bincount(row, minlength=num_nodes)
    start = degree.cumsum(0) - degree
    chunk = max(1, _AT_ONCE // max(1, num_nodes))
    parts = [
        _push(torch.arange(first, min(first + chunk, num_nodes), device=row.device), col, degree, start, alpha, eps)
        for first in range(0, num_nodes, chunk)
    ]
    keys, values = (torch.cat(items) for items in zip(*parts, strict=True))
    index = torch.stack([keys // num_nodes, keys % num_nodes])
    return torch.sparse_coo_tensor(index, values, (num_nodes, num_nodes), check_invariants=False).coalesce()


def _push(
    sources: Tensor, col: Tensor, degree: Tensor, start: Tensor, alpha: float, eps: float
) -> tuple[Tensor, Tensor]:
    """Pairs, as source * num_nodes + node, and their values."""
    count = degree.numel()
    keys, left = sources * count + sources, torch.full((sources.numel(),), alpha, device=col.device)
    reached, values = [keys[:0]], [left[:0]]
    pushing = torch.ones_like(keys, dtype=torch.bool)
    while bool(pushing.any()):
        now, amount = keys[pushing], left[pushing]
        reached.append(now)
        values.append(amount)
        node = now % count
        many = degree[node]
        ends = many.cumsum(0)
        place = torch.arange(int(many.sum()), device=col.device) - (ends - many).repeat_interleave(many)
        to = (now - node).repeat_interleave(many) + col[start[node].repeat_interleave(many) + place]
        gives = ((1 - alpha) * amount / many.clamp(min=1)).repeat_interleave(many)
        keys, inverse = torch.cat([keys[~pushing], to]).unique(return_inverse=True)
        left = left.new_zeros(keys.numel()).index_add(0, inverse, torch.cat([left[~pushing], gives]))
        pushing = left >= alpha * eps * degree[keys % count].clamp(min=1)
    keys, inverse = torch.cat(reached).unique(return_inverse=True)
    return keys, left.new_zeros(keys.numel()).index_add(0, inverse, torch.cat(values))
