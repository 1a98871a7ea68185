"""Evaluating expressions of a spec: exact, bounded, and never Python's own `eval`."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Edit, Fix, did_you_mean, listing, renaming, report

LARGEST = 2**53
_LARGEST_POWER = 64
_PYTHON = {"True": "true", "False": "false", "None": "none"}
_SHOWN = 8
_KINDS: Mapping[type, str] = {
    bool: "a truth value",
    int: "a whole number",
    float: "a decimal number",
    str: "a string",
    tuple: "a list",
    list: "a list",
    dict: "a mapping",
}


class _Unknown:
    """A value that nobody has given yet: a parameter without a default while a spec is only checked."""

    def __repr__(self) -> str:
        return "?"


UNKNOWN: Final = _Unknown()


class Refused(Exception):
    """An expression has no value; carries the reason. Used inside this package only."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


def show(value: Any) -> str:
    """A value as it is written in a spec."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        items = list(cast(Iterable[Any], value))
        shown = [show(item) if not isinstance(item, tuple | list) else "[…]" for item in items[:_SHOWN]]
        return "[" + ", ".join(shown + ["…"] * (len(items) > _SHOWN)) + "]"
    return str(value)


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "`none`"
    return next((words for kind, words in _KINDS.items() if isinstance(value, kind)), "a value")


def _number(value: Any, node: n.Expression) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        quoted = value.strip() if isinstance(value, str) else ""
        helps = (f"write it without quotes: `{quoted}`",) if quoted.isdecimal() else ()
        raise Refused(report("GNN202", f"arithmetic needs numbers, this is {kind_of(value)}", node.span, helps=helps))
    return value


def is_bounded(value: int | float) -> bool:
    """Whether a number is one that specs may hold: real, and not larger than 2^53."""
    return not isinstance(value, complex) and value == value and abs(value) <= LARGEST


def _bounded(value: int | float, node: n.Expression) -> int | float:
    if not is_bounded(value):
        raise Refused(report("GNN204", f"the value is larger than {LARGEST}, or no real number", node.span))
    return value


def _multiples(whole: int, part: int) -> str:
    """The multiples of a number on both sides of another."""
    lower = whole - whole % part
    return f"{lower} or {lower + part}" if lower > 0 else str(lower + part)


def _divide(left: int | float, right: int | float, node: n.Binary) -> int | float:
    if right == 0:
        raise Refused(report("GNN204", "division by zero", node.span))
    if isinstance(left, int) and isinstance(right, int):
        if left % right:
            raise Refused(
                report(
                    "GNN205",
                    f"{left} / {right} leaves a rest of {left % right}",
                    node.span,
                    f"{left} is not a multiple of {right}",
                    helps=(f"division is exact between whole numbers: {_multiples(left, right)} can be divided",),
                )
            )
        return left // right
    return left / right


def _power(left: int | float, right: int | float, node: n.Binary) -> int | float:
    if abs(right) > _LARGEST_POWER or (left == 0 and right < 0):
        raise Refused(report("GNN204", f"the exponent must lie between 0 and {_LARGEST_POWER}", node.right.span))
    try:
        return left**right
    except OverflowError:
        return math.inf


def _binary(node: n.Binary, names: Mapping[str, Any]) -> Any:
    left, right = evaluate(node.left, names), evaluate(node.right, names)
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    left, right = _number(left, node.left), _number(right, node.right)
    if node.operator == "/":
        return _bounded(_divide(left, right, node), node)
    if node.operator == "**":
        return _bounded(_power(left, right, node), node)
    if node.operator == "%":
        if right == 0:
            raise Refused(report("GNN204", "division by zero", node.span))
        return left % right
    results = {"+": left + right, "-": left - right, "*": left * right}
    return _bounded(results[node.operator], node)


def evaluate(node: n.Expression, names: Mapping[str, Any]) -> Any:
    """The value of an expression.

    Args:
        node: the expression.
        names: values by name (the parameters of the model or schema).

    Raises:
        Refused: with a diagnostic, when it has none.
    """
    if isinstance(node, n.Literal):
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return _bounded(node.value, node)
        return node.value
    if isinstance(node, n.Reference):
        if node.name.text in names:
            return names[node.name.text]
        raise Refused(_unknown(node, names))
    if isinstance(node, n.Unary):
        value = evaluate(node.operand, names)
        return UNKNOWN if value is UNKNOWN else -_number(value, node.operand)
    if isinstance(node, n.Binary):
        return _binary(node, names)
    if isinstance(node, n.ListLiteral):
        return tuple(evaluate(item, names) for item in node.items)
    raise Refused(report("GNN202", f"`{node.name.text}(…)` is a layer, not a value", node.span))


def _unknown(node: n.Reference, names: Mapping[str, Any]) -> Diagnostic:
    name = node.name.text
    if name in _PYTHON:
        helps: tuple[str, ...] = (f"write `{_PYTHON[name]}`",)
        fix = Fix(f"write `{_PYTHON[name]}`", (Edit(node.span, _PYTHON[name]),))
    else:
        helps = did_you_mean(name, names) or (f'strings stand in double quotes: `"{name}"`',)
        fix = renaming(node.span, name, names)
    notes = listing("parameters", names)
    return report("GNN101", f"unknown parameter `{name}`", node.span, helps=helps, notes=notes, fix=fix)


def retyped(node: n.Expression, accepts: Callable[[Any], bool]) -> Fix | None:
    """The fix that writes a literal as another type that is accepted: `"8"` as `8`, `8.0` as `8`, `1` as `true`."""
    if not isinstance(node, n.Literal):
        return None
    meant = next((item for item in _other_types(node.value) if accepts(item)), None)
    return None if meant is None else Fix(f"write `{show(meant)}`", (Edit(node.span, show(meant)),))


def _other_types(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            yield value.lower() == "true"
        for convert in (int, float):
            with suppress(ValueError):
                yield convert(value)
    elif isinstance(value, float) and value.is_integer():
        yield int(value)
    elif isinstance(value, int) and not isinstance(value, bool) and value in (0, 1):
        yield bool(value)


def references(node: Any) -> set[str]:
    """Names that any expression below a node reads (found without recursion)."""
    found: set[str] = set()
    stack: list[Any] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, n.Reference):
            found.add(item.name.text)
        elif isinstance(item, tuple):
            stack += cast(tuple[Any, ...], item)
        elif hasattr(item, "__dataclass_fields__"):
            stack += [getattr(item, field) for field in item.__dataclass_fields__ if field not in ("span", "name")]
    return found
