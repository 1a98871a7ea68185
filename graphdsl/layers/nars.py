"""NARS: features averaged over neighbours in random subsets of relations, which are then weighed and mapped."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from graphdsl.kernels import EntryList, KeptResults, Noted, SparseMatrix, as_wide, averaging
from graphdsl.layers.numbering import stack_types
from graphdsl.text import EdgeKey

_Matrix = SparseMatrix | EntryList
_GAIN = nn.init.calculate_gain("relu")


class NARSConv(nn.Module):
    r"""Averages features over neighbours in subsets of relations, and learns how much each subset counts.

    From `"Scalable Graph Neural Networks for Heterogeneous Graphs" <https://arxiv.org/abs/2011.09679>`_ (Yu et al.,
    2020). For a subset *i* of relations, a node's next value is the mean over its neighbours in all of them together;
    then, column by column, each hop is a weighted sum over the subsets, and an MLP for each hop (as in SIGN) follows:

    .. math::
        \mathbf{H}_{i,l} = \mathbf{D}_i^{-1} \mathbf{A}_i \mathbf{H}_{i,l-1}, \quad \mathbf{H}_{i,0} = \mathbf{X}, \quad
        \mathbf{Z}_l = \mathrm{MLP}_l \Big( \sum_i \mathbf{a}_{i,l} \odot \mathbf{H}_{i,l} \Big)

    The result is a linear map of PReLU of all :math:`\mathbf{Z}_l` side by side. The averages are computed once and
    kept, as long as features and edges live and do not change, unless the features need a gradient.

    Args:
        in_channels: width of all types.
        out_channels: width of the result and of all that is inside.
        metadata: node types and relations.
        relation_groups: numbers of relations that are in a subset together, as a relation and its inverse are; by
            default each is alone.
        num_hops: how often features are averaged.
        num_subsets: how many subsets are drawn, each group with probability 1/2, none twice, none empty; all if there
            are no more.
        num_layers: layers of the MLPs.
        dropout: of the MLPs and of what they give.
        input_dropout: of the weighed sums.
        seed: of the draw; the subsets stand in the state dict as `subsets` [num_subsets, relations].

    Shapes:
        - `x_dict`: [num_nodes, in_channels] by node type; `edge_index_dict`: [2, num_edges] by relation; `targets`: types
          to make.
        - result: [num_nodes, out_channels] by node type.

    >>> conv = NARSConv(3, 4, (["a"], [("a", "r", "a"), ("a", "s", "a")]))
    >>> edges = {("a", "r", "a"): torch.tensor([[0], [1]]), ("a", "s", "a"): torch.tensor([[1], [2]])}
    >>> conv({"a": torch.randn(3, 3)}, edges)["a"].shape, conv.subsets.tolist()
    (torch.Size([3, 4]), [[True, False], [False, True], [True, True]])
    """

    subsets: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        metadata: tuple[Sequence[str], Sequence[EdgeKey]],
        relation_groups: Sequence[Sequence[int]] | None = None,
        num_hops: int = 2,
        num_subsets: int = 8,
        num_layers: int = 2,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.num_hops = in_channels, out_channels, num_hops
        self.types, self.relations = [*metadata[0]], [*metadata[1]]
        groups = relation_groups or [[number] for number in range(len(self.relations))]
        self.register_buffer("subsets", _draw(groups, len(self.relations), num_subsets, seed))
        self.weight = nn.ParameterList(
            nn.Parameter(torch.empty(self.subsets.size(0), in_channels)) for _ in range(num_hops + 1)
        )
        self.mlps = nn.ModuleList(_MLP(in_channels, out_channels, num_layers, dropout) for _ in range(num_hops + 1))
        self.act = nn.PReLU()
        self.dropout, self.input_dropout = nn.Dropout(dropout), nn.Dropout(input_dropout)
        self.lin = nn.Linear((num_hops + 1) * out_channels, out_channels)
        self.noted = Noted()
        self._kept = KeptResults()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew; the subsets stay."""
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)
        for mlp in self.mlps:
            assert isinstance(mlp, _MLP)
            mlp.reset_parameters()
        self.act.reset_parameters()
        nn.init.xavier_uniform_(self.lin.weight, gain=_GAIN)
        nn.init.zeros_(self.lin.bias)

    def forward(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        targets: Sequence[str] | None = None,
    ) -> dict[str, Tensor]:
        """Average, weigh and map, see the class."""
        names = self.types if targets is None else [*targets]
        read = [x_dict[name] for name in self.types]
        edges = [edge_index_dict[edge] for edge in self.relations]

        average = partial(self._average, x_dict, edges, names)
        if torch.is_grad_enabled() and any(x.requires_grad for x in read):
            hops = average()
        else:
            hops = self._kept.fetch(("hops", *names), [*read, *edges, self.subsets], (), average)
        own = torch.cat([x_dict[name] for name in names]) if names else read[0][:0]
        weights = [self.noted(weight, "subsets", hop, self.subsets) for hop, weight in enumerate(self.weight)]
        weighed = [own * weights[0].sum(0)]
        weighed += [_weigh(h, weight) for h, weight in zip(hops, weights[1:], strict=True)]
        mapped = [mlp(self.input_dropout(h)) for mlp, h in zip(self.mlps, weighed, strict=True)]
        out = self.lin(self.dropout(self.act(torch.cat(mapped, dim=-1))))
        return dict(zip(names, out.split([x_dict[name].size(0) for name in names]), strict=True))

    def _average(self, x_dict: Mapping[str, Tensor], edges: Sequence[Tensor], names: Sequence[str]) -> list[Tensor]:
        """Of each hop but the first: values of the types asked for, by subset [subsets, nodes, width]."""
        x, starts = stack_types(x_dict, self.types)
        rows = [slice(starts[name], starts[name] + x_dict[name].size(0)) for name in names]
        columns: list[list[Tensor]] = [[] for _ in range(self.num_hops)]
        for mean in self._means(edges, starts, x):
            h = x
            for column in columns:
                h = mean @ h
                column.append(torch.cat([h[row] for row in rows]) if rows else h[:0])
        return [torch.stack(column) for column in columns]

    def _means(self, edges: Sequence[Tensor], starts: Mapping[str, int], x: Tensor) -> list[_Matrix]:
        """The average over neighbours in each subset, all types numbered together."""
        make = partial(self._make_means, edges, starts, x)
        origins = [*edges, self.subsets]
        return self._kept.fetch(("means", as_wide(x.dtype)), origins, [*starts.items(), x.size(0)], make)

    def _make_means(self, edges: Sequence[Tensor], starts: Mapping[str, int], x: Tensor) -> list[_Matrix]:
        dtype, nodes = as_wide(x.dtype), x.size(0)
        ends = [(starts[key[0]], starts[key[2]]) for key in self.relations]
        shifted = [
            torch.stack([edge[0] + first, edge[1] + last]) for edge, (first, last) in zip(edges, ends, strict=True)
        ]
        if torch.compiler.is_compiling():  # Which subsets there are is a value of a tensor.
            every = torch.cat(shifted, dim=1)
            relation = torch.cat([torch.full_like(edge[0], number) for number, edge in enumerate(edges)])
            return [averaging(every, nodes, nodes, dtype, row[relation]) for row in self.subsets]
        chosen = [[edge for edge, inside in zip(shifted, row, strict=True) if inside] for row in self.subsets.tolist()]
        return [averaging(torch.cat(some, dim=1), nodes, nodes, dtype) for some in chosen]

    def extra_repr(self) -> str:
        """Widths, hops and subsets."""
        return f"{self.in_channels}, {self.out_channels}, num_hops={self.num_hops}, subsets={self.subsets.size(0)}"


