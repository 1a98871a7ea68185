"""Checks of a whole plan, one concern a file: each is a function of the plan and the schema that gives findings.

`CHECKS` run whenever a program is lowered; `REVIEWS` (7xx) only on demand: nothing is wrong, something could be better.
"""

from collections.abc import Callable

from graphdsl.model import Schema
from graphdsl.plan.checks.dead_rules import dead_rules
from graphdsl.plan.checks.edge_attributes import ignored_edge_attributes
from graphdsl.plan.checks.features import unreadable_features
from graphdsl.plan.checks.hops import unseen_types
from graphdsl.plan.checks.one_way import one_way_types
from graphdsl.plan.checks.packages import missing_packages
from graphdsl.plan.checks.rows import norms_of_one_row
from graphdsl.plan.checks.sampled_walks import sampled_walks
from graphdsl.plan.checks.unused import (
    silent_relations,
    unread_attributes,
    unread_edge_attributes,
    unread_metapaths,
    unserved_relations,
    untouched_types,
    unused_attributes,
    unused_types,
)
from graphdsl.plan.checks.wasted import wasted_relations
from graphdsl.plan.ir import Plan
from graphdsl.plan.walked_labels import returning_labels
from graphdsl.text import Diagnostic

Check = Callable[[Plan, Schema], list[Diagnostic]]

CHECKS: tuple[Check, ...] = (unreadable_features, norms_of_one_row, missing_packages, dead_rules, returning_labels)
REVIEWS: tuple[Check, ...] = (unseen_types, ignored_edge_attributes, one_way_types, wasted_relations)

__all__ = [
    "CHECKS",
    "REVIEWS",
    "Check",
    "sampled_walks",
    "silent_relations",
    "unread_attributes",
    "unread_edge_attributes",
    "unread_metapaths",
    "unserved_relations",
    "untouched_types",
    "unused_attributes",
    "unused_types",
]
