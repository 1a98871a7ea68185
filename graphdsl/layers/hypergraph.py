"""`HypergraphConv` in a heterogeneous graph, where hyperedges are nodes of a type of their own."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch_geometric.nn import HypergraphConv as Base

from graphdsl.layers.walking import Hop, stops_of
from graphdsl.text import EdgeKey


class HypergraphConv(nn.Module):
    """PyG's `HypergraphConv` along a metapath there and back: node -[in]-> hyperedge <-[in]- node.

    The relation of the first hop is the incidence matrix; nothing is composed. With attention, the features of the
    hyperedges are read too, through the same linear map as those of the nodes.

    Args:
        in_channels: width of the nodes, and with attention of the hyperedges.
        paths: the one metapath, with its two hops: (relation, whether it is walked backwards).
        out_channels: width of the result (of each head).
        use_attention: weigh nodes and hyperedges by attention.
        attention_mode: "node" or "edge": among what the weights sum to one.
        heads: number of attention heads.
        concat: heads side by side; otherwise their mean.
        negative_slope: of the leaky ReLU in the attention.
        dropout: of the attention weights.
        bias: add a learned row.

    Shapes:
        - `x_dict`: [num_nodes, in_channels] by type.
        - `edge_index_dict`: [2, num_incidences] of the relation.
        - result: [num_nodes, out_channels] (times `heads` if `concat`) of the type of the nodes.

    >>> import torch
    >>> member = ("person", "member", "club")
    >>> paths = {("person", "PCP", "person"): ((member, False), (member, True))}
    >>> conv = HypergraphConv(4, paths, 8)
    >>> index = torch.tensor([[0, 1, 2], [0, 0, 1]])
    >>> conv({"person": torch.randn(3, 4)}, {member: index}, {"club": 2})["person"].shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        in_channels: int,
        paths: Mapping[EdgeKey, Sequence[Hop]],
        out_channels: int,
        use_attention: bool = False,
        attention_mode: str = "node",
        heads: int = 1,
        concat: bool = True,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if len(paths) != 1:
            raise ValueError(f"'paths' must hold one metapath (got {len(paths)})")
        hops = next(iter(paths.values()))
        if len(hops) != 2 or hops[0][0] != hops[1][0] or hops[0][1] == hops[1][1]:
            raise ValueError(f"the metapath must go there and back along one relation (got {tuple(hops)})")
        (self.relation, self.backward), _ = hops
        self.nodes, self.hyperedges, _ = stops_of(hops)
        self.conv = Base(
            in_channels, out_channels, use_attention, attention_mode, heads, concat, negative_slope, dropout, bias
        )

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.conv.reset_parameters()

    def forward(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        num_nodes: Mapping[str, int] | None = None,
    ) -> dict[str, Tensor]:
        """Nodes to hyperedges and back; without their number, hyperedges end with the largest index."""
        index = edge_index_dict[self.relation]
        index = index.flip(0) if self.backward else index
        attributes = x_dict[self.hyperedges] if self.conv.use_attention else None
        count = (num_nodes or {}).get(self.hyperedges, None if attributes is None else attributes.size(0))
        made = self.conv(x_dict[self.nodes], index, hyperedge_attr=attributes, num_edges=count)
        return {self.nodes: made}
