"""PyG's layers on NVIDIA's cuGraph kernels, which take an ordinary `edge_index` here.

PyG's own take an `EdgeIndex` that knows how many nodes there are. They need `pylibcugraphops` and a GPU, serve relations
within one type, and have the parameters of PyG's classes.
"""

from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.nn import CuGraphGATConv as GATBase
from torch_geometric.nn import CuGraphRGCNConv as RGCNBase
from torch_geometric.nn import CuGraphSAGEConv as SAGEBase


def as_edge_index(edge_index: Tensor, num_nodes: int) -> EdgeIndex:
    """Edges [2, num_edges] with the number of nodes at both ends.

    >>> import torch
    >>> as_edge_index(torch.tensor([[0, 1], [1, 2]]), 4).sparse_size()
    (4, 4)
    """
    return EdgeIndex(edge_index, sparse_size=(num_nodes, num_nodes))  # pyright: ignore[reportCallIssue]


class CuGraphSAGEConv(SAGEBase):
    """PyG's `CuGraphSAGEConv` on an ordinary `edge_index`."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """From [num_nodes, in_channels] to [num_nodes, out_channels]."""
        return super().forward(x, as_edge_index(edge_index, x.size(0)))


class CuGraphGATConv(GATBase):
    """PyG's `CuGraphGATConv` on an ordinary `edge_index`; it adds no self-loops."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """From [num_nodes, in_channels] to [num_nodes, heads * out_channels]."""
        return super().forward(x, as_edge_index(edge_index, x.size(0)), None)  # pyright: ignore[reportArgumentType]


class CuGraphRGCNConv(RGCNBase):
    """PyG's `CuGraphRGCNConv` on an ordinary `edge_index`."""

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """From [num_nodes, in_channels] to [num_nodes, out_channels]; `edge_type` [num_edges] says which relation."""
        return super().forward(x, as_edge_index(edge_index, x.size(0)), edge_type)
