"""HetSANN: attention over all edges into a node, with maps for pairs of types and scores for relations."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.nn.inits import glorot, zeros
from torch_geometric.utils import softmax

from graphdsl.kernels import is_large, row_products, weighted_sums
from graphdsl.layers.joining import is_watched, join_edges, starts
from graphdsl.text import EdgeKey


class HetSANNConv(MessagePassing):
    r"""The type-aware attention layer of HetSANN.

    From `"An Attention-based Graph Neural Network for Heterogeneous Structural Learning"
    <https://arxiv.org/abs/1912.10832>`_ (Hong et al., AAAI 2020), for one head. A node *i* of type :math:`\phi(i)` is seen
    by nodes of type :math:`\phi(j)` as

    .. math::
        \mathbf{h}_{\phi(j), i} = \mathbf{W}_{\phi(i), \phi(j)} \mathbf{x}_i

    and an edge *e* = (*i*, *j*) of relation *r* scores

    .. math::
        o_e &= \mathrm{LeakyReLU}\left(\mathbf{a}_r^\top [\mathbf{h}_{\phi(j), j} \,\Vert\, \mathbf{h}_{\phi(j), i}]\right)
        \quad \text{("concat"), or}

        o_e &= \mathrm{LeakyReLU}\left(\mathbf{h}_{\phi(j), j}^\top (\mathbf{h}_{\phi(j), i} + \mathbf{a}_r)\right),
        \quad \mathbf{a}_{\tilde r} = -\mathbf{a}_r \quad \text{("voices")}

    where :math:`\tilde r` is the inverse of *r*: one fact in active and passive voice. Then :math:`\mathbf{h}'_j = \sum_e
    \mathrm{softmax}_e(o) \, \mathbf{h}_{\phi(j), i}` over all edges into *j*, of all relations, and a loop with a relation of
    its own in each type. The cycle-consistency loss of the paper is left out.

    Args:
        in_channels: width by node type.
        out_channels: width of each head.
        metadata: node types and edge types; their order does not matter.
        inverse_of: for each edge type of `metadata` the number of its original, its own for an original; any other number
            is the inverse of a relation that the layer lacks. Left out, all are originals.
        heads: number of heads.
        concat: heads side by side; their mean otherwise.
        attention: "voices" or "concat".
        negative_slope: of the LeakyReLU.
        dropout: of the attention.
        residual: add the node's own value, through a map where the widths differ.
        add_self_loops: let a node attend to itself.
        bias: add a learned row to each type.

    Shapes:
        x_dict of [num_nodes, in_channels] and edge_index_dict of [2, num_edges] give [num_nodes, heads * out_channels] for
        each type that a relation ends in ([num_nodes, out_channels] without `concat`).

    >>> writes, back = ("author", "writes", "paper"), ("paper", "written_by", "author")
    >>> conv = HetSANNConv({"author": 3, "paper": 4}, 8, (["author", "paper"], [writes, back]), [0, 0], heads=2)
    >>> x, there = {"author": torch.randn(2, 3), "paper": torch.randn(5, 4)}, torch.tensor([[0, 1], [4, 4]])
    >>> {name: value.shape for name, value in conv(x, {writes: there, back: there.flip(0)}).items()}
    {'author': torch.Size([2, 16]), 'paper': torch.Size([5, 16])}
    """

    loops: ClassVar = "added"
    """What `add_self_loops` does: loops of each type of `targets` stand behind all edges."""

    sign: Tensor
    voice: Tensor

    def __init__(
        self,
        in_channels: Mapping[str, int],
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        inverse_of: Sequence[int] | None = None,
        heads: int = 1,
        concat: bool = True,
        attention: Literal["voices", "concat"] = "voices",
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        residual: bool = False,
        add_self_loops: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__(aggr="add", node_dim=0)
        self.out_channels, self.heads, self.concat = out_channels, heads, concat
        self.attention, self.negative_slope, self.dropout = attention, negative_slope, dropout
        self.add_self_loops = add_self_loops
        given = [cast(EdgeKey, tuple(edge)) for edge in metadata[1]]
        self.edges = sorted(given)
        self.targets = sorted({edge[2] for edge in self.edges})
        self._number_voices(given, list(range(len(given))) if inverse_of is None else list(inverse_of))
        self.views = {
            name: sorted({edge[2] for edge in self.edges if edge[0] == name} | ({name} & set(self.targets)))
            for name in sorted({end for edge in self.edges for end in (edge[0], edge[2])})
        }
        width = heads * out_channels
        options = {"bias": False, "weight_initializer": "glorot"}
        self.lin = nn.ModuleDict(
            {name: Linear(in_channels[name], len(views) * width, **options) for name, views in self.views.items()}
        )
        rows = int(self.voice.max()) + 1 if attention == "voices" else len(self.edges) + len(self.targets)
        self.att = nn.Parameter(torch.empty(rows, heads, out_channels * (1 if attention == "voices" else 2)))
        kept = width if concat else out_channels
        unequal = [name for name in self.targets if residual and in_channels[name] != kept]
        self.residual = residual
        self.res = nn.ModuleDict({name: Linear(in_channels[name], kept, **options) for name in unequal})
        self.bias = nn.Parameter(torch.empty(len(self.targets), kept)) if bias else None
        self.reset_parameters()

    def _number_voices(self, given: list[EdgeKey], inverse_of: list[int]) -> None:
        """Which row of `att` a relation reads as voices, and whether it turns it around."""
        original = {
            edge: given[number] if 0 <= number < len(given) else edge
            for edge, number in zip(given, inverse_of, strict=True)
        }
        voices = sorted(set(original.values()))
        sign = [1.0 if original[edge] == edge else -1.0 for edge in self.edges]
        self.register_buffer("sign", torch.tensor(sign).view(-1, 1, 1), persistent=False)
        numbers = torch.tensor([voices.index(original[edge]) for edge in self.edges])
        self.register_buffer("voice", numbers, persistent=False)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        for linear in (*self.lin.values(), *self.res.values()):
            cast(Linear, linear).reset_parameters()
        glorot(self.att)
        zeros(self.bias)

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> dict[str, Tensor]:
        """One step; see the class for shapes."""
        sizes = [x_dict[name].size(0) for name in self.targets]
        begin = dict(zip(self.targets, starts(sizes), strict=True))
        sent, own, index, kinds = self._rows(x_dict, edge_index_dict, begin)
        large = not is_watched(self) and is_large(sent, index.size(1))
        seen = None if large else sent.index_select(0, index[0])
        score = functional.leaky_relu(self._scores(sent, seen, own, index, kinds, sizes), self.negative_slope)
        alpha = softmax(score, index[1], num_nodes=sum(sizes))
        alpha = functional.dropout(alpha, self.dropout, self.training)
        if seen is None:
            out = weighted_sums(sent, alpha.to(sent.dtype), index[0], index[1], sum(sizes))
        else:
            out = self.propagate(index, seen=seen, alpha=alpha, size=(sent.size(0), sum(sizes)))
        out = out.flatten(1) if self.concat else out.mean(1)
        made: dict[str, Tensor] = {}
        for place, (name, value) in enumerate(zip(self.targets, out.split(sizes), strict=True)):
            if self.residual:
                value = value + (self.res[name](x_dict[name]) if name in self.res else x_dict[name])
            made[name] = value if self.bias is None else value + self.bias[place]
        return made

    def _rows(
        self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor], begin: Mapping[str, int]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Nodes as each type sees them, the targets as their own type does, edges between these rows, their relations."""
        # Rows that one relation reads stand together: they fit into a cache.
        pairs = [(name, view) for name, views in self.views.items() for view in views]
        seen = [
            self.lin[name](x_dict[name]).unflatten(1, (len(views), -1)).unbind(1) for name, views in self.views.items()
        ]
        parts = [part.unflatten(1, (self.heads, self.out_channels)) for item in seen for part in item]
        parts = [part if part.dtype == torch.double else part.float() for part in parts]
        place = dict(zip(pairs, starts(part.size(0) for part in parts), strict=True))
        own = torch.cat([parts[pairs.index((name, name))] for name in self.targets])
        sources = [(place[edge[0], edge[2]], 1) for edge in self.edges]
        index, kinds = join_edges(edge_index_dict, self.edges, sources, [(begin[edge[2]], 1) for edge in self.edges])
        nodes = [torch.arange(x_dict[name].size(0), device=index.device) for name in self.targets]
        if self.add_self_loops:
            loops = torch.cat([item + place[name, name] for name, item in zip(self.targets, nodes, strict=True)])
            index = torch.cat([index, torch.stack([loops, torch.arange(loops.numel(), device=index.device)])], dim=1)
            numbers = [torch.full_like(item, len(self.edges) + place) for place, item in enumerate(nodes)]
            kinds = torch.cat([kinds, *numbers])
        return torch.cat(parts), own, index, kinds

    def _scores(
        self, sent: Tensor, seen: Tensor | None, own: Tensor, index: Tensor, kinds: Tensor, sizes: Sequence[int]
    ) -> Tensor:
        """One number per edge and head [num_edges, heads].

        What a target and a relation score together is computed for each pair of them, in a table: there are fewer than
        edges.
        """
        if self.attention == "concat":
            left, right = self.att.chunk(2, dim=-1)
            met = (
                row_products(sent, right, index[0], kinds)
                if seen is None
                else (seen * right.index_select(0, kinds)).sum(-1)
            )
            return self._pairs(own, left, index[1], kinds, sizes) + met
        loops = self.att.new_zeros(len(self.targets), *self.att.shape[1:])  # a loop has no voice
        rows = torch.cat([self.att.index_select(0, self.voice) * self.sign, loops])
        met = (
            row_products(own, sent, index[1], index[0])
            if seen is None
            else (own.index_select(0, index[1]) * seen).sum(-1)
        )
        return self._pairs(own, rows, index[1], kinds, sizes) + met

    def _pairs(self, own: Tensor, rows: Tensor, targets: Tensor, kinds: Tensor, sizes: Sequence[int]) -> Tensor:
        """Products of each edge's target with the row of its relation [num_edges, heads]."""
        numbers = [self._kinds(name) for name in self.targets]
        tables = [
            torch.einsum("nhc,khc->nkh", value, rows[number]).flatten(0, 1)
            for value, number in zip(own.split(list(sizes)), numbers, strict=True)
        ]
        begin = starts(size * len(number) for size, number in zip(sizes, numbers, strict=True))
        first = starts(sizes)
        shift, step = [0] * rows.size(0), [0] * rows.size(0)
        for place, number in enumerate(numbers):
            for position, kind in enumerate(number):
                shift[kind], step[kind] = begin[place] + position - first[place] * len(number), len(number)
        known = torch.tensor([shift, step], device=targets.device).index_select(1, kinds)
        return torch.cat(tables).index_select(0, targets * known[1] + known[0])

    def _kinds(self, name: str) -> list[int]:
        """Numbers of the relations into a type, its loop among them."""
        found = [number for number, edge in enumerate(self.edges) if edge[2] == name]
        return [*found, len(self.edges) + self.targets.index(name)]

    def message(self, seen: Tensor, alpha: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Weighted values [num_edges, heads, out_channels]."""
        return alpha.unsqueeze(-1) * seen
