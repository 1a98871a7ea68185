"""PyG's Polynormer with its global attention as an argument: in PyG a private switch that training scripts turn."""

from typing import Any

from torch_geometric.nn import models


class Polynormer(models.Polynormer):
    """`torch_geometric.nn.Polynormer`: polynomials of local messages, then linear attention between all nodes of a graph.

    Args:
        *arguments: those of PyG's class.
        global_attention: whether the attention works; without it only the local layers do, as PyG begins.
        **named: those of PyG's class.

    Deng et al., "Polynormer: Polynomial-Expressive Graph Transformer in Linear Time", ICLR 2024.
    """

    def __init__(self, *arguments: Any, global_attention: bool = True, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._global = global_attention
