"""Whether kernels are worth it for a stage and a graph, or the reference is as fast: `backend="auto"`.

Kernels read a layout, which takes about as long as the reference takes for a pass. So a graph that is seen once, as a sampled
batch is, is left to the reference unless it is large; and a graph is left to it for good that is so small that either way only
calls are paid for.
"""

from collections.abc import Sequence
from typing import Final

from torch import Tensor

from graphdsl.kernels import KeptResults

_RELATION: Final = 600
"""What calling a layer for one more relation costs the reference, in edges."""
_LEAST: Final = 6_000
"""Edges, and relations counted in edges, from which on kernels are faster."""
_LARGE: Final = 100_000
"""Edges from which on a layout is made for a graph that may never come again."""


class Choice:
    """Decides for one stage; a copy knows no graphs."""

    def __init__(self) -> None:
        self._seen = KeptResults()

    def takes_kernels(self, index: Sequence[Tensor]) -> bool:
        """Whether to compute these relations by kernels.

        On other devices than a CPU it is the reference: there kernels have not been measured.

        Args:
            index: edges [2, edges] of each relation.

        >>> import torch
        >>> choice, few, many = Choice(), [torch.zeros(2, 9)], [torch.zeros(2, 9000)]
        >>> [choice.takes_kernels(few), choice.takes_kernels(many), choice.takes_kernels(many)]
        [False, False, True]
        """
        if not pays(index):
            return False
        if _edges(index) >= _LARGE:
            return True
        seen = self._seen.fetch("seen", index, (), set[bool])
        again = bool(seen)
        seen.add(True)
        return again


def pays(index: Sequence[Tensor]) -> bool:
    """Whether kernels are faster for these relations, their layouts being there.

    Args:
        index: edges [2, edges] of each relation.
    """
    on_cpu = bool(index) and index[0].device.type == "cpu"
    return on_cpu and _RELATION * len(index) + _edges(index) >= _LEAST


def _edges(index: Sequence[Tensor]) -> int:
    return sum(item.size(1) for item in index)
