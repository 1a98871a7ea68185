"""Lists and blocks: what stands between brackets, on one line or one item per line."""

from collections.abc import Sequence

from graphdsl.syntax.formatting.parts import (
    BLANK,
    COMMA,
    LAST_COMMA,
    Break,
    Chain,
    Dangling,
    Group,
    Inside,
    Part,
    Word,
    join,
)
from graphdsl.syntax.formatting.pieces import Comment, Piece


def is_sign(part: Part, text: str) -> bool:
    """Whether a part is this one sign or word."""
    return isinstance(part, Word) and part.piece.text == text


def _pass_on(comma: Piece, previous: Piece | None, following: Piece | None) -> None:
    """Give the comments of a comma that is not written, or written anew, to the tokens beside it."""
    moved = list(comma.before)
    if comma.after and previous is not None and not previous.after and not moved:
        previous.after = comma.after
    elif comma.after:
        moved.append(Comment(comma.after))
    if following is not None:
        following.before[:0] = moved


def without_commas(parts: Sequence[Part]) -> list[Part]:
    """The parts between which commas stand; a comma's comments go to its neighbours."""
    kept: list[Part] = []
    for number, part in enumerate(parts):
        if isinstance(part, Word) and part.piece.text == ",":
            previous = kept[-1].last if kept else None
            following = parts[number + 1].first if number + 1 < len(parts) else None
            _pass_on(part.piece, previous, following)
        else:
            kept.append(part)
    return kept


def _dangling(closer: Part) -> list[Part]:
    """The comments before a closing bracket: they belong inside."""
    piece = closer.first
    if piece is None or not piece.before:
        return []
    comments, piece.before = piece.before, []
    return [Break(kept=bool(comments)), Dangling(comments)]


def _starts_line(items: Sequence[Part]) -> bool:
    first = items[0].first
    return first is not None and first.newline


def bracketed(children: Sequence[Part]) -> Part:
    """`(a, b)` or `[a, b]`: one item per line, the last with a comma too, when it does not fit."""
    opener, *items, closer = without_commas(children)
    dangling = _dangling(closer)
    if not items and not dangling:
        return join(opener, closer)
    inner: list[Part] = []
    for number, item in enumerate(items):
        inner += [COMMA] * (number > 0) + [Break(" " if number else "", kept=number > 0), item]
    inner += [LAST_COMMA] * bool(items)
    broken = bool(items) and _starts_line(items)
    return Group(join(opener, Inside(Chain([*inner, *dangling])), Break("", kept=False), closer), broken)


def braced(children: Sequence[Part], between: str | None, most: int = 10**9) -> Part:
    """`{ a, b }`: on one line when it fits, with `between` between the items; at most so many of them.

    Args:
        children: the braces, and what stands between them.
        between: what separates the items on one line; None: each has a line of its own anyway.
        most: so many items may stand on one line.
    """
    opener, *items, closer = without_commas(children)
    dangling = _dangling(closer)
    if not items and not dangling:
        return Group(join(opener, Break("", kept=False), closer))
    inner: list[Part] = []
    for number, item in enumerate(items):
        inner += [Break(between if number or between is None else " ", kept=number > 0), item]
    broken = len(items) > most or (bool(items) and _starts_line(items))
    body = Inside(Chain([*inner, *dangling]))
    return Group(join(opener, body, Break(" ", kept=False), closer), broken)


def block(head: Part, children: Sequence[Part]) -> Part:
    """A head and its members, each on a line of its own."""
    return join(head, BLANK, braced(children, None))


def filled(items: Sequence[Part], amount: int = 4) -> Part:
    """`a, b, c`: as many on a line as fit."""
    parts: list[Part] = []
    for number, item in enumerate(items):
        parts.append(join(COMMA, Group(join(Break(" ", kept=False), item))) if number else item)
    return Inside(Chain(parts), amount)


def stacked(items: Sequence[Part]) -> Part:
    """`a, b, c`: on one line, or each on its own."""
    parts: list[Part] = []
    for number, item in enumerate(items):
        parts += [COMMA, Break(" ", kept=False), item] if number else [item]
    return Group(Chain(parts))
