"""Names, values and calls as written: the expressions inside declarations and statements."""

from dataclasses import dataclass

from graphdsl.text import Span


@dataclass(frozen=True, slots=True)
class Name:
    """A name, bare or quoted; `text` is what it means, without quotes."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, string, boolean or `none`."""

    value: int | float | str | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """A name read as a value: a parameter, an attribute, a state or an activation."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`."""

    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right` with `+ - * / ** %`."""

    operator: str
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b, c]`."""

    items: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*`: any name, or any size."""

    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """`value` or `name = value`."""

    name: Name | None
    value: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`Name` or `Name(arguments)`: a layer, a join, an optimizer."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


Expression = Literal | Reference | Unary | Binary | ListLiteral | Call
