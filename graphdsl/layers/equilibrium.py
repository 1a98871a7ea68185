"""`EquilibriumAggregation` where gradients are switched off."""

from torch import Tensor, enable_grad, inference_mode, is_grad_enabled
from torch_geometric.nn.aggr import EquilibriumAggregation as Base


class EquilibriumAggregation(Base):
    """PyG's `EquilibriumAggregation`, which may also run without gradients.

    Its forward pass is a gradient descent. PyG's own fails in `torch.inference_mode`, where no gradient can be taken, and
    under `torch.no_grad` it returns a value with the graph of all its steps. Here the steps have gradients of their own in
    either, and what is returned has one only where they are switched on. Values, parameters and state dict are PyG's.

    Shapes:
        - `x`: [num_nodes, in_channels].
        - `index`: [num_nodes], the graph of each node; all nodes are one graph without it.
        - result: [num_graphs, out_channels].

    >>> import torch
    >>> layer = EquilibriumAggregation(3, 4, num_layers=[8])
    >>> with torch.inference_mode():
    ...     layer(torch.ones(2, 3), torch.tensor([0, 1])).shape
    torch.Size([2, 4])
    """

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
    ) -> Tensor:
        """Rows [num_graphs, out_channels]."""
        index = x.new_zeros(x.size(0)).long() if index is None else index
        if is_grad_enabled():
            return super().forward(x, index, ptr, dim_size, dim)
        with inference_mode(False), enable_grad():
            # A copy is an ordinary tensor again, of which a graph can be made.
            return super().forward(x.clone(), index.clone(), ptr, dim_size, dim).detach()
