"""The rows or edges that a finding is about: how many, and the first of them."""

from dataclasses import dataclass

from torch import Tensor

from graphdsl.data.phrases import SHOWN, number
from graphdsl.text import Facts


@dataclass(frozen=True, slots=True)
class Offenders:
    """What a finding is true of.

    Attributes:
        count: of how many.
        first: numbers of the first of them.
        noun: what they are called.
    """

    count: int
    first: tuple[int, ...]
    noun: str = "row"

    @property
    def listed(self) -> str:
        """The first of them by number.

        >>> Offenders(5, (0, 4, 7)).listed
        'row 0, row 4, row 7, …'
        """
        return ", ".join(f"{self.noun} {item}" for item in self.first) + (", …" if self.count > len(self.first) else "")

    @property
    def counted(self) -> str:
        """Their number with its noun."""
        return number(self.count, self.noun)

    def facts(self, expected: str, found: str) -> Facts:
        """The same for programs."""
        return Facts(expected, found, self.count, self.first)


def where_true(bad: Tensor, noun: str = "row") -> Offenders:
    """Offenders by a mask of shape [rows].

    >>> import torch
    >>> where_true(torch.tensor([True, False, True]), "edge")
    Offenders(count=2, first=(0, 2), noun='edge')
    """
    found = bad.nonzero().squeeze(1)
    return Offenders(found.numel(), tuple(found[:SHOWN].tolist()), noun)
