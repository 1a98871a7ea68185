"""Between nodes and their graphs: the first node, a graph's row at its nodes, cells of a grid side by side."""

from typing import Any

import torch
from torch import Tensor
from torch_geometric import nn as pyg

from graphdsl.text import SpecError, report


def global_first_pool(x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
    """The first node [num_graphs, width] of each graph, zeros for a graph without nodes.

    Data sets number the root of a tree first, as the news of PyG's `UPFD`.

    Args:
        x: values [num_nodes, width].
        batch: the graph of each node, in order; without it all are one graph.
        size: the number of graphs.

    >>> global_first_pool(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([0, 0, 2]), 3).flatten()
    tensor([1., 0., 3.])
    """
    if batch is None:
        return x[:1]
    count = int(batch.max()) + 1 if size is None and batch.numel() else size or 0
    graphs = torch.arange(count, device=x.device)
    first = torch.searchsorted(batch, graphs).clamp(max=max(x.size(0) - 1, 0))
    if x.size(0) == 0:
        return x.new_zeros(count, x.size(1)) + x.sum()
    return torch.where((batch[first] == graphs).unsqueeze(1), x[first], 0.0)


def to_nodes(x: Tensor, batch: Tensor) -> Tensor:
    """Rows [num_graphs, width] of graphs at their nodes [num_nodes, width].

    >>> to_nodes(torch.tensor([[1.0], [2.0]]), torch.tensor([0, 1, 1])).flatten()
    tensor([1., 2., 2.])
    """
    return x[batch]


def max_pool_grid(x: Tensor, cluster: Tensor, batch: Tensor, size: int) -> Tensor:
    """The maximum of each cell of a grid, the cells of a graph side by side, [num_graphs, size * width].

    PyG's `max_pool_x(cluster, x, batch, size=size)`, which gives the rows of cells below each other. Empty cells are zeros.

    Args:
        x: values [num_nodes, width].
        cluster: the cell of each node: those of a graph follow those of the graph before.
        batch: the graph of each node.
        size: how many cells each graph has.

    Raises:
        SpecError: GNN678 where a graph has other cells.
    """
    if not torch.compiler.is_compiling() and bool((cluster // size != batch).any()):
        most = int(torch.unique(cluster).numel())
        helps = (
            "give `voxel_grid` a `start` and an `end`, so that all graphs have the same grid, and count its cells",
        )
        message = (
            f"`max_pool_grid` puts {size} cells of each graph side by side, and the grid has others: {most} in all"
        )
        raise SpecError([report("GNN678", message, where="cells", helps=helps)])
    made: Any = pyg.max_pool_x(cluster, x, batch, size=size)
    return made[0].view(-1, size * x.size(1))
