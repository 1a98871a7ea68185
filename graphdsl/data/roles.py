"""Which edges of a predicted relation train, validate and test, and which pass messages meanwhile.

As in PyG's `RandomLinkSplit`: messages of the training and validation splits run over training edges, those of the test
split over training and validation edges. Parallel edges fall into one split, and within one node type so do an edge and
its reverse.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.data.hiding import pair_numbers

SPLITS = ("train", "val", "test")
UNSPLIT = 3
"""Split of edges that are in none: they pass messages and are never predicted."""


@dataclass(frozen=True, slots=True)
class EdgeRoles:
    """What each edge of a relation is for.

    Attributes:
        split: number of its split among `SPLITS`, or `UNSPLIT`, shape `[num_edges]`.
        apart: whether it trains without passing messages, shape `[num_edges]`.
    """

    split: Tensor
    apart: Tensor

    def passing(self, split: str) -> Tensor:
        """Which edges pass messages while a split is predicted."""
        latest = 1 if split == "test" else 0
        passing = (self.split <= latest) | (self.split == UNSPLIT)
        return passing & ~self.apart if split == "train" else passing

    def predicted(self, split: str) -> Tensor:
        """Which edges are predicted in a split."""
        chosen = self.split == SPLITS.index(split)
        return chosen & self.apart if split == "train" and bool(self.apart.any()) else chosen


def _bounds(count: int, shares: tuple[float, ...]) -> tuple[int, int]:
    """Where validation and test begin among so many things in order."""
    first = max(1, round(count * shares[0]))
    return first, max(first, round(count * (shares[0] + shares[1]))) if len(shares) > 2 else count


def roles_at_random(numbers: Tensor, shares: tuple[float, ...], seed: int = 0) -> Tensor:
    """Splits of edges at random; those with the same number (the same pair) get the same.

    Args:
        numbers: of the pairs, shape `[num_edges]`.
        shares: of the distinct pairs that each split gets.
        seed: of the drawing.
    """
    groups, group = torch.unique(numbers, return_inverse=True)
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed))
    roles = torch.zeros(len(groups), dtype=torch.long)
    val, test = _bounds(len(groups), shares)
    roles[order[val:test]] = 1
    roles[order[test:]] = 2
    return roles[group]


def roles_by_time(time: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Splits of edges by age: what happens at one time falls into one split.

    Args:
        time: of each edge, shape `[num_edges]`.
        shares: of the edges that each split gets, oldest first.
    """
    ordered = time.sort().values
    roles = torch.zeros(len(time), dtype=torch.long)
    for number, place in zip((1, 2), _bounds(len(time), shares), strict=True):
        if place < len(time):
            roles[time >= ordered[place]] = number
    return roles


def set_apart(training: Tensor, index: Tensor, within: bool, share: float, seed: int = 1) -> Tensor:
    """A share of the training edges, pair by pair, that trains without passing messages.

    Args:
        training: which edges train, shape `[num_edges]`.
        index: the edges, shape `[2, num_edges]`.
        within: both ends are of one type, so that an edge and its reverse go together.
        share: of the distinct training pairs.
        seed: of the drawing.
    """
    apart = torch.zeros_like(training)
    if share > 0 and bool(training.any()):
        numbers = pair_numbers(index[:, training], 1 + int(index.max()), ordered=not within)
        groups, group = torch.unique(numbers, return_inverse=True)
        order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed))
        chosen = torch.zeros(len(groups), dtype=torch.bool)
        chosen[order[: max(1, round(len(groups) * share))]] = True
        apart[training] = chosen[group]
    return apart
