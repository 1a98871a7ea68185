"""A spec as a sequence of tokens, each with the comments beside it."""

import re
from dataclasses import dataclass, field
from typing import cast

from lark import Token, Tree

_GAP = re.compile(r"\n|#[^\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a line of its own; `blank`: an empty line stands before it."""

    text: str
    blank: bool = False


@dataclass(slots=True, eq=False)
class Piece:
    """A token and what stands around it.

    Attributes:
        text: the token as written.
        before: comments on lines of their own before it.
        after: the comment behind it on its line, or "".
        blank: an empty line stands directly before it.
        newline: it is the first on its line.
    """

    text: str
    before: list[Comment] = field(default_factory=list[Comment])
    after: str = ""
    blank: bool = False
    newline: bool = False


def tokens_of(tree: Tree[Token]) -> list[Token]:
    """All tokens of a tree, in order; without recursion."""
    found: list[Token] = []
    stack: list[Tree[Token] | Token] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, Token):
            found.append(item)
        else:
            stack += reversed(item.children)
    return found


def _read_gap(gap: str, previous: Piece | None, piece: Piece) -> None:
    """Give the comments between two tokens to them: behind the first on its line, the others before the second."""
    breaks = 0 if previous else 1
    for match in _GAP.finditer(gap):
        said = match.group()
        if said == "\n":
            breaks += 1
            continue
        if breaks or previous is None:
            piece.before.append(Comment(said.rstrip(), breaks > 1))
        else:
            previous.after = said.rstrip()
        breaks = 0
    piece.blank, piece.newline = breaks > 1, breaks > 0


def read_pieces(text: str, tree: Tree[Token]) -> tuple[dict[int, Piece], Piece]:
    """Pieces by the place where their tokens start, and one for the end of the file, which bears the last comments.

    Args:
        text: a spec without syntax errors, its lines ending in newlines.
        tree: what was read from it.
    """
    pieces: dict[int, Piece] = {}
    previous: Piece | None = None
    end = 0
    for token in tokens_of(tree):
        start = cast(int, token.start_pos)
        piece = Piece(str(token))
        _read_gap(text[end:start], previous, piece)
        pieces[start] = previous = piece
        end = start + len(token)
    last = Piece("")
    _read_gap(text[end:], previous, last)
    return pieces, last
