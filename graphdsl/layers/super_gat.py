"""PyG's `SuperGATConv`, on graphs too small to draw a negative edge from."""

from typing import ClassVar

from torch import Tensor
from torch_geometric import nn as pyg


class SuperGATConv(pyg.SuperGATConv):
    """Attention that learns, by a loss of its own, which nodes are joined by an edge (Kim and Oh, 2021).

    PyG's class fails in training where no negative edge is drawn, as in a batch with one edge; this one goes on. Arguments,
    weights and results are those of PyG.
    """

    propagate_type: ClassVar = {"x": Tensor}
    """Arguments of `propagate`, which PyG reads from a comment in its own class."""

    def negative_sampling(self, edge_index: Tensor, num_nodes: int, batch: Tensor | None = None) -> Tensor:
        """Pairs without an edge, shape [2, num_pairs]: whole numbers, even if there is none."""
        return super().negative_sampling(edge_index, num_nodes, batch).long()

    def get_attention_loss(self) -> Tensor:
        """The attention loss of the latest forward pass; 0 in eval mode, and where there was no pair to learn from."""
        if self.training and self.att_x is not None and self.att_x.size(0) == 0:
            return self.att_x.sum()
        return super().get_attention_loss()
