"""The layer itself, as one writes it for PyG."""

import torch
from torch import Tensor
from torch_geometric.nn import Linear, MessagePassing
from torch_geometric.typing import OptTensor


class GateConv(MessagePassing):
    """Mean of the neighbours, each behind a gate that reads the edge, plus the node itself."""

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        steepness: float = 1.0,
        bias: bool = True,
        edge_dim: int | None = None,
    ) -> None:
        super().__init__(aggr="mean")
        source, target = (in_channels, in_channels) if isinstance(in_channels, int) else in_channels
        self.steepness = steepness
        self.lin = Linear(source, out_channels, bias=False)
        self.root = Linear(target, out_channels, bias=bias)
        self.gate = None if edge_dim is None else Linear(edge_dim, 1)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        for module in (self.lin, self.root, *(() if self.gate is None else (self.gate,))):
            module.reset_parameters()

    def forward(self, x: Tensor | tuple[Tensor, Tensor], edge_index: Tensor, edge_attr: OptTensor = None) -> Tensor:
        """Values [num_targets, out_channels]."""
        source, target = (x, x) if isinstance(x, Tensor) else x
        out = self.propagate(
            edge_index, x=(self.lin(source), None), edge_attr=edge_attr, size=(len(source), len(target))
        )
        return out + self.root(target)

    def message(self, x_j: Tensor, edge_attr: OptTensor) -> Tensor:
        """Values behind the gate."""
        return x_j if self.gate is None else torch.sigmoid(self.steepness * self.gate(edge_attr)) * x_j
