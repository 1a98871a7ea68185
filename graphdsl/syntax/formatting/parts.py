"""What a layout is made of: words, groups that stand on one line or are broken, columns that are aligned.

Each part knows its width on one line, whether it must be broken because a comment stands inside, and its first and last
token, so a layout is decided in one pass.
"""

from collections.abc import Sequence

from graphdsl.syntax.formatting.pieces import Comment, Piece
from graphdsl.text import columns


class Part:
    """Something that can be laid out.

    Attributes:
        width: columns that it takes on one line.
        hard: it cannot stand on one line.
        first, last: its outermost tokens, if it has any.
    """

    __slots__ = ("first", "hard", "last", "width")

    def __init__(self, width: int = 0, hard: bool = False, first: Piece | None = None, last: Piece | None = None):
        self.width = width
        self.hard = hard
        self.first = first
        self.last = last


class Word(Part):
    """A token with its comments."""

    __slots__ = ("piece",)

    def __init__(self, piece: Piece) -> None:
        super().__init__(columns(piece.text), False, piece, piece)
        self.piece = piece


class Mark(Part):
    """Text that is no token: a blank, or the comma of a list; `broken`: only where the list is broken."""

    __slots__ = ("broken", "text")

    def __init__(self, text: str, broken: bool = False) -> None:
        super().__init__(0 if broken else len(text))
        self.text = text
        self.broken = broken


class Break(Part):
    """A line break where the group around it is broken, otherwise `flat`.

    Attributes:
        kept: an empty line that stands here is kept.
        forced: an empty line stands here whatever was written.
    """

    __slots__ = ("flat", "forced", "kept")

    def __init__(self, flat: str | None = None, *, kept: bool = True, forced: bool = False) -> None:
        super().__init__(len(flat or ""), flat is None)
        self.flat = flat
        self.kept = kept
        self.forced = forced


class Column(Part):
    """A place that is aligned with that of other rows of the same kind; at least `gap` blanks wide."""

    __slots__ = ("gap", "kind", "name")

    def __init__(self, kind: str, name: str, gap: int = 1) -> None:
        super().__init__(gap)
        self.kind = kind
        self.name = name
        self.gap = gap


class Dangling(Part):
    """Comments before a closing bracket, or at the end of the file."""

    __slots__ = ("comments",)

    def __init__(self, comments: Sequence[Comment]) -> None:
        super().__init__(0, True)
        self.comments = comments


class Chain(Part):
    """Parts one behind the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Part]) -> None:
        first: Piece | None = None
        last: Piece | None = None
        hard = False
        for part in parts:
            hard = hard or part.hard
            if part.first is None:
                continue
            hard = hard or bool(last is not None and (last.after or part.first.before))
            first = first or part.first
            last = part.last
        super().__init__(sum(part.width for part in parts), hard, first, last)
        self.parts = parts


class Inside(Part):
    """A part whose broken lines are indented."""

    __slots__ = ("amount", "part")

    def __init__(self, part: Part, amount: int = 2) -> None:
        super().__init__(part.width, part.hard, part.first, part.last)
        self.part = part
        self.amount = amount


class Group(Part):
    """A part whose breaks are all taken or all not: not when it fits, unless it is `broken` on purpose.

    Attributes:
        late: groups before it on the line are broken first.
    """

    __slots__ = ("late", "part")

    def __init__(self, part: Part, broken: bool = False, late: bool = False) -> None:
        super().__init__(part.width, part.hard or broken, part.first, part.last)
        self.part = part
        self.late = late


class Row(Part):
    """A part whose columns are aligned with those of the rows of its kind around it, where it stands on one line.

    Attributes:
        hanging: its further lines hang on a column of its first, so it is aligned on several lines, too.
    """

    __slots__ = ("hanging", "kind", "part")

    def __init__(self, kind: str, part: Part, hanging: bool = False) -> None:
        super().__init__(part.width, part.hard, part.first, part.last)
        self.kind = kind
        self.hanging = hanging
        self.part = part


BLANK = Mark(" ")
COMMA = Mark(",")
LAST_COMMA = Mark(",", broken=True)


def join(*parts: Part | None) -> Part:
    """Parts without anything between them; None is left out."""
    return Chain([part for part in parts if part is not None])


def words(*parts: Part | None) -> Part:
    """Parts with a blank between them; None is left out."""
    present = [part for part in parts if part is not None]
    return Chain([item for part in present for item in (BLANK, part)][1:])
