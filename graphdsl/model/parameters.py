"""Parameters of models and schemas: types, defaults, and the values that win."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphdsl.model.values import LARGEST, UNKNOWN, Refused, evaluate, is_bounded, kind_of, retyped, show
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, SourceText, Span, did_you_mean, listing, read_source, renaming, report

TYPES = ("int", "float", "bool", "string", "list")
CONSTANTS = ("true", "false", "none")
_CLASSES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "string": (str,),
    "list": (tuple, list),
}
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
RESERVED = ("model", "data", "backend", "self")
"""Names that `Spec.compile` has for itself, so a parameter could not be given in Python."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: `hidden: int = 64`.

    Attributes:
        type: int, float, bool, string or list.
        default: its default value, or UNKNOWN without one.
    """

    name: str
    type: str
    default: Any
    span: Span


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a parameter type; whole numbers are decimal numbers too."""
    if value is UNKNOWN:
        return True
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    return isinstance(value, _CLASSES[kind])


def convert(kind: str, value: Any) -> Any:
    """A value in the form that its type has inside: floats as floats, lists as tuples."""
    if kind == "float" and value is not UNKNOWN:
        return float(value)
    return tuple(cast(list[Any], value)) if kind == "list" and isinstance(value, list) else value


def declare(declarations: tuple[n.ParameterDecl, ...], found: list[Diagnostic]) -> tuple[Parameter, ...]:
    """Resolve declared parameters; a default may read the parameters before it."""
    known: dict[str, Parameter] = {}
    for declared in declarations:
        name = declared.name.text
        if name in known:
            also = ((known[name].span, "first declared here"),)
            found.append(report("GNN102", f"parameter `{name}` is declared twice", declared.name.span, also=also))
            continue
        if name in (*RESERVED, *CONSTANTS):
            what = "an argument of `compile`" if name in RESERVED else "a value"
            helps = ("choose another name",)
            message = f"`{name}` is {what}, so no parameter can be called so"
            found.append(report("GNN102", message, declared.name.span, helps=helps))
        known[name] = Parameter(name, *_type_and_default(declared, known, found), declared.name.span)
    return tuple(known.values())


def _type_and_default(
    declared: n.ParameterDecl, known: Mapping[str, Parameter], found: list[Diagnostic]
) -> tuple[str, Any]:
    kind = declared.type.text
    if kind not in TYPES:
        helps = did_you_mean(kind, TYPES)
        notes = listing("parameter types", TYPES)
        fix, message = renaming(declared.type.span, kind, TYPES), f"unknown parameter type `{kind}`"
        found.append(report("GNN101", message, declared.type.span, helps=helps, notes=notes, fix=fix))
        return "float", UNKNOWN
    if declared.default is None:
        return kind, UNKNOWN
    try:
        value = evaluate(declared.default, {name: item.default for name, item in known.items()})
    except Refused as refused:
        found.append(refused.diagnostic)
        return kind, UNKNOWN
    if not fits(kind, value):
        message = f"parameter `{declared.name.text}` is `{kind}`, its default is {kind_of(value)}"
        fix = retyped(declared.default, lambda other: fits(kind, other))
        found.append(report("GNN202", message, declared.default.span, f"not `{kind}`", fix=fix))
        return kind, UNKNOWN
    return kind, convert(kind, value)


def _all_bounded(value: Any) -> bool:
    items = cast(Iterable[Any], value if isinstance(value, tuple | list) else (value,))
    return all(is_bounded(item) for item in items if isinstance(item, int | float))


def bind(
    parameters: tuple[Parameter, ...], given: Mapping[str, Any], owner: str
) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Values of all parameters: given ones over defaults.

    Args:
        parameters: what is declared.
        given: values by name, from a parameter file, `--set` or Python keywords.
        owner: whose parameters they are, for messages: "model `mixed`".

    Returns:
        A value for each parameter (UNKNOWN where nobody gave one), and what is wrong with the given ones.
    """
    found: list[Diagnostic] = []
    values = {item.name: item.default for item in parameters}
    by_name = {item.name: item for item in parameters}
    for name, value in given.items():
        item = by_name.get(name)
        if item is None:
            helps = did_you_mean(name, by_name)
            notes = listing(f"parameters of {owner}", by_name)
            found.append(report("GNN207", f"{owner} has no parameter `{name}`", where=owner, helps=helps, notes=notes))
        elif not fits(item.type, value):
            message = f"parameter `{name}` is `{item.type}`, but {show(value)} is {kind_of(value)}"
            found.append(report("GNN202", message, item.span, "declared here"))
        elif not _all_bounded(value):
            message = f"parameter `{name}` cannot be {show(value)}: numbers are at most {LARGEST}"
            found.append(report("GNN204", message, item.span, "declared here"))
        else:
            values[name] = convert(item.type, value)
    return values, found


def parse_assignment(text: str) -> tuple[str, Any] | Diagnostic:
    """Read `name=value` of `--set`; the value is written as YAML would read it.

    >>> parse_assignment("hidden=128")
    ('hidden', 128)
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        help_line = "write `--set hidden=128`"
        return report("GNN210", f"`{text}` is not of the form name=value", where="--set", helps=(help_line,))
    read = _read_yaml(value)
    if isinstance(read, _NotYaml):
        return report("GNN210", f"the value of `{name.strip()}` cannot be read: {value}", where="--set")
    return name.strip(), _as_value(read)


@dataclass(frozen=True, slots=True)
class _NotYaml:
    """Why a text is no YAML, and on which line (from 1)."""

    reason: str
    line: int | None


def _read_yaml(text: str) -> Any:
    """What a YAML text holds, or why it cannot be read."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        return _NotYaml(str(getattr(error, "problem", None) or "unreadable"), mark.line + 1 if mark else None)
    except RecursionError:
        return _NotYaml("nested too deeply", None)
    except ValueError as error:  # a date that does not exist, for example
        return _NotYaml(str(error), None)


def _as_value(value: Any) -> Any:
    """A value as specs know it: lists as tuples, and numbers that YAML 1.1 takes for strings (`1e-3`) as numbers."""
    if isinstance(value, list):
        # Lists inside of it stay as they are: by reference, a short file can hold more than any memory.
        return tuple(map(_as_scalar, cast(list[Any], value)))
    return _as_scalar(value)


def _as_scalar(value: Any) -> Any:
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def read_parameters(path: str) -> dict[str, Any] | Diagnostic:
    """Read a YAML file of parameter values: one mapping of names to numbers, truth values, strings or lists."""
    source = read_source(path, "a YAML file of parameters")
    if not isinstance(source, SourceText):
        return source
    loaded = _read_yaml(source.text)
    if isinstance(loaded, _NotYaml):
        place = f"{path}:{loaded.line}" if loaded.line else path
        return report("GNN210", f"`{path}` is not YAML: {loaded.reason}", where=place)
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        helps = ("write lines such as `hidden: 128`",)
        message = f"`{path}` holds {kind_of(loaded)}, not a mapping of names to values"
        return report("GNN210", message, where=path, helps=helps)
    return {str(key): _as_value(value) for key, value in cast(dict[Any, Any], loaded).items()}
