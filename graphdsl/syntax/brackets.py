"""Brackets of a text: which closes which, and which are open at a place. Strings and comments hold none."""

import re
from dataclasses import dataclass

_PIECE = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"?|[{}()\[\]]')
CLOSERS = {"{": "}", "(": ")", "[": "]"}


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket in the text and the offset of its partner, if it has one."""

    offset: int
    sign: str
    partner: int | None


@dataclass(frozen=True, slots=True)
class Brackets:
    """All brackets in order; `deepest` is the offset at which they nest deeper than the limit, if they do."""

    items: tuple[Bracket, ...]
    deepest: int | None

    def open_at(self, offset: int) -> tuple[Bracket, ...]:
        """Brackets opened before an offset and not yet closed there, the innermost last."""
        stack: list[Bracket] = []
        for item in self.items:
            if item.offset >= offset:
                break
            if item.sign in CLOSERS:
                stack.append(item)
            else:
                _close(stack, item.sign)
        return tuple(stack)

    def at(self, offset: int) -> Bracket | None:
        """The bracket at an offset."""
        return next((item for item in self.items if item.offset == offset), None)


def _close(stack: list[Bracket], sign: str) -> Bracket | None:
    """Take the opener that a closer ends from the stack: a brace closes over forgotten parentheses, not vice versa."""
    while stack and sign == "}" and stack[-1].sign != "{":
        stack.pop()
    return stack.pop() if stack and CLOSERS[stack[-1].sign] == sign else None


def scan(text: str, limit: int = 10**9) -> Brackets:
    """Pair the brackets of a text.

    >>> [item.partner for item in scan("edges { a: Linear(64 }").items]
    [21, None, 6]
    """
    signs = [(m.start(), m.group()) for m in _PIECE.finditer(text) if m.group() in "{}()[]"]
    partner: dict[int, int] = {}
    stack: list[Bracket] = []
    deepest: int | None = None
    for offset, sign in signs:
        if sign in CLOSERS:
            stack.append(Bracket(offset, sign, None))
            if deepest is None and len(stack) > limit:
                deepest = offset
        elif opened := _close(stack, sign):
            partner[opened.offset], partner[offset] = offset, opened.offset
    return Brackets(tuple(Bracket(offset, sign, partner.get(offset)) for offset, sign in signs), deepest)
