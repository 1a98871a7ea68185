"""What each layer, norm and activation is: parameters, inputs, scope, widths, legality. No torch here.

A package that offers layers of its own (see `catalog.plugins`) writes entries with what is exported here: `Entry`,
`Parameter`, `ForwardInput`, `Slot`, `Problem`, the rules of `rules` and the usual parameters of `parts`.
"""

from graphdsl.catalog import parts, rules
from graphdsl.catalog.encoders import RAW, SIDE_BY_SIDE, encoder, encoders, looks_up
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
from graphdsl.catalog.labels import MASK_LABEL, SPREADERS
from graphdsl.catalog.locality import Locality, locality, only_along_edges
from graphdsl.catalog.nested import Network, Sizes
from graphdsl.catalog.not_yet import NOT_YET
from graphdsl.catalog.objectives import OBJECTIVES
from graphdsl.catalog.optimizers import OPTIMIZERS, REQUIRED_ARGUMENTS, SCHEDULERS, scheduler_module
from graphdsl.catalog.packages import (
    Package,
    describe_requirement,
    is_met,
    missing,
    show_packages,
    since_pyg,
    useful,
)
from graphdsl.catalog.plugins import Plugin, Provider, forget, offered, provider_of, register, seek
from graphdsl.catalog.registry import entries, find, is_own, names
from graphdsl.catalog.renamed import LAYERS as RENAMED_LAYERS
from graphdsl.catalog.renamed import Renamed, renamed_argument
from graphdsl.catalog.scorers import SCORERS, Scorer, ScorerName, find_scorer
from graphdsl.catalog.values import accepts, check_value, describe, has_type

__all__ = [
    "INSTEAD",
    "MASK_LABEL",
    "NOT_YET",
    "OBJECTIVES",
    "OPTIMIZERS",
    "RAW",
    "RENAMED_LAYERS",
    "REQUIRED",
    "REQUIRED_ARGUMENTS",
    "SCHEDULERS",
    "SCORERS",
    "SIDE_BY_SIDE",
    "SPREADERS",
    "Arguments",
    "Derivation",
    "Entry",
    "ForwardInput",
    "Header",
    "Kind",
    "LegalityRule",
    "Locality",
    "Network",
    "Package",
    "Parameter",
    "Plugin",
    "Problem",
    "Provider",
    "Renamed",
    "Scope",
    "Scorer",
    "ScorerName",
    "Sizes",
    "Slot",
    "SlotKind",
    "WidthRule",
    "accepts",
    "check_value",
    "describe",
    "describe_requirement",
    "encoder",
    "encoders",
    "entries",
    "find",
    "find_scorer",
    "forget",
    "has_norm",
    "has_type",
    "header_of",
    "is_deaf",
    "is_graphwise",
    "is_met",
    "is_own",
    "locality",
    "looks_up",
    "missing",
    "names",
    "offered",
    "only_along_edges",
    "parts",
    "provider_of",
    "register",
    "renamed_argument",
    "rules",
    "scheduler_module",
    "seek",
    "show_packages",
    "since_pyg",
    "useful",
]
