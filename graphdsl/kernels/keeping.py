"""Results that are kept while the tensors they were made from live.

Training calls a model with the same graph hundreds of times: what follows from the graph alone is made once.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary, WeakIdRef

Result = TypeVar("Result")

_MOST = 8
"""Results of one name and first origin that are kept: graphs that take turns, as those of splits do, may share some edges."""


class KeptResults:
    """Results by name, for graphs that are alive.

    An entry is found by the identity and version of the tensors it was made from; those are held weakly, so a freed
    graph frees its entries, and a changed one is not mistaken for what it was. A copied or pickled cache is empty.
    """

    def __init__(self) -> None:
        self._kept = WeakIdKeyDictionary()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def __len__(self) -> int:
        return sum(len(found) for entries in self._kept.values() for found in entries.values())

    def fetch(
        self, name: Hashable, origins: Sequence[Tensor], sizes: Sequence[Any], make: Callable[[], Result]
    ) -> Result:
        """The result of this name, as kept or made now.

        Args:
            name: what it is.
            origins: the tensors that it is made from, at least one.
            sizes: plain values that it depends on, compared by `==`.
            make: makes it.
        """
        if torch.compiler.is_compiling():  # A graph of operators has no memory of its inputs.
            return make()
        if any(origin.is_inference() for origin in origins):  # Their changes cannot be seen.
            return _make(make)
        entries: dict[Hashable, list[_Entry]] | None = self._kept.get(origins[0])
        if entries is None:
            self._kept[origins[0]] = entries = {}
        found = entries.get(name, [])
        refs, versions = [WeakIdRef(origin) for origin in origins], [origin._version for origin in origins]
        for entry in found:
            if entry.refs == refs and entry.versions == versions and entry.sizes == list(sizes):
                return entry.result
        made = _Entry(refs, versions, list(sizes), _make(make))
        entries[name] = [*(entry for entry in found if entry.can_come_again), made][-_MOST:]
        return made.result


@dataclass(frozen=True, slots=True)
class _Entry:
    """A result, and the tensors, their versions and the values that it was made from."""

    refs: list[WeakIdRef]
    versions: list[int]
    sizes: list[Any]
    result: Any

    @property
    def can_come_again(self) -> bool:
        """Whether the tensors are alive and nobody has written into them."""
        origins = [ref() for ref in self.refs]
        return all(
            origin is not None and origin._version == version
            for origin, version in zip(origins, self.versions, strict=True)
        )


def _make(make: Callable[[], Result]) -> Result:
    """What is made inside `torch.inference_mode` could never take part in training afterwards."""
    with torch.inference_mode(False):
        return make()
