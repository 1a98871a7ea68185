"""Diagnostics about a source: they point into the spec where the spec names the source."""

from collections.abc import Iterable

from graphdsl.model import DataSource
from graphdsl.text import Diagnostic, SpecError, report


def refuse(
    source: DataSource, message: str, *helps: str, code: str = "GNN611", where: str = "", notes: Iterable[str] = ()
) -> Diagnostic:
    """One finding about a source.

    Args:
        source: which one.
        message: what is wrong, naming the file, column and row.
        helps: what to do.
        code: by default "unreadable-data".
        where: the place in the source; its name if left out.
        notes: what else is known.
    """
    where = where or source.name
    return report(code, message, source.span, "data asked for here", where=where, helps=helps, notes=notes)


def one_line(error: BaseException) -> str:
    """An exception as one line without a full stop: its type and the start of its text."""
    said = " ".join(str(error).split()).rstrip(".")
    said = said if len(said) <= 200 else said[:199] + "…"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def stop(*findings: Diagnostic) -> SpecError:
    """The exception that ends loading."""
    return SpecError(findings)
