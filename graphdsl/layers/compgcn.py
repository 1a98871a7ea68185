"""CompGCN: nodes and relations are embedded together, a message is a composition of both."""

from collections.abc import Callable, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.nn.inits import glorot, zeros
from torch_geometric.nn.resolver import activation_resolver
from torch_geometric.typing import OptTensor
from torch_geometric.utils import degree

from graphdsl.kernels import is_large, sum_differences, sum_products
from graphdsl.layers.joining import is_watched

Composition = Literal["sub", "mult", "corr"]
DIRECTIONS = 2
"""Original and inverse; loops have a weight of their own."""


def _spectrum(values: Tensor) -> Tensor:
    """Fourier coefficients [rows, columns // 2 + 1], never in half precision, for which there is no transform."""
    values = values if values.dtype == torch.double else values.float()
    return torch.fft.rfft(values) if values.size(0) else torch.fft.rfft(values.new_zeros(1, values.size(1)))[:0]


def _signal(coefficients: Tensor, width: int) -> Tensor:
    """What `_spectrum` had, of this width."""
    if coefficients.size(0):
        return torch.fft.irfft(coefficients, n=width)
    return coefficients.real.new_zeros(0, width)  # the FFT of no rows fails on some machines


class CompGCNLayer(MessagePassing):
    r"""One layer of CompGCN.

    .. math::
        \mathbf{h}'_v &= \sum_{(u, r) \in \mathcal{N}(v)} \mathbf{W}_{\lambda(r)} \, \phi(\mathbf{x}_u, \mathbf{z}_r)
        + \mathbf{W}_S \, \phi(\mathbf{x}_v, \mathbf{z}_\circ)

        \mathbf{h}_r &= \mathbf{W}_\mathrm{rel} \, \mathbf{z}_r

    where :math:`\lambda(r)` says whether a relation is an original or an inverse, and :math:`\phi` is a difference, a
    product or a circular correlation. All three are linear in the nodes, so messages are added up before they are mapped;
    correlations are added up as Fourier coefficients.

    Args:
        in_channels: width of nodes and relations.
        out_channels: width of the result.
        composition: "sub", "mult" or "corr".
        normalize: divide a message by the square root of the degrees of its two ends (in its direction), and the sum by 3.
        dropout: of what arrives along edges.
        bias: add a learned row.
        last: nobody reads the relations behind this layer, so they are not mapped.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        composition: Composition = "sub",
        normalize: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        last: bool = False,
    ) -> None:
        super().__init__(aggr="add", node_dim=0)
        self.in_channels = in_channels
        self.composition: Composition = composition
        self.normalize = normalize
        self.dropout = dropout
        self.weight = nn.Parameter(torch.empty(DIRECTIONS, in_channels, out_channels))
        self.lin_loop = Linear(in_channels, out_channels, bias=False, weight_initializer="glorot")
        self.loop = nn.Parameter(torch.empty(1, in_channels))
        options = {"bias": False, "weight_initializer": "glorot"}
        self.lin_relation = None if last else Linear(in_channels, out_channels, **options)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        glorot(self.weight)
        glorot(self.loop)
        self.lin_loop.reset_parameters()
        if self.lin_relation is not None:
            self.lin_relation.reset_parameters()
        zeros(self.bias)

    def forward(
        self, x: Tensor, relations: Tensor, edge_index: Tensor, edge_type: Tensor, direction: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One step.

        Args:
            x: [num_nodes, in_channels], all types together.
            relations: [num_relations, in_channels].
            edge_index: [2, num_edges].
            edge_type: relation of each edge [num_edges].
            direction: 0 or 1, original or inverse, of each edge [num_edges].

        Returns:
            Nodes [num_nodes, out_channels] and relations [num_relations, out_channels] (as they came, in a last layer).
        """
        rows = edge_index[1] * DIRECTIONS + direction
        scale = self._scale(edge_index[0] * DIRECTIONS + direction, rows, x.size(0)) if self.normalize else None
        nodes, known = (x, relations) if self.composition != "corr" else (_spectrum(x).conj(), _spectrum(relations))
        sizes = (x.size(0), x.size(0) * DIRECTIONS)
        plain = self.composition != "corr" and scale is None and not is_watched(self)
        if plain and is_large(x, edge_index.size(1)):
            compose = sum_products if self.composition == "mult" else sum_differences
            arrived = compose(x, relations.to(x.dtype), edge_index[0], edge_type, rows, sizes[1])
        else:
            index = torch.stack([edge_index[0], rows])
            arrived = self.propagate(index, x=(nodes, None), known=known, kind=edge_type, scale=scale, size=sizes)
        if self.composition == "corr":
            arrived = _signal(torch.view_as_complex(arrived), self.in_channels)
        arrived = arrived.reshape(x.size(0), DIRECTIONS * self.in_channels) @ self.weight.flatten(0, 1)
        out = functional.dropout(arrived, self.dropout, self.training) + self.lin_loop(self._compose(x, self.loop))
        out = out / 3 if self.normalize else out
        out = out if self.bias is None else out + self.bias
        return out, relations if self.lin_relation is None else self.lin_relation(relations)

    def message(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x_j: Tensor, known: Tensor, kind: Tensor, scale: OptTensor
    ) -> Tensor:
        """Compositions [num_edges, in_channels]; of correlations real and imaginary parts of the coefficients."""
        relation = known.index_select(0, kind)
        made = x_j - relation if self.composition == "sub" else x_j * relation
        made = torch.view_as_real(made) if made.is_complex() else made
        return made if scale is None else made * scale.view(-1, *[1] * (made.dim() - 1)).to(made.dtype)

    def _compose(self, x: Tensor, relation: Tensor) -> Tensor:
        if self.composition == "corr":
            return _signal(_spectrum(x).conj() * _spectrum(relation), self.in_channels)
        return x - relation if self.composition == "sub" else x * relation

    def _scale(self, sources: Tensor, targets: Tensor, num_nodes: int) -> Tensor:
        """One number per edge [num_edges], from the degrees of its ends among the edges of its direction."""
        out = degree(sources, num_nodes * DIRECTIONS, torch.float).index_select(0, sources)
        return (out * degree(targets, num_nodes * DIRECTIONS, torch.float).index_select(0, targets)).rsqrt()


