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
from graphdsl.catalog.headers import Header, header_of, is_graphwise
from graphdsl.catalog.not_yet import NOT_YET
from graphdsl.catalog.registry import entries, find, names
from graphdsl.catalog.scorers import SCORERS, Scorer, find_scorer
from graphdsl.catalog.values import accepts, check_value, describe, has_type

__all__ = [
    "NOT_YET",
    "REQUIRED",
    "SCORERS",
    "Arguments",
    "Derivation",
    "Entry",
    "ForwardInput",
    "Header",
    "Kind",
    "LegalityRule",
    "Parameter",
    "Problem",
    "Scope",
    "Scorer",
    "Slot",
    "SlotKind",
    "WidthRule",
    "accepts",
    "check_value",
    "describe",
    "entries",
    "find",
    "find_scorer",
    "has_type",
    "header_of",
    "is_graphwise",
    "names",
]
