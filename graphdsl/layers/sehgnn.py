"""SeHGNN: features averaged along metapaths once, then maps of each metapath and attention among metapaths."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graphdsl.kernels import Noted
from graphdsl.layers.walking import Hop, Walker, stops_of
from graphdsl.text import EdgeKey

_GAIN = nn.init.calculate_gain("relu")


class SeHGNNConv(nn.Module):
    r"""Averages features along each metapath, hop by hop, and lets each node attend among the results.

    From `"Simple and Efficient Heterogeneous Graph Neural Network" <https://arxiv.org/abs/2207.02547>`_ (Yang et al.,
    AAAI 2023). For a metapath *P* of relations from a source
    to the target, with row-normalised :math:`\hat{\mathbf{A}}`, and the target's own features as one more:

    .. math::
        \mathbf{X}_P = \hat{\mathbf{A}}_l \cdots \hat{\mathbf{A}}_1 \mathbf{X}, \quad
        \mathbf{H}_P = \mathrm{MLP}_P(\mathbf{X}_P \mathbf{W}_{\mathrm{source}(P)}), \quad
        \alpha_{PQ} = \mathrm{softmax}_Q(\mathbf{q}_P^\top \mathbf{k}_Q / \sqrt{d}), \quad
        \mathbf{H}'_P = \gamma \sum_Q \alpha_{PQ} \mathbf{v}_Q + \mathbf{H}_P

    and for a metapath that ends where it starts, with the labels :math:`\mathbf{Y}` of training nodes, one column a class,
    :math:`\mathbf{Y}_P = \mathrm{rm\_diag}(\hat{\mathbf{A}}_l \cdots \hat{\mathbf{A}}_1) \mathbf{Y}`, mapped by a
    :math:`\mathbf{W}` of its own: no node is given its own label, up to rounding. All that is done
    for each node, and the result is a linear map of all :math:`\mathbf{H}'_P` side by side. As in the authors' code,
    each layer of the MLPs ends with a norm over metapaths and columns, PReLU and dropout, queries and keys are a quarter
    as wide as values, and :math:`\gamma` starts at 0. The averages are computed once and kept, as long as features and
    edges live and do not change, unless the features need a gradient.

    Args:
        in_channels: width by node type.
        out_channels: width of the result and of all that is inside.
        paths: hops of each metapath, as (relation, walked backwards).
        num_layers: layers of the MLPs.
        heads: attention heads.
        dropout: of the MLPs.
        input_dropout: of the features behind their first linear map.
        residual: whether to add a linear map of the node's own features.
        label_sizes: columns of the labels to propagate, by the type that has them; along all paths within the type.

    Shapes:
        - `x_dict`: [num_nodes, in_channels] of the types where metapaths begin or end; `edge_index_dict`: [2,
          num_edges] of the relations on the way; `num_nodes`: of further types on the way; `targets`: types to make; `labels`:
          [num_nodes, classes] by type, zeros where no label is known.
        - result: [num_nodes, out_channels] by the type where metapaths end.

    >>> writes = ("author", "writes", "paper")
    >>> paths = {("author", "APA", "author"): [(writes, False), (writes, True)]}
    >>> conv = SeHGNNConv({"author": 3}, 8, paths)
    >>> conv({"author": torch.randn(2, 3)}, {writes: torch.tensor([[0, 1], [0, 0]])})["author"].shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        out_channels: int,
        paths: Mapping[EdgeKey, Sequence[Hop]],
        num_layers: int = 2,
        heads: int = 1,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        residual: bool = False,
        label_sizes: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        if out_channels % (4 * heads):
            raise ValueError(f"out_channels must be a multiple of 4 × heads (got {out_channels} and {heads} heads)")
        self.out_channels, self.heads = out_channels, heads
        self.walk = Walker(paths)
        self.paths: dict[str, list[EdgeKey]] = {}
        for key in self.walk.paths:
            self.paths.setdefault(key[2], []).append(key)
        read = sorted({*self.walk.sources, *self.paths})
        # The map of a type commutes with the averages, so it is applied behind them, where rows may be fewer.
        self.embed = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(in_channels[name], out_channels)) for name in read}
        )
        sizes = label_sizes or {}
        self.label_paths = {name: [key for key in self.paths.get(name, []) if key[0] == name] for name in sizes}
        self.label_embed = nn.ModuleDict(
            {
                name: nn.ParameterList(nn.Parameter(torch.empty(sizes[name], out_channels)) for _ in keys)
                for name, keys in self.label_paths.items()
            }
        )
        inputs = {name: 1 + len(keys) + len(self.label_paths.get(name, ())) for name, keys in self.paths.items()}
        self.fusions = nn.ModuleDict(
            {name: _Fusion(out_channels, inputs[name], num_layers, heads, dropout, residual) for name in self.paths}
        )
        self.input_dropout = nn.Dropout(input_dropout)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for weight in (*self.embed.parameters(), *self.label_embed.parameters()):
            nn.init.uniform_(weight, -0.5, 0.5)
        for fusion in self.fusions.values():
            assert isinstance(fusion, _Fusion)
            fusion.reset_parameters()

    def forward(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        num_nodes: Mapping[str, int] | None = None,
        targets: Sequence[str] | None = None,
        labels: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Average, map and fuse, see the class."""
        names = [*self.paths] if targets is None else [*targets]
        walked = self.walk(x_dict, edge_index_dict, num_nodes, [key for name in names for key in self.paths[name]])
        made: dict[str, Tensor] = {}
        for name in names:
            own = self.input_dropout(x_dict[name] @ self.embed[name])
            others = [
                self.input_dropout(walked[key] @ self.embed[stops_of(self.walk.paths[key])[0]])
                for key in self.paths[name]
            ]
            if name in self.label_paths:
                others += self._labels(name, labels or {}, x_dict, edge_index_dict, num_nodes)
            carried = [("x", key) for key in self.paths[name]]
            carried += [("labels", key) for key in self.label_paths.get(name, ())]
            made[name] = self.fusions[name](torch.stack([own, *others], dim=1), name, [("x", None), *carried])
        return made

    def _labels(
        self,
        name: str,
        labels: Mapping[str, Tensor],
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        num_nodes: Mapping[str, int] | None,
    ) -> list[Tensor]:
        """What arrives of the labels of other nodes along each path, mapped."""
        keys, given = self.label_paths[name], labels[name].to(x_dict[name].dtype)
        sizes = self.walk.sizes(x_dict, edge_index_dict, num_nodes)
        walked = self.walk({name: given}, edge_index_dict, sizes, keys)
        found: list[Tensor] = []
        for key, weight in zip(keys, self.label_embed[name].parameters(), strict=True):
            own = self.walk.returning(key, given, edge_index_dict, sizes).to(given.dtype).unsqueeze(-1) * given
            others = walked[key] - own
            # Where nothing but the own label came, rounding may leave a rest of it.
            rest = len(self.walk.paths[key]) * 4 * torch.finfo(given.dtype).eps
            others = torch.where(others.abs() <= rest * own.abs(), torch.zeros_like(others), others)
            found.append(self.input_dropout(others @ weight))
        return found

    def extra_repr(self) -> str:
        """Width, heads and number of metapaths."""
        return f"{self.out_channels}, heads={self.heads}, paths={len(self.walk.paths)}"


class _Fusion(nn.Module):
    """From [nodes, paths, channels] to [nodes, channels]: an MLP for each path, attention among paths, a linear map."""

    def __init__(self, channels: int, paths: int, num_layers: int, heads: int, dropout: float, residual: bool) -> None:
        super().__init__()
        self.heads = heads
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(paths, channels, channels)) for _ in range(num_layers))
        self.biases = nn.ParameterList(nn.Parameter(torch.empty(paths, channels)) for _ in range(num_layers))
        self.norms = nn.ModuleList(nn.LayerNorm([paths, channels]) for _ in range(num_layers))
        self.acts = nn.ModuleList(nn.PReLU() for _ in range(num_layers))
        self.dropout, self.noted = nn.Dropout(dropout), Noted()
        self.query = nn.Linear(channels, channels // 4)
        self.key = nn.Linear(channels, channels // 4)
        self.value = nn.Linear(channels, channels)
        self.gamma = nn.Parameter(torch.empty(1))
        self.lin = nn.Linear(paths * channels, channels)
        self.res = nn.Linear(channels, channels, bias=False) if residual else None

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            nn.init.zeros_(bias)
            for part in weight:
                nn.init.xavier_uniform_(part, gain=_GAIN)
        for module in (*self.norms, *self.acts):
            module.reset_parameters()  # type: ignore[operator]
        for lin in (self.query, self.key, self.value, self.lin, *([self.res] if self.res is not None else [])):
            nn.init.xavier_uniform_(lin.weight, gain=_GAIN)
            if lin.bias is not None:
                nn.init.zeros_(lin.bias)
        nn.init.zeros_(self.gamma)

    def forward(self, x: Tensor, name: str, inputs: Sequence[tuple[str, EdgeKey | None]]) -> Tensor:
        """Fuse; the first path is the node's own features."""
        h = x
        for weight, bias, norm, act in zip(self.weights, self.biases, self.norms, self.acts, strict=True):
            h = self.dropout(act(norm(torch.einsum("nmc,mcd->nmd", h, weight) + bias)))
        nodes, paths, channels = h.shape
        query, key, value = (
            lin(h).view(nodes, paths, self.heads, -1).transpose(1, 2) for lin in (self.query, self.key, self.value)
        )
        share = (query @ key.transpose(-1, -2) / query.size(-1) ** 0.5).softmax(dim=-1)
        share = self.noted(share, "fused", name, inputs)
        h = self.gamma * (share @ value).transpose(1, 2).reshape(nodes, paths, channels) + h
        out = self.lin(h.flatten(1))
        return out if self.res is None else out + self.res(x[:, 0])
