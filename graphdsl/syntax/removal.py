"""What goes when one item of a list with commas is removed."""

from collections.abc import Sequence

from graphdsl.text import Span


def removal(items: Sequence[Span], place: int) -> Span:
    """The span of an item with the comma that goes with it.

    >>> one, two = Span("a.gnn", 1, 3, 1, 4), Span("a.gnn", 1, 6, 1, 7)
    >>> removal([one, two], 0).end_column, removal([one, two], 1).column, removal([one], 0) == one
    (6, 4, True)
    """
    item = items[place]
    if place > 0:
        before = items[place - 1]
        return Span(item.file, before.end_line, before.end_column, item.end_line, item.end_column)
    if len(items) > 1:
        return Span(item.file, item.line, item.column, items[1].line, items[1].column)
    return item