class _MLP(nn.Sequential):
    """Linear maps with PReLU and dropout between them."""

    def __init__(self, in_channels: int, out_channels: int, num_layers: int, dropout: float) -> None:
        widths = pairwise([in_channels] + [out_channels] * num_layers)
        parts = [part for pair in widths for part in (nn.PReLU(), nn.Dropout(dropout), nn.Linear(*pair))]
        super().__init__(*parts[2:])

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for part in self:
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight, gain=_GAIN)
                nn.init.zeros_(part.bias)
            elif isinstance(part, nn.PReLU):
                part.reset_parameters()


def _weigh(h: Tensor, weight: Tensor) -> Tensor:
    """Sum over subsets [subsets, nodes, width], weighed by column [subsets, width]: one pass over `h`, nothing as large."""
    total = h[0] * weight[0]
    for part, factor in zip(h[1:], weight[1:], strict=True):
        total = torch.addcmul(total, part, factor)
    return total


def _draw(groups: Sequence[Sequence[int]], relations: int, most: int, seed: int) -> Tensor:
    """Subsets of relations [subsets, relations], groups as a whole; all of them where they are no more than `most`."""
    count = len(groups)
    chosen: dict[tuple[bool, ...], None] = {}
    if count < 32 and 2**count - 1 <= most:
        chosen = {tuple(bool(number >> place & 1) for place in range(count)): None for number in range(1, 2**count)}
    generator = torch.Generator().manual_seed(seed)
    while len(chosen) < min(most, 2**count - 1):
        row = tuple((torch.rand(count, generator=generator) < 0.5).tolist())
        if any(row):
            chosen[row] = None
    mask = torch.zeros(len(chosen), relations, dtype=torch.bool)
    for place, row in enumerate(chosen):
        for group, inside in zip(groups, row, strict=True):
            mask[place, list(group)] = inside
    return mask
