"""Signs of edges: how likely a pair is joined by a positive edge, by a negative one, or by none, and how far it is apart."""

import random
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch_geometric.utils import negative_sampling

from graphdsl.kernels.negatives import NonNeighbors
from graphdsl.kernels.scoring import PairScorer

POSITIVE, NEGATIVE, NONE, BESIDE_POSITIVE, BESIDE_NEGATIVE = range(5)
"""What a pair is asked for: a positive edge, a negative one, no edge, and the third node of a triplet of either sign."""


class SignScore(nn.Linear, PairScorer):
    """The discriminator of `torch_geometric.nn.SignedGCN`, and the squared distance of both ends beside it.

    Args:
        in_channels: columns of both ends.
        lamb: weight of the triplets in the loss, which `graphdsl.training` computes.

    Derr et al., "Signed Graph Convolutional Network", ICDM 2018.

    >>> SignScore(4)(torch.ones(3, 4), torch.ones(3, 4)).shape
    torch.Size([3, 4])
    """

    def __init__(self, in_channels: int, lamb: float = 5.0) -> None:
        super().__init__(2 * in_channels, 3)
        self.lamb = lamb

    def forward(self, source: Tensor, target: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Logits of a positive, a negative and no edge, and the squared distance, shape [pairs, 4]."""
        logits = nn.Linear.forward(self, torch.cat([source, target], -1))
        return torch.cat([logits, (source - target).square().sum(-1, keepdim=True)], -1)

    def every(self, source: Tensor, target: Tensor) -> Tensor:
        """The same for all pairs, shape [sources, targets, 4]."""
        rows, columns = len(source), len(target)
        left, right = source.repeat_interleave(columns, 0), target.repeat(rows, 1)
        return self.forward(left, right).reshape(rows, columns, -1)


@dataclass(frozen=True, slots=True)
class SignedPairs:
    """Draws what the loss of signs compares edges with.

    Attributes:
        edges: all edges of both signs, of any split, shape [2, num_edges]: none of them is drawn as no edge.
        num_nodes: number of nodes.
        positive: draws nodes that a node has no positive edge to.
        negative: the same of negative edges.
    """

    edges: Tensor
    num_nodes: int
    positive: NonNeighbors
    negative: NonNeighbors

    def draw(self, index: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Pairs of a step: edges, as many that are none, and for each edge its source with a node that it is not joined to.

        A node that is joined to all others has none: its edge stands in for it, and adds nothing to the loss.

        Args:
            index: edges to learn, shape [2, wanted].
            labels: `POSITIVE` or `NEGATIVE`, shape [wanted].
            seed: of what is drawn.

        Returns:
            Pairs [2, num_pairs], positive edges first, then negative ones, and what each is asked for, [num_pairs].
        """
        pairs = [index[:, labels == sign] for sign in (POSITIVE, NEGATIVE)]
        generator = torch.Generator().manual_seed(seed)
        beside: list[Tensor] = []
        for some, others in zip(pairs, (self.positive, self.negative), strict=True):
            drawn, exists = others.draw(some[0], 1, generator)
            beside.append(torch.stack([some[0], torch.where(exists, drawn, some[1:].T).reshape(-1)]))
        parts = [*pairs, self._none(index.size(1), seed), *beside]
        asked = [torch.full((part.size(1),), code) for code, part in enumerate(parts)]
        return torch.cat(parts, 1), torch.cat(asked)

    def _none(self, count: int, seed: int) -> Tensor:
        """Pairs without an edge of either sign, by PyG's `negative_sampling`, which draws with Python's generator."""
        before = random.getstate()
        try:
            with torch.random.fork_rng(devices=[]):
                random.seed(seed)
                torch.manual_seed(seed)
                return negative_sampling(self.edges, self.num_nodes, count)
        finally:
            random.setstate(before)
