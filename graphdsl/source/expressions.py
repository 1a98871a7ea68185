"""Python expressions, and how they are laid out: on one line where they fit, otherwise one item a line.

The layout is the one that Black and `ruff format` leave as it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

LINE = 100
"""Columns of a line."""
STEP = 4
"""Columns of an indentation."""


@dataclass(frozen=True, slots=True)
class Group:
    """Something in brackets.

    Attributes:
        opening: what stands before the items, the bracket included: `Linear(`, `{`.
        items: each with what stands before it: `("bias=", "False")`, `('"author": ', …)`.
        closing: the bracket, and what follows.
        over: what one item is repeated over, and what stands before it: `("for name in ", …)`; it takes no comma.
    """

    opening: str
    items: tuple[tuple[str, "Expression"], ...]
    closing: str
    over: "tuple[str, Expression] | None" = None


Expression = str | Group


def call(function: str, *positional: Expression, **named: Expression) -> Group:
    """`function(positional, name=value)`.

    >>> flat(call("Linear", "3", bias="False"))
    'Linear(3, bias=False)'
    """
    items = [("", item) for item in positional] + [(f"{name}=", item) for name, item in named.items()]
    return Group(f"{function}(", tuple(items), ")")


def listing(items: Iterable[Expression]) -> Group:
    """`[a, b]`."""
    return Group("[", tuple(("", item) for item in items), "]")


def pair(items: Iterable[Expression]) -> Group:
    """`(a, b)`; with one item `(a,)`."""
    found = tuple(("", item) for item in items)
    return Group("(", found, ",)" if len(found) == 1 else ")")


def mapping(items: Mapping[str, Expression]) -> Group:
    """`{key: value}`; the keys are expressions already."""
    return Group("{", tuple((f"{key}: ", value) for key, value in items.items()), "}")


def each(key: str, value: Expression, names: str, over: Expression) -> Group:
    """`{key: value for names in over}`."""
    return Group("{", ((f"{key}: ", value),), "}", over=(f"for {names} in ", over))


def literal(value: Any) -> Expression:
    """A plain value: numbers, texts, None, lists, tuples and dictionaries of these.

    >>> flat(literal(("a", 1)))
    '("a", 1)'
    """
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Mapping):
        return mapping({_text(key): literal(item) for key, item in cast(Mapping[Any, Any], value).items()})
    if isinstance(value, list):
        return listing(map(literal, cast(list[Any], value)))
    return pair(map(literal, cast(tuple[Any, ...], value))) if isinstance(value, tuple) else number(value)


def number(value: Any) -> str:
    """A number, a truth value or None."""
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    return repr(value)


def _text(value: Any) -> str:
    return flat(literal(value))


def quote(text: str) -> str:
    r"""A text in double quotes, or in single ones where that saves escapes.

    >>> print(quote("web page"), quote('say "hi"'))
    "web page" 'say "hi"'
    """
    shown = repr(text)
    body = shown[1:-1]
    if shown[0] == '"':
        return shown
    if '"' in body and body.count('"') > body.count("\\'"):
        return shown
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'


def flat(expression: Expression) -> str:
    """On one line."""
    if isinstance(expression, str):
        return expression
    inner = ", ".join(before + flat(item) for before, item in expression.items)
    tail = f" {expression.over[0]}{flat(expression.over[1])}" if expression.over else ""
    return f"{expression.opening}{inner}{tail}{expression.closing}"


def lay_out(expression: Expression, indent: int, before: str = "", after: str = "") -> list[str]:
    """An expression as lines.

    Args:
        expression: what is written.
        indent: columns before each line.
        before: what stands before it on its first line.
        after: what follows it on its last line.
    """
    whole = " " * indent + before + flat(expression) + after
    if len(whole) <= LINE or isinstance(expression, str) or not expression.items:
        return [whole]
    lines = [" " * indent + before + expression.opening]
    if expression.over is not None:
        inner = flat(expression)[len(expression.opening) : -len(expression.closing)]
        key, value = expression.items[0]
        if indent + STEP + len(inner) <= LINE:
            lines.append(" " * (indent + STEP) + inner)
        else:
            lines += lay_out(value, indent + STEP, key)
            lines += lay_out(expression.over[1], indent + STEP, expression.over[0])
    elif len(expression.items) == 1 and not expression.items[0][0] and not expression.closing.startswith(","):
        lines += lay_out(expression.items[0][1], indent + STEP)
    else:
        for key, value in expression.items:
            lines += lay_out(value, indent + STEP, key, ",")
    closing = expression.closing.removeprefix(",")
    return [*lines, " " * indent + closing + after]
