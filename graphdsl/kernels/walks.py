"""Random walks: along the hops of a metapath, and second-order ones as node2vec draws them.

All walks take a step at once; nothing loops over nodes. A walk that can go no further says so with `ENDED` (metapaths)
or stays where it is (node2vec), as PyG's `MetaPath2Vec` and `torch_cluster.random_walk` do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

ENDED = -1
"""Stands for every place behind the end of a walk."""

_ROUNDS = 16
"""So often a step is proposed and refused; then it is drawn from all neighbours at once."""


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Targets of every source, side by side; an edge that is there twice is twice as likely.

    Attributes:
        first: where the targets of each source begin, shape [num_sources + 1].
        targets: sorted within each source, shape [num_edges].

    Example:
        >>> neighbors = Neighbors.of(torch.tensor([[1, 0, 1], [0, 2, 1]]), 2)
        >>> neighbors.first, neighbors.targets
        (tensor([0, 1, 3]), tensor([2, 0, 1]))
    """

    first: Tensor
    targets: Tensor

    @staticmethod
    def of(edge_index: Tensor, num_sources: int) -> "Neighbors":
        """The neighbours that edges [2, num_edges] give."""
        source, target = edge_index[0].long(), edge_index[1].long()
        order = torch.argsort(target, stable=True)
        order = order[torch.argsort(source[order], stable=True)]
        degree = torch.bincount(source, minlength=num_sources)
        first = torch.cat([degree.new_zeros(1), degree.cumsum(0)])
        return Neighbors(first, target[order])

    def draw(self, sources: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A target of each source, every edge equally likely; `ENDED` for a source without any, or that is `ENDED`."""
        start = self.first[sources.clamp(min=0)]
        degree = self.first[sources.clamp(min=0) + 1] - start
        degree = torch.where(sources == ENDED, 0, degree)
        # 53 bits of a double never round up to the degree itself, as a float may.
        chance = torch.rand(len(sources), generator=generator, dtype=torch.float64, device=sources.device)
        rank = torch.minimum((chance * degree).long(), (degree - 1).clamp(min=0))
        found = torch.full_like(sources, ENDED)
        has = degree > 0
        found[has] = self.targets[(start + rank)[has]]
        return found


def walk_hops(
    hops: Sequence[Neighbors], starts: Tensor, length: int, generator: torch.Generator | None = None
) -> Tensor:
    """Walks that take one hop after the other, from the first again behind the last.

    Args:
        hops: neighbours over each hop of a metapath.
        starts: where each walk begins, shape [walks].
        length: steps of each walk.
        generator: where randomness comes from.

    Returns:
        Node numbers, shape [walks, length + 1]; column *i* holds nodes of the type where hop *i* begins.

    Example:
        >>> there, back = Neighbors.of(torch.tensor([[0], [1]]), 2), Neighbors.of(torch.tensor([[1], [0]]), 2)
        >>> walk_hops([there, back], torch.tensor([0, 1]), 3)
        tensor([[ 0,  1,  0,  1],
                [ 1, -1, -1, -1]])
    """
    places = [starts]
    for step in range(length):
        places.append(hops[step % len(hops)].draw(places[-1], generator))
    return torch.stack(places, 1)


def walk_second_order(
    neighbors: Neighbors,
    starts: Tensor,
    length: int,
    p: float = 1.0,
    q: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Walks of node2vec (Grover and Leskovec, 2016): where to go depends on where one comes from.

    From *v*, reached from *t*, a walk goes on to a neighbour *x* with a weight of `1/p` if *x* is *t* itself, 1 if there
    is an edge from *x* to *t*, and `1/q` otherwise.

    Neighbours are proposed and refused by their weight, as in `torch_cluster.random_walk`; what is refused too often is
    drawn from all neighbours. A walk stays at a node without neighbours.

    Args:
        neighbors: of a relation within one type.
        starts: where each walk begins, shape [walks].
        length: steps of each walk.
        p: return parameter.
        q: in-out parameter.
        generator: where randomness comes from.

    Returns:
        Node numbers, shape [walks, length + 1].

    Example:
        >>> line = Neighbors.of(torch.tensor([[0, 1], [1, 2]]), 3)
        >>> walk_second_order(line, torch.tensor([0, 2]), 3, p=0.5)
        tensor([[0, 1, 2, 2],
                [2, 2, 2, 2]])
    """
    places = [starts]
    known = None if p == q == 1.0 else _SecondOrder(neighbors, p, q)
    for step in range(length):
        if known is None or step == 0:
            found = neighbors.draw(places[-1], generator)
        else:
            found = known.draw(places[-2], places[-1], generator)
        places.append(torch.where(found == ENDED, places[-1], found))
    return torch.stack(places, 1)


class _SecondOrder:
    """Draws the next node of walks that know where they come from."""

    def __init__(self, neighbors: Neighbors, p: float, q: float) -> None:
        self.neighbors, self.weights = neighbors, (1 / p, 1.0, 1 / q)
        self.degree = neighbors.first.diff()
        self.width = len(self.degree)
        # Sorted already: sources stand in order, and the targets of each.
        sources = torch.arange(self.width, device=self.degree.device).repeat_interleave(self.degree)
        self.edges = sources * self.width + neighbors.targets

    def weigh(self, before: Tensor, chosen: Tensor) -> Tensor:
        """The weight of going on to `chosen` when the walk comes from `before`."""
        asked = chosen * self.width + before
        place = torch.searchsorted(self.edges, asked).clamp(max=max(0, len(self.edges) - 1))
        is_near = self.edges[place] == asked
        back, near, far = (torch.tensor(item, dtype=torch.float64, device=chosen.device) for item in self.weights)
        return torch.where(chosen == before, back, torch.where(is_near, near, far))

    def draw(self, before: Tensor, here: Tensor, generator: torch.Generator | None) -> Tensor:
        """The next node of each walk, `ENDED` where there is none."""
        found = self.neighbors.draw(here, generator)
        # With a single neighbour there is nothing to choose.
        left = (self.degree[here] > 1).nonzero().reshape(-1)
        for _ in range(_ROUNDS):
            if len(left) == 0:
                return found
            chance = torch.rand(len(left), generator=generator, dtype=torch.float64, device=here.device)
            refused = chance * max(self.weights) >= self.weigh(before[left], found[left])
            left = left[refused]
            found[left] = self.neighbors.draw(here[left], generator)
        found[left] = self.draw_among_all(before[left], here[left], generator)
        return found

    def draw_among_all(self, before: Tensor, here: Tensor, generator: torch.Generator | None) -> Tensor:
        """The same without refusals: the neighbours of all walks in a row, chosen by their share of the weight."""
        degree = self.degree[here]
        last = degree.cumsum(0)
        walk = torch.arange(len(here), device=here.device).repeat_interleave(degree)
        edge = torch.arange(len(walk), device=here.device) - (last - degree)[walk] + self.neighbors.first[here][walk]
        total = self.weigh(before[walk], self.neighbors.targets[edge]).cumsum(0)
        high = total[last - 1]
        low = torch.cat([high.new_zeros(1), high[:-1]])
        chance = torch.rand(len(here), generator=generator, dtype=torch.float64, device=here.device)
        place = torch.searchsorted(total, low + chance * (high - low), right=True)
        return self.neighbors.targets[edge[torch.minimum(place, last - 1)]]


def windows(walks: Tensor, size: int) -> Tensor:
    """All stretches of so many nodes, those that begin each walk first, shape [walks · (columns - size + 1), size].

    >>> windows(torch.tensor([[1, 2, 3], [4, 5, 6]]), 2)
    tensor([[1, 2],
            [4, 5],
            [2, 3],
            [5, 6]])
    """
    return walks.unfold(1, size, 1).transpose(0, 1).reshape(-1, size)
