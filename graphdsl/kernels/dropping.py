"""Dropout that is not kept for the backward pass, but drawn again."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Dropping:
    """Which weights a pass sets to zero.

    Attributes:
        rate: share of them.
        seed: that they are drawn with.
    """

    rate: float
    seed: int

    @classmethod
    def drawn(cls, rate: float) -> Self:
        """With a seed drawn by torch's generator, if anything is dropped.

        >>> Dropping.drawn(0.0)
        Dropping(rate=0.0, seed=0)
        """
        return cls(rate, int(torch.randint(1 << 62, ())) if rate > 0 else 0)

    @property
    def raised(self) -> float:
        """What the weights that are kept are multiplied with."""
        return 1 / (1 - self.rate) if self.rate < 1 else 0.0

    def generator(self, device: torch.device | str = "cpu") -> torch.Generator | None:
        """Draws what is kept, in the same order each time; None where nothing is dropped."""
        return torch.Generator(device).manual_seed(self.seed) if self.rate > 0 else None

    def kept(self, like: Tensor, draw: torch.Generator | None) -> Tensor:
        """Which of some weights are kept, as 1 and 0 of their type."""
        return torch.empty_like(like).bernoulli_(1 - self.rate, generator=draw)

    def dropped(self, weight: Tensor, draw: torch.Generator | None) -> Tensor:
        """Weights with some set to zero and the others raised; the given ones where nothing is dropped."""
        return weight if self.rate == 0 else (weight * self.kept(weight, draw)).mul_(self.raised)
