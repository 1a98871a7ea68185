"""From places in the `.gnn` text of a document back to places in the document itself."""

from bisect import bisect_right
from dataclasses import dataclass

from lark import Token

from graphdsl.syntax.documents.tree import Node
from graphdsl.text import SourceText, Span

_LENGTHS = {"x": 4, "u": 6, "U": 10}


def content(raw: str, value: str) -> list[int] | None:
    r"""Where in a scalar's text each character that it says starts, and the last one ends; None where that is not plain.

    >>> content('"a\\"b"', 'a"b')
    [1, 2, 4, 5]
    """
    if raw == value:
        return list(range(len(raw) + 1))
    quote = raw[:1]
    if quote not in ("'", '"') or "\n" in raw:
        return None
    places: list[int] = []
    at = 1
    for character in value:
        places.append(at)
        if raw[at : at + 1] == "\\" and quote == '"':
            length = _LENGTHS.get(raw[at + 1 : at + 2], 2)
            wide = length == 6 and ord(character) > 0xFFFF
            at += 12 if wide else length
        else:
            at += 2 if raw[at : at + 2] == "''" and quote == "'" else 1
    return [*places, at] if at == len(raw) - 1 else None


@dataclass(slots=True)
class _Segment:
    """A range of the text and the value that it came from; `exact`: where each of its characters stands there, once told."""

    start: int
    text: str
    node: Node
    exact: list[int] | None = None
    told: bool = False


class Spelled:
    """A text that is put together from the values of a document."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.parts: list[str] = []
        self.length = 0
        self.segments: list[_Segment] = []
        self.starts: list[int] = []
        self.lines = [0]
        for line in source.text.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)

    @property
    def text(self) -> str:
        """What was put together so far."""
        return "".join(self.parts)

    def put(self, text: str, node: Node) -> None:
        """Add a text that stands for a value."""
        self.starts.append(self.length)
        self.segments.append(_Segment(self.length, text, node))
        self.parts += [text, " "]
        self.length += len(text) + 1

    def new_line(self) -> None:
        """Go on on the next line, which is nicer to read; what was put so far keeps its offsets."""
        if self.parts:
            self.parts[-1] = "\n"

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of an offset in the document."""
        line = bisect_right(self.lines, offset)
        line = min(line, len(self.lines) - 1)
        return line, offset - self.lines[line - 1] + 1

    def range(self, start: int, end: int) -> tuple[int, int]:
        """Where in the document a range of the text came from."""
        last = max(start, end - 1)
        first = self.offset(start, False)
        return first, max(first, self.offset(last, True))

    def offset(self, offset: int, end: bool) -> int:
        """Where in the document a character of the text starts or ends."""
        segment = self.segments[max(0, bisect_right(self.starts, offset) - 1)]
        node, within = segment.node, offset - segment.start
        if not segment.told and node.kind == "scalar":
            segment.exact = content(self.source.text[node.start : node.end], segment.text)
            segment.told = True
        if segment.exact is None or within + 1 >= len(segment.exact):
            return node.end if end else node.start
        return node.start + segment.exact[within + end]

    def span(self, start: int, end: int) -> Span:
        """The place in the document that a range of the text came from."""
        first, last = self.range(start, end)
        return Span(self.source.name, *self.line_column(first), *self.line_column(last))

    def move(self, token: Token) -> None:
        """Give a token the place in the document that it came from."""
        start = token.start_pos or 0
        first, last = self.range(start, start + len(token))
        token.line, token.column = self.line_column(first)
        token.end_line, token.end_column = self.line_column(last)
