"""Graph transformer networks: graph convolution on metapath graphs that are learned."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch_geometric.nn.inits import glorot

from graphdsl.kernels import KeptResults, Noted, as_wide
from graphdsl.layers.choosing import soft_hops
from graphdsl.layers.numbering import stack_types
from graphdsl.text import EdgeKey


class GTNConv(nn.Module):
    r"""Graph convolution on several learned metapath graphs (channels), side by side.

    From `"Graph Transformer Networks" <https://arxiv.org/abs/1911.06455>`_ (Yun et al., NeurIPS 2019). With
    :math:`\mathbf{A}_r` the adjacency matrix of relation *r*, whose rows are the nodes into which it leads, and
    :math:`\mathbf{A}_0 = \mathbf{I}`:

    .. math::
        \mathbf{Q}^{(k)}_c = \sum_{r = 0}^{R} \mathrm{softmax}(\boldsymbol{\phi}^{(k)}_c)_r \, \mathbf{A}_r, \quad
        \mathbf{A}^{(1)}_c = \mathbf{D}^{-1} \mathbf{Q}^{(0)}_c \mathbf{Q}^{(1)}_c, \quad
        \mathbf{A}^{(l)}_c = \mathbf{D}^{-1} \mathbf{A}^{(l-1)}_c \mathbf{Q}^{(l)}_c, \quad
        \mathbf{H} = \big\Vert_c \tilde{\mathbf{D}}^{-1} (\mathbf{A}^{(L)}_c + \mathbf{I}) \mathbf{X} \mathbf{W}

    where each :math:`\mathbf{D}` holds the row sums of what stands behind it. The paper's activation is left to the spec,
    as for `GCNConv`. Unlike the authors' first code, and like the paper and their code for sparse matrices, the
    diagonal of the products stays.

    No product is ever made. A normalisation multiplies from the left, so those between the hops cancel: the rows of
    :math:`\mathbf{A}^{(L)}` are those of :math:`\mathbf{Q}^{(0)} \cdots \mathbf{Q}^{(L)}` over their sums. That product is
    multiplied from right to left with the features, and with a column of ones for the sums. So a metapath graph of any size
    costs (edges × width) operations a hop. Rows have a sum, for the identity has a share: :math:`\tilde{\mathbf{D}}` is 2.

    Args:
        in_channels: width of all types.
        out_channels: width of each channel; the result is `num_channels` times as wide.
        metadata: node types and relations.
        num_channels: metapath graphs that are learned side by side (*C*).
        num_layers: products (*L*): metapaths have up to one hop more; a shorter one takes the identity at some hop.
        bias: whether to add a bias, the same for all channels, as the map is.

    Shapes:
        - `x_dict`: [num_nodes, in_channels] by node type; `edge_index_dict`: [2, num_edges] by relation.
        - result: [num_nodes, num_channels * out_channels] by node type.

    >>> metadata = (["a"], [("a", "r", "a")])
    >>> conv = GTNConv(3, 4, metadata)
    >>> conv({"a": torch.randn(5, 3)}, {("a", "r", "a"): torch.tensor([[0, 1], [1, 2]])})["a"].shape
    torch.Size([5, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        num_channels: int = 2,
        num_layers: int = 2,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.types, self.relations = [*metadata[0]], [*metadata[1]]
        self.num_channels, self.num_layers = num_channels, num_layers
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels))
        self.choice = nn.Parameter(torch.empty(num_layers + 1, num_channels, len(self.relations) + 1))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.noted = Noted()
        self._kept = KeptResults()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        glorot(self.weight)
        nn.init.normal_(self.choice, std=0.01)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> dict[str, Tensor]:
        """Convolve, see the class."""
        x, starts = stack_types(x_dict, self.types)
        edges = [edge_index_dict[edge] for edge in self.relations]
        hops = soft_hops(self.relations, edges, starts, x.size(0), x.dtype, self._kept, averaged=False)
        mapped = x @ self.weight
        own = mapped.to(as_wide(mapped.dtype)).unsqueeze(1)
        # [nodes, channels, out + 1]: the last column becomes the row sums of the product.
        z = nn.functional.pad(own, (0, 1), value=1.0).expand(-1, self.num_channels, -1)
        for number, share in enumerate(self.choice.softmax(dim=-1).flip(0), 1):
            z = hops.hop(z, self.noted(share, "hop", number))
            # Numbers of paths grow with each hop; a common factor of a channel cancels in the end.
            z = z / z.detach()[:, :, -1:].sum(0)
        made = (z[:, :, :-1] / z[:, :, -1:] + own) / 2
        if self.bias is not None:
            made = made + self.bias
        made = made.flatten(1).to(mapped.dtype)
        return {name: made[start : start + x_dict[name].size(0)] for name, start in starts.items()}

    def extra_repr(self) -> str:
        """Widths and numbers of channels, products and relations."""
        return (
            f"{self.in_channels}, {self.out_channels}, num_channels={self.num_channels}, "
            f"num_layers={self.num_layers}, relations={len(self.relations)}"
        )
