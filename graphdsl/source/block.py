"""Lines of Python at one indentation."""

import textwrap
from collections.abc import Iterable

from graphdsl.source.expressions import LINE, Expression, lay_out


class Block:
    """Statements one below the other.

    Args:
        indent: columns before each line.
    """

    def __init__(self, indent: int = 0) -> None:
        self.indent = indent
        self.lines: list[str] = []

    def write(self, text: str, deeper: int = 0) -> None:
        """One line as it is."""
        self.lines.append(" " * (self.indent + deeper) + text if text else "")

    def blank(self) -> None:
        """An empty line, unless the block begins here or has one."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def comment(self, text: str) -> None:
        """A comment, over several lines if need be."""
        for line in textwrap.wrap(text, LINE - self.indent - 2, break_long_words=False, break_on_hyphens=False):
            self.write(f"# {line}")

    def statement(
        self, expression: Expression, before: str = "", after: str = "", note: str = "", deeper: int = 0
    ) -> None:
        """`before expression after`; the note becomes a comment behind it, or above where it would not fit."""
        lines = lay_out(expression, self.indent + deeper, before, after)
        if note and len(lines) == 1 and len(lines[0]) + len(note) + 4 <= LINE:
            lines[0] += f"  # {note}"
        elif note:
            self.comment(note)
        self.lines += lines

    def assign(self, target: str, expression: Expression, note: str = "") -> None:
        """`target = expression`."""
        self.statement(expression, f"{target} = ", note=note)

    def loop(self, head: str, over: Expression) -> None:
        """`for head in over:`."""
        self.statement(over, f"for {head} in ", ":")

    def give(self, expression: Expression) -> None:
        """`return expression`."""
        self.statement(expression, "return ")

    def extend(self, lines: Iterable[str]) -> None:
        """Lines that are indented already."""
        self.lines += lines

    def text(self) -> str:
        """All lines, without empty ones at the end."""
        return "\n".join(self.lines).rstrip("\n") + "\n"
