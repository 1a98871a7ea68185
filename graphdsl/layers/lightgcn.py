"""LightGCN on several node types: a vector for every node, propagated and averaged."""

from typing import Any

from torch import Tensor
from torch_geometric.nn import models


class LightGCN(models.LightGCN):
    r"""`torch_geometric.nn.LightGCN` that gives vectors of nodes, for numbers of any of them.

    .. math::
        \mathbf{x}_i = \sum_{l=0}^{L} \alpha_l \mathbf{x}_i^{(l)}, \qquad
        \mathbf{x}_i^{(l+1)} = \sum_j \frac{1}{\sqrt{\deg(i) \deg(j)}} \mathbf{x}_j^{(l)}

    Shapes:
        - `x`: numbers [rows] of nodes among all of all types; `edge_index`: [2, num_edges] between rows;
          `edge_weight`: [num_edges].
        - result: [rows, embedding_dim]; with the numbers of all nodes in order, PyG's `get_embedding`.

    Args:
        num_nodes: how many nodes there are.
        embedding_dim: columns of a vector.
        num_layers: how often vectors are propagated.
        alpha: the weight of every layer; None = 1 / (num_layers + 1).
        normalize: divide by degrees, as above.

    He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation", SIGIR 2020.
    """

    def __init__(
        self, num_nodes: int, embedding_dim: int, num_layers: int, alpha: float | None = None, normalize: bool = True
    ) -> None:
        super().__init__(num_nodes, embedding_dim, num_layers, alpha, normalize=normalize)

    def forward(  # type: ignore[override]
        self, x: Tensor, edge_index: Tensor, edge_type: Any = None, edge_weight: Tensor | None = None
    ) -> Tensor:
        """The vectors of the nodes; the kind of an edge makes no difference."""
        value, alpha = self.embedding(x), self.get_buffer("alpha")
        out = value * alpha[0]
        for place, conv in enumerate(self.convs, 1):
            value = conv(value, edge_index, edge_weight)
            out = out + value * alpha[place]
        return out
