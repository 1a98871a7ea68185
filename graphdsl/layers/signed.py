"""`SignedConv` on two relations that are told by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch_geometric.nn import SignedConv as Base

from graphdsl.text import EdgeKey, decode


class SignedConv(Base):
    r"""PyG's `SignedConv` over two relations within one node type, one positive, one negative.

    From `"Signed Graph Convolutional Network" <https://arxiv.org/abs/1808.06354>`_ (Derr et al., 2018). The result has two
    halves, :math:`[\mathbf{x}^{(\textrm{pos})}, \mathbf{x}^{(\textrm{neg})}]`. The first layer reads plain features; each
    later one reads the halves of the one before. Parameters and state dict are PyG's.

    Args:
        in_channels: columns of the input by node type; PyG's own class is told half of them where `first_aggr` is false.
        out_channels: columns of each half.
        first_aggr: whether the input is plain features, not two halves.
        positive: name of the positive relation; the other one is negative.
        metadata: the node type and its two relations, in any order.
        bias: add a learned row to each half.

    Shapes:
        x_dict of [num_nodes, in_channels] and edge_index_dict of [2, num_edges] give [num_nodes, 2 * out_channels].

    >>> import torch
    >>> links = {("a", name, "a"): torch.tensor([[0], [1]]) for name in ("trusts", "distrusts")}
    >>> layer = SignedConv({'a': 3}, 4, True, "trusts", (["a"], list(links)))
    >>> layer({"a": torch.ones(2, 3)}, links)["a"].shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        out_channels: int,
        first_aggr: bool,
        positive: str,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        bias: bool = True,
        **kwargs: Any,
    ) -> None:
        (node_type,), relations = metadata
        width = in_channels[node_type]
        super().__init__(width if first_aggr else width // 2, out_channels, first_aggr, bias, **kwargs)
        self.node_type = node_type
        self.relations = sorted(relations, key=lambda edge: positive not in (edge[1], decode(edge[1])))

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  # dictionaries, as HANConv takes
        self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]
    ) -> dict[str, Tensor]:
        """Both halves [num_nodes, 2 * out_channels] of the one type."""
        positive, negative = (edge_index_dict[edge] for edge in self.relations)
        # PyG reads what is propagated from a comment in the class: propagate_type: (x: PairTensor)
        return {self.node_type: super().forward(x_dict[self.node_type], positive, negative)}
