"""What each layer, norm and activation is: parameters, inputs, scope, widths, legality. No torch here."""

from graphdsl.catalog.entry import (
    REQUIRED,
    Arguments,
    Derivation,
    Entry,
    ForwardInput,
    Kind,
    LegalityRule,
    Parameter,
    Problem,
    Scope,
    Slot,
    SlotKind,
    WidthRule,
)
from graphdsl.catalog.headers import Header, has_norm, header_of, is_deaf, is_graphwise
from graphdsl.catalog.instead import INSTEAD
from graphdsl.catalog.not_yet import NOT_YET
from graphdsl.catalog.optimizers import OPTIMIZERS, REQUIRED_ARGUMENTS, SCHEDULERS
from graphdsl.catalog.packages import Package, describe_requirement, missing, show_packages, useful
from graphdsl.catalog.registry import entries, find, names
from graphdsl.catalog.renamed import LAYERS as RENAMED_LAYERS
from graphdsl.catalog.renamed import Renamed, renamed_argument
from graphdsl.catalog.scorers import SCORERS, Scorer, ScorerName, find_scorer
from graphdsl.catalog.values import accepts, check_value, describe, has_type

__all__ = [
    "INSTEAD",
    "NOT_YET",
    "OPTIMIZERS",
    "RENAMED_LAYERS",
    "REQUIRED",
    "REQUIRED_ARGUMENTS",
    "SCHEDULERS",
    "SCORERS",
    "Arguments",
    "Derivation",
    "Entry",
    "ForwardInput",
    "Header",
    "Kind",
    "LegalityRule",
    "Package",
    "Parameter",
    "Problem",
    "Renamed",
    "Scope",
    "Scorer",
    "ScorerName",
    "Slot",
    "SlotKind",
    "WidthRule",
    "accepts",
    "check_value",
    "describe",
    "describe_requirement",
    "entries",
    "find",
    "find_scorer",
    "has_norm",
    "has_type",
    "header_of",
    "is_deaf",
    "is_graphwise",
    "missing",
    "names",
    "renamed_argument",
    "show_packages",
    "useful",
]
