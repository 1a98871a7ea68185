"""`PANConv` and `PANPooling` without torch-sparse: their matrix is an edge index and a weight of each edge."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric import nn as pyg

from graphdsl.kernels import compose


@dataclass(frozen=True, slots=True)
class _Matrix:
    """What PyG's `PANPooling` asks of a sparse matrix."""

    edge_index: Tensor
    weight: Tensor

    def coo(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (targets), columns (sources) and values."""
        return self.edge_index[1], self.edge_index[0], self.weight


class PANConv(pyg.PANConv):
    """PyG's `PANConv`: paths of every length up to `filter_size`, weighed by learned numbers.

    PyG's own computes with matrices of the package torch-sparse, and returns one. Here paths are counted
    without it, and what is returned beside the values are the edges of that matrix and
    their weights, which any layer with an `edge_weight` can read. Parameters and state dict are PyG's.

    Shapes:
        - `x`: [num_nodes, in_channels].
        - `edge_index`: [2, num_edges].
        - result: [num_nodes, out_channels], [2, num_paths], [num_paths].

    Ma et al., "Path Integral Based Convolution and Pooling for Graph Neural Networks", 2020.

    >>> path = torch.tensor([[0, 1], [1, 2]])
    >>> x, edge_index, weight = PANConv(4, 8, filter_size=2)(torch.ones(3, 4), path)
    >>> x.shape, edge_index.shape  # three nodes themselves, two steps, one path of two steps
    (torch.Size([3, 8]), torch.Size([2, 6]))
    """

    def forward(self, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        """Values of nodes, and the matrix that carried them."""
        nodes = x.size(0)
        places, terms = self._terms(x, edge_index)
        cells, which = places.unique(return_inverse=True)
        value = terms.new_zeros(cells.numel()).index_add(0, which, terms)
        target, source = cells // max(nodes, 1), cells % max(nodes, 1)
        scale = torch.bincount(target, minlength=nodes).to(value.dtype).pow(-0.5)
        weight = scale[target] * value * scale[source]
        out = x.new_zeros(x.shape).index_add(0, target, weight.unsqueeze(-1) * x[source])
        return self.lin(out), torch.stack([source, target]), weight

    def _terms(self, x: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
        """Cells (target times nodes plus source) and values of all powers of the adjacency matrix, each by its weight."""
        nodes = x.size(0)
        weight = self.weight[0]
        places, values = [torch.arange(nodes, device=x.device) * (nodes + 1)], [weight.expand(nodes)]
        for hops in range(1, self.filter_size + 1 if edge_index.size(1) else 1):
            paths, count = compose([edge_index] * hops, [nodes] * (hops + 1), "count")
            assert count is not None, "paths are counted"
            weight = weight * self.weight[hops]
            places.append(paths[1] * nodes + paths[0])
            values.append(count.to(x.dtype) * weight)
        return torch.cat(places), torch.cat(values)


class PANPooling(pyg.PANPooling):
    """PyG's `PANPooling`, which reads the edges and weights that `PANConv` returns, instead of a sparse matrix.

    Shapes:
        - `x`: [num_nodes, in_channels], `edge_index`: [2, num_paths], `edge_weight`: [num_paths], `batch`: [num_nodes].
        - result: `x`, `edge_index`, `edge_weight` and `batch` of the nodes that are left, their numbers, and their scores.

    Ma et al., "Path Integral Based Convolution and Pooling for Graph Neural Networks", 2020.
    """

    def forward(  # type: ignore[override]
        self, x: Tensor, edge_index: Tensor, edge_weight: Tensor, batch: Tensor | None = None
    ) -> tuple[Any, ...]:
        """Keep the nodes of each graph that score highest."""
        matrix: Any = _Matrix(edge_index, edge_weight)
        return super().forward(x, matrix, batch)
