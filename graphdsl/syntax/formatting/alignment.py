"""Columns of neighbouring rows are aligned, and so are the comments at the ends of neighbouring lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from graphdsl.syntax.formatting.layout import WIDTH, Cell, Line
from graphdsl.text import columns

_FURTHEST = 40
"""Columns whose places differ by more are not aligned: the gap would part what belongs together."""
_OPENERS = ("{", "(", "[")


class _Span:
    """A run of rows that one column can be aligned over."""

    def __init__(self) -> None:
        self.rows: list[tuple[Cell, int, Sequence[Line]]] = []
        self.most = self.rest = 0
        self.least = 10**9

    def takes(self, left: int, rest: int) -> bool:
        """Whether a row can join: the column stays near for all, and no line becomes too long."""
        most, least = max(self.most, left), min(self.least, left)
        return not self.rows or (most + max(self.rest, rest) <= WIDTH and most - least <= _FURTHEST)

    def add(self, cell: Cell, left: int, rest: int, further: Sequence[Line] = ()) -> None:
        self.rows.append((cell, left, further))
        self.most, self.least, self.rest = max(self.most, left), min(self.least, left), max(self.rest, rest)

    def pad(self) -> None:
        for cell, left, further in self.rows:
            cell.gap += self.most - left
            for line in further:
                line.indent += self.most - left


def _runs(lines: Iterable[Line], key: Callable[[Line], object]) -> Iterator[Sequence[Line]]:
    """Neighbouring lines that have the same key, which is not None."""
    for found, run in groupby(lines, key):
        if found is not None:
            yield list(run)


def _width(cells: Sequence[Cell]) -> int:
    return sum(cell.gap + columns(cell.text) for cell in cells)


def _align_columns(run: Sequence[Line]) -> None:
    """Align the columns of a run of rows, from left to right."""
    names = list(dict.fromkeys(cell.column for line in run for cell in line.cells[1:]))
    for name in names:
        span = _Span()
        for line in run:
            place = next((i for i, cell in enumerate(line.cells) if cell.column == name), None)
            if place is None:
                continue
            left = line.indent + _width(line.cells[:place])
            rest = max(
                _width(line.cells[place:]), *(item.indent + _width(item.cells) - left for item in line.further), 0
            )
            if not span.takes(left, rest):
                span.pad()
                span = _Span()
            span.add(line.cells[place], left, rest, line.further)
        span.pad()


def _align_comments(run: Sequence[Line]) -> None:
    """Put the comments of neighbouring lines below each other, but for those of lines that open a block."""
    span = _Span()
    for line in run:
        opens = line.cells[-1].text.endswith(_OPENERS)
        line.cells.append(Cell(line.comment, "comment", 2))
        if opens:
            continue
        left, rest = line.indent + _width(line.cells[:-1]), 2 + columns(line.comment)
        if not span.takes(left, rest):
            span.pad()
            span = _Span()
        span.add(line.cells[-1], left, rest)
    span.pad()


def _comment_column(line: Line) -> int | None:
    """What lines with aligned comments share."""
    return line.indent if line.comment and not line.empty else None


def align(lines: Sequence[Line]) -> list[str]:
    """The lines as text."""
    for run in _runs(lines, lambda line: line.kind or None):
        _align_columns([line for line in run if not line.hangs])
    for run in _runs(lines, _comment_column):
        _align_comments(run)
    return [_show(line) for line in lines]


def _show(line: Line) -> str:
    text = "".join(" " * cell.gap + cell.text for cell in line.cells)
    if line.comment and line.empty:
        text = line.comment
    return " " * line.indent + text.rstrip() if text else ""
