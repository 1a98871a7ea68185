"""The one record for everything that is found: in a spec, in data, in a parameter file, at run time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from graphdsl.text.codes import lookup
from graphdsl.text.span import Span

if TYPE_CHECKING:
    from graphdsl.text.source import SourceText

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said about it; exactly one label of a diagnostic is primary."""

    span: Span
    text: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text under `span` by `replacement`."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that a machine can apply."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in data, for programs: the message says the same to people.

    Attributes:
        expected: what is accepted there, in the message's words.
        found: what is there instead.
        count: of how many rows, edges or graphs it is true; None where it is true of the whole.
        first: the first of them: row or edge numbers, in order.
    """

    expected: str = ""
    found: str = ""
    count: int | None = None
    first: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: `GNN` and three digits; the first digit is the phase (see `graphdsl.text.codes`).
        name: the code's name for people, in kebab-case.
        severity: "error", "warning" or "note".
        message: one lower-case line without a full stop.
        labels: places in source text, the primary one first.
        where: the place in data (`author.x`, `paper -[cites]-> paper`) when there is no source text.
        helps: what to do.
        notes: what else is known, such as the list of names that exist.
        fix: a change that a machine can apply.
        facts: of a finding in data: what was expected and found, how often and where first.
    """

    code: str
    name: str
    severity: Severity
    message: str
    labels: tuple[Label, ...] = ()
    helps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    where: str = ""
    fix: Fix | None = field(default=None)
    facts: Facts | None = None

    @property
    def primary(self) -> Label | None:
        """The label that says where the finding is."""
        return next((label for label in self.labels if label.primary), None)

    @property
    def is_error(self) -> bool:
        """Whether a spec or data with this finding is refused."""
        return self.severity == "error"

    @property
    def is_pedantic(self) -> bool:
        """Whether it is only reported on demand (`gnn check --pedantic`): nothing is wrong, something could be better."""
        return self.code.startswith("GNN7")


def report(
    code: str,
    message: str,
    span: Span | None = None,
    text: str = "",
    *,
    also: Iterable[tuple[Span, str]] = (),
    helps: Iterable[str] = (),
    notes: Iterable[str] = (),
    where: str = "",
    fix: Fix | None = None,
    facts: Facts | None = None,
) -> Diagnostic:
    """Build a diagnostic of a registered code.

    Args:
        code: a registered code such as "GNN101"; its name and severity come from the registry.
        message: what is wrong, in one lower-case line.
        span: the primary place, if there is one.
        text: what stands under the primary place.
        also: further places with their texts.
        helps: what to do.
        notes: what else is known.
        where: a place in data instead of in text.
        fix: a change that a machine can apply.
        facts: what was found in data, and how often.

    >>> report("GNN101", "unknown node type `papr`", where="model").name
    'unknown-name'
    """
    entry = lookup(code)
    labels = () if span is None else (Label(span, text, True),)
    return Diagnostic(
        code=entry.code,
        name=entry.name,
        severity=entry.severity,
        message=message,
        labels=labels + tuple(Label(place, said) for place, said in also if place != span),
        helps=tuple(helps),
        notes=tuple(notes),
        where=where,
        fix=fix,
        facts=facts,
    )


def order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics by place, each once: those without a place in text come last."""
    nowhere = Span("\U0010ffff", 0, 0, 0, 0)

    def key(item: Diagnostic) -> tuple[Span, str, str]:
        primary = item.primary
        return (primary.span if primary else nowhere, item.code, item.message)

    return tuple(sorted(dict.fromkeys(diagnostics), key=key))


class Enough(Exception):
    """Nothing more is worth looking for: caught where `Findings` are made."""


class Findings(list[Diagnostic]):
    """Findings of one step of checking, which ends with `Enough` after so many errors that more would help nobody."""

    most = 100

    def __init__(self) -> None:
        super().__init__()
        self._errors = 0

    def append(self, item: Diagnostic, /) -> None:
        """Add a finding.

        Raises:
            Enough: after `most` errors.
        """
        super().append(item)
        self._errors += item.is_error
        if self._errors >= self.most:
            raise Enough

    def extend(self, items: Iterable[Diagnostic], /) -> None:
        """Add findings one by one."""
        for item in items:
            self.append(item)

    def __iadd__(self, items: Iterable[Diagnostic], /) -> Self:  # type: ignore[override]
        self.extend(items)
        return self


class SpecError(Exception):
    """Raised at the public boundary only; carries every diagnostic of the run.

    Attributes:
        diagnostics: all findings, ordered by place.
        sources: texts that the diagnostics point into, where they did not come from a file.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: "Iterable[SourceText]" = ()) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = order(diagnostics)
        self.sources = {source.name: source for source in sources}
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from graphdsl.text.render import render_all

        return "\n" + render_all(self.diagnostics, self.sources)
