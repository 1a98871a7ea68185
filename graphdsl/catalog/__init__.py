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
    WidthRule,
)

__all__ = [
    "REQUIRED",
    "Arguments",
    "Derivation",
    "Entry",
    "ForwardInput",
    "Kind",
    "LegalityRule",
    "Parameter",
    "Problem",
    "Scope",
    "WidthRule",
]
