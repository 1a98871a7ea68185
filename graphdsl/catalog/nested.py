"""Networks that a layer takes as arguments: how many columns they read, and how many they must give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a layer reads, in columns; None while unknown.

    Attributes:
        source: of the nodes that send.
        target: of the nodes that receive.
        inputs: of what is bound to forward inputs, by their names.
    """

    source: int | None = None
    target: int | None = None
    inputs: Mapping[str, int | None] = field(default_factory=dict[str, int | None])


Columns = Callable[[Mapping[str, Any], Sizes], int | None]
"""Columns from the layer's arguments (defaults filled in, networks before this one built) and from what it reads."""


def source(_arguments: Mapping[str, Any], sizes: Sizes) -> int | None:
    """As many columns as the nodes that send."""
    return sizes.source


def width_of(name: str) -> Columns:
    """As many columns as this input has.

    >>> width_of("pos")({}, Sizes(16, 16, {"pos": 3}))
    3
    """
    return lambda _arguments, sizes: sizes.inputs.get(name)


def argument(name: str) -> Columns:
    """As many columns as this argument says."""
    return lambda arguments, _sizes: arguments.get(name)


def output_of(name: str) -> Columns:
    """As many columns as another network gives."""
    return lambda arguments, _sizes: getattr(arguments.get(name), "width_out", None)


def side_by_side(*parts: Columns | int) -> Columns:
    """Several values in one row.

    >>> side_by_side(source, 4)({}, Sizes(16))
    20
    """

    def total(arguments: Mapping[str, Any], sizes: Sizes) -> int | None:
        widths = [part if isinstance(part, int) else part(arguments, sizes) for part in parts]
        known = [width for width in widths if width is not None]
        return sum(known) if len(known) == len(widths) else None

    return total


def matrix(rows: Columns, columns: Columns) -> Columns:
    """A matrix in one row."""

    def product(arguments: Mapping[str, Any], sizes: Sizes) -> int | None:
        high, wide = rows(arguments, sizes), columns(arguments, sizes)
        return None if high is None or wide is None else high * wide

    return product


@dataclass(frozen=True, slots=True)
class Network:
    """A network among the arguments of a layer.

    Attributes:
        reads: columns of its input.
        gives: columns that its output must have; None = any.
        why: where they come from, in words: "input width times `out_channels`".
    """

    reads: Columns = source
    gives: Columns | None = None
    why: str = ""
