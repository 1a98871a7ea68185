"""Places in source text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of source text; lines and columns count from 1, the end column is exclusive.

    >>> str(Span("dblp.gnn", 3, 5, 3, 9))
    'dblp.gnn:3:5'
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, other: "Span") -> "Span":
        """The span from the start of this one to the end of `other`."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)

    def holds(self, other: "Span") -> bool:
        """Whether the other span lies within this one."""
        start, end = (self.line, self.column), (self.end_line, self.end_column)
        return (
            self.file == other.file
            and start <= (other.line, other.column)
            and ((other.end_line, other.end_column) <= end)
        )

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
