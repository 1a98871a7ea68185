"""A penalty as written: a loss beside those of the predictions."""

from dataclasses import dataclass

from graphdsl.syntax.expressions import Argument, Expression, Name
from graphdsl.text import Span


@dataclass(frozen=True, slots=True)
class PenalisedValue:
    """`author`, or `h1.author`: a type in the state at this place, or in a named one; or the name of a state alone."""

    state: Name | None
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Penalised:
    """`mincut_loss`, `SuperGATConv(h1)`, `bro(h1.author, p = 1)`: what is penalised."""

    name: Name
    values: tuple[PenalisedValue, ...]
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PenaltyStatement:
    """`penalty gini(h1.author) weight 0.01`."""

    what: Penalised
    weight: Expression | None
    span: Span
