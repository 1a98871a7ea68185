"""Taking one item out of a list with commas."""

from collections.abc import Sequence

from graphdsl.text import Edit, Fix, Span


def with_comma(items: Sequence[Span], place: int) -> Span:
    """The span of an item with the comma that goes with it.

    >>> one, two = Span("a.gnn", 1, 3, 1, 4), Span("a.gnn", 1, 6, 1, 7)
    >>> with_comma([one, two], 0).end_column, with_comma([one, two], 1).column, with_comma([one], 0) == one
    (6, 4, True)
    """
    item = items[place]
    if place > 0:
        before = items[place - 1]
        return Span(item.file, before.end_line, before.end_column, item.end_line, item.end_column)
    if len(items) > 1:
        return Span(item.file, item.line, item.column, items[1].line, items[1].column)
    return item


def removal(items: Sequence[Span], place: int, title: str) -> Fix | None:
    """The fix that removes an item; None where it might take a comment away, for the item goes over several lines."""
    span = with_comma(items, place)
    return Fix(title, (Edit(span, ""),)) if span.line == span.end_line else None
