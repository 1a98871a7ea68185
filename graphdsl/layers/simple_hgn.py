"""SimpleHGN: attention that knows the relation of an edge, and remembers what the layer before attended to."""

from collections.abc import Callable
from math import sqrt
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.nn.resolver import activation_resolver
from torch_geometric.utils import remove_self_loops, softmax


class SimpleHGNLayer(MessagePassing):
    r"""One layer of SimpleHGN.

    Of one head:

    .. math::
        \hat\alpha_{ij} &= \mathrm{softmax}_j\, \mathrm{LeakyReLU}\left(\mathbf{a}^\top
        [\mathbf{W} \mathbf{h}_i \,\Vert\, \mathbf{W} \mathbf{h}_j \,\Vert\, \mathbf{W}_r \mathbf{r}_{\psi(ij)}]\right)

        \alpha^{(l)}_{ij} &= (1 - \beta) \, \hat\alpha^{(l)}_{ij} + \beta \, \alpha^{(l-1)}_{ij}

        \mathbf{h}'_i &= \sum_j \alpha_{ij} \mathbf{W} \mathbf{h}_j + \mathbf{W}_\mathrm{res} \mathbf{h}_i

    The sum and the softmax run over the edges into *i*, of all relations together.

    Args:
        in_channels: width of the nodes.
        out_channels: width of each head.
        num_relations: number of relations; `edge_type` is less.
        heads: number of heads.
        relation_channels: width of the relations' embeddings.
        beta: share of the attention of the layer before.
        negative_slope: of the LeakyReLU.
        dropout: of nodes and of attention.
        residual: add the node's own value.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_relations: int,
        heads: int = 1,
        relation_channels: int = 64,
        beta: float = 0.05,
        negative_slope: float = 0.05,
        dropout: float = 0.0,
        residual: bool = True,
    ) -> None:
        super().__init__(aggr="add", node_dim=0)
        self.out_channels = out_channels
        self.heads = heads
        self.beta = beta
        self.negative_slope = negative_slope
        self.dropout = dropout
        self.lin = Linear(in_channels, heads * out_channels, bias=False)
        self.relation = nn.Embedding(num_relations, relation_channels)
        self.lin_relation = Linear(relation_channels, heads * relation_channels, bias=False)
        self.att_source = nn.Parameter(torch.empty(1, heads, out_channels))
        self.att_target = nn.Parameter(torch.empty(1, heads, out_channels))
        self.att_relation = nn.Parameter(torch.empty(1, heads, relation_channels))
        self.res = Linear(in_channels, heads * out_channels, bias=False) if residual else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as the authors do."""
        super().reset_parameters()
        self.relation.reset_parameters()
        weights = [self.lin.weight, self.lin_relation.weight, self.att_source, self.att_target, self.att_relation]
        for weight in (*weights, *(() if self.res is None else (self.res.weight,))):
            nn.init.xavier_normal_(weight, gain=sqrt(2))

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_type: Tensor, attention: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """One step.

        Args:
            x: [num_nodes, in_channels], all types together.
            edge_index: [2, num_edges], source and target.
            edge_type: relation of each edge [num_edges].
            attention: what the layer before gave back: the same edges, as many heads.

        Returns:
            Values [num_nodes, heads, out_channels] and attention [num_edges, heads]. The attention carries no gradient,
            as in the authors' code: a layer does not learn from what later layers do with its weights.
        """
        x = functional.dropout(x, self.dropout, self.training)
        sent = self.lin(x).view(-1, self.heads, self.out_channels)
        relation = self.lin_relation(self.relation.weight).view(-1, self.heads, self.relation.embedding_dim)
        alpha = (
            (sent * self.att_source).sum(-1).index_select(0, edge_index[0])
            + (sent * self.att_target).sum(-1).index_select(0, edge_index[1])
            + (relation * self.att_relation).sum(-1).index_select(0, edge_type)
        )
        alpha = softmax(functional.leaky_relu(alpha, self.negative_slope), edge_index[1], num_nodes=x.size(0))
        alpha = functional.dropout(alpha, self.dropout, self.training)
        if attention is not None:
            alpha = (1 - self.beta) * alpha + self.beta * attention
        out = self.propagate(edge_index, x=sent, alpha=alpha)
        if self.res is not None:
            out = out + self.res(x).view_as(out)
        return out, alpha.detach()

    def message(self, x_j: Tensor, alpha: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Weighted values [num_edges, heads, out_channels]."""
        return alpha.unsqueeze(-1) * x_j


class SimpleHGNConv(nn.Module):
    r"""Layers of SimpleHGN (see `SimpleHGNLayer`), whose attention is handed on from one to the next.

    From `"Are we really making much progress? Revisiting, benchmarking and refining heterogeneous graph neural networks"
    <https://arxiv.org/abs/2112.14936>`_ (Lv et al., KDD 2021). The residual of the attention joins layers, so all layers
    that share it are one module. Between them stands `act`, behind the last nothing.

    Args:
        in_channels: width of the nodes, of all types.
        out_channels: width of each head in each layer.
        num_relations: number of relations.
        num_layers: number of layers.
        heads: number of heads in each layer.
        concat: heads of the last layer side by side; their mean otherwise.
        relation_channels: width of the relations' embeddings.
        beta: share of the attention of the layer before.
        negative_slope: of the LeakyReLU of the attention.
        dropout: of nodes and of attention, in each layer.
        residual: add each node's own value in each layer.
        add_self_loops: an edge from each node to itself, with a relation of its own; edges of the graph from a node to
            itself give way to it.
        normalize: bring each row of the result to length 1.
        act: activation between layers: a name, a module, or None.

    Shapes:
        x [num_nodes, in_channels], edge_index [2, num_edges] and edge_type [num_edges] give [num_nodes, heads *
        out_channels], or [num_nodes, out_channels] without `concat`.

    >>> conv = SimpleHGNConv(4, 8, num_relations=2, num_layers=2, heads=3)
    >>> edge_index, edge_type = torch.tensor([[0, 1], [2, 2]]), torch.tensor([0, 1])
    >>> conv(torch.randn(3, 4), edge_index, edge_type).shape
    torch.Size([3, 24])
    """

    loops: ClassVar = "replaced"
    """What `add_self_loops` does: edges from a node to itself give way to the loops behind all edges."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_relations: int,
        num_layers: int = 1,
        heads: int = 1,
        concat: bool = True,
        relation_channels: int = 64,
        beta: float = 0.05,
        negative_slope: float = 0.05,
        dropout: float = 0.0,
        residual: bool = True,
        add_self_loops: bool = True,
        normalize: bool = False,
        act: str | Callable[[Tensor], Tensor] | None = "elu",
    ) -> None:
        super().__init__()
        self.num_relations = num_relations
        self.concat = concat
        self.add_self_loops = add_self_loops
        self.normalize = normalize
        self.act = activation_resolver(act)
        widths = [in_channels] + [heads * out_channels] * (num_layers - 1)
        known = num_relations + int(add_self_loops)
        options = (known, heads, relation_channels, beta, negative_slope, dropout, residual)
        self.layers = nn.ModuleList([SimpleHGNLayer(width, out_channels, *options) for width in widths])

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for layer in self.layers:
            assert isinstance(layer, SimpleHGNLayer)
            layer.reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
        """All layers; see the class for shapes."""
        if self.add_self_loops:
            edge_index, edge_type = self._with_loops(edge_index, edge_type, x.size(0))
        attention: Tensor | None = None
        out = x
        for number, layer in enumerate(self.layers):
            if number and self.act is not None:
                x = self.act(x)
            out, attention = layer(x, edge_index, edge_type, attention)
            x = out.flatten(1)
        result = x if self.concat else out.mean(1)
        return functional.normalize(result, dim=-1) if self.normalize else result

    def _with_loops(self, edge_index: Tensor, edge_type: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
        edge_index, kept = remove_self_loops(edge_index, edge_type)
        nodes = torch.arange(num_nodes, device=edge_index.device)
        types = torch.cat([kept, kept.new_full((num_nodes,), self.num_relations)])
        return torch.cat([edge_index, torch.stack([nodes, nodes])], dim=1), types
