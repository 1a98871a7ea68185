"""How two node values become the score of a link: what a link prediction may name besides layers."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

ScorerName = Literal["dot", "distmult", "bilinear"]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A function of the values of both ends of a pair.

    Attributes:
        name: the name in specs.
        path: where its class is.
        doc: one line for people.
        equal_ends: whether both ends must be equally wide.
        single: whether it gives one number for each pair, and never more.
        paper: where it comes from.
    """

    name: ScorerName
    path: str
    doc: str
    equal_ends: bool
    single: bool
    paper: str = ""


SCORERS: Final = MappingProxyType(
    {
        item.name: item
        for item in (
            Scorer("dot", "graphdsl.kernels.scoring.Dot", "The dot product of both ends.", True, True),
            Scorer(
                "distmult",
                "graphdsl.kernels.scoring.DistMult",
                "A dot product in which each column has a learned weight.",
                True,
                False,
                "Yang et al., Embedding entities and relations for learning and inference in knowledge bases, ICLR 2015",
            ),
            Scorer(
                "bilinear",
                "graphdsl.kernels.scoring.Bilinear",
                "A learned bilinear form: any widths, and it tells the ends apart.",
                False,
                False,
                "Nickel et al., A three-way model for collective learning on multi-relational data, ICML 2011",
            ),
        )
    }
)
"""Scorers by name; every layer of a node map can stand in their place, on the concatenation of both ends."""


def find_scorer(name: str) -> Scorer | None:
    """The scorer of this name, if there is one.

    >>> find_scorer("dot").equal_ends
    True
    """
    return next((item for item in SCORERS.values() if item.name == name), None)
