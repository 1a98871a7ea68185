"""Edges of several relations as one list of edges between rows of two tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from graphdsl.text import EdgeKey

Rows = tuple[int, int]
"""Where the rows of a type begin in a table, and how many rows each node has."""


def join_edges(
    edge_index_dict: Mapping[EdgeKey, Tensor],
    edges: Sequence[EdgeKey],
    sources: Sequence[Rows],
    targets: Sequence[Rows],
) -> tuple[Tensor, Tensor]:
    """Edges of all relations between rows [2, num_edges], and the relation of each [num_edges].

    Node *n* of a relation's source stands in row ``start + n * step``.

    >>> edges = [("a", "r", "b"), ("b", "q", "a")]
    >>> index = {edges[0]: torch.tensor([[0, 1], [0, 0]]), edges[1]: torch.tensor([[0], [1]])}
    >>> join_edges(index, edges, [(0, 2), (4, 1)], [(2, 1), (0, 1)])
    (tensor([[0, 2, 4],
            [2, 2, 1]]), tensor([0, 0, 1]))
    """
    first = edge_index_dict[edges[0]]
    rows = [
        torch.stack([edge_index_dict[edge][0] * step + start, edge_index_dict[edge][1] * stride + begin])
        for edge, (start, step), (begin, stride) in zip(edges, sources, targets, strict=True)
    ]
    sizes = torch.tensor([item.size(1) for item in rows], device=first.device)
    kinds = torch.repeat_interleave(torch.arange(len(edges), device=first.device), sizes)
    return torch.cat(rows, dim=1), kinds


def starts(sizes: Iterable[int]) -> list[int]:
    """Where each part begins when parts of these sizes stand below each other.

    >>> starts([3, 2, 4])
    [0, 3, 5]
    """
    found, total = [], 0
    for size in sizes:
        found.append(total)
        total += size
    return found


def is_watched(layer: MessagePassing) -> bool:
    """Whether somebody looks at the messages of a layer, or changes them: hooks, or an explainer with its mask."""
    hooks: Any = (
        layer._propagate_forward_pre_hooks,
        layer._message_forward_pre_hooks,
        layer._message_forward_hooks,
        layer._aggregate_forward_pre_hooks,
        layer._aggregate_forward_hooks,
        layer._propagate_forward_hooks,
    )
    return bool(layer.explain) or any(hooks)
