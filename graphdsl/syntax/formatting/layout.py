"""Lines from parts: groups that fit stand on one line, comments stay where they are. Linear, without recursion."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphdsl.syntax.formatting.parts import (
    Break,
    Chain,
    Column,
    Dangling,
    Group,
    Inside,
    Mark,
    Part,
    Row,
    Word,
)
from graphdsl.syntax.formatting.pieces import Comment, Piece
from graphdsl.text import columns

WIDTH = 100
_FURTHER = 4
"""Indentation of what goes on after a comment in the middle of a statement."""


@dataclass(slots=True, eq=False)
class Cell:
    """A part of a line: its text, and the column that it starts in, if that is aligned."""

    text: str = ""
    column: str = ""
    gap: int = 0


@dataclass(slots=True, eq=False)
class Line:
    """A line.

    Attributes:
        cells: its code, in parts that may be aligned.
        comment: the comment at its end.
        kind: the kind of row that it is, if it is one.
        further: the further lines of a row that hang on its last aligned column.
        hangs: it is such a line.
    """

    indent: int = 0
    cells: list[Cell] = field(default_factory=lambda: [Cell()])
    comment: str = ""
    kind: str = ""
    further: "list[Line]" = field(default_factory=list["Line"])
    hangs: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing stands on it but perhaps a comment."""
        return len(self.cells) == 1 and not self.cells[0].text


@dataclass(slots=True)
class _Start:
    """A line that is about to start."""

    indent: int
    kept: bool = False
    forced: bool = False


@dataclass(slots=True)
class _OpenRow:
    """A row that is being laid out, and the line on which it started."""

    row: Row
    line: Line | None = None
    number: int = 0


class _EndRow(Part):
    """Ends the innermost row."""

    __slots__ = ()


_Command = tuple[int, bool, Part]
"""Indentation, whether everything stands on one line, and what is laid out."""


class _Layout:
    """Lays out one part, from its start to its end."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.here = Line()
        self.used = 0
        self.start: _Start | None = _Start(0)
        self.rows: list[_OpenRow] = []
        self.stack: list[_Command] = []

    def run(self, part: Part) -> list[Line]:
        """The lines of a part."""
        self.stack = [(0, False, part)]
        while self.stack:
            indent, flat, item = self.stack.pop()
            self.take(indent, flat, item)
        return self.lines

    def take(self, indent: int, flat: bool, item: Part) -> None:
        match item:
            case Word():
                self.word(item.piece, indent)
            case Chain():
                self.stack += [(indent, flat, part) for part in reversed(item.parts)]
            case Group():
                self.stack.append((indent, flat or self.fits(item), item.part))
            case Inside():
                self.stack.append((indent + item.amount, flat, item.part))
            case Row():
                self.row(indent, flat, item)
            case Dangling():
                self.own_lines(item.comments)
            case _EndRow():
                self.close_row(self.rows.pop())
            case _:
                self.gap(indent, flat, item)

    def gap(self, indent: int, flat: bool, item: Part) -> None:
        """What stands between tokens."""
        match item:
            case Mark():
                if not (item.broken and flat):
                    self.mark(item.text)
            case Column():
                self.column(item)
            case Break():
                if flat:
                    self.mark(item.flat or "")
                else:
                    self.start = _Start(indent, item.kept, item.forced)
            case _:
                raise TypeError(f"{type(item).__name__} cannot be laid out")

    def close_row(self, opened: _OpenRow) -> None:
        """A row is aligned if it stands on one line, or if its further lines hang on the first."""
        line = opened.line
        further = self.lines[opened.number :]
        if line is None or (further and not (opened.row.hanging and all(item.cells[0].text for item in further))):
            return
        line.kind, line.further = opened.row.kind, further
        for item in further:
            item.kind, item.hangs = line.kind, True

    def row(self, indent: int, flat: bool, item: Row) -> None:
        if not flat:
            self.rows.append(_OpenRow(item))
            self.stack.append((indent, flat, _EndRow()))
        self.stack.append((indent, flat, item.part))

    def word(self, piece: Piece, indent: int) -> None:
        """Put a token on the line, its comments before and behind it."""
        if self.start is None and (self.here.comment or piece.before):
            self.start = _Start(indent + _FURTHER)
        self.own_lines(piece.before)
        if self.start is not None:
            self.open_line(piece.blank)
        if self.rows and self.rows[-1].line is None:
            self.rows[-1].line, self.rows[-1].number = self.here, len(self.lines)
        self.put(piece.text)
        self.here.comment = piece.after

    def own_lines(self, comments: Sequence[Comment]) -> None:
        """Put comments on lines of their own."""
        for comment in comments:
            self.open_line(comment.blank)
            self.here.comment = comment.text
            self.start = _Start(self.here.indent, kept=True)

    def open_line(self, blank: bool) -> None:
        start = self.start or _Start(0)
        if start.forced or (start.kept and blank):
            self.lines.append(Line())
        self.here = Line(start.indent)
        self.lines.append(self.here)
        self.used = start.indent
        self.start = None

    def mark(self, text: str) -> None:
        """Put a comma or a blank on the line: before its comment, and no blank at its start or end."""
        if self.start is None and (text == "," or not self.here.comment):
            self.put(text)

    def put(self, text: str) -> None:
        self.here.cells[-1].text += text
        self.used += columns(text)

    def column(self, item: Column) -> None:
        if self.start is not None or self.here.comment:
            return
        if self.rows and self.rows[-1].row.kind == item.kind:
            self.here.cells.append(Cell("", item.name, item.gap))
            self.used += item.gap
        else:
            self.put(" " * item.gap)

    def fits(self, group: Group) -> bool:
        """Whether a group, and what stands behind it up to the next break, fits on the line."""
        if group.hard:
            return False
        used = self.start.indent if self.start is not None else self.used
        left = WIDTH - used - group.width
        return left >= 0 and self.fits_behind(left)

    def fits_behind(self, left: int) -> bool:
        """Whether what is still to come fits up to the first place where it can be broken."""
        waiting: list[tuple[bool, Part]] = []
        behind = len(self.stack)
        while waiting or behind:
            if not waiting:
                behind -= 1
                waiting.append(self.stack[behind][1:])
            flat, part = waiting.pop()
            if isinstance(part, Chain):
                waiting += [(flat, inner) for inner in reversed(part.parts)]
            elif isinstance(part, Group | Inside | Row) and not (isinstance(part, Group) and part.late):
                waiting.append((flat, part.part))
            elif _ends_line(part, flat):
                return True
            else:
                left -= part.width
                if left < 0:
                    return False
                if part.last is not None and part.last.after:
                    return True
        return True


def _ends_line(part: Part, flat: bool) -> bool:
    return (
        isinstance(part, Dangling)
        or (isinstance(part, Break) and not flat)
        or (isinstance(part, Word) and bool(part.piece.before))
    )


def lay_out(part: Part) -> list[Line]:
    """The lines of a part, their columns not yet aligned."""
    return _Layout().run(part)
