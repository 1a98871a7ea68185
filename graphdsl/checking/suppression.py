"""Findings that a comment allows are not shown; a comment that allows nothing is itself a finding."""

from collections.abc import Iterable, Sequence

from graphdsl.checking.allowing import OWN, Allowed, read_allowed
from graphdsl.text import Diagnostic, SourceText, report


def suppress(source: SourceText, found: Sequence[Diagnostic], pedantic: bool) -> list[Diagnostic]:
    """Take away what comments allow, and say what is wrong with the comments.

    Args:
        source: the text.
        found: what was found in it.
        pedantic: whether findings of phase 7 were looked for; if not, none of them is missed.
    """
    allowed, problems = read_allowed(source)
    kept = [item for item in found if not any(_covers(entry, item, source.name) for entry in allowed)]
    if not any(item.is_error for item in found):  # After an error, warnings are not looked for everywhere.
        problems += [_unused(entry) for entry in _find_unused(source, allowed, found, pedantic)]
    return [*kept, *problems]


def silence(sources: Iterable[SourceText], found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Take away what comments allow in any of the texts: for findings about data, at what a schema declares."""
    allowed = [(entry, source.name) for source in sources for entry in read_allowed(source)[0]]
    return [item for item in found if not any(_covers(entry, item, name) for entry, name in allowed)]


def _covers(entry: Allowed, item: Diagnostic, file: str) -> bool:
    place = item.primary
    return (
        item.code == entry.code.code
        and not item.is_error
        and item.code not in OWN
        and place is not None
        and place.span.file == file
        and place.span.line in entry.lines
    )


def _find_unused(
    source: SourceText, allowed: list[Allowed], found: Sequence[Diagnostic], pedantic: bool
) -> Iterable[Allowed]:
    """What allows nothing, or the same again."""
    seen: set[tuple[str, int | None]] = set()
    for entry in allowed:
        key = (entry.code.code, entry.line)
        phase = entry.code.code[3]
        # What concerns data is only found when there is data, and what a machine lacks another one may have.
        is_open = phase == "6" or entry.code.code == "GNN310" or (phase == "7" and not pedantic)
        if key in seen or not (is_open or any(_covers(entry, item, source.name) for item in found)):
            yield entry
        seen.add(key)


def _unused(entry: Allowed) -> Diagnostic:
    where = "no code follows" if entry.line is None else f"line {entry.line} has no such finding"
    message = f"`{entry.code.code} {entry.code.name}` is allowed in vain: {where}"
    return report("GNN024", message, entry.span, helps=("remove it",), fix=entry.removal)
