"""Walks along a metapath one by one, with every node on the way.

How many walks end at each node is counted hop by hop; that numbers the walks of each target, and a number says which
edge to take at each hop. So all walks, or some of them, are found with one binary search per walk and hop, and nothing
is made that is not asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from graphdsl.kernels.counting import check_walk

_MOST = 1 << 62


class TooManyInstances(ValueError):
    """A metapath has more instances than may be made.

    Attributes:
        budget: most instances allowed.
        instances: how many would be made.
        name: of the metapath, where it is known.
    """

    def __init__(self, budget: int, instances: int, name: str = "") -> None:
        self.budget, self.instances, self.name = budget, instances, name
        whose = f"metapath '{name}'" if name else "the metapath"
        super().__init__(f"{whose} has {instances:,} instances, more than its budget of {budget:,}")

    def __reduce__(self) -> tuple[type, tuple[int, int, str]]:
        return type(self), (self.budget, self.instances, self.name)


@dataclass(frozen=True, slots=True)
class _Step:
    """One hop, seen from where it arrives: edges sorted by the node that they lead to.

    Attributes:
        earlier: node that each edge comes from [edges].
        until: walks that end with this edge or an edge before it [edges].
        before: walks that end with an edge to a node before this one [nodes].
        walks: walks that end at each node that edges come from.
    """

    earlier: Tensor
    until: Tensor
    before: Tensor
    walks: Tensor


def enumerate_walks(
    hops: Sequence[Tensor],
    sizes: Sequence[int],
    budget: int | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Tensor:
    """All walks along a metapath, or some of them.

    Args:
        hops: one edge index [2, edges] per hop, row 0 where the walk comes from. Parallel edges make several walks.
        sizes: number of nodes at each stop, one more than hops.
        budget: most walks that may be made in all.
        most: walks for each last node; of a node that has more, the walks are cut into so many equal parts, in order,
            and one of each part is drawn.
        seed: of that draw.

    Returns:
        Nodes at each stop [stops, walks], walks sorted by their last node.

    Raises:
        TooManyInstances: a `ValueError` that carries the numbers, before anything is made.
        ValueError: the arguments do not fit each other, or there are more than 2^62 walks.

    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> enumerate_walks([writes, writes.flip(0)], [2, 2, 2])
    tensor([[0, 0, 1, 0, 1],
            [0, 1, 1, 1, 1],
            [0, 0, 0, 1, 1]])
    """
    check_walk(hops, sizes)
    walks = hops[0].new_ones(sizes[0], dtype=torch.long)
    steps: list[_Step] = []
    for hop, (_, size) in zip(hops, pairwise(sizes), strict=True):
        step, walks = _arrive(hop.long(), walks, size)
        steps.append(step)
    count = walks if most is None else walks.clamp(max=most)
    total = int(count.sum())
    if torch.compiler.is_compiling():  # A graph of operators has no branches: nobody counts before.
        torch._check(total >= 0)
    elif budget is not None and total > budget:
        raise TooManyInstances(budget, total)
    node = torch.repeat_interleave(count, output_size=total)
    number = torch.arange(total, device=node.device) - (count.cumsum(0) - count)[node]
    if most is not None:
        number = _draw(number, walks[node], most, seed)
    stops = [node]
    for step in reversed(steps):
        place = step.before[node] + number
        edge = torch.searchsorted(step.until, place, right=True)
        node = step.earlier[edge]
        number = place - (step.until[edge] - step.walks[node])
        stops.append(node)
    return torch.stack(stops[::-1])


def _arrive(hop: Tensor, walks: Tensor, size: int) -> tuple[_Step, Tensor]:
    """The hop, and how many walks end at each node that it leads to."""
    order = torch.argsort(hop[1], stable=True)
    earlier = hop[0][order]
    carried = walks[earlier]
    if not torch.compiler.is_compiling() and float(carried.double().sum()) > _MOST:
        raise ValueError("there are more than 2^62 walks along the metapath")
    until = carried.cumsum(0)
    degree = hop.new_zeros(size).index_add_(0, hop[1], torch.ones_like(hop[1]))
    ends = torch.cat([until.new_zeros(1), until])[torch.cat([degree.new_zeros(1), degree.cumsum(0)])]
    return _Step(earlier, until, ends[:-1], walks), ends[1:] - ends[:-1]


def _draw(number: Tensor, walks: Tensor, most: int, seed: int) -> Tensor:
    """One walk of each of `most` equal parts, for those whose last node has more walks."""
    chance = torch.rand(number.numel(), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    whole, rest = torch.div(walks, most, rounding_mode="floor"), walks % most
    start, end = (
        place * whole + torch.div(place * rest, most, rounding_mode="floor") for place in (number, number + 1)
    )
    inside = (chance.to(number.device) * (end - start)).long()
    return torch.where(walks > most, start + torch.minimum(inside, end - start - 1), number)
