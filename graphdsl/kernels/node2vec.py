"""node2vec without pyg-lib: PyG's class refuses to be built where that package is missing."""

import torch
from torch import Tensor, nn

_TINY = 1e-15
"""What PyG adds before each logarithm."""


class Node2Vec(nn.Module):
    """A vector for each node, such that nodes of one walk are alike (Grover and Leskovec, 2016).

    Parameters, loss and state dict are those of `torch_geometric.nn.Node2Vec`; walks are drawn by
    `graphdsl.kernels.walks`.

    Args:
        num_nodes: how many nodes there are.
        embedding_dim: columns of a vector.
        walk_length: nodes of each walk, the first included, as in PyG.
        context_size: nodes of a window, the first of which is compared with the others.
        walks_per_node: walks from each node in each pass.
        p: return parameter.
        q: in-out parameter.
        num_negative_samples: random walks without an edge for each walk.
        sparse: whether gradients are sparse, for `SparseAdam`.

    Example:
        >>> Node2Vec(5, 8, walk_length=4, context_size=2)().shape
        torch.Size([5, 8])
    """

    def __init__(
        self,
        num_nodes: int,
        embedding_dim: int,
        walk_length: int,
        context_size: int,
        walks_per_node: int = 1,
        p: float = 1.0,
        q: float = 1.0,
        num_negative_samples: int = 1,
        sparse: bool = False,
    ) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.walk_length, self.context_size = walk_length - 1, context_size
        self.walks_per_node, self.num_negative_samples = walks_per_node, num_negative_samples
        self.p, self.q = p, q
        self.embedding = nn.Embedding(num_nodes, embedding_dim, sparse=sparse)

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        self.embedding.reset_parameters()

    def forward(self, batch: Tensor | None = None) -> Tensor:
        """The vectors [nodes, embedding_dim] of these nodes, or of all."""
        return self.embedding.weight if batch is None else self.embedding.weight[batch]

    def loss(self, pos_rw: Tensor, neg_rw: Tensor) -> Tensor:
        """The first node of each window against the others: alike in walks, unlike in random ones.

        Args:
            pos_rw: windows of walks, shape [windows, context_size].
            neg_rw: windows of random nodes, shape [windows, context_size].
        """
        alike = -torch.log(torch.sigmoid(self._products(pos_rw)) + _TINY).mean()
        return alike - torch.log(1 - torch.sigmoid(self._products(neg_rw)) + _TINY).mean()

    def _products(self, walks: Tensor) -> Tensor:
        first, others = self.embedding(walks[:, :1]), self.embedding(walks[:, 1:])
        return (first * others).sum(-1).reshape(-1)

    def extra_repr(self) -> str:
        """How the walks go."""
        return f"walk_length={self.walk_length + 1}, context_size={self.context_size}, p={self.p}, q={self.q}"
