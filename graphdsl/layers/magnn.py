"""MAGNN: attention among the instances of each metapath, all nodes on the way included, then among metapaths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.utils import softmax

from graphdsl.kernels import (
    KeptResults,
    ListedPattern,
    Noted,
    SparsePattern,
    TooManyInstances,
    enumerate_walks,
    sparse_pattern,
)
from graphdsl.layers.walking import Hop, Walker, stops_of
from graphdsl.text import EdgeKey

_GAIN = 1.414


@dataclass(frozen=True, slots=True)
class _Instances:
    """Instances of a metapath.

    Attributes:
        nodes: node of each at each stop [stops, instances], sorted by the last one.
        patterns: for each stop but the last, where the matrix [targets, nodes of the stop] has entries.
    """

    nodes: Tensor
    patterns: tuple[SparsePattern | ListedPattern, ...]


class MAGNNConv(nn.Module):
    r"""Encodes the instances of each metapath, and lets each target attend among them, then among metapaths.

    From `"MAGNN: Metapath Aggregated Graph Neural Network for Heterogeneous Graph Embedding"
    <https://arxiv.org/abs/2002.01680>`_ (Fu et al., WWW 2020). For an instance :math:`p = (t_0, \dots, t_n = v)`:

    .. math::
        \mathbf{o}_0 = \mathbf{x}_{t_0}, \quad \mathbf{o}_i = \mathbf{x}_{t_i} + \mathbf{o}_{i-1} \odot \mathbf{r}_i,
        \quad \mathbf{h}_p = \mathbf{o}_n / (n + 1), \quad
        \alpha_p = \mathrm{softmax}_p \big( \mathrm{LeakyReLU}(\mathbf{a}_P^\top [\mathbf{x}_v \Vert \mathbf{h}_p]) \big)

        \mathbf{h}_v^P = \mathrm{ELU} \Big( \sum_p \alpha_p \mathbf{h}_p \Big), \quad
        \mathbf{s}_P = \frac{1}{|V|} \sum_v \tanh(\mathbf{M} \mathbf{h}_v^P + \mathbf{b}), \quad
        \beta = \mathrm{softmax}_P(\mathbf{q}^\top \mathbf{s}_P), \quad
        \mathbf{h}_v = \mathbf{W}_o \sum_P \beta_P \mathbf{h}_v^P + \mathbf{b}_o

    with several heads side by side in :math:`\mathbf{h}_v^P`. The types' own linear maps stand before the layer, the
    activation of the result behind it. "rotate" is the relational rotation above, in complex numbers of modulus one, of
    which a relation that is walked backwards takes the conjugate; "mean" is the mean of all nodes on the way; "linear" a
    linear map of that mean, one for each metapath and head. A node without an instance gets zeros for the metapath.

    All encoders are linear in the nodes, so scores are sums of one number per node on the way, and sums over instances
    are sparse products for each stop: nothing of the size (instances × width) is ever made.

    Args:
        in_channels: width of all types on the way; even for "rotate".
        out_channels: width of the result.
        paths: hops of each metapath, as (relation, walked backwards).
        budgets: most instances of a metapath that may be made.
        heads: attention heads.
        encoder: "rotate", "mean" or "linear".
        attention_channels: width of the attention among metapaths.
        dropout: of the attention among instances.
        negative_slope: of LeakyReLU.
        samples: most instances for each target; of one that has more, as many equal parts give one each. Drawn once.
        seed: of that draw.

    Shapes:
        - `x_dict`: [num_nodes, in_channels] of all types on the way; `edge_index_dict`: [2, num_edges] of the relations
          on the way; `targets`: types to make.
        - result: [num_nodes, out_channels] by the type where metapaths end.

    >>> writes = ("author", "writes", "paper")
    >>> conv = MAGNNConv(4, 8, {("author", "APA", "author"): [(writes, False), (writes, True)]}, heads=2)
    >>> x = {"author": torch.randn(2, 4), "paper": torch.randn(1, 4)}
    >>> conv(x, {writes: torch.tensor([[0, 1], [0, 0]])})["author"].shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        paths: Mapping[EdgeKey, Sequence[Hop]],
        budgets: Mapping[EdgeKey, int] | None = None,
        heads: int = 1,
        encoder: Literal["rotate", "mean", "linear"] = "rotate",
        attention_channels: int = 128,
        dropout: float = 0.0,
        negative_slope: float = 0.01,
        samples: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if encoder == "rotate" and in_channels % 2:
            raise ValueError(f"complex numbers need an even in_channels (got {in_channels})")
        self.in_channels, self.out_channels, self.heads, self.encoder = in_channels, out_channels, heads, encoder
        self.budgets, self.samples, self.seed = dict(budgets or {}), samples, seed
        self.walk = Walker(paths)
        self.paths: dict[str, list[EdgeKey]] = {}
        for key in self.walk.paths:
            self.paths.setdefault(key[2], []).append(key)
        self.rotation = (
            nn.Parameter(torch.empty(len(self.walk.relations), in_channels // 2, 2)) if encoder == "rotate" else None
        )
        self.targets = nn.ModuleDict(
            {
                name: _Target(in_channels, out_channels, len(keys), heads, encoder, attention_channels)
                for name, keys in self.paths.items()
            }
        )
        self.dropout, self.act = nn.Dropout(dropout), nn.LeakyReLU(negative_slope)
        self.noted = Noted()
        self._kept = KeptResults()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        if self.rotation is not None:
            nn.init.xavier_normal_(self.rotation, gain=_GAIN)
        for target in self.targets.values():
            assert isinstance(target, _Target)
            target.reset_parameters()

    def forward(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        num_nodes: Mapping[str, int] | None = None,
        targets: Sequence[str] | None = None,
    ) -> dict[str, Tensor]:
        """Encode and attend, see the class.

        Raises:
            TooManyInstances: a metapath has more instances than its budget, before any is made.
        """
        sizes = self.walk.sizes(x_dict, edge_index_dict, num_nodes)
        made: dict[str, Tensor] = {}
        for name in self.paths if targets is None else targets:
            target = self.targets[name]
            assert isinstance(target, _Target)
            arrived = [
                self._along(key, target, place, x_dict, self._instances(key, edge_index_dict, sizes))
                for place, key in enumerate(self.paths[name])
            ]
            made[name] = target(arrived, self.noted, name, self.paths[name])
        return made

    def _along(
        self, key: EdgeKey, target: "_Target", place: int, x_dict: Mapping[str, Tensor], found: _Instances
    ) -> Tensor:
        """What attention among the instances of a metapath gives its targets [targets, heads × in_channels]."""
        hops = self.walk.paths[key]
        values = self._turned([x_dict[stop] for stop in stops_of(hops)], hops)
        own, last = x_dict[key[2]], found.nodes[-1]
        scale = 1 / len(values)
        center, instance, more = target.scorers(place)
        score = (own @ center.t() + more)[last]
        for value, nodes in zip(values, found.nodes, strict=True):
            score = score + scale * (value @ instance.t())[nodes]
        share = self.noted(softmax(self.act(score), last, num_nodes=own.size(0)), "instances", key, found.nodes)
        share = self.dropout(share)
        total = share.new_zeros(own.size(0), self.heads).index_add(0, last, share)
        summed = total.unsqueeze(-1) * values[-1].unsqueeze(1)  # the last node is the target itself
        for value, pattern in zip(values[:-1], found.patterns, strict=True):
            summed = summed + pattern.sums(share, value)
        return functional.elu(target.encode(place, scale * summed, total)).flatten(1)

    def _turned(self, values: list[Tensor], hops: Sequence[Hop]) -> list[Tensor]:
        """Values at each stop, turned by all relations between there and the end."""
        if self.rotation is None:
            return values
        turns = functional.normalize(self.rotation, dim=-1)
        angle: Tensor | None = None
        turned = [values[-1]]
        for (edge, back), value in zip(reversed(hops), reversed(values[:-1]), strict=True):
            one = turns[self.walk.relations.index(edge)]
            one = torch.stack([one[:, 0], -one[:, 1]], dim=-1) if back else one
            angle = one if angle is None else _multiply(one, angle)
            turned.append(_multiply(value.view(value.size(0), self.in_channels // 2, 2), angle).flatten(1))
        return turned[::-1]

    def _instances(
        self, key: EdgeKey, edge_index_dict: Mapping[EdgeKey, Tensor], sizes: Mapping[str, int]
    ) -> _Instances:
        hops = self.walk.paths[key]
        counts = [sizes[stop] for stop in stops_of(hops)]
        used = sorted({edge for edge, _ in hops})

        make = partial(self._enumerate, key, edge_index_dict, counts)
        return self._kept.fetch(key, [edge_index_dict[edge] for edge in used], counts, make)

    def _enumerate(self, key: EdgeKey, edge_index_dict: Mapping[EdgeKey, Tensor], counts: Sequence[int]) -> _Instances:
        hops = self.walk.paths[key]
        indices = [edge_index_dict[edge].flip(0) if back else edge_index_dict[edge] for edge, back in hops]
        try:
            nodes = enumerate_walks(indices, counts, self.budgets.get(key), self.samples, self.seed)
        except TooManyInstances as refused:
            raise TooManyInstances(refused.budget, refused.instances, key[1]) from None
        patterns = [
            sparse_pattern(nodes[-1], row, (counts[-1], count))
            for row, count in zip(nodes[:-1], counts[:-1], strict=True)
        ]
        return _Instances(nodes, tuple(patterns))

    def extra_repr(self) -> str:
        """Widths, heads and encoder."""
        return f"{self.in_channels}, {self.out_channels}, heads={self.heads}, encoder={self.encoder!r}"


class _Target(nn.Module):
    """The parameters of all metapaths into one type, and the attention among these."""

    def __init__(
        self, in_channels: int, out_channels: int, paths: int, heads: int, encoder: str, attention_channels: int
    ) -> None:
        super().__init__()
        self.center = nn.Parameter(torch.empty(paths, heads, in_channels))
        self.instance = nn.Parameter(torch.empty(paths, heads, in_channels))
        linear = encoder == "linear"
        self.weight = nn.Parameter(torch.empty(paths, heads, in_channels, in_channels)) if linear else None
        self.bias = nn.Parameter(torch.empty(paths, heads, in_channels)) if linear else None
        self.attention = nn.Linear(heads * in_channels, attention_channels)
        self.query = nn.Linear(attention_channels, 1, bias=False)
        self.lin = nn.Linear(heads * in_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for part in (self.center, self.instance):
            nn.init.xavier_normal_(part, gain=_GAIN)
        if self.weight is not None and self.bias is not None:
            nn.init.zeros_(self.bias)
            for matrix in self.weight.flatten(0, 1):
                nn.init.xavier_uniform_(matrix)
        for lin in (self.attention, self.query, self.lin):
            nn.init.xavier_normal_(lin.weight, gain=_GAIN)
            if lin.bias is not None:
                nn.init.zeros_(lin.bias)

    def scorers(self, place: int) -> tuple[Tensor, Tensor, Tensor]:
        """What scores the target and each node on the way [heads, in_channels], and what is added [heads]."""
        center, instance = self.center[place], self.instance[place]
        if self.weight is None or self.bias is None:
            return center, instance, center.new_zeros(center.size(0))
        more = (instance * self.bias[place]).sum(-1)
        return center, torch.einsum("hio,ho->hi", self.weight[place], instance), more

    def encode(self, place: int, summed: Tensor, total: Tensor) -> Tensor:
        """The linear encoder of a metapath, behind the sum over instances [targets, heads, in_channels]."""
        if self.weight is None or self.bias is None:
            return summed
        return torch.einsum("vhi,hio->vho", summed, self.weight[place]) + total.unsqueeze(-1) * self.bias[place]

    def forward(self, arrived: list[Tensor], noted: Noted, name: str, paths: Sequence[EdgeKey]) -> Tensor:
        """Attend among metapaths [targets, heads × in_channels each] and map; say how much each counted."""
        stacked = torch.stack(arrived)
        if stacked.numel() == 0:  # the mean over no nodes is not a number
            return self.lin(stacked.sum(0))
        share = noted(self.query(torch.tanh(self.attention(stacked)).mean(1)).softmax(0), "paths", name, paths)
        return self.lin((share.unsqueeze(-1) * stacked).sum(0))


def _multiply(one: Tensor, other: Tensor) -> Tensor:
    """Product of complex numbers, real and imaginary parts in the last dimension."""
    real = one[..., 0] * other[..., 0] - one[..., 1] * other[..., 1]
    return torch.stack([real, one[..., 0] * other[..., 1] + one[..., 1] * other[..., 0]], dim=-1)
