"""How findings about data speak: the Python that mends, the first offenders, numbers with their nouns."""

import json
import keyword
from typing import TYPE_CHECKING

from graphdsl.data.places import Place

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 3


def python(place: Place, key: str = "") -> str:
    """The Python expression of a place in `data`.

    >>> python("author", "x"), python(("web page", "to", "b"), "my key")
    ('data["author"].x', 'data["web page", "to", "b"]["my key"]')
    """
    names = (place,) if isinstance(place, str) else place
    store = f"data[{', '.join(json.dumps(name, ensure_ascii=False) for name in names)}]"
    if not key:
        return store
    if key.isidentifier() and not keyword.iskeyword(key):
        return f"{store}.{key}"
    return f"{store}[{json.dumps(key, ensure_ascii=False)}]"


def mend(place: Place, key: str, change: str) -> str:
    """A help line: the assignment of the changed value; `change` has `{}` where the value stands.

    >>> mend("author", "x", "{}.float()")
    '`data["author"].x = data["author"].x.float()`'
    """
    target = python(place, key)
    return f"`{target} = {change.format(target)}`"


def number(count: int, noun: str) -> str:
    """A count with its noun.

    >>> number(1, "row"), number(12000, "row")
    ('1 row', '12,000 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def first_rows(bad: "Tensor", values: "Tensor | None" = None) -> str:
    """Where a mask of shape [rows] is True: how many rows and the first of them, with their values.

    >>> import torch
    >>> first_rows(torch.tensor([False, True, True]), torch.tensor([0, 7, 9]))
    'row 1 (7), row 2 (9)'
    """
    rows = bad.nonzero().view(-1)
    shown = rows[:SHOWN].tolist()
    if values is None:
        said = [f"row {row}" for row in shown]
    else:
        said = [f"row {row} ({value})" for row, value in zip(shown, values[rows[:SHOWN]].tolist(), strict=True)]
    return ", ".join(said) + (", …" if rows.numel() > SHOWN else "")


def shape_of(value: "Tensor") -> str:
    """A shape as it is read.

    >>> import torch
    >>> shape_of(torch.zeros(2, 3))
    '[2, 3]'
    """
    return str(list(value.shape))
