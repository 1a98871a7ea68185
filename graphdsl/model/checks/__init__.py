"""Checks of declarations, one concern a file."""

from graphdsl.model.checks.gradients import refuse_gradients, sparse_gradients
from graphdsl.model.checks.hidden import hidden_names
from graphdsl.model.checks.inverses import undeclared_inverses
from graphdsl.model.checks.metapaths import same_metapaths
from graphdsl.model.checks.repeats import single_turns
from graphdsl.model.checks.times import temporal_without_time

__all__ = [
    "hidden_names",
    "refuse_gradients",
    "same_metapaths",
    "single_turns",
    "sparse_gradients",
    "temporal_without_time",
    "undeclared_inverses",
]
