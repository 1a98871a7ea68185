"""Pairs of nodes that a step scores: edges with fresh negatives beside them, or edges with what they carry."""

from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.plan import LinkHead
from graphdsl.training.link_targets import LinkTargets
from graphdsl.training.order import mix

_FIXED = 0x11AC
"""Seeds the negatives of evaluation, which are the same for every run."""


@dataclass(frozen=True, slots=True)
class WantedPairs:
    """Edges of a link prediction to score.

    Attributes:
        head: the prediction.
        targets: its edges, what they carry, what is no edge.
        edges: positions of the edges to score, shape `[wanted]`.
        seed: of the negatives that each epoch draws anew; None = the same at each call.
    """

    head: LinkHead
    targets: LinkTargets
    edges: Tensor
    seed: int | None = None

    def draw(self, epoch: int) -> "DrawnPairs":
        """The pairs of an epoch."""
        head, targets = self.head, self.targets
        index = targets.edge_index[:, self.edges]
        time = None if targets.time is None else targets.time[self.edges]
        if targets.signs is not None and targets.labels is not None and self.seed is not None:
            seed = mix(self.seed, epoch, 2)
            index, asked = targets.signs.draw(index, targets.labels[self.edges], seed)
            return DrawnPairs(index, torch.empty(len(asked), 0, dtype=torch.long), asked, None)
        if targets.labels is not None:
            labels = targets.labels[self.edges]
            return DrawnPairs(index, torch.empty(len(self.edges), 0, dtype=torch.long), labels, time)
        assert targets.others is not None
        seed = mix(_FIXED, head.negatives) if self.seed is None else mix(self.seed, epoch, head.negatives)
        others, exist = targets.others.draw(index[0], head.negatives, torch.Generator().manual_seed(seed))
        labels = torch.cat([torch.ones(len(others), 1, dtype=torch.long), exist.long() - 1], 1)
        return DrawnPairs(index, others, labels, time)


@dataclass(frozen=True, slots=True)
class DrawnPairs:
    """Edges and the negatives of each.

    Attributes:
        edges: numbers of sources and targets, shape `[2, wanted]`.
        others: targets that the source of each edge has no edge to, shape `[wanted, negatives]`.
        labels: of edges, shape `[wanted, …]`; of pairs 1, 0 and -1 (does not exist), shape `[wanted, 1 + negatives]`.
        time: when each edge happens, shape `[wanted]`; None without times.
    """

    edges: Tensor
    others: Tensor
    labels: Tensor
    time: Tensor | None

    def take(self, rows: slice) -> "DrawnPairs":
        """Some of the edges."""
        time = None if self.time is None else self.time[rows]
        return DrawnPairs(self.edges[:, rows], self.others[rows], self.labels[rows], time)

    def index(self) -> Tensor:
        """All pairs, edges first, then the negatives edge by edge, shape `[2, wanted · (1 + negatives)]`."""
        source = self.edges[0].repeat_interleave(self.others.size(1))
        return torch.cat([self.edges, torch.stack([source, self.others.reshape(-1)])], 1)

    def times(self) -> Tensor | None:
        """When each pair of `index` is asked for."""
        if self.time is None:
            return None
        return torch.cat([self.time, self.time.repeat_interleave(self.others.size(1))])


def place_rows(wanted: int, negatives: int) -> Tensor:
    """Where the outputs of each edge and its negatives stand among those of `DrawnPairs.index`.

    Returns:
        Shape `[wanted, 1 + negatives]`.

    >>> place_rows(2, 2)
    tensor([[0, 2, 3],
            [1, 4, 5]])
    """
    others = wanted + torch.arange(wanted * negatives).reshape(wanted, negatives)
    return torch.cat([torch.arange(wanted).unsqueeze(1), others], 1)


def no_pairs(heads: tuple[LinkHead, ...]) -> dict[str, Tensor]:
    """Nothing to score, for each link prediction."""
    return {head.name: torch.zeros(2, 0, dtype=torch.long) for head in heads}


def rows_of(head: LinkHead, wanted: int, drawn: int) -> Tensor:
    """Rows of a prediction's outputs that count when so many of the drawn edges do.

    For a label `[wanted]`, for a link `[wanted, 1 + negatives]`.
    """
    rows = place_rows(drawn, head.negatives)[:wanted]
    return rows if head.kind == "link" else rows[:, 0]
