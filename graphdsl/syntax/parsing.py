"""Parsing: text in, tree and diagnostics out; nothing is ever raised for a bad spec."""

from dataclasses import dataclass
from typing import Any

import lark
from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from graphdsl.syntax import nodes as n
from graphdsl.syntax.build import build
from graphdsl.syntax.grammar import parser
from graphdsl.syntax.messages import WORDS, describe, hint
from graphdsl.syntax.recovery import blank, scan
from graphdsl.text import Diagnostic, SourceText, Span, closest, report

MAX_ERRORS = 20
MAX_DEPTH = 100
LANGUAGE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Parsed:
    """What parsing gives.

    Attributes:
        file: the tree, without the statements that could not be read.
        diagnostics: what is wrong with the text.
        lost: words of the statements that could not be read: names that they may have declared.
    """

    file: n.File
    diagnostics: tuple[Diagnostic, ...]
    lost: frozenset[str] = frozenset()


def _point(source: SourceText, line: int, column: int, length: int = 1) -> Span:
    return Span(source.name, line, column, line, column + max(1, length))


def _end_of_text(source: SourceText) -> Span:
    for number in range(len(source.lines), 0, -1):
        line = source.lines[number - 1].rstrip()
        if line:
            return _point(source, number, len(line) + 1)
    return _point(source, 1, 1)


def _place(text: str, offset: int) -> tuple[int, int]:
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _at_end(source: SourceText, text: str, expected: list[str]) -> Diagnostic:
    """The file ends too early: point to the bracket that is still open."""
    opened = scan(text).unclosed()
    end = _end_of_text(source)
    if opened is None:
        return report("GNN010", f"the file ends where {describe(expected)} is expected", end, "something is missing here")
    start = _point(source, *_place(text, opened.offset))
    closer = {"{": "}", "(": ")", "[": "]"}[opened.sign]
    return report("GNN012", f"this `{opened.sign}` is never closed", start, "opened here", also=((end, f"`{closer}` expected"),))


def _unexpected_token(source: SourceText, text: str, error: UnexpectedToken) -> tuple[Diagnostic, int]:
    token: Token = error.token
    expected = sorted(name for name in (error.accepts or error.expected) if name in WORDS)
    if token.type == "$END":
        return _at_end(source, text, expected), len(text)
    span = _point(source, token.line or 1, token.column or 1, len(token))
    helps = [said] if (said := hint(token.type, str(token), expected)) else []
    keywords = [WORDS[name].strip("`") for name in expected if WORDS[name].strip("`").isalpha()]
    if token.type == "IDENTIFIER" and (near := closest(str(token), keywords)):
        helps.append(f"did you mean `{near}`?")
    shown = str(token) if len(token) <= 30 else str(token)[:30] + "…"
    message = f"expected {describe(expected)}, found `{shown}`" if expected else f"`{shown}` cannot stand here"
    return report("GNN010", message, span, helps=helps), token.start_pos or 0


def _unexpected_character(source: SourceText, error: UnexpectedCharacters) -> tuple[Diagnostic, int]:
    offset: int = error.pos_in_stream
    character = source.text[offset : offset + 1]
    span = _point(source, error.line, error.column)
    if character == '"':
        end = source.lines[error.line - 1] if error.line <= len(source.lines) else ""
        span = _point(source, error.line, error.column, len(end) - error.column + 1)
        return report("GNN012", "this string is never closed", span, 'a closing `"` is missing on this line'), offset
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    helps = {"'": "strings stand in double quotes", ";": "statements need no `;`", "/": "comments start with `#`"}
    said = helps.get(character)
    return report("GNN011", f"`{shown}` starts no word of the language", span, helps=[said] if said else []), offset


def _diagnose(source: SourceText, text: str, error: lark.UnexpectedInput) -> tuple[Diagnostic, int]:
    if isinstance(error, UnexpectedToken):
        return _unexpected_token(source, text, error)
    if isinstance(error, UnexpectedCharacters):
        return _unexpected_character(source, error)
    assert isinstance(error, UnexpectedEOF)
    return _at_end(source, text, [name for name in error.expected if name in WORDS]), len(text)


def _check_version(declared: n.Literal) -> list[Diagnostic]:
    if declared.value == LANGUAGE_VERSION:
        return []
    return [
        report(
            "GNN013",
            f"this program reads version {LANGUAGE_VERSION} of the language, not {declared.value}",
            declared.span,
            helps=(f"write `gnn {LANGUAGE_VERSION}`, or install a newer graphdsl",),
        )
    ]


def _too_deep(declarations: list[Any], limit: int = MAX_DEPTH) -> list[Diagnostic]:
    """Expressions nested deeper than `limit` (found without recursion)."""
    stack: list[tuple[Any, int, Any]] = [(item, 0, None) for item in declarations]
    while stack:
        item, depth, span = stack.pop()
        if depth > limit * 4:
            return [report("GNN005", f"nested deeper than {limit} levels", span)]
        if isinstance(item, tuple):
            stack += [(child, depth, span) for child in item]
        elif hasattr(item, "__dataclass_fields__") and not isinstance(item, Span | n.Name | n.Literal):
            here = item.span
            stack += [(getattr(item, field), depth + 1, here) for field in item.__dataclass_fields__ if field != "span"]
    return []


def _empty(source: SourceText) -> Diagnostic:
    return report(
        "GNN004", f"`{source.name}` declares nothing", where=source.name,
        helps=("a spec has a `schema`, a `model`, and usually a `train` block",),
    )  # fmt: skip


def parse(source: SourceText) -> Parsed:
    """Parse a spec; every error is reported, what can be read is returned.

    >>> parsed = parse(SourceText("a.gnn", "schema s { node a { x: float[3] } }"))
    >>> parsed.diagnostics, len(parsed.file.declarations)
    ((), 1)
    """
    brackets = scan(source.text)
    if brackets.depth > MAX_DEPTH:
        place = _point(source, *_place(source.text, brackets.items[MAX_DEPTH].offset))
        found = report("GNN005", f"brackets are nested deeper than {MAX_DEPTH} levels", place)
        return Parsed(n.File(source, ()), (found,))
    found, lost = [], frozenset[str]()
    text = source.text
    children: list[Any] = []
    while True:
        try:
            children = build(parser().parse(text), source.name)
            break
        except lark.UnexpectedInput as error:
            diagnostic, offset = _diagnose(source, text, error)
            found.append(diagnostic)
            blanked = blank(text, offset) if len(found) < MAX_ERRORS else None
            if blanked is None:
                break
            text, words = blanked
            lost |= words
    if not found and (deep := _too_deep(children)):
        return Parsed(n.File(source, ()), tuple(deep))
    if children and isinstance(children[0], n.Literal):
        found += _check_version(children[0])
        children = children[1:]
    if not children and not found:
        found.append(_empty(source))
    return Parsed(n.File(source, tuple(children)), tuple(found), lost)
