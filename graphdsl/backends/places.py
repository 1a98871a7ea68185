"""Failures at run time that name the line of the spec."""

from collections.abc import Iterator
from contextlib import contextmanager

from graphdsl.text import Span, SpecError


@contextmanager
def located(what: str, span: Span) -> Iterator[None]:
    """Add a note to any failure inside: what was at work, and the line of the spec that asked for it.

    A `SpecError` passes unchanged: it says so itself.

    Args:
        what: what is at work, as in "`SAGEConv` on `author -[writes]-> paper`".
        span: where the spec asked for it.
    """
    try:
        yield
    except SpecError:
        raise
    except Exception as error:
        error.add_note(f"in {what} ({span})")
        raise
