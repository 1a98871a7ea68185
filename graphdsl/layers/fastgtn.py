"""Fast graph transformer networks: metapaths that are learned as soft choices of a relation at each hop."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.nn.inits import glorot

from graphdsl.kernels import KeptResults, Noted
from graphdsl.layers.choosing import soft_hops
from graphdsl.layers.numbering import stack_types
from graphdsl.text import EdgeKey


class FastGTNConv(nn.Module):
    r"""Propagates along metapaths whose relation is chosen softly at each hop, several metapaths (channels) at once.

    From `"Graph Transformer Networks: Learning Meta-path Graphs to Improve GNNs" <https://arxiv.org/abs/2106.06218>`_
    (Yun et al., Neural Networks 2022), without non-local operations. With :math:`\hat{\mathbf{A}}_r = \mathbf{D}_r^{-1}
    \mathbf{A}_r` the mean over the neighbours in relation *r* and :math:`\hat{\mathbf{A}}_0 = \mathbf{I}`:

    .. math::
        \mathbf{Z}^{(0)}_c = \mathbf{X} \mathbf{W}_c, \quad
        \mathbf{Z}^{(k)}_c = \sum_{r = 0}^{R} \mathrm{softmax}(\boldsymbol{\phi}^{(k)}_c)_r \, \hat{\mathbf{A}}_r
        \mathbf{Z}^{(k-1)}_c, \quad
        \mathbf{H} = \frac{1}{C} \sum_c \mathrm{ReLU}(\beta \mathbf{Z}^{(0)}_c + (1 - \beta) \mathbf{Z}^{(K)}_c)

    No adjacency matrices are multiplied with each other, which would fill them; multiplying the features from right to
    left gives the same product and never makes a metapath's graph. `GTNConv` is the network of the first paper.

    Args:
        in_channels: width of all types.
        out_channels: width of the result.
        metadata: node types and relations.
        num_channels: metapaths that are learned side by side (*C*).
        num_layers: hops of each metapath (*K*); a shorter one takes the identity at some hop.
        beta: share of the node's own features in the result.
        channel_agg: "mean" of the channels, or "concat": a linear map of the channels side by side, and ReLU.

    Shapes:
        - `x_dict`: [num_nodes, in_channels] by node type; `edge_index_dict`: [2, num_edges] by relation.
        - result: [num_nodes, out_channels] by node type.

    >>> metadata = (["a"], [("a", "r", "a")])
    >>> conv = FastGTNConv(3, 4, metadata)
    >>> conv({"a": torch.randn(5, 3)}, {("a", "r", "a"): torch.tensor([[0, 1], [1, 2]])})["a"].shape
    torch.Size([5, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        num_channels: int = 2,
        num_layers: int = 2,
        beta: float = 0.0,
        channel_agg: Literal["mean", "concat"] = "mean",
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.types, self.relations = [*metadata[0]], [*metadata[1]]
        self.num_channels, self.num_layers = num_channels, num_layers
        self.beta, self.channel_agg = beta, channel_agg
        self.weight = nn.Parameter(torch.empty(num_channels, in_channels, out_channels))
        self.choice = nn.Parameter(torch.empty(num_layers, num_channels, len(self.relations) + 1))
        self.lin = nn.Linear(num_channels * out_channels, out_channels) if channel_agg == "concat" else None
        self.noted = Noted()
        self._kept = KeptResults()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        glorot(self.weight)
        nn.init.normal_(self.choice, std=0.1)
        if self.lin is not None:
            self.lin.reset_parameters()

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> dict[str, Tensor]:
        """Propagate, see the class."""
        x, starts = stack_types(x_dict, self.types)
        edges = [edge_index_dict[edge] for edge in self.relations]
        hops = soft_hops(self.relations, edges, starts, x.size(0), x.dtype, self._kept, averaged=True)
        # [nodes, channels, out]: one sparse product serves all channels.
        first = torch.einsum("ni,cio->nco", x, self.weight)
        z = first
        for number, share in enumerate(self.choice.softmax(dim=-1), 1):
            z = hops.hop(z, self.noted(share, "hop", number))
        mixed = (z if self.beta == 0 else self.beta * first + (1 - self.beta) * z).relu()
        made = mixed.mean(1) if self.lin is None else self.lin(mixed.flatten(1)).relu()
        return {name: made[start : start + x_dict[name].size(0)] for name, start in starts.items()}

    def extra_repr(self) -> str:
        """Widths and numbers of channels, hops and relations."""
        return (
            f"{self.in_channels}, {self.out_channels}, num_channels={self.num_channels}, "
            f"num_layers={self.num_layers}, relations={len(self.relations)}"
        )
