"""Applying the fixes of findings to a text, until nothing is left that a machine can mend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphdsl.text import Diagnostic, Edit, SourceText
from graphdsl.text.rewriting import apply_edits, offsets

MAX_ROUNDS = 100
Check = Callable[[SourceText], Sequence[Diagnostic]]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text after fixing.

    Attributes:
        source: the text as it is now.
        applied: findings whose fix was made, in the order in which that happened.
        findings: what is still found.
    """

    source: SourceText
    applied: tuple[Diagnostic, ...]
    findings: tuple[Diagnostic, ...]


def fix_source(source: SourceText, check: Check) -> Fixed:
    """Apply fixes round by round; the result never has more errors than the text had.

    Of fixes that overlap the first is made, the others wait for the next round. When a round would bring up more errors
    than it mends, its fixes are tried one by one. Only fixes of syntax may bring up more, for a statement that can be
    read again shows what else is wrong with it; if that cannot be mended either, the text with the fewest errors counts.

    Args:
        source: the text.
        check: finds what is wrong with a text.
    """
    now = best = Fixed(source, (), tuple(check(source)))
    seen = {source.text}
    for _ in range(MAX_ROUNDS):
        after = _round(now, check)
        if after is None or after.source.text in seen:
            break
        now = after
        seen.add(now.source.text)
        if _errors(now.findings) <= _errors(best.findings):
            best = now
    return best


def choose(source: SourceText, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Findings whose fixes can be made together: all edits in this text, none touching another, the first first."""
    chosen: list[Diagnostic] = []
    taken: list[tuple[int, int]] = []
    for item in found:
        if item.fix is None or any(edit.span.file != source.name for edit in item.fix.edits):
            continue
        places = [offsets(source, edit.span) for edit in item.fix.edits]
        if not any(start <= last and first <= end for start, end in places for first, last in taken):
            chosen.append(item)
            taken += places
    return chosen


def _edits(items: Sequence[Diagnostic]) -> list[Edit]:
    return [edit for item in items if item.fix for edit in item.fix.edits]


def _errors(found: Sequence[Diagnostic]) -> int:
    return sum(item.is_error for item in found)


def _round(now: Fixed, check: Check) -> Fixed | None:
    """All fixes that can be made together, or the first of them alone that makes nothing worse, or those of syntax."""
    chosen = choose(now.source, now.findings)
    syntax = [item for item in chosen if item.code.startswith("GNN0")]
    for items in (chosen, *([item] for item in chosen), syntax):
        source = SourceText(now.source.name, apply_edits(now.source, _edits(items)))
        if source.text == now.source.text:
            continue
        after = tuple(check(source))
        if items is syntax or _errors(after) <= _errors(now.findings):
            return Fixed(source, (*now.applied, *items), after)
    return None