class CompGCNConv(nn.Module):
    r"""Layers of CompGCN (see `CompGCNLayer`), which hand the embeddings of relations on.

    From `"Composition-based Multi-Relational Graph Convolutional Networks" <https://arxiv.org/abs/1911.03082>`_ (Vashishth
    et al., ICLR 2020). Each layer makes new embeddings of relations from those of the layer before, so layers that share
    them are one module. Between the layers stands `act`, behind the last nothing. Inverse relations are relations like
    others, with embeddings of their own: `inverse_of` tells which they are.

    Args:
        in_channels: width of the nodes of all types, and of the first embeddings of relations.
        out_channels: width behind each layer.
        num_relations: number of relations, inverses included.
        inverse_of: for each relation the number of its original, which for an original is its own; any other number
            marks an inverse. Left out, all are originals.
        num_layers: number of layers.
        composition: of a node and a relation: "sub", "mult" or "corr" (circular correlation).
        num_bases: the first embeddings of relations are mixtures of so many learned rows; None gives each its own.
        normalize: divide a message by the square root of the degrees of its ends, and the sum by 3, as the authors' code.
        dropout: of what arrives along edges.
        bias: add a learned row in each layer.
        act: activation between layers: a name, a module, or None.

    Shapes:
        x [num_nodes, in_channels], edge_index [2, num_edges] and edge_type [num_edges] give [num_nodes, out_channels].

    >>> conv = CompGCNConv(4, 8, num_relations=2, inverse_of=[0, 0], composition="corr")
    >>> edge_index, edge_type = torch.tensor([[0, 2], [2, 0]]), torch.tensor([0, 1])
    >>> conv(torch.randn(3, 4), edge_index, edge_type).shape
    torch.Size([3, 8])
    """

    direction: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_relations: int,
        inverse_of: Sequence[int] | None = None,
        num_layers: int = 1,
        composition: Composition = "sub",
        num_bases: int | None = None,
        normalize: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        act: str | Callable[[Tensor], Tensor] | None = "tanh",
    ) -> None:
        super().__init__()
        originals = list(range(num_relations)) if inverse_of is None else list(inverse_of)
        if len(originals) != num_relations:
            raise ValueError(f"`inverse_of` has {len(originals)} numbers for {num_relations} relations")
        flags = [int(original != number) for number, original in enumerate(originals)]
        self.register_buffer("direction", torch.tensor(flags, dtype=torch.long), persistent=False)
        self.act = activation_resolver(act)
        self.relation = nn.Parameter(torch.empty(num_bases or num_relations, in_channels))
        self.mixture = nn.Parameter(torch.empty(num_relations, num_bases)) if num_bases else None
        widths = [in_channels] + [out_channels] * (num_layers - 1)
        layers = [
            CompGCNLayer(width, out_channels, composition, normalize, dropout, bias, last=number == num_layers - 1)
            for number, width in enumerate(widths)
        ]
        self.layers = nn.ModuleList(layers)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        glorot(self.relation)
        glorot(self.mixture)
        for layer in self.layers:
            cast(CompGCNLayer, layer).reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
        """All layers; see the class for shapes."""
        direction = self.direction.index_select(0, edge_type)
        relations = self.relation if self.mixture is None else self.mixture @ self.relation
        for number, layer in enumerate(self.layers):
            if number and self.act is not None:
                x = self.act(x)
            x, relations = layer(x, relations, edge_index, edge_type, direction)
        return x
