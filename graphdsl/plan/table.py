"""Tables of text: aligned columns, folded where they are wider than the terminal."""

from collections.abc import Sequence

from graphdsl.text import columns

_NARROWEST = 18
"""No column is folded to fewer characters."""
_GAP = "  "


def _pad(cell: str, width: int) -> str:
    return cell + " " * (width - columns(cell))


def _fold(cell: str, width: int) -> list[str]:
    """A cell in lines of at most so many columns, broken at blanks; a longer word stands alone."""
    if columns(cell) <= width:
        return [cell]
    lines: list[str] = []
    line = ""
    for word in cell.split(" "):
        if line and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line = "  " + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _narrow(widths: list[int], least: list[int], most: int) -> list[int]:
    """Widths that fit, if they can: the widest columns give way first, none below its `least`."""
    widths = list(widths)
    while sum(widths) + len(_GAP) * (len(widths) - 1) > most:
        able = [column for column, width in enumerate(widths) if width > least[column]]
        if not able:
            break
        widths[max(able, key=lambda column: widths[column])] -= 1
    return widths


def align(header: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = None) -> str:
    """A table with a line under its header.

    Args:
        header: names of the columns.
        rows: cells; the first and the last column are never folded.
        most: columns of the terminal; None = as wide as it gets.

    >>> print(align(("name", "what", "n"), [("a", "b", "1")]))
    name  what  n
    ────  ────  ─
    a     b     1
    """
    table = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(columns(row[column]) for row in table) for column in range(len(header))]
    if most is not None:
        words = [
            max(columns(word) for row in table for word in row[column].split(" ")) for column in range(len(header))
        ]
        least = [min(width, max(word, _NARROWEST)) for width, word in zip(widths, words, strict=True)]
        widths = _narrow(widths, [widths[0], *least[1:-1], widths[-1]], most)
    lines: list[str] = []
    for row in table:
        cells = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            part = [cell[number] if number < len(cell) else "" for cell in cells]
            lines.append(_GAP.join(map(_pad, part, widths)).rstrip())
        if row is table[0]:
            lines.append(_GAP.join("─" * width for width in widths))
    return "\n".join(lines)
