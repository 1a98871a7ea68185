"""Which values a parameter accepts, and how to say so in a diagnostic."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from graphdsl.catalog.activations import ENTRIES as _ACTIVATIONS
from graphdsl.catalog.entry import Parameter, Problem

_ACTIVATION_NAMES: Final = frozenset(entry.name for entry in _ACTIVATIONS)


def accepts(parameter: Parameter, value: Any) -> bool:
    """Whether a value has the type and lies in the range of a parameter.

    Strings are held against `choices`, numbers against `minimum` and `below`, alone or in a list. A list has at least
    one element. For a variadic parameter the value is one of its arguments, or a list of any number of them.

    >>> heads = Parameter("heads", "int", 1, minimum=1)
    >>> accepts(heads, 8), accepts(heads, 0), accepts(heads, 2.0), accepts(heads, True)
    (True, False, False, False)
    """
    return has_type(parameter, value) and _in_range(parameter, value)


def has_type(parameter: Parameter, value: Any) -> bool:
    """Whether a value is of one of a parameter's types, whatever its range.

    >>> has_type(Parameter("p", "float", 0.5, minimum=0, below=1), 2)
    True
    """
    kinds = _kinds(parameter)
    if parameter.variadic and _is_list(value):
        return all(_is_one_of(kinds, item) for item in value)
    return _is_one_of(kinds, value)


def check_value(parameter: Parameter, value: Any) -> Problem | None:
    """GNN202 if a value is of another type than a parameter's, GNN204 if it is out of range, None if it is accepted.

    >>> check_value(Parameter("heads", "int", 1, minimum=1), 0).message
    '`heads` is a whole number ≥ 1, not 0'
    """
    if accepts(parameter, value):
        return None
    code = "GNN204" if has_type(parameter, value) else "GNN202"
    message = f"`{parameter.name}` is {describe(parameter)}, not {_show(value)}"
    return Problem(code, message, argument=parameter.name)


def describe(parameter: Parameter) -> str:
    """What a parameter accepts, in words.

    >>> describe(Parameter("dropout", "float", 0.0, minimum=0, below=1))
    'a number in [0, 1)'
    >>> describe(Parameter("norm", "string|none", None, choices=("batch", "layer")))
    'one of "batch", "layer", or none'
    >>> describe(Parameter("channel_list", "int", None, minimum=1, variadic=True))
    'a whole number ≥ 1'
    """
    kinds = _kinds(parameter)
    phrases = ["a list of such" if _element(kind) in kinds else _phrase(kind, parameter) for kind in kinds]
    return ", or ".join(phrases)


def _kinds(parameter: Parameter) -> tuple[str, ...]:
    return tuple(kind.strip() for kind in parameter.type.split("|"))


def _element(kind: str) -> str | None:
    """`int` for `list[int]`, None for what is not a list."""
    return kind[5:-1] if kind.startswith("list[") else None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, float) and math.isfinite(value))


def _is_activation(value: Any) -> bool:
    """An activation stands in arguments by its name, or as a module made of one."""
    name = value if isinstance(value, str) else getattr(value, "name", None)
    return name in _ACTIVATION_NAMES


def _is_module(value: Any) -> bool:
    return hasattr(value, "width_out") and not _is_activation(value)


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "int": _is_int,
    "float": _is_number,
    "bool": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "none": lambda value: value is None,
    "module": _is_module,
    "conv": _is_module,
    "aggregation": _is_module,
    "activation": _is_activation,
}


def _is_one_of(kinds: Sequence[str], value: Any) -> bool:
    return any(_is_of(kind, value) for kind in kinds)


def _is_of(kind: str, value: Any) -> bool:
    element = _element(kind)
    if element is None:
        return _TYPES[kind](value)
    return _is_list(value) and len(value) > 0 and all(_TYPES[element](item) for item in value)


def _in_range(parameter: Parameter, value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_in_range(parameter, item) for item in cast(Sequence[Any], value))
    if isinstance(value, str):
        return not parameter.choices or value in parameter.choices
    if not _is_number(value):
        return True
    return (
        (parameter.minimum is None or value >= parameter.minimum)
        and (parameter.above is None or value > parameter.above)
        and (parameter.below is None or value < parameter.below)
    )


def _range(parameter: Parameter) -> str:
    """The range of a number as an interval or a comparison; empty without bounds."""
    low, above, high = parameter.minimum, parameter.above, parameter.below
    opening = f"[{low:g}" if low is not None else f"({above:g}" if above is not None else ""
    if opening and high is not None:
        return f" in {opening}, {high:g})"
    if opening:
        return f" ≥ {low:g}" if low is not None else f" > {above:g}"
    return "" if high is None else f" < {high:g}"


def _whole(parameter: Parameter) -> str:
    return f"a whole number{_range(parameter)}"


def _text(parameter: Parameter) -> str:
    listed = ", ".join(f'"{choice}"' for choice in parameter.choices)
    return f"one of {listed}" if parameter.choices else "a string"


_PHRASES: Final[dict[str, Callable[[Parameter], str]]] = {
    "int": _whole,
    "float": lambda parameter: f"a number{_range(parameter)}",
    "bool": lambda _parameter: "true or false",
    "none": lambda _parameter: "none",
    "string": _text,
    "module": lambda _parameter: "a layer such as `MLP(64, 64)`",
    "conv": lambda _parameter: "a convolution such as `GCNConv(64)`",
    "aggregation": lambda _parameter: "an aggregation such as `SoftmaxAggregation(learn = true)`",
    "activation": lambda _parameter: "an activation such as `relu`",
}


def _phrase(kind: str, parameter: Parameter) -> str:
    element = _element(kind)
    return _PHRASES[kind](parameter) if element is None else f"a list, each {_PHRASES[element](parameter)}"


def _show(value: Any) -> str:
    """A value as a spec would write it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_show(item) for item in cast(Sequence[Any], value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return f"`{value.name}`" if hasattr(value, "name") else str(value)
