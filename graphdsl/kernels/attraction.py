"""Attraction and repulsion of two nodes, as a scorer of pairs."""

from torch import Tensor, nn
from torch_geometric.nn import ARLinkPredictor

from graphdsl.kernels.scoring import PairScorer


class AttractRepel(PairScorer):
    """`torch_geometric.nn.ARLinkPredictor`: how alike nodes attract less how alike they repel.

    One network reads both ends. Scores are PyG's before its sigmoid, which the loss brings. The state dict is PyG's.

    Args:
        in_channels: columns of both ends.
        hidden_channels: of the layers before the two embeddings.
        out_channels: of both embeddings together; None = as many as hidden.
        num_layers: with the last.
        dropout: behind each layer but the last.
        attract_ratio: the share of the columns that attract.

    Peysakhovich et al., "Pseudo-Euclidean Attract-Repel Embeddings for Undirected Graphs", 2021.

    >>> import torch
    >>> AttractRepel(4, 8)(torch.ones(3, 4), torch.ones(3, 4)).shape
    torch.Size([3, 1])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int | None = None,
        num_layers: int = 2,
        dropout: float = 0.0,
        attract_ratio: float = 0.5,
    ) -> None:
        super().__init__()
        made = ARLinkPredictor(in_channels, hidden_channels, out_channels, num_layers, dropout, attract_ratio)
        self.lins: nn.ModuleList = made.lins
        self.lin_attract: nn.Module = made.lin_attract
        self.lin_repel: nn.Module = made.lin_repel
        self.dropout = dropout

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as PyG's class does."""
        ARLinkPredictor.reset_parameters(self)  # type: ignore[arg-type]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Columns that attract and columns that repel, of rows [num_nodes, in_channels]."""
        return ARLinkPredictor.encode(self, x)  # type: ignore[arg-type]

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Products of what attracts less those of what repels, shape [pairs, 1]."""
        (pulls, pushes), (pulled, pushed) = self.encode(source), self.encode(target)
        return (pulls * pulled).sum(-1, keepdim=True) - (pushes * pushed).sum(-1, keepdim=True)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, 1]."""
        (pulls, pushes), (pulled, pushed) = self.encode(source), self.encode(target)
        return (pulls @ pulled.T - pushes @ pushed.T).unsqueeze(-1)
