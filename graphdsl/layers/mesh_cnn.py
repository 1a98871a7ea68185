"""`MeshCNNConv` whose four neighbours are told by a number on each edge, not by the order of the edges."""

from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from graphdsl.text import Diagnostic, SpecError, report

_PLACES: Final = 4


class MeshCNNConv(nn.Module):
    r"""A convolution of the edges of a mesh: each reads its four neighbours `a`, `b`, `c`, `d` by their places.

    Every edge of a triangle mesh lies in two triangles, and so has four neighbours. The order of the two triangles is not
    told by the mesh, so the layer reads what does not depend on it:

    .. math:: x'_i = W_0 x_i + W_1 |a - c| + W_2 (a + c) + W_3 |b - d| + W_4 (b + d)

    PyG's `MeshCNNConv` wants the edges in an order: four in a row for each node, from `a` to `d`. A sampler or a file with
    another order would change its result without a word, and it makes its messages on the CPU. Here each edge of the graph
    has a number, its place; parameters and state dict are PyG's. A place without a neighbour, as at the rim of an open
    mesh, counts as zeros, as in the authors' code; several at one place are added up.

    Source: Hanocka et al., MeshCNN: A Network with an Edge, 2019.

    Args:
        in_channels: columns of the nodes (which are edges of the mesh).
        out_channels: columns of the result.

    Shapes:
        - `x`: [num_nodes, in_channels].
        - `edge_index`: [2, num_edges], from neighbour to node.
        - `place`: [num_edges], 0 to 3: that the neighbour is `a`, `b`, `c` or `d`.
        - result: [num_nodes, out_channels].

    Raises:
        SpecError: GNN677 for a place that is none of 0 to 3.

    >>> import torch
    >>> rim = torch.tensor([[1, 2, 3, 4], [0, 0, 0, 0]])
    >>> MeshCNNConv(5, 8)(torch.ones(5, 5), rim, torch.tensor([0, 1, 2, 3])).shape
    torch.Size([5, 8])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernels = nn.ModuleList(nn.Linear(in_channels, out_channels) for _ in range(_PLACES + 1))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for kernel in self.kernels:
            cast("nn.Linear", kernel).reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, place: Tensor) -> Tensor:
        """New values [num_nodes, out_channels]."""
        source, target = edge_index[0], edge_index[1]
        number = place.view(-1).long()
        if not torch.compiler.is_compiling() and bool(((number < 0) | (number >= _PLACES)).any()):
            raise SpecError([_misplaced(number)])
        slots = x.new_zeros(x.size(0) * _PLACES, x.size(1)).index_add(0, target * _PLACES + number, x[source])
        a, b, c, d = slots.view(-1, _PLACES, x.size(1)).unbind(1)
        read = (x, (a - c).abs(), a + c, (b - d).abs(), b + d)
        made: list[Any] = [kernel(value) for kernel, value in zip(self.kernels, read, strict=True)]
        return torch.stack(made).sum(0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"


def _misplaced(number: Tensor) -> Diagnostic:
    found = int(number[(number < 0) | (number >= _PLACES)][0])
    helps = ("0, 1, 2 and 3 are the neighbours a, b, c and d; opposite ones are 0 and 2, 1 and 3",)
    return report("GNN677", f"an edge has the place {found}, and there are four, from 0", where="place", helps=helps)
