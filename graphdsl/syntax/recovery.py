"""Going on after a syntax error: the text is repaired where that is clear, otherwise the faulty statement is blanked.

A forgotten bracket is put at the end of a line, so no place behind it moves. Blanking keeps line breaks, and brackets
that the faulty statement neither opens nor closes itself, so one mistake does not shift the structure of what follows.
"""

import re
from collections.abc import Set
from dataclasses import dataclass

from graphdsl.syntax.brackets import CLOSERS, scan

_WORD = re.compile(r'[^\W\d]\w*|"(?:[^"\\\n]|\\.)*"')
_NAMED = r'(?:[^\W\d]\w*|"(?:[^"\\\n]|\\.)*")'
_HEADERS = (
    re.compile(rf"[ \t]*model\s+{_NAMED}(?P<faulty>.*)\b(?:on|amends)\s+{_NAMED}\s*"),
    re.compile(rf"[ \t]*(?:schema|train)\s+{_NAMED}(?P<faulty>.*)"),
    re.compile(r"[ \t]*(?:[^\W\d]\w*\s*=\s*)?(?:nodes|edges)\b(?P<faulty>.*)"),
)
"""Lines that start a block, and the part that it can be read without."""
_REPEAT = re.compile(r"[ \t]*repeat\b(?P<faulty>(?! 1 ).*)")
_CODE = re.compile(r'(?:[^"#\n]|"(?:[^"\\\n]|\\.)*"?)*')


@dataclass(frozen=True, slots=True)
class Blank:
    """Blank the statement at an offset."""

    offset: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Blank everything from `start` to `end`: text that belongs to no block."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `text` where the characters from `start` to `end` are; `text` holds no line break."""

    start: int
    end: int
    text: str


Repair = Blank | Skip | Replace


def line_bounds(text: str, offset: int) -> tuple[int, int]:
    """Offsets of the start and the end (without its break) of the line at an offset."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return start, len(text) if end < 0 else end


def code_end(text: str, offset: int) -> int:
    """Where the code of the line at an offset ends: before blanks and a comment."""
    start, end = line_bounds(text, offset)
    match = _CODE.match(text, start, end)
    return start + len(match.group().rstrip()) if match else end


def code_before(text: str, offset: int) -> int | None:
    """The end of the nearest code before the line at an offset, on a line that has some."""
    start = line_bounds(text, offset)[0]
    while start > 0:
        end = code_end(text, start - 1)
        start = line_bounds(text, start - 1)[0]
        if end > start:
            return end
    return None


def _grow(text: str, start: int, end: int) -> int:
    """Move the end of a region to the end of the line on which the last bracket opened in it closes."""
    brackets = scan(text).items
    while True:
        inside = [
            b.partner for b in brackets if start <= b.offset < end and b.sign in CLOSERS and b.partner is not None
        ]
        last = max(inside, default=-1)
        if last < end:
            return end
        end = line_bounds(text, last)[1]


def _region(text: str, offset: int) -> tuple[int, int]:
    """The lines of the statement at an offset."""
    start, end = line_bounds(text, min(offset, len(text)))
    if not text[start:offset].strip() and text[offset : offset + 1] in ("}", ")", "]", ""):
        # A closer at the start of a line cannot stand here: the line before it is unfinished.
        before = code_before(text, start)
        if before is not None:
            start, end = line_bounds(text, before)
    return start, _grow(text, start, end)


def _blank_header(text: str, offset: int) -> tuple[str, frozenset[str]] | None:
    """Blank what is faulty before the `{` of a block that goes on on later lines, so that the block is read still."""
    start, end = line_bounds(text, offset)
    opened = next((b for b in scan(text).items if start <= b.offset < end and b.sign == "{"), None)
    if opened is None or opened.offset < offset or (opened.partner is not None and opened.partner < end):
        return None
    if turns := _REPEAT.fullmatch(text, start, opened.offset):
        return text[: turns.start("faulty")] + " 1 " + text[opened.offset :], frozenset()
    head = next((match for header in _HEADERS if (match := header.fullmatch(text, start, opened.offset))), None)
    return None if head is None else _without(text, head.start("faulty"), head.end("faulty"), frozenset())


def _blank(text: str, offset: int) -> tuple[str, frozenset[str]] | None:
    if header := _blank_header(text, offset):
        return header
    start, end = _region(text, offset)
    kept = {
        b.offset
        for b in scan(text).items
        if start <= b.offset < end and b.partner is not None and not start <= b.partner < end
    }
    return _without(text, start, end, kept) or _without(text, start, end, frozenset())


def _without(text: str, start: int, end: int, kept: Set[int]) -> tuple[str, frozenset[str]] | None:
    """Blank a region but for the offsets in `kept`; None if that changes nothing."""
    region = text[start:end]
    new = "".join(c if c == "\n" or start + i in kept else " " for i, c in enumerate(region))
    words = frozenset(m.group().strip('"') for m in _WORD.finditer(region))
    return (text[:start] + new + text[end:], words) if new != region else None


def apply(text: str, repair: Repair) -> tuple[str, frozenset[str]] | None:
    """Repair a text.

    Returns:
        The new text, and the words that it no longer holds (so that nothing is said about names that only a faulty
        statement declares); None when there is nothing left to blank.

    >>> apply("edges { paper: Linear(64 }", Replace(24, 24, ")"))[0]
    'edges { paper: Linear(64) }'
    """
    if isinstance(repair, Blank):
        return _blank(text, repair.offset)
    if isinstance(repair, Skip):
        return _without(text, repair.start, repair.end, frozenset())
    return text[: repair.start] + repair.text + text[repair.end :], frozenset()
