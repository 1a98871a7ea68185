"""How many edges leave and reach the nodes of a relation."""

from typing import Any

import torch
from torch import Tensor

from graphdsl.data.view import has_form
from graphdsl.model import Degrees


def count_degrees(index: Any, sources: int | None, targets: int | None) -> tuple[Degrees | None, Degrees | None]:
    """Degrees of the sources and of the targets of a relation.

    Args:
        index: its edges, [2, num_edges].
        sources: number of nodes that may send.
        targets: number of nodes that may receive.

    Returns:
        One for each end; None where the index is no such tensor or names nodes that do not exist, which validation says.

    >>> received = count_degrees(torch.tensor([[0, 1, 1], [2, 2, 0]]), 2, 3)[1]
    >>> received.counts
    ((0, 1), (1, 1), (2, 1))
    """
    if not has_form(index):
        return None, None
    return _count(index[0], sources), _count(index[1], targets)


def _count(ends: Tensor, nodes: int | None) -> Degrees | None:
    if nodes is None or (ends.numel() and not 0 <= int(ends.min()) <= int(ends.max()) < nodes):
        return None
    degree, count = torch.bincount(ends, minlength=nodes).unique(return_counts=True)
    return Degrees(tuple(zip(degree.tolist(), count.tolist(), strict=True)))
