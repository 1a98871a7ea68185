"""Did you mean …?"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from graphdsl.text.diagnostic import Edit, Fix
from graphdsl.text.encoding import show_name
from graphdsl.text.span import Span

SHOWN = 12
_MOST = 2000
_LONGEST = 64


def _distance(one: str, two: str, limit: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that make one word from another, up to a limit.

    Optimal string alignment: the usual table, row by row.
    """
    if abs(len(one) - len(two)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(two, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


_SYNONYMS = {
    "add": "sum",
    "average": "mean",
    "avg": "mean",
    "boolean": "bool",
    "concat": "cat",
    "concatenate": "cat",
    "dense": "Linear",
    "double": "float",
    "integer": "int",
    "csv": "tables",
    "parquet": "tables",
    "str": "string",
    "text": "string",
}
"""What other programs call the same thing."""


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    """A known name by how near it is; among equals people leave letters out more often than they add some."""

    rank: int
    same_length: bool
    longer: int
    name: str


def _rank(name: str, known: Iterable[str]) -> list[_Candidate]:
    """Known names that `name` could be meant to be, the nearest first."""
    meant = _plain(name)
    synonym = _SYNONYMS.get(name.casefold())
    found: list[_Candidate] = []
    for candidate in islice(known, _MOST):
        word = _plain(candidate)
        if word == meant or candidate == synonym:
            return [_Candidate(0, True, 0, candidate)]
        if max(len(word), len(meant)) > _LONGEST:
            continue
        limit = max(len(word), len(meant)) // 3
        distance = _distance(meant, word, limit) if limit else 1
        starts = min(len(word), len(meant)) >= 3 and (word.startswith(meant) or meant.startswith(word))
        # `GATV2` is the beginning of `GATv2Conv` rather than a slip of `GAT`; `writs` is a slip, and begins nothing.
        cut = len(meant) >= 5 and word.startswith(meant)
        rank = 1 if cut else distance if distance <= limit else _LONGEST + len(word) if starts else None
        if rank is not None:
            found.append(_Candidate(rank, len(word) == len(meant), -len(word), candidate))
    return sorted(found)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be: a slip of a third of its letters, or a beginning of it.

    >>> closest("writs", ["writes", "cites"]), closest("SAGE", ["GATConv", "SAGEConv"]), closest("x", ["y"])
    ('writes', 'SAGEConv', None)
    """
    ranked = _rank(name, known)
    return ranked[0].name if ranked else None


def certain(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` can only be meant to be: no other is nearly as close.

    >>> certain("writs", ["writes", "cites"]), certain("h3", ["h1", "h2"]), certain("GAT", ["GATConv", "GATv2Conv"])
    ('writes', None, None)
    """
    ranked = _rank(name, known)
    if not ranked or (len(ranked) > 1 and ranked[1].rank <= min(ranked[0].rank + 1, _LONGEST)):
        return None
    return None if len(ranked) > 1 and ranked[0].rank > _LONGEST else ranked[0].name


def renaming(span: Span, name: str, known: Iterable[str], write: Callable[[str], str] = show_name) -> Fix | None:
    """The fix that puts the one name that can be meant in the place of another, if there is one.

    Args:
        span: where the name stands.
        name: the name that is not known.
        known: names that could stand there.
        write: how a name is written there.
    """
    meant = certain(name, known)
    return None if meant is None else Fix(f"rename to `{meant}`", (Edit(span, write(meant)),))


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """A help line that proposes the closest known name, or nothing.

    >>> did_you_mean("papr", ["paper", "author"])
    ('did you mean `paper`?',)
    """
    found = closest(name, known)
    return (f"did you mean `{found}`?",) if found is not None else ()


def listing(what: str, known: Iterable[str]) -> tuple[str, ...]:
    """A note line that lists the names that exist.

    >>> listing("node types", ["paper", "author"])
    ('node types: `paper`, `author`',)
    """
    names = known if isinstance(known, Collection) else list(known)
    if not names:
        return (f"there are no {what}",)
    shown = ", ".join(f"`{name}`" for name in islice(names, SHOWN))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (f"{what}: {shown}{more}",)
