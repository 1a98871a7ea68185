"""R-HGNN: each node has a value for every relation into it, guided by representations of the relations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.nn.inits import zeros
from torch_geometric.utils import softmax

from graphdsl.layers.joining import join_edges, starts
from graphdsl.text import EdgeKey

GAIN = sqrt(2)


@dataclass(frozen=True, slots=True)
class _Type:
    """A type that relations end in: its number, its first relation, how many there are, and how many nodes."""

    number: int
    first: int
    many: int
    nodes: int

    @property
    def relations(self) -> slice:
        """Its relations, side by side."""
        return slice(self.first, self.first + self.many)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a table of values: a block per relation, then types that are read apart from relations.

    Attributes:
        index: edges [2, num_edges] between rows.
        scores: where the source of each edge stands among those of all relations [num_edges].
        sources: for each relation, the number of the block of its sources.
        types: those that relations end in; relations into one stand side by side.
        apart: numbers of types that are read apart from relations.
    """

    index: Tensor
    scores: Tensor
    sources: list[int]
    types: list[_Type]
    apart: list[int]


class RHGNNLayer(MessagePassing):
    """One layer of R-HGNN: attention within relations, then across them, then new representations of relations.

    Args:
        channels: width of all values.
        heads: number of heads.
        num_types: number of node types.
        num_relations: number of relations.
        relation_in: width of the relations that come.
        relation_out: width of the relations that go, for each head.
        negative_slope: of the LeakyReLU.
        dropout: of values and of what crosses relations.
        residual: mix the result with a map of what came, by a learned share of each type.
        norm: end with a layer norm for each type.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        num_types: int,
        num_relations: int,
        relation_in: int,
        relation_out: int,
        negative_slope: float,
        dropout: float,
        residual: bool,
        norm: bool,
    ) -> None:
        super().__init__(aggr="add", node_dim=0)
        self.heads, self.negative_slope, self.dropout = heads, negative_slope, dropout
        self.weight = nn.Parameter(torch.empty(num_types, channels, channels))
        self.att = nn.Parameter(torch.empty(num_relations, relation_in, 2 * channels))
        self.cross = nn.Parameter(torch.empty(num_relations, heads, channels // heads))
        self.update_weight = nn.Parameter(torch.empty(num_relations, relation_in, heads * relation_out))
        self.update_bias = nn.Parameter(torch.empty(num_relations, heads * relation_out))
        self.res_weight = nn.Parameter(torch.empty(num_types, channels, channels)) if residual else None
        self.res_bias = nn.Parameter(torch.empty(num_types, channels)) if residual else None
        self.share = nn.Parameter(torch.empty(num_types)) if residual else None
        self.norm_weight = nn.Parameter(torch.empty(num_types, channels)) if norm else None
        self.norm_bias = nn.Parameter(torch.empty(num_types, channels)) if norm else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        for stack in (self.weight, self.att, self.update_weight, self.res_weight):
            for item in stack if stack is not None else ():
                nn.init.xavier_normal_(item, gain=GAIN)
        nn.init.xavier_normal_(self.cross, gain=GAIN)
        zeros(self.update_bias)
        zeros(self.res_bias)
        zeros(self.norm_bias)
        if self.share is not None:
            nn.init.normal_(self.share)
        if self.norm_weight is not None:
            nn.init.ones_(self.norm_weight)

    def forward(
        self, states: Sequence[Tensor], base: Sequence[Tensor], relations: Tensor, rows: _Rows
    ) -> tuple[list[Tensor], Tensor]:
        """One step.

        Args:
            states: values of each type under its relations [relations, nodes, channels].
            base: values of types that are read apart from any relation [nodes, channels].
            relations: [num_relations, relation_in].
            rows: where everything stands.

        Returns:
            Values, likewise, and relations [num_relations, heads * relation_out].
        """
        made = [value.relu() for value in self._within(states, base, relations, rows)]
        if self.res_weight is not None and self.res_bias is not None and self.share is not None:
            share = self.share.sigmoid()
            for place, (item, state) in enumerate(zip(rows.types, states, strict=True)):
                kept = state @ self.res_weight[item.number] + self.res_bias[item.number]
                made[place] = made[place] * share[item.number] + kept * (1 - share[item.number])
        crossed = [self._across(value, item) for value, item in zip(made, rows.types, strict=True)]
        updated = (relations.unsqueeze(1) @ self.update_weight).squeeze(1) + self.update_bias
        return crossed, updated

    def _within(self, states: Sequence[Tensor], base: Sequence[Tensor], relations: Tensor, rows: _Rows) -> list[Tensor]:
        """Attention among the neighbours under each relation, for each type [relations, nodes, channels]."""
        numbers = [item.number for item in rows.types] + rows.apart
        values = [functional.dropout(value, self.dropout, self.training) for value in (*states, *base)]
        heads = (self.heads, states[0].size(-1) // self.heads)
        sent = [
            (value @ self.weight[number]).unflatten(-1, heads) for value, number in zip(values, numbers, strict=True)
        ]
        blocks = [block for value in sent for block in (value.unbind() if value.dim() == 4 else (value,))]
        guide = (relations.unsqueeze(1) @ self.att).view(relations.size(0), self.heads, 2 * heads[1])
        for_target, for_source = guide.chunk(2, dim=-1)
        pairs = zip(rows.sources, for_source, strict=True)
        of_source = torch.cat([torch.einsum("nhc,hc->nh", blocks[place], row) for place, row in pairs])
        pairs = zip(sent, rows.types, strict=False)
        targets = [torch.einsum("knhc,khc->knh", value, for_target[item.relations]) for value, item in pairs]
        of_target = torch.cat([value.flatten(0, 1) for value in targets])
        score = of_source.index_select(0, rows.scores) + of_target.index_select(0, rows.index[1])
        score = functional.leaky_relu(score, self.negative_slope)
        alpha = softmax(score, rows.index[1], num_nodes=of_target.size(0))
        table = torch.cat([value.flatten(0, -3) for value in sent])
        sizes = (table.size(0), of_target.size(0))
        out = self.propagate(rows.index, x=(table, None), alpha=alpha, size=sizes).flatten(1)
        parts = out.split([item.many * item.nodes for item in rows.types])
        return [value.view(item.many, item.nodes, out.size(1)) for value, item in zip(parts, rows.types, strict=True)]

    def message(self, x_j: Tensor, alpha: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Weighted values [num_edges, heads, channels of a head]."""
        return alpha.unsqueeze(-1) * x_j

    def _across(self, made: Tensor, item: _Type) -> Tensor:
        """What the values of a type under its relations tell each other [relations, nodes, channels]."""
        values = made.unflatten(-1, (self.heads, made.size(-1) // self.heads))
        score = torch.einsum("jnhc,ihc->ijnh", values, self.cross[item.relations])
        share = functional.leaky_relu(score, self.negative_slope).softmax(1)
        # One matrix product would multiply nodes * heads tiny matrices, which is far slower.
        crossed = torch.stack([(part.unsqueeze(-1) * values).sum(0) for part in share]).view_as(made)
        crossed = functional.dropout(crossed, self.dropout, self.training and item.many > 1)
        if self.norm_weight is None or self.norm_bias is None:
            return crossed
        normed = functional.layer_norm(crossed, crossed.shape[-1:])
        return normed * self.norm_weight[item.number] + self.norm_bias[item.number]


class RHGNNConv(nn.Module):
    r"""All layers of R-HGNN and the fusing of relations behind them.

    From `"Heterogeneous Graph Representation Learning with Relation Awareness" <https://arxiv.org/abs/2105.11122>`_ (Yu et
    al., TKDE 2022). A node *v* has a value :math:`\mathbf{h}_{v, r}` for each relation *r* into its type, and a relation a
    representation :math:`\mathbf{h}_r`; both begin as a linear map of the node and a learned row. In each layer and head,

    .. math::
        \alpha_{vu} &= \mathrm{softmax}_u \, \mathrm{LeakyReLU}\left((\mathbf{W}_r \mathbf{h}_r)^\top
        [\mathbf{W}_{\phi(v)} \mathbf{h}_{v, r} \,\Vert\, \mathbf{W}_{\phi(u)} \mathbf{h}_{u, r^{-1}}]\right), \quad
        \mathbf{z}_{v, r} = \mathrm{ReLU} \sum_u \alpha_{vu} \mathbf{W}_{\phi(u)} \mathbf{h}_{u, r^{-1}}

        \mathbf{z}'_{v, r} &= \lambda_{\phi(v)} \mathbf{z}_{v, r} + (1 - \lambda_{\phi(v)}) \mathbf{V}_{\phi(v)}
        \mathbf{h}_{v, r}, \quad \mathbf{h}'_{v, r} = \sum_q \mathrm{softmax}_q\left(\mathrm{LeakyReLU}(\mathbf{q}_r^\top
        \mathbf{z}'_{v, q})\right) \mathbf{z}'_{v, q}, \quad \mathbf{h}'_r = \mathbf{U}_r \mathbf{h}_r + \mathbf{b}_r

    where *q* runs over the relations into the type. At the end values are fused by attention guided by relations:

    .. math::
        \mathbf{h}_v = \sum_r \mathrm{softmax}_r\left(\mathrm{LeakyReLU}((\mathbf{F}_r \mathbf{h}_{v, r})^\top \mathbf{E}_r
        \mathbf{h}_r)\right) \mathbf{F}_r \mathbf{h}_{v, r}

    Where the layer lacks the inverse of a relation, its sources are read as they began.

    Args:
        in_channels: width by node type.
        out_channels: width of all values, of all heads together.
        metadata: node types and edge types; their order does not matter.
        inverse_of: for each edge type of `metadata` the number of its original, its own for an original; any other number
            is the inverse of a relation that the layer lacks. Left out, no relation has an inverse.
        num_layers: number of layers.
        heads: number of heads.
        relation_channels: width of relations, for each head.
        negative_slope: of each LeakyReLU.
        dropout: of values, of what crosses relations, and of the result.
        residual: the share :math:`\lambda`; without it, all of :math:`\mathbf{z}`.
        norm: end each layer with a layer norm for each type, as the authors' code.

    Shapes:
        x_dict of [num_nodes, in_channels] and edge_index_dict of [2, num_edges] give [num_nodes, out_channels] for each type
        that a relation ends in.

    >>> writes, back = ("author", "writes", "paper"), ("paper", "written_by", "author")
    >>> conv = RHGNNConv({"author": 3, "paper": 4}, 8, (["author", "paper"], [writes, back]), [0, 0], heads=2)
    >>> x, there = {"author": torch.randn(2, 3), "paper": torch.randn(5, 4)}, torch.tensor([[0, 1], [4, 4]])
    >>> {name: value.shape for name, value in conv(x, {writes: there, back: there.flip(0)}).items()}
    {'author': torch.Size([2, 8]), 'paper': torch.Size([5, 8])}
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        inverse_of: Sequence[int] | None = None,
        num_layers: int = 2,
        heads: int = 1,
        relation_channels: int = 8,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        residual: bool = True,
        norm: bool = True,
    ) -> None:
        super().__init__()
        if out_channels % heads:
            raise ValueError(f"{heads} heads cannot share {out_channels} columns")
        given = [cast(EdgeKey, tuple(edge)) for edge in metadata[1]]
        self.edges = sorted(given, key=lambda edge: (edge[2], edge))
        self.partners = self._partners(given, list(range(len(given))) if inverse_of is None else list(inverse_of))
        self.types = sorted({end for edge in self.edges for end in (edge[0], edge[2])})
        self.heads, self.negative_slope, self.dropout = heads, negative_slope, dropout
        self.lin = nn.ModuleDict({name: Linear(in_channels[name], out_channels) for name in self.types})
        count, width = len(self.edges), out_channels // heads
        self.relation = nn.Parameter(torch.empty(count, relation_channels))
        options = (relation_channels, negative_slope, dropout, residual, norm)
        self.layers = nn.ModuleList(
            RHGNNLayer(
                out_channels, heads, len(self.types), count, relation_channels * (heads if number else 1), *options
            )
            for number in range(num_layers)
        )
        self.fuse = nn.Parameter(torch.empty(count, heads, width, width))
        self.fuse_relation = nn.Parameter(torch.empty(count, heads, relation_channels, width))
        self.shares = nn.Identity()  # For hooks: how much each relation counts [relations, num_nodes, heads].
        self.reset_parameters()

    def _partners(self, given: list[EdgeKey], inverse_of: list[int]) -> list[int]:
        """For each relation, in the layer's order, the number of its inverse, or -1."""
        found = dict.fromkeys(self.edges, -1)
        for edge, number in zip(given, inverse_of, strict=True):
            if 0 <= number < len(given) and given[number] != edge:
                found[edge], found[given[number]] = self.edges.index(given[number]), self.edges.index(edge)
        return [found[edge] for edge in self.edges]

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for linear in self.lin.values():
            cast(Linear, linear).reset_parameters()
        for layer in self.layers:
            cast(RHGNNLayer, layer).reset_parameters()
        nn.init.xavier_normal_(self.relation, gain=GAIN)
        for weight in (self.fuse, self.fuse_relation):
            for item in weight.flatten(0, 1):
                nn.init.xavier_normal_(item, gain=GAIN)

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> dict[str, Tensor]:
        """All layers and the fusing; see the class for shapes."""
        began = {name: self.lin[name](x_dict[name]) for name in self.types}
        began = {name: value if value.dtype == torch.double else value.float() for name, value in began.items()}
        rows = self._rows(edge_index_dict, {name: value.size(0) for name, value in began.items()})
        states = [began[self.types[item.number]].expand(item.many, -1, -1) for item in rows.types]
        base = [began[self.types[number]] for number in rows.apart]
        relations = self.relation
        for layer in self.layers:
            states, relations = layer(states, base, relations, rows)
        pairs = zip(rows.types, states, strict=True)
        return {self.types[item.number]: self._fused(state, relations, item) for item, state in pairs}

    def _rows(self, edge_index_dict: Mapping[EdgeKey, Tensor], counts: Mapping[str, int]) -> _Rows:
        apart = sorted({edge[0] for edge, at in zip(self.edges, self.partners, strict=True) if at < 0})
        begin = starts([*(counts[edge[2]] for edge in self.edges), *(counts[name] for name in apart)])
        sources = [
            at if at >= 0 else len(self.edges) + apart.index(edge[0])
            for edge, at in zip(self.edges, self.partners, strict=True)
        ]
        targets = [(at, 1) for at in begin[: len(self.edges)]]
        index, kinds = join_edges(edge_index_dict, self.edges, [(begin[place], 1) for place in sources], targets)
        leaving = starts(counts[edge[0]] for edge in self.edges)
        shift = torch.tensor([at - begin[place] for at, place in zip(leaving, sources, strict=True)])
        scores = index[0] + shift.to(index.device).index_select(0, kinds)
        types: list[_Type] = []
        for name in sorted({edge[2] for edge in self.edges}):
            own = [number for number, edge in enumerate(self.edges) if edge[2] == name]
            types.append(_Type(self.types.index(name), own[0], len(own), counts[name]))
        return _Rows(index, scores, sources, types, [self.types.index(name) for name in apart])

    def _fused(self, state: Tensor, relations: Tensor, item: _Type) -> Tensor:
        """Values of a type under all of its relations as one [num_nodes, out_channels]."""
        values = state.unflatten(-1, (self.heads, state.size(-1) // self.heads))
        values = torch.einsum("knhc,khcd->knhd", values, self.fuse[item.relations])
        guide = relations[item.relations].view(item.many, self.heads, self.fuse_relation.size(2))
        guide = torch.einsum("khr,khrd->khd", guide, self.fuse_relation[item.relations])
        share = functional.leaky_relu((values * guide.unsqueeze(1)).sum(-1), self.negative_slope).softmax(0)
        share = self.shares(share)
        fused = (share.unsqueeze(-1) * values).sum(0).reshape(item.nodes, state.size(-1))
        return functional.dropout(fused, self.dropout, self.training)
