"""ie-HGCN: a mean over each relation, then attention of each node over its relations and itself."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.nn.inits import glorot, zeros

from graphdsl.layers.joining import join_edges, starts
from graphdsl.text import EdgeKey


class IEHGCNConv(MessagePassing):
    r"""One layer of ie-HGCN.

    From `"Interpretable and Efficient Heterogeneous Graph Convolutional Network" <https://arxiv.org/abs/2005.13183>`_
    (Yang et al., TKDE 2021). For a type :math:`\Omega` and each relation *r* into it, with row-normalised
    :math:`\hat{\mathbf{A}}_r`:

    .. math::
        \mathbf{Z}_r = \hat{\mathbf{A}}_r \mathbf{X}_{\mathrm{source}(r)} \mathbf{W}_r, \quad
        \mathbf{Z}_0 = \mathbf{X}_\Omega \mathbf{W}_\Omega

        e_r = \mathrm{ELU}\left([\mathbf{Z}_r \mathbf{W}^k_\Omega \,\Vert\, \mathbf{Z}_0 \mathbf{W}^q_\Omega]
        \mathbf{w}_\Omega\right), \quad a = \mathrm{softmax}_{r = 0, 1, \ldots}(e), \quad
        \mathbf{H}_\Omega = \sum_{r} a_r \mathbf{Z}_r + \mathbf{b}_\Omega

    for each node; the activation of the paper is an `elu` behind the layer. Where nothing arrives, :math:`\mathbf{Z}_r` is
    zero and takes part in the attention, as the equations have it. All relations are averaged in one step.

    Args:
        in_channels: width by node type.
        out_channels: width of the result.
        metadata: node types and edge types; their order does not matter.
        attention_channels: width of keys and queries.
        dropout: of the attention.
        bias: add a learned row to each type.

    Shapes:
        x_dict of [num_nodes, in_channels] and edge_index_dict of [2, num_edges] give [num_nodes, out_channels] for each type
        that a relation ends in.

    >>> writes = ("author", "writes", "paper")
    >>> conv = IEHGCNConv({"author": 3, "paper": 4}, 8, (["author", "paper"], [writes]))
    >>> x = {"author": torch.randn(2, 3), "paper": torch.randn(5, 4)}
    >>> {name: value.shape for name, value in conv(x, {writes: torch.tensor([[0, 1], [4, 4]])}).items()}
    {'paper': torch.Size([5, 8])}
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        attention_channels: int = 64,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__(aggr="mean", node_dim=0)
        self.out_channels = out_channels
        self.dropout = dropout
        # Relations into one type stand side by side.
        self.edges = sorted((cast(EdgeKey, tuple(edge)) for edge in metadata[1]), key=lambda edge: (edge[2], edge))
        self.leaving = {
            name: [number for number, edge in enumerate(self.edges) if edge[0] == name]
            for name in sorted({edge[0] for edge in self.edges})
        }
        self.targets = sorted({edge[2] for edge in self.edges})
        options = {"bias": False, "weight_initializer": "glorot"}
        self.lin = nn.ModuleDict(
            {
                name: Linear(in_channels[name], len(numbers) * out_channels, **options)
                for name, numbers in self.leaving.items()
            }
        )
        self.lin_self = nn.ModuleDict(
            {name: Linear(in_channels[name], out_channels, **options) for name in self.targets}
        )
        count = len(self.targets)
        self.key = nn.Parameter(torch.empty(count, out_channels, attention_channels))
        self.query = nn.Parameter(torch.empty(count, out_channels, attention_channels))
        self.att = nn.Parameter(torch.empty(count, 2, attention_channels))
        self.bias = nn.Parameter(torch.empty(count, out_channels)) if bias else None
        self.shares = (
            nn.Identity()
        )  # For hooks: how much the node itself and each relation count [1 + relations, num_nodes].
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        for linear in (*self.lin.values(), *self.lin_self.values()):
            cast(Linear, linear).reset_parameters()
        glorot(self.key)
        glorot(self.query)
        glorot(self.att)
        zeros(self.bias)

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> dict[str, Tensor]:
        """One step; see the class for shapes."""
        met = self._means(x_dict, edge_index_dict)
        # Keys and queries are read by `att` alone, so each is one vector.
        of_key = (self.key @ self.att[:, 0].unsqueeze(-1)).squeeze(-1)
        of_query = (self.query @ self.att[:, 1].unsqueeze(-1)).squeeze(-1)
        made: dict[str, Tensor] = {}
        relations = [sum(edge[2] == name for edge in self.edges) for name in self.targets]
        sizes = [count * x_dict[name].size(0) for count, name in zip(relations, self.targets, strict=True)]
        for place, (name, part) in enumerate(zip(self.targets, met.split(sizes), strict=True)):
            own = self.lin_self[name](x_dict[name])
            rows = part.view(relations[place], *own.shape)
            seen = torch.cat([own.unsqueeze(0).to(rows.dtype), rows])
            score = functional.elu((seen * of_key[place]).sum(-1) + (own * of_query[place]).sum(-1))
            share = functional.dropout(self.shares(score.softmax(0)), self.dropout, self.training)
            out = (share.unsqueeze(-1) * seen).sum(0)
            made[name] = out if self.bias is None else out + self.bias[place]
        return made

    def _means(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> Tensor:
        """Means over the neighbours of each node, relation after relation [rows, out_channels]."""
        # Rows that one relation reads stand together: they fit into a cache.
        order = [number for numbers in self.leaving.values() for number in numbers]
        sent = [
            part
            for name, numbers in self.leaving.items()
            for part in self.lin[name](x_dict[name]).unflatten(1, (len(numbers), -1)).unbind(1)
        ]
        begin = dict(zip(order, starts(part.size(0) for part in sent), strict=True))
        sources = [(begin[number], 1) for number in range(len(self.edges))]
        sizes = [x_dict[edge[2]].size(0) for edge in self.edges]
        targets = [(start, 1) for start in starts(sizes)]
        index, _ = join_edges(edge_index_dict, self.edges, sources, targets)
        table = torch.cat(sent)
        table = table if table.dtype == torch.double else table.float()
        return self.propagate(index, x=(table, None), size=(table.size(0), sum(sizes)))
