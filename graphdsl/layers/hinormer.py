"""HINormer: a transformer over each node's context, which knows structure and types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphdsl.kernels import EntryList, KeptResults, SparseMatrix, as_wide, node_contexts, sparse_matrix
from graphdsl.layers.numbering import stack_types
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What is known of a graph before any value.

    Attributes:
        mean: the symmetrically normalised adjacency matrix with self-loops [nodes, nodes].
        types: number of the type of each node [nodes].
        contexts: [sequences, length].
    """

    mean: SparseMatrix | EntryList
    types: Tensor
    contexts: Tensor


class HINormerLayer(nn.Module):
    r"""Attention among the nodes of each context, of one head.

    .. math::
        \alpha_{ij} &= \mathrm{softmax}_j \frac{1}{\tau} \left(\mathbf{a}_l^\top \mathrm{LeakyReLU}(\mathbf{W}_l
        \mathbf{h}_i) + \mathbf{a}_r^\top \mathrm{LeakyReLU}(\mathbf{W}_r \mathbf{h}_j) + \beta \, (\mathbf{W}_k
        \mathbf{r}_i)^\top \mathbf{W}_q \mathbf{r}_j\right)

        \mathbf{h}'_i &= \mathrm{LayerNorm}\Big(\mathbf{h}_i + \mathbf{W}_o \sum_j \alpha_{ij} \mathbf{W}_r \mathbf{h}_j\Big)

    Args:
        channels: width of the nodes.
        types: width of what is known of their types.
        heads: number of heads.
        beta: weight of what types say.
        temperature: scores are divided by it.
        dropout: of attention and of what it gives.
    """

    def __init__(self, channels: int, types: int, heads: int, beta: float, temperature: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.beta, self.temperature, self.dropout = heads, beta, temperature, dropout
        self.lin_left = nn.Linear(channels, channels, bias=False)
        self.lin_right = nn.Linear(channels, channels, bias=False)
        self.att_left = nn.Linear(channels // heads, 1, bias=False)
        self.att_right = nn.Linear(channels // heads, 1, bias=False)
        self.type_key = nn.Linear(types, types * heads, bias=False)
        self.type_query = nn.Linear(types, types * heads, bias=False)
        self.lin_out = nn.Linear(channels, channels, bias=False)
        self.norm = nn.LayerNorm(channels)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in self.children():
            cast(nn.Linear, module).reset_parameters()

    def forward(self, h: Tensor, r: Tensor, rows: int) -> Tensor:
        """One step.

        Args:
            h: values [sequences, length, channels].
            r: what is known of types [sequences, length, types].
            rows: how many leading nodes of each sequence are asked for.

        Returns:
            [sequences, rows, channels].
        """
        right = self.lin_right(h).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        left = self.lin_left(h[:, :rows]).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        key = self.type_key(r[:, :rows]).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        query = self.type_query(r).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        score = self.att_left(functional.leaky_relu(left, 0.2))
        score = score + self.att_right(functional.leaky_relu(right, 0.2)).transpose(2, 3)
        score = (score + self.beta * key @ query.transpose(2, 3)) / self.temperature
        share = functional.dropout(score.softmax(-1), self.dropout, self.training)
        out = self.lin_out((share @ right).transpose(1, 2).flatten(2))
        return self.norm(h[:, :rows] + functional.dropout(out, self.dropout, self.training))


class HINormerConv(nn.Module):
    r"""Two encoders along edges, then a transformer over the context of each node.

    From `"HINormer: Representation Learning On Heterogeneous Information Networks with Graph Transformer"
    <https://arxiv.org/abs/2302.11329>`_ (Mao et al., WWW 2023). With :math:`\hat{\mathbf{A}} = \mathbf{D}^{-1/2} (\mathbf{A}
    + \mathbf{I}) \mathbf{D}^{-1/2}`, :math:`\mathbf{A}` holding every pair of neighbours once, whatever relations join them
    in whatever direction, and one-hot types :math:`\mathbf{R}^{(0)}`:

    .. math::
        \mathbf{H}^{(l)} = \mathrm{ELU}(\hat{\mathbf{A}} \mathbf{H}^{(l-1)} \mathbf{W}_l + \mathbf{b}_l), \quad
        \mathbf{R}^{(l)} = \mathrm{ELU}(\hat{\mathbf{A}} \, \mathrm{diag}(\mathbf{w}_{l, \phi}) \mathbf{R}^{(l-1)} \mathbf{U}_l
        + \mathbf{c}_l)

    where :math:`\mathbf{w}_{l, \phi}` has a number for the type of each node. Then `HINormerLayer` attends among the nodes
    of each context: the node itself, its neighbours in random order, the neighbours of the first of these, and so on.
    Contexts are drawn once for a graph, by `seed`, as the authors do.

    Args:
        in_channels: width of all types.
        out_channels: width of the result.
        metadata: node types and relations.
        num_gnns: layers of both encoders.
        num_layers: layers of the transformer.
        heads: number of heads.
        length: nodes in a context.
        beta: weight of types in the attention.
        temperature: scores of the attention are divided by it.
        dropout: of values between layers, of attention and of what it gives.
        seed: draws the contexts.

    Shapes:
        - `x_dict`: [num_nodes, in_channels] by node type; `edge_index_dict`: [2, num_edges] by relation.
        - result: [num_nodes, out_channels] by node type, of `targets` where these are given.

    >>> metadata = (["a"], [("a", "r", "a")])
    >>> conv = HINormerConv(3, 4, metadata, length=5)
    >>> conv({"a": torch.randn(5, 3)}, {("a", "r", "a"): torch.tensor([[0, 1], [1, 2]])})["a"].shape
    torch.Size([5, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        num_gnns: int = 2,
        num_layers: int = 2,
        heads: int = 2,
        length: int = 50,
        beta: float = 1.0,
        temperature: float = 1.0,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if out_channels % heads:
            raise ValueError(f"{heads} heads cannot share {out_channels} columns")
        self.types, self.relations = [*metadata[0]], [*metadata[1]]
        self.length, self.dropout, self.seed = length, dropout, seed
        count = len(self.types)
        widths = [in_channels, *[out_channels] * num_gnns]
        self.lins = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.type_lins = nn.ModuleList(nn.Linear(count, count) for _ in range(num_gnns))
        self.type_weight = nn.Parameter(torch.empty(num_gnns, count))
        options = (out_channels, count, heads, beta, temperature, dropout)
        self.layers = nn.ModuleList(HINormerLayer(*options) for _ in range(num_layers))
        self._kept = KeptResults()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as the authors do."""
        for module in (*self.lins, *self.type_lins):
            linear = cast(nn.Linear, module)
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        nn.init.ones_(self.type_weight)
        for layer in self.layers:
            cast(HINormerLayer, layer).reset_parameters()

    def forward(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        targets: Sequence[str] | None = None,
    ) -> dict[str, Tensor]:
        """Encode and attend, see the class."""
        names = self.types if targets is None else [*targets]
        x, begin = stack_types(x_dict, self.types)
        sizes = [x_dict[name].size(0) for name in self.types]
        edges = [edge_index_dict[edge] for edge in self.relations]
        known = self._kept.fetch(
            (as_wide(x.dtype), *names), edges, sizes, lambda: self._look_around(edges, sizes, begin, names, x.dtype)
        )
        r = functional.one_hot(known.types, len(self.types)).to(x.dtype)
        for place, (lin, type_lin) in enumerate(zip(self.lins, self.type_lins, strict=True)):
            # A map after the product is the map before it; the narrower of the two goes along the edges.
            x = functional.elu(known.mean @ (x @ cast(Tensor, lin.weight).t()) + cast(Tensor, lin.bias))
            x = functional.dropout(x, self.dropout, self.training)
            weighed = self.type_weight[place].index_select(0, known.types).unsqueeze(-1) * r
            mixed = known.mean @ (weighed @ cast(Tensor, type_lin.weight).t())
            r = functional.elu(mixed + cast(Tensor, type_lin.bias))
        h, r = x[known.contexts], r[known.contexts]
        for place, layer in enumerate(self.layers):
            h = layer(h, r, 1 if place == len(self.layers) - 1 else self.length)
        made = h[:, 0].split([x_dict[name].size(0) for name in names])
        return dict(zip(names, made, strict=True))

    def _look_around(
        self,
        edges: Sequence[Tensor],
        sizes: Sequence[int],
        begin: Mapping[str, int],
        names: Sequence[str],
        dtype: torch.dtype,
    ) -> _Surroundings:
        total = sum(sizes)
        device = edges[0].device
        pairs = [
            edge + torch.tensor([[begin[key[0]]], [begin[key[2]]]], device=device)
            for edge, key in zip(edges, self.relations, strict=True)
        ]
        both = torch.cat([part for pair in pairs for part in (pair, pair.flip(0))], dim=1)
        both = both[:, both[0] != both[1]]
        key = torch.unique(both[1] * max(total, 1) + both[0])
        index = torch.stack([key % max(total, 1), torch.div(key, max(total, 1), rounding_mode="floor")])
        nodes = torch.arange(total, device=device)
        row, column = torch.cat([index[1], nodes]), torch.cat([index[0], nodes])
        scale = torch.bincount(row, minlength=total).to(as_wide(dtype)).rsqrt()
        mean = sparse_matrix(row, column, scale[row] * scale[column], (total, total))
        types = torch.repeat_interleave(torch.tensor(sizes, device=device))
        first = dict(zip(self.types, sizes, strict=True))
        asked = torch.cat([torch.arange(first[name], device=device) + begin[name] for name in names])
        generator = torch.Generator().manual_seed(self.seed)
        contexts = node_contexts(index, total, asked, self.length, generator)
        return _Surroundings(mean, types, contexts)

    def extra_repr(self) -> str:
        """Length of a context and number of types and relations."""
        return f"length={self.length}, types={len(self.types)}, relations={len(self.relations)}"
