"""PyG's GPSE on tensors: in PyG it takes a batch of graphs, which holds the encodings that it is compared with."""

from typing import Any

from torch import Tensor, hstack
from torch_geometric.data import Data
from torch_geometric.nn import models
from torch_geometric.nn.inits import reset


class GPSE(models.GPSE):
    """`torch_geometric.nn.GPSE`: a deep network that tells positional and structural encodings from random values.

    It has the arguments and the weights of PyG's class, so a state dict of that fits. A virtual node is the data's affair:
    PyG's transform `VirtualNode` adds one.

    Cantürk et al., "Graph Positional and Structural Encoder", ICML 2024.

    >>> import torch
    >>> module = GPSE(5, dim_inner=8, layers_mp=2, num_node_targets=3, num_graph_targets=2)
    >>> edges, batch = torch.tensor([[0, 1, 2], [1, 0, 3]]), torch.tensor([0, 0, 1, 1])
    >>> [tuple(value.shape) for value in module(torch.randn(4, 5), edges, batch)]
    [(4, 8), (4, 3), (2, 2)]
    """

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in self.children():
            reset(module)

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        """Encode the nodes of graphs.

        Args:
            x: [num_nodes, dim_in]; PyG draws it at random.
            edge_index: [2, num_edges].
            batch: the graph of each node, [num_nodes].

        Returns:
            The encoding [num_nodes, dim_inner], and what it tells: [num_nodes, num_node_targets] and [num_graphs,
            num_graph_targets].
        """
        data: Any = Data(x=x, edge_index=edge_index)
        if hasattr(self, "pre_mp"):
            data = self.pre_mp(data)
        encoded = self.mp(data).x
        heads = self.post_mp
        pooled = heads.graph_pooling(encoded, batch)
        return encoded, hstack([head(encoded) for head in heads.node_post_mps]), heads.graph_post_mp(pooled)
