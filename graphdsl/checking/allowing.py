"""`# gnn: allow GNN507 -- reason`: which findings a comment allows, read from the text.

Behind code a comment is about its own line, on a line of its own about the next line that holds code; of a statement that
goes over several lines it is about the whole, if it stands before it, behind its first line or behind its end. So a comment
means the same however the spec is laid out.
"""

import re
from dataclasses import dataclass

from graphdsl.syntax import parse
from graphdsl.syntax.comments import Comment, Commented
from graphdsl.syntax.extents import extents
from graphdsl.syntax.removal import removal
from graphdsl.text import (
    CODES,
    Code,
    Diagnostic,
    Edit,
    Fix,
    SourceText,
    Span,
    did_you_mean,
    find_code,
    renaming,
    report,
)

_DIRECTIVE = re.compile(r"#\s*gnn:\s*(?P<verb>[\w-]+)")
_NAME = re.compile(r"[^\W\d]\w*(?:-\w+)*")
_LIST = re.compile(rf"\s*{_NAME.pattern}(?:\s*,\s*{_NAME.pattern})*")
_REASON = re.compile(r"\s*--\s*\S")
_OTHER_WORDS = ("ignore", "noqa", "disable", "suppress", "expect", "skip", "off", "allows", "allowed", "alow")
_FORM = "`# gnn: allow CODE -- reason`"
OWN = frozenset({"GNN020", "GNN021", "GNN022", "GNN023", "GNN024"})
"""Codes of findings about these comments themselves."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A code that a comment allows.

    Attributes:
        code: which.
        span: where it is named.
        line: the line that it is about; None where no code follows.
        lines: all lines that it is about.
        removal: the fix that takes it out of the comment, or takes the comment away with it.
    """

    code: Code
    span: Span
    line: int | None
    lines: frozenset[int]
    removal: Fix


def read_allowed(source: SourceText) -> tuple[list[Allowed], list[Diagnostic]]:
    """What the comments of a text allow, and what is wrong with them."""
    allowed: list[Allowed] = []
    found: list[Diagnostic] = []
    if "gnn:" not in source.text:
        return allowed, found
    commented = Commented.of(source)
    directives = [item for item in commented.comments if _DIRECTIVE.match(item.text)]
    together = extents(parse(source).file) if directives else ()
    for comment in directives:
        _Reader(source, commented, together, comment, allowed, found).read()
    return allowed, found


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one comment."""

    source: SourceText
    commented: Commented
    together: tuple[tuple[int, int], ...]
    comment: Comment
    allowed: list[Allowed]
    found: list[Diagnostic]

    def read(self) -> None:
        match = _DIRECTIVE.match(self.comment.text)
        if match is None:
            return
        verb, rest = match.group("verb"), match.end()
        if verb != "allow":
            self.other_word(verb, match)
            return
        names = _LIST.match(self.comment.text, rest)
        if names is None:
            message = "`# gnn: allow` names nothing that it allows"
            self.found.append(report("GNN020", message, self.span(0, rest), helps=(f"write {_FORM}",)))
            return
        self.reason(names.end())
        items = list(_NAME.finditer(self.comment.text, names.start(), names.end()))
        spans = [self.span(*item.span()) for item in items]
        for place, item in enumerate(items):
            self.name(item.group(), spans, place)

    def other_word(self, verb: str, match: re.Match[str]) -> None:
        """Not every comment that begins so is meant for us."""
        meant = verb.lower() in (*_OTHER_WORDS, "allow") or re.search(r"GNN\d", self.comment.text)
        if meant:
            place = self.span(*match.span("verb"))
            fix = Fix("write `allow`", (Edit(place, "allow"),))
            self.found.append(
                report("GNN020", f"`# gnn: {verb}` suppresses nothing", place, helps=(f"write {_FORM}",), fix=fix)
            )

    def reason(self, end: int) -> None:
        text = self.comment.text
        if _REASON.match(text, end):
            return
        rest = text[end:].strip(" \t-–—:;.,")
        helps = (f"say why, behind `--`: {_FORM}",)
        fix = None
        if rest:
            start = text.index(rest, end)
            fix = Fix("write `--` before the reason", (Edit(self.span(end, start), " -- "),))
        message = "the reason of `# gnn: allow` stands behind `--`" if rest else "`# gnn: allow` gives no reason"
        self.found.append(report("GNN021", message, self.span(0, len(text.rstrip())), helps=helps, fix=fix))

    def name(self, name: str, spans: list[Span], place: int) -> None:
        code, span, fix = find_code(name), spans[place], self.removal(spans, place)
        if code is None:
            known = [word for item in CODES for word in (item.code, item.name)]
            helps = did_you_mean(name, known) or ("`gnn explain` lists all codes",)
            fix = renaming(span, name, known, str) or fix
            self.found.append(report("GNN022", f"unknown code `{name}`", span, helps=helps, fix=fix))
        elif code.severity == "error" or code.code in OWN:
            what = "is an error" if code.severity == "error" else "is about such comments"
            helps = ("mend what it is about: only warnings and notes can be allowed",)
            message = f"`{code.code} {code.name}` {what} and cannot be allowed"
            self.found.append(report("GNN023", message, span, helps=helps, fix=fix))
        else:
            line = next((line for line in self.commented.code if line >= self.comment.line), None)
            self.allowed.append(Allowed(code, span, line, self.lines(line), fix))

    def lines(self, line: int | None) -> frozenset[int]:
        """The lines of what starts on a line; behind code, also of what ends there."""
        if line is None:
            return frozenset()
        found = {line}
        for first, last in self.together:
            if first == line or (last == line == self.comment.line):
                found |= {*range(first, last + 1)}
        return frozenset(found)

    def removal(self, spans: list[Span], place: int) -> Fix:
        if len(spans) > 1 and (fix := removal(spans, place, "remove it")):
            return fix
        line, text = self.comment.line, self.source.lines[self.comment.line - 1]
        before = len(text[: self.comment.start].rstrip())
        whole = Span(self.source.name, line, before + 1, line, len(text) + 1)
        if not before:  # A line of its own goes with its end.
            last = line == len(self.source.lines)
            whole = Span(self.source.name, line, 1, line if last else line + 1, len(text) + 1 if last else 1)
        return Fix("remove the comment", (Edit(whole, ""),))

    def span(self, start: int, end: int) -> Span:
        """A range of the comment."""
        line, first = self.comment.line, self.comment.start + 1
        return Span(self.source.name, line, first + start, line, first + end)
