"""Primitives on index tensors: they know graphs as numbers, and nothing of specs."""

from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, compose, count_paths
from graphdsl.kernels.contexts import node_contexts
from graphdsl.kernels.edgewise import is_large, row_products, sum_differences, sum_products, weighted_sums
from graphdsl.kernels.instances import TooManyInstances, enumerate_walks
from graphdsl.kernels.keeping import KeptResults
from graphdsl.kernels.named import compose_named
from graphdsl.kernels.negatives import NonNeighbors
from graphdsl.kernels.propagation import EntryList, SparseMatrix, as_wide, averaging, sparse_matrix
from graphdsl.kernels.scoring import Bilinear, DistMult, Dot, PairScorer, score_every, score_pairs
from graphdsl.kernels.translation import ComplEx, RotatE, TransE
from graphdsl.kernels.walks import ENDED, Neighbors, walk_hops, walk_second_order, windows
from graphdsl.kernels.weighing import ListedPattern, SparsePattern, sparse_pattern

__all__ = [
    "ENDED",
    "Bilinear",
    "BudgetExceeded",
    "ComplEx",
    "DistMult",
    "Dot",
    "EntryList",
    "KeptResults",
    "ListedPattern",
    "Multiplicity",
    "Neighbors",
    "NonNeighbors",
    "PairScorer",
    "RotatE",
    "SparseMatrix",
    "SparsePattern",
    "TooManyInstances",
    "TransE",
    "as_wide",
    "averaging",
    "compose",
    "compose_named",
    "count_paths",
    "enumerate_walks",
    "is_large",
    "node_contexts",
    "row_products",
    "score_every",
    "score_pairs",
    "sparse_matrix",
    "sparse_pattern",
    "sum_differences",
    "sum_products",
    "walk_hops",
    "walk_second_order",
    "weighted_sums",
    "windows",
]
