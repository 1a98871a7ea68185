"""Comments of a text, and the lines that hold code. What looks like a comment in a string is none."""

import re
from dataclasses import dataclass
from typing import Self

from graphdsl.text import SourceText

_PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"?|#[^\r\n]*')


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment.

    Attributes:
        line: its line, from 1.
        start: offset of its `#` in that line, from 0.
        text: from the `#` to the end of the line.
    """

    line: int
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Commented:
    """A text's comments.

    Attributes:
        comments: all of them, in order.
        code: lines that hold more than blanks and a comment, from 1, in order.
    """

    comments: tuple[Comment, ...]
    code: tuple[int, ...]

    @classmethod
    def of(cls, source: SourceText) -> Self:
        """Find the comments of a text.

        >>> found = Commented.of(SourceText("a.gnn", 'node "#1"  # first'))
        >>> found.comments, found.code
        ((Comment(line=1, start=11, text='# first'),), (1,))
        """
        comments: list[Comment] = []
        code: list[int] = []
        for number, line in enumerate(source.lines, 1):
            found = next((piece for piece in _PIECE.finditer(line) if piece.group().startswith("#")), None)
            if found is not None:
                comments.append(Comment(number, found.start(), found.group()))
            if line[: found.start() if found else None].strip():
                code.append(number)
        return cls(tuple(comments), tuple(code))
