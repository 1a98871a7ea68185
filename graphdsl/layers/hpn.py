"""HPN: personalised PageRank along a metapath, which may be deep without making nodes alike."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.nn.resolver import activation_resolver
from torch_geometric.typing import OptTensor


class HPNConv(MessagePassing):
    r"""Semantic propagation along one metapath.

    From `"Heterogeneous Graph Propagation Network" <https://doi.org/10.1109/TKDE.2021.3079239>`_ (Ji et al., TKDE 2021):

    .. math::
        \mathbf{H} = \sigma(\mathbf{X} \mathbf{W} + \mathbf{b}), \quad \mathbf{Z}^{(0)} = \mathbf{H}, \quad
        \mathbf{Z}^{(k)} = (1 - \gamma) \, \mathbf{M} \, \mathbf{Z}^{(k-1)} + \gamma \, \mathbf{H}

    where :math:`\mathbf{M}` holds the probabilities of a step along the metapath: each row sums to one. Paths that are
    counted (`metapath PAP(count) = …`) weigh as often as they occur. The second part of the paper, semantic fusion, is
    `combine attention(…)`.

    Args:
        in_channels: width of the nodes.
        out_channels: width of the result.
        K: number of steps.
        gamma: chance to start anew, i.e. how much of a node's own value each step keeps.
        dropout: of the edges, after they are normalised.
        bias: add a learned row before the activation.
        act: activation of the projection: a name, a module, or None.

    Shapes:
        x [num_nodes, in_channels], edge_index [2, num_edges] and edge_weight [num_edges] give [num_nodes, out_channels].

    >>> conv = HPNConv(4, 8, K=2)
    >>> conv(torch.randn(3, 4), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        K: int = 3,
        gamma: float = 0.1,
        dropout: float = 0.0,
        bias: bool = True,
        act: str | Callable[[Tensor], Tensor] | None = "relu",
    ) -> None:
        super().__init__(aggr="add", node_dim=0)
        self.K = K
        self.gamma = gamma
        self.dropout = dropout
        self.act = activation_resolver(act)
        self.lin = Linear(in_channels, out_channels, bias=bias, weight_initializer="glorot", bias_initializer="zeros")

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        self.lin.reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: OptTensor = None) -> Tensor:
        """All steps; see the class for shapes."""
        start = self.lin(x)
        start = start if self.act is None else self.act(start)
        start = start if start.dtype == torch.double else start.float()
        chance = edge_weight if edge_weight is not None else start.new_ones(edge_index.size(1))
        total = chance.new_zeros(x.size(0)).index_add_(0, edge_index[1], chance)
        chance = chance / total.masked_fill(total == 0, 1).index_select(0, edge_index[1])
        chance = functional.dropout(chance, self.dropout, self.training)
        out = start
        for _ in range(self.K):
            out = (1 - self.gamma) * self.propagate(edge_index, x=out, chance=chance) + self.gamma * start
        return out

    def message(self, x_j: Tensor, chance: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Values [num_edges, out_channels], as likely as the step."""
        return chance.unsqueeze(-1) * x_j
