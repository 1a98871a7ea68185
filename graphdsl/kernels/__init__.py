"""Primitives on index tensors: they know graphs as numbers, and nothing of specs."""

from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, compose, count_paths
from graphdsl.kernels.named import compose_named
from graphdsl.kernels.negatives import NonNeighbors
from graphdsl.kernels.scoring import Bilinear, DistMult, Dot, PairScorer, score_every, score_pairs
from graphdsl.kernels.translation import ComplEx, RotatE, TransE

__all__ = [
    "Bilinear",
    "BudgetExceeded",
    "ComplEx",
    "DistMult",
    "Dot",
    "Multiplicity",
    "NonNeighbors",
    "PairScorer",
    "RotatE",
    "TransE",
    "compose",
    "compose_named",
    "count_paths",
    "score_every",
    "score_pairs",
]
