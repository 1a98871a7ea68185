"""Fast graph transformer networks: metapaths that are learned as soft choices of a relation at each hop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.nn.inits import glorot

from graphdsl.kernels import EntryList, KeptResults, SparseMatrix, as_wide, sparse_matrix
from graphdsl.layers.numbering import stack_types
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class _Relations:
    """Means over all relations at once.

    Attributes:
        mean: [rows, nodes]: a row for each relation and node into which it leads.
        relation: number of the relation of each row [rows].
        node: number of the node of each row [rows].
    """

    mean: SparseMatrix | EntryList
    relation: Tensor
    node: Tensor


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

    Graph transformer networks (NeurIPS 2019) multiply the soft adjacency matrices with each other first, which fills
    them; multiplying the features from right to left gives the same product and never makes a metapath's graph.

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
        sizes = [(name, start) for name, start in starts.items()]
        laid_out = self._kept.fetch(
            as_wide(x.dtype), edges, [*sizes, x.size(0)], lambda: self._lay_out(edges, starts, x.size(0), x.dtype)
        )
        # [nodes, channels, out]: one sparse product serves all channels.
        first = torch.einsum("ni,cio->nco", x, self.weight)
        z = first
        for share in self.choice.softmax(dim=-1):
            z = self._hop(z, share, laid_out)
        mixed = (z if self.beta == 0 else self.beta * first + (1 - self.beta) * z).relu()
        made = mixed.mean(1) if self.lin is None else self.lin(mixed.flatten(1)).relu()
        return {name: made[start : start + x_dict[name].size(0)] for name, start in starts.items()}

    def _hop(self, z: Tensor, share: Tensor, laid_out: _Relations) -> Tensor:
        """One hop of all channels; `share` [channels, relations + 1], the identity last."""
        means = (laid_out.mean @ z.flatten(1)).view(-1, *z.shape[1:])
        weighed = means * share[:, laid_out.relation].t().unsqueeze(-1).to(means.dtype)
        return (z * share[:, -1:].to(z.dtype)).index_add(0, laid_out.node, weighed)

    def _lay_out(
        self, edges: Sequence[Tensor], starts: Mapping[str, int], nodes: int, dtype: torch.dtype
    ) -> _Relations:
        source = torch.cat([edge[0] + starts[key[0]] for edge, key in zip(edges, self.relations, strict=True)])
        target = torch.cat([edge[1] + starts[key[2]] for edge, key in zip(edges, self.relations, strict=True)])
        relation = torch.cat([torch.full_like(edge[0], number) for number, edge in enumerate(edges)])
        if torch.compiler.is_compiling():  # A row for each edge: how many different ones there are is a value.
            place = relation * nodes + target
            counted = place.new_zeros(len(edges) * nodes).index_add(0, place, torch.ones_like(place))
            value = counted[place].to(as_wide(dtype)).reciprocal()
            mean = sparse_matrix(
                torch.arange(place.numel(), device=place.device), source, value, (place.numel(), nodes)
            )
            return _Relations(mean, relation, target)
        rows, row, degree = torch.unique(relation * nodes + target, return_inverse=True, return_counts=True)
        value = degree.to(as_wide(dtype)).reciprocal()[row]
        mean = sparse_matrix(row, source, value, (rows.numel(), nodes))
        return _Relations(mean, torch.div(rows, max(nodes, 1), rounding_mode="floor"), rows % max(nodes, 1))

    def extra_repr(self) -> str:
        """Widths and numbers of channels, hops and relations."""
        return (
            f"{self.in_channels}, {self.out_channels}, num_channels={self.num_channels}, "
            f"num_layers={self.num_layers}, relations={len(self.relations)}"
        )
