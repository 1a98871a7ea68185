"""Primitives on index tensors: they know graphs as numbers, and nothing of specs."""

from graphdsl.kernels.composition import (
    BudgetExceeded,
    Multiplicity,
    Prefix,
    compose,
    compose_prefix,
)
from graphdsl.kernels.contexts import node_contexts
from graphdsl.kernels.counting import WalkProfile, count_paths, count_walks, profile_walk
from graphdsl.kernels.edgewise import is_large, row_products, sum_differences, sum_products, weighted_sums
from graphdsl.kernels.hopping import HopCost, HopProduct, NormalizedHops
from graphdsl.kernels.implementations import IMPLEMENTATIONS, implementation_of, use_implementation
from graphdsl.kernels.instances import TooManyInstances, enumerate_walks
from graphdsl.kernels.keeping import KeptResults
from graphdsl.kernels.named import NamedWalk, compose_named, weigh_named
from graphdsl.kernels.negatives import NonNeighbors
from graphdsl.kernels.noting import Noted
from graphdsl.kernels.propagation import EntryList, SparseMatrix, as_wide, averaging, sparse_matrix
from graphdsl.kernels.returning import returning_share
from graphdsl.kernels.scoring import Bilinear, DistMult, Dot, PairScorer, score_every, score_pairs
from graphdsl.kernels.translation import ComplEx, RotatE, TransE
from graphdsl.kernels.walks import ENDED, Neighbors, walk_hops, walk_second_order, windows
from graphdsl.kernels.weighing import ListedPattern, SparsePattern, sparse_pattern

__all__ = [
    "ENDED",
    "IMPLEMENTATIONS",
    "Bilinear",
    "BudgetExceeded",
    "ComplEx",
    "DistMult",
    "Dot",
    "EntryList",
    "HopCost",
    "HopProduct",
    "KeptResults",
    "ListedPattern",
    "Multiplicity",
    "NamedWalk",
    "Neighbors",
    "NonNeighbors",
    "NormalizedHops",
    "Noted",
    "PairScorer",
    "Prefix",
    "RotatE",
    "SparseMatrix",
    "SparsePattern",
    "TooManyInstances",
    "TransE",
    "WalkProfile",
    "as_wide",
    "averaging",
    "compose",
    "compose_named",
    "compose_prefix",
    "count_paths",
    "count_walks",
    "enumerate_walks",
    "implementation_of",
    "is_large",
    "node_contexts",
    "profile_walk",
    "returning_share",
    "row_products",
    "score_every",
    "score_pairs",
    "sparse_matrix",
    "sparse_pattern",
    "sum_differences",
    "sum_products",
    "use_implementation",
    "walk_hops",
    "walk_second_order",
    "weigh_named",
    "weighted_sums",
    "windows",
]
