"""Primitives on index tensors: they know graphs as numbers, and nothing of specs."""

from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, compose, count_paths
from graphdsl.kernels.named import compose_named

__all__ = ["BudgetExceeded", "Multiplicity", "compose", "compose_named", "count_paths"]
