"""Times of nodes and edges: read, checked, and turned into ranks that integers can compare.

A *time* is any number that orders events (seconds, days, years); all times of one graph have one kind, whole numbers
or floats, so that no comparison rounds. Sampling compares ranks: the position among all distinct times.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import torch

Times: TypeAlias = npt.NDArray[np.int64 | np.float64]
Key = TypeVar("Key", bound=Hashable)


def read_times(what: str, given: Mapping[Key, Any], sizes: Mapping[Key, int], asked: object) -> dict[Key, Times]:
    """Check the times in `given` against `sizes` and return them as arrays.

    Args:
        what: what the keys are, for messages: "node type" or "relation".
        given: a tensor or array of shape `[size]` for each key that has times.
        sizes: number of nodes or edges of every key of the graph.
        asked: what the caller asked for; an attribute name that nobody carries is an error, None is not.

    Raises:
        ValueError: an unknown key, a wrong length or dtype, NaN, or nobody carries the attribute.
    """
    if isinstance(asked, str) and not given:
        raise ValueError(f"no {what} carries the time attribute {asked!r}; known: {list(sizes)}")
    unknown = [key for key in given if key not in sizes]
    if unknown:
        raise ValueError(f"times given for unknown {what} {unknown[0]!r}; known: {list(sizes)}")
    return {key: as_times(f"{what} {key!r}", value, sizes[key]) for key, value in given.items()}


def as_times(place: str, value: Any, size: int) -> Times:
    """Return `value` as int64 or float64 of shape `[size]`; `place` names it in messages."""
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if array.size != size:
        raise ValueError(f"{place}: {array.size} times; accepted: one for each of {size}")
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{place}: times are {array.dtype}; accepted: whole numbers or floats")
    if array.dtype.kind == "f" and np.isnan(array).any():
        count = int(np.isnan(array).sum())
        raise ValueError(f"{place}: {count} times are NaN; accepted: numbers (-inf for a node that was always there)")
    flat = array.reshape(-1)
    return flat.astype(np.float64) if array.dtype.kind == "f" else flat.astype(np.int64)


def check_one_kind(times: Iterable[tuple[object, Times]]) -> None:
    """Raise ValueError where whole-number times and float times meet: comparing them would round large ones."""
    kinds: dict[str, object] = {}
    for key, value in times:
        kinds.setdefault(value.dtype.kind, key)
    if len(kinds) > 1:
        raise ValueError(f"times of {kinds['i']!r} are whole numbers, of {kinds['f']!r} floats; convert one of them")
