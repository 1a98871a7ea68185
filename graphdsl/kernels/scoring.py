"""Scores of pairs of nodes from the values of both: modules that link predictions end in."""

from abc import abstractmethod

import torch
from torch import Tensor, nn


class PairScorer(nn.Module):
    """A function of the values of both ends of a pair."""

    @abstractmethod
    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores [pairs, size] of the rows of `source` [pairs, width] with those of `target` [pairs, width]."""

    @abstractmethod
    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores [sources, targets, size] of every row of `source` with every row of `target`."""


class Dot(PairScorer):
    """The dot product of both ends; it has no parameters.

    >>> Dot()(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([[11.]])
    """

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Sum of products of columns, shape [pairs, 1]."""
        return (source * target).sum(-1, keepdim=True)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """One product of matrices, shape [sources, targets, 1]."""
        return (source @ target.T).unsqueeze(-1)


class DistMult(PairScorer):
    """A dot product in which each column has a learned weight, as in `torch_geometric.nn.kge.DistMult`.

    Args:
        in_channels: columns of both ends.
        out_channels: numbers for each pair, each with weights of its own.

    Yang et al., "Embedding entities and relations for learning and inference in knowledge bases", ICLR 2015.
    """

    def __init__(self, in_channels: int, out_channels: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as PyG's class does."""
        nn.init.xavier_uniform_(self.weight)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Weighted sums of products of columns, shape [pairs, size]."""
        return (source * target) @ self.weight.T

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, size]."""
        return torch.einsum("ic,kc,jc->ijk", source, self.weight, target)


class Bilinear(nn.Bilinear, PairScorer):
    """A learned bilinear form with bias: `torch.nn.Bilinear`.

    Args:
        in_channels: columns of source and target.
        out_channels: numbers for each pair.
    """

    def __init__(self, in_channels: tuple[int, int], out_channels: int = 1) -> None:
        super().__init__(in_channels[0], in_channels[1], out_channels)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Shape [pairs, size]."""
        return nn.Bilinear.forward(self, source, target)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, size]."""
        return torch.einsum("ic,kcd,jd->ijk", source, self.weight, target) + self.bias


def score_pairs(module: nn.Module, source: Tensor, target: Tensor) -> Tensor:
    """Score rows of `source` with rows of `target`; a module that is no scorer reads their concatenation.

    Returns:
        Shape [pairs, size].
    """
    if isinstance(module, PairScorer):
        return module(source, target)
    return module(torch.cat([source, target], -1))


def score_every(module: nn.Module, source: Tensor, target: Tensor) -> Tensor:
    """Score every row of `source` with every row of `target`.

    Returns:
        Shape [sources, targets, size]; all of it, so hand in few sources at a time.
    """
    if isinstance(module, PairScorer):
        return module.every(source, target)
    rows, columns = len(source), len(target)
    left = source.unsqueeze(1).expand(-1, columns, -1)
    right = target.unsqueeze(0).expand(rows, -1, -1)
    return module(torch.cat([left, right], -1).reshape(rows * columns, -1)).reshape(rows, columns, -1)
