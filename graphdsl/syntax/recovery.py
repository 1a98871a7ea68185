"""Going on after a syntax error: the faulty statement is blanked, its line breaks kept, and the text parsed again.

Blanking keeps brackets that the faulty statement neither opens nor closes itself, so one mistake does not shift the
structure of everything behind it.
"""

import re
from dataclasses import dataclass

_PIECE = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"?|[{}()\[\]]')
_OPENERS = {"{": "}", "(": ")", "[": "]"}
_WORD = re.compile(r'[^\W\d]\w*|"(?:[^"\\\n]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket in the text and the offset of its partner, if it has one."""

    offset: int
    sign: str
    partner: int | None


@dataclass(frozen=True, slots=True)
class Brackets:
    """All brackets outside strings and comments, in order, and how deep they nest at most."""

    items: tuple[Bracket, ...]
    depth: int

    def unclosed(self) -> Bracket | None:
        """The innermost opener without a partner."""
        return next((item for item in reversed(self.items) if item.sign in _OPENERS and item.partner is None), None)


def scan(text: str) -> Brackets:
    """Pair the brackets of a text; a closer pairs with the nearest opener of its kind."""
    found: list[tuple[int, str]] = [(m.start(), m.group()) for m in _PIECE.finditer(text) if m.group() in "{}()[]"]
    partner: dict[int, int] = {}
    stack: list[tuple[int, str]] = []
    depth = 0
    for offset, sign in found:
        if sign in _OPENERS:
            stack.append((offset, sign))
            depth = max(depth, len(stack))
            continue
        # A brace closes over forgotten parentheses, a parenthesis never over a brace.
        while stack and _OPENERS[stack[-1][1]] != sign and sign == "}":
            stack.pop()
        if stack and _OPENERS[stack[-1][1]] == sign:
            opened, _ = stack.pop()
            partner[opened], partner[offset] = offset, opened
    items = tuple(Bracket(offset, sign, partner.get(offset)) for offset, sign in found)
    return Brackets(items, depth)


def _line_bounds(text: str, offset: int) -> tuple[int, int]:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return start, len(text) if end < 0 else end


def _is_code(text: str) -> bool:
    return bool(text.split("#", 1)[0].strip())


def _previous_code_line(text: str, offset: int) -> int | None:
    """An offset on the nearest line before `offset` that holds more than blanks and comments."""
    end = text.rfind("\n", 0, offset)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        if _is_code(text[start:end]):
            return start
        end = start - 1
    return None


def _grow(text: str, start: int, end: int) -> int:
    """Move the end of a region to the end of the line on which the last bracket opened in it closes."""
    brackets = scan(text).items
    while True:
        inside = [b.partner for b in brackets if start <= b.offset < end and b.sign in _OPENERS and b.partner is not None]
        last = max(inside, default=-1)
        if last < end:
            return end
        end = _line_bounds(text, last)[1]


def blank(text: str, offset: int) -> tuple[str, frozenset[str]] | None:
    """Blank the statement at an offset.

    Returns:
        The text with blanks for the statement, and the words that went with it (so that nothing is reported about
        names that only the faulty statement declared); None when there is nothing left to blank.
    """
    start, end = _line_bounds(text, min(offset, len(text)))
    opened = scan(text).unclosed() if offset >= len(text) else None
    if opened is not None:
        start, end = _line_bounds(text, opened.offset)[0], len(text)  # nothing behind it can be told apart
    elif not text[start:offset].strip():
        # The error shows at the first word of a line: most often the line before it is unfinished.
        before = _previous_code_line(text, start)
        closes = text[offset : offset + 1] in ("}", ")", "]", "")
        if before is not None and closes:
            start, end = _line_bounds(text, before)
    end = _grow(text, start, end)
    kept = {
        b.offset
        for b in scan(text).items
        if start <= b.offset < end and b.partner is not None and not start <= b.partner < end
    }
    region = text[start:end]
    new = "".join(c if c == "\n" or start + i in kept else " " for i, c in enumerate(region))
    if new == region:
        kept_all = text[start:end].strip()
        if not kept_all:
            return None
        new = "".join(c if c == "\n" else " " for c in region)
    words = frozenset(m.group().strip('"') for m in _WORD.finditer(region))
    return text[:start] + new + text[end:], words
