"""`GroupAddRev` that keeps what it reads."""

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg


class GroupAddRev(pyg.GroupAddRev):
    """PyG's `GroupAddRev` with `disable=True`: the same values, but no memory is freed.

    PyG's own frees the tensor that it reads and makes it again in the backward pass. Here other layers, a `residual` or a
    carried type may read that tensor, so it is kept. Each group is told the whole of an edge's weight or attribute, where
    PyG cuts what happens to be as wide as `x`. Parameters and state dict are PyG's.

    Args:
        conv: reads and gives one group of columns; each further group has a copy of its own.
        num_groups: into how many groups the columns are cut.

    Shapes:
        - `x`: [num_nodes, width], `edge_index`: [2, num_edges], further inputs of `conv` by name.
        - result: [num_nodes, width].

    Li et al., "Training Graph Neural Networks with 1000 Layers", ICML 2021.

    >>> layer = GroupAddRev(pyg.SAGEConv(4, 4), num_groups=2)
    >>> layer(torch.ones(3, 8), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([3, 8])
    """

    def __init__(self, conv: nn.Module, num_groups: int) -> None:
        super().__init__(conv, num_groups=num_groups, disable=True)

    def forward(self, x: Tensor, edge_index: Tensor, **inputs: Any) -> Tensor:  # type: ignore[override]
        """Values [num_nodes, width]."""
        groups = x.chunk(self.num_groups, dim=-1)
        last = torch.stack(groups[1:]).sum(0)
        made: list[Tensor] = []
        for group, conv in zip(groups, self.convs, strict=True):
            last = group + conv(last, edge_index=edge_index, **inputs)
            made.append(last)
        return torch.cat(made, dim=-1)
