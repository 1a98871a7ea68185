"""Whether kernels are worth it for a stage and a graph, or the reference is as fast: `backend="auto"`.

Kernels read a layout, which takes about as long as the reference takes for a pass. So a graph that is seen once, as a sampled
batch is, is left to the reference unless it is large, or has so many relations that the reference mostly calls layers, or the
reference is slow on any graph; and a graph is left to it for good that is so small that either way only calls are paid for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from graphdsl.kernels import KeptResults
from graphdsl.plan.fusing import Family


@dataclass(frozen=True, slots=True)
class Worth:
    """From where on the kernels of a family are faster than the reference.

    Attributes:
        relation: what calling a layer for one more relation costs the reference, in edges.
        least: edges, and relations counted in edges.
    """

    relation: int
    least: int


_WORTH: Final[Mapping[Family, Worth]] = {
    "linear": Worth(600, 6_000),
    "aggregating": Worth(1_500, 14_000),
    "summing": Worth(300, 10_000),
    "gated": Worth(1_000, 25_000),
    "attention": Worth(600, 8_000),
    "dynamic": Worth(1_500, 25_000),
    "dot-attention": Worth(600, 12_000),
    "dot-attention-attributes": Worth(2_500, 48_000),
    "similarity": Worth(600, 8_000),
    "relational": Worth(600, 6_000),
    "transformer": Worth(600, 6_000),
    "semantic": Worth(700, 14_000),
    "relational-attention": Worth(600, 6_000),
    "residual-attention": Worth(600, 6_000),
}
"""Measured by training steps 64 wide of 1 to 20 relations with 1,000 to 25,000 edges, 8 of them into each node."""
_LARGE: Final = 100_000
"""Edges from which on a layout is made for a graph that may never come again."""
_CALL: Final = 600
"""Up to so many edges a relation, calling layers is most of what the reference does for such a graph."""
_SLOW: Final = frozenset[Family]({"relational", "transformer", "relational-attention"})
"""Families whose reference looks at all edges for each relation, goes back through each, or makes a matrix for each edge."""


class Choice:
    """Decides for one stage; a copy knows no graphs."""

    def __init__(self) -> None:
        self._seen = KeptResults()

    def takes_kernels(self, index: Sequence[Tensor], families: Iterable[Family]) -> bool:
        """Whether to compute these relations by kernels.

        On other devices than a CPU it is the reference: there kernels have not been measured.

        Args:
            index: edges [2, edges] of each relation.
            families: of the kernels.

        >>> import torch
        >>> choice, few, many = Choice(), [torch.zeros(2, 9)], [torch.zeros(2, 9000)]
        >>> [choice.takes_kernels(edges, ["linear"]) for edges in (few, many, many)]
        [False, False, True]
        >>> choice.takes_kernels([torch.zeros(2, 100)] * 20, ["linear"]), choice.takes_kernels([many[0] + 1], ["relational"])
        (True, True)
        """
        families = tuple(families)
        if not pays(index, families):
            return False
        edges = _edges(index)
        if edges >= _LARGE or edges <= _CALL * len(index) or _SLOW.issuperset(families):
            return True
        seen = self._seen.fetch("seen", index, (), set[bool])
        again = bool(seen)
        seen.add(True)
        return again


def pays(index: Sequence[Tensor], families: Iterable[Family]) -> bool:
    """Whether kernels are faster for these relations, their layouts being there.

    Args:
        index: edges [2, edges] of each relation.
        families: of the kernels; each must be faster.
    """
    if not index or index[0].device.type != "cpu":
        return False
    edges, relations = _edges(index), len(index)
    return all(_WORTH[family].relation * relations + edges >= _WORTH[family].least for family in families)


def _edges(index: Sequence[Tensor]) -> int:
    return sum(item.size(1) for item in index)
