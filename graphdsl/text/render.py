"""Diagnostics for people: source excerpts with labels, in the style of rustc."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphdsl.text.diagnostic import Diagnostic, Label, order
from graphdsl.text.display import clean, columns
from graphdsl.text.source import SourceText, read_source

_STYLES = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "note": "\x1b[1;36m",
    "frame": "\x1b[1;34m",
    "bold": "\x1b[1m",
}
_RESET = "\x1b[0m"
_WIDEST = 160


@dataclass(frozen=True, slots=True)
class _Paint:
    """Colours, or none."""

    on: bool

    def __call__(self, style: str, text: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self.on and text else text


def _window(line: str, labels: list[Label]) -> tuple[int, str]:
    """The part of a line that is shown, and the offset it starts at: long lines are cut around the first label."""
    first = min(label.span.column for label in labels) - 1
    left = max(0, min(first, len(line)) - _WIDEST // 2) if len(line) > _WIDEST else 0
    return left, line[left : left + _WIDEST]


def _underline(line: str, left: int, label: Label, paint: _Paint, style: str) -> str:
    """The marks under one label's text and what it says; `line` is what is shown, from offset `left` on."""
    span = label.span
    start = min(max(0, span.column - 1 - left), len(line) + 1)
    end = span.end_column - 1 - left if span.end_line == span.line else len(line.rstrip())
    before = columns(clean(line[:start])) + max(0, start - len(line))
    marks = max(1, columns(clean(line[start:end])))
    sign = "^" if label.primary else "-"
    return " " * before + paint(style, (sign * marks + " " + clean(label.text)).rstrip())


def _gutter(diagnostic: Diagnostic) -> int:
    """Columns of the largest line number."""
    return len(str(max((label.span.line for label in diagnostic.labels), default=1)))


def _excerpt(diagnostic: Diagnostic, source: SourceText, paint: _Paint) -> list[str]:
    """The lines of source that the labels point to, with their marks."""
    labels = [item for item in diagnostic.labels if item.span.file == source.name]
    by_line: dict[int, list[Label]] = {}
    for label in labels:
        if 1 <= label.span.line <= len(source.lines):
            by_line.setdefault(label.span.line, []).append(label)
    gutter = _gutter(diagnostic)
    bar = paint("frame", " " * gutter + " |")
    place = next((item.span for item in labels if item.primary), labels[0].span)
    arrow = "--> " if any(item.primary for item in labels) else "::: "
    out = [paint("frame", " " * gutter + arrow) + clean(str(place)), bar]
    previous = None
    for number in sorted(by_line):
        if previous is not None and number > previous + 1:
            out.append(paint("frame", "..."))
        left, line = _window(source.lines[number - 1], by_line[number])
        out.append((paint("frame", f"{number:>{gutter}} | ") + clean(line)).rstrip())
        for label in sorted(by_line[number], key=lambda item: -item.span.column):
            style = diagnostic.severity if label.primary else "frame"
            out.append(f"{bar} {_underline(line, left, label, paint, style)}")
        previous = number
    return out


def render(diagnostic: Diagnostic, sources: Mapping[str, SourceText] | None = None, color: bool = False) -> str:
    """One diagnostic as text.

    Args:
        diagnostic: what to show.
        sources: texts by file name; a file that is not among them is read again from disk.
        color: whether to use ANSI colours.
    """
    paint = _Paint(color)
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    lines = [paint(diagnostic.severity, head) + paint("bold", f": {clean(diagnostic.message)}")]
    primary = diagnostic.primary
    gutter = _gutter(diagnostic)
    for file in dict.fromkeys([label.span.file for label in sorted(diagnostic.labels, key=lambda x: not x.primary)]):
        source = (sources or {}).get(file) or read_source(file)
        if isinstance(source, SourceText):
            lines += _excerpt(diagnostic, source, paint)
        elif primary and file == primary.span.file:
            lines.append(paint("frame", " --> ") + clean(str(primary.span)))
    if not primary and diagnostic.where:
        lines.append(paint("frame", " --> ") + clean(diagnostic.where))
    equals = paint("frame", " " * gutter + " = ")
    if primary and diagnostic.where:
        lines.append(f"{equals}{paint('bold', 'in')}: {clean(diagnostic.where)}")
    lines += [f"{equals}{paint('bold', 'note')}: {clean(note)}" for note in diagnostic.notes]
    helps = [clean(text) for text in diagnostic.helps]
    if diagnostic.fix:
        helps = [*helps[:-1], f"{helps[-1] if helps else clean(diagnostic.fix.title)}  (fix available)"]
    lines += [f"{equals}{paint('bold', 'help')}: {text}" for text in helps]
    return "\n".join(lines)


def _sources(diagnostics: Iterable[Diagnostic], given: Mapping[str, SourceText] | None) -> dict[str, SourceText]:
    """The texts that diagnostics point into, each read once."""
    sources = dict(given or {})
    for name in {label.span.file for item in diagnostics for label in item.labels} - set(sources):
        source = read_source(name)
        if isinstance(source, SourceText):
            sources[name] = source
    return sources


def render_all(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceText] | None = None, color: bool = False
) -> str:
    """All diagnostics in the order of their places, an empty line between them, and a closing count."""
    items = order(diagnostics)
    texts = _sources(items, sources)
    return "\n\n".join([*(render(item, texts, color) for item in items), summary(items)])


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """The closing line: how many findings of each severity.

    >>> summary(())
    'no findings'
    """
    items = tuple(diagnostics)
    counts = [(word, sum(item.severity == word for item in items)) for word in ("error", "warning", "note")]
    said = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts if count]
    return ", ".join(said) if said else "no findings"
