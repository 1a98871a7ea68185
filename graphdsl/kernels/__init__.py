"""Primitives on index tensors: they know graphs as numbers, and nothing of specs."""

from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, compose, count_paths

__all__ = ["BudgetExceeded", "Multiplicity", "compose", "count_paths"]
