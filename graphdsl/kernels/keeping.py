"""Results that are kept while the tensors they were made from live.

Training calls a model with the same graph hundreds of times: what follows from the graph alone is made once.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary, WeakIdRef

Result = TypeVar("Result")


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
        return sum(len(entries) for entries in self._kept.values())

    def fetch(
        self, name: Hashable, origins: Sequence[Tensor], sizes: Sequence[Any], make: Callable[[], Result]
    ) -> Result:
        """The result of this name, as kept or made now.

        Args:
            name: what it is; another result of the same name and first origin takes its place.
            origins: the tensors that it is made from, at least one.
            sizes: plain values that it depends on, compared by `==`.
            make: makes it.
        """
        if torch.compiler.is_compiling():  # A graph of operators has no memory of its inputs.
            return make()
        if any(origin.is_inference() for origin in origins):  # Their changes cannot be seen.
            return _make(make)
        stamp = ([(WeakIdRef(origin), origin._version) for origin in origins], list(sizes))
        entries: dict[Hashable, tuple[Any, Result]] | None = self._kept.get(origins[0])
        if entries is None:
            self._kept[origins[0]] = entries = {}
        known = entries.get(name)
        if known is None or known[0] != stamp:
            entries[name] = known = (stamp, _make(make))
        return known[1]


def _make(make: Callable[[], Result]) -> Result:
    """What is made inside `torch.inference_mode` could never take part in training afterwards."""
    with torch.inference_mode(False):
        return make()
