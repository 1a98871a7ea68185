"""Did you mean …?"""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 12


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be.

    >>> closest("writs", ["writes", "cites"])
    'writes'
    """
    names = list(known)
    folded = {item.casefold(): item for item in reversed(names)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


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
    names = list(known)
    if not names:
        return (f"there are no {what}",)
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (f"{what}: {shown}{more}",)
