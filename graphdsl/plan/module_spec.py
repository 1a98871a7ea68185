"""What a plan is made of at the bottom: widths of values, and modules to instantiate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphdsl.text import Span


@dataclass(frozen=True, slots=True)
class Ids:
    """The value of a node type without features: its node numbers, read by embeddings and one-hot layers.

    Attributes:
        count: how many nodes there are; None while no data tells.
    """

    count: int | None

    def __str__(self) -> str:
        return "ids" if self.count is None else f"ids[{self.count}]"


@dataclass(frozen=True, slots=True)
class Stacked:
    """The value of `stack(h0, h1)`: [num_nodes, layers, columns], which `DNAConv` reads.

    Attributes:
        layers: how many states are stacked.
        columns: how wide each is, if it is known.
    """

    layers: int
    columns: int | None

    def __str__(self) -> str:
        return f"{self.layers} × {'?' if self.columns is None else self.columns}"


Width = int | Ids | Stacked | None
"""Columns of a value; `Ids` before an embedding; `Stacked` behind `stack`; None while a `*` of the schema has not met data."""


@dataclass(frozen=True, slots=True)
class ModuleSpec:
    """A module to instantiate: class and complete keyword arguments.

    Attributes:
        name: catalogue name.
        path: dotted path of the class.
        arguments: keyword arguments for the constructor; values are numbers, strings, booleans, None, tuples (of
            widths; lists in PyG), dicts, or `ModuleSpec`s for nested modules. Only arguments that a spec wrote or the
            compiler derived are here; the rest keep PyG's defaults.
        width_out: columns that it produces, if known.
        span: where the spec asked for it.
    """

    name: str
    path: str
    arguments: Mapping[str, Any]
    width_out: int | None
    span: Span

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={_show(value)}" for key, value in self.arguments.items())
        return f"{self.name}({shown})"

    def walk(self) -> Iterator["ModuleSpec"]:
        """The module itself and all that stand among its arguments."""
        yield self
        for value in self.arguments.values():
            for item in cast(tuple[Any, ...], value) if isinstance(value, tuple) else (value,):
                if isinstance(item, ModuleSpec):
                    yield from item.walk()


def _show(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{…}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_show, cast(tuple[Any, ...], value))) + ")"
    return str(value) if isinstance(value, ModuleSpec) else repr(value)
