"""How far the statements of a text go: which lines belong together however they are laid out."""

from dataclasses import fields, is_dataclass
from typing import Any, cast

from graphdsl.syntax import nodes as n
from graphdsl.text import SourceText, Span

_BODIES = frozenset({"body", "steps", "changes", "settings", "members"})
"""Fields with the statements of a block, which is not one statement but its head and those."""


def extents(file: n.File) -> tuple[tuple[int, int], ...]:
    """First and last line of everything in a text that goes over several lines.

    A block (`schema`, `model`, `train`, `repeat`, `sequential`) counts with its head only, so that what is said about it
    is not said about everything in it. Maps, rules, types and calls count whole.
    """
    found: set[tuple[int, int]] = set()
    stack: list[Any] = [item for item in file.declarations if item.span.file == file.source.name]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack += cast(tuple[Any, ...], item)
        elif is_dataclass(item) and not isinstance(item, Span | SourceText):
            inner = {field.name: getattr(item, field.name) for field in fields(item)}
            stack += inner.values()
            span = inner.get("span")
            if isinstance(span, Span):
                found.add((span.line, _head(inner) if _BODIES & set(inner) else span.end_line))
    return tuple(sorted((first, last) for first, last in found if last > first))


def _head(inner: dict[str, Any]) -> int:
    """The last line of what stands before the body of a block."""
    stack = [value for name, value in inner.items() if name not in _BODIES and name != "span"]
    last = cast(Span, inner["span"]).line
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack += cast(tuple[Any, ...], item)
        elif isinstance(span := getattr(item, "span", item), Span):
            last = max(last, span.end_line)
    return last
