"""A spec's text at its present state of repair: what stands where, and what could."""

from dataclasses import dataclass
from functools import cached_property

from graphdsl.syntax.brackets import Brackets, scan
from graphdsl.syntax.grammar import could_follow
from graphdsl.syntax.recovery import Repair, Replace, code_before, line_bounds
from graphdsl.text import Diagnostic, Edit, Fix, Span


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and the repair with which reading goes on."""

    diagnostic: Diagnostic
    repair: Repair


@dataclass(frozen=True)
class Draft:
    """The text at its present state of repair, under the name of its file."""

    name: str
    text: str

    @cached_property
    def brackets(self) -> Brackets:
        """Its brackets, paired."""
        return scan(self.text)

    def span(self, start: int, end: int) -> Span:
        """A range within one line."""
        line = self.text.count("\n", 0, start) + 1
        column = start - self.text.rfind("\n", 0, start)
        return Span(self.name, line, column, line, column + max(1, end - start))

    def indentation(self, offset: int) -> int:
        """Blanks before the first code on the line of an offset."""
        return self.line_start(offset) - line_bounds(self.text, offset)[0]

    def line_start(self, offset: int) -> int:
        """The first code on the line of an offset."""
        start, end = line_bounds(self.text, offset)
        return start + len(self.text[start:end]) - len(self.text[start:end].lstrip())

    def accepts(self, offset: int, more: str = "") -> frozenset[str]:
        """Terminals that could stand at an offset (behind something more), if all before it can be read."""
        return could_follow(self.text[:offset] + more)

    def insertion(self, offset: int, sign: str) -> Replace:
        """Put a forgotten sign before an offset: at the end of the line before, or over a blank: little moves."""
        before = code_before(self.text, offset)
        if before is not None and self.line_start(offset) >= offset:
            return Replace(before, before, sign)
        blank = self.text[offset - 1 : offset] == " "
        return Replace(offset - blank, offset, sign)


def fix_of(here: Draft, title: str, *edits: Replace) -> Fix:
    """A fix that makes edits."""

    def place(edit: Replace) -> Edit:
        span = here.span(edit.start, edit.end)
        if edit.start == edit.end:
            span = Span(span.file, span.line, span.column, span.line, span.column)
        return Edit(span, edit.text)

    return Fix(title, tuple(map(place, edits)))


def reads_on(here: Draft, edit: Replace, stuck: int) -> bool:
    """Whether after an edit the parser gets past the line of an offset where it was stuck without."""
    changed = here.text[: edit.start] + edit.text + here.text[edit.end :]
    moved = stuck + len(edit.text) - (edit.end - edit.start) if edit.start <= stuck else stuck
    end = line_bounds(changed, max(moved, edit.start + len(edit.text)))[1]
    return bool(Draft(here.name, changed).accepts(end))
