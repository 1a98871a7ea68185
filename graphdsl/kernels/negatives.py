"""Pairs without an edge: for each source, targets that it is not joined to, every one equally likely."""

import torch
from torch import Tensor


class NonNeighbors:
    """Draws targets that sources are not joined to: exact, without rejection, all pairs at once.

    A source with *d* distinct neighbours among *n* targets has *n - d* non-neighbours. Rank *r* of these, drawn
    uniformly, is target *r + j*, where *j* of the sorted neighbours `a` satisfy `a[i] - i <= r`: one binary search in
    one array for all sources.

    Args:
        edge_index: the edges, shape [2, num_edges]; repeated ones count once.
        num_sources: number of source nodes.
        num_targets: number of target nodes.
        loops: whether a pair of a node with itself may be drawn; False where both ends are of one type.

    Example:
        >>> sampler = NonNeighbors(torch.tensor([[0, 0, 1], [0, 2, 1]]), 2, 3)
        >>> sampler.draw(torch.tensor([0]), 2, torch.Generator().manual_seed(0))
        (tensor([[1, 1]]), tensor([[True, True]]))
    """

    def __init__(self, edge_index: Tensor, num_sources: int, num_targets: int, loops: bool = True) -> None:
        self._width = num_targets + 1
        source, target = edge_index[0].long().cpu(), edge_index[1].long().cpu()
        if not loops:
            self_pairs = torch.arange(num_sources)
            source, target = torch.cat([source, self_pairs]), torch.cat([target, self_pairs])
        pairs = torch.unique(source * self._width + target)
        source, target = pairs // self._width, pairs % self._width
        degree = torch.bincount(source, minlength=num_sources)
        self._first = torch.cumsum(degree, 0) - degree
        self._free = num_targets - degree
        # How many non-neighbours stand before each neighbour; it grows along a source's neighbours.
        before = target - (torch.arange(len(pairs)) - self._first[source])
        self._keys = source * self._width + before

    def draw(self, sources: Tensor, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw targets for sources, with replacement.

        Args:
            sources: source numbers, shape [pairs], on the CPU.
            count: targets for each.
            generator: where randomness comes from.

        Returns:
            Targets [pairs, count], and whether each is one: a source that is joined to everything has none.
        """
        free = self._free[sources].unsqueeze(1)
        # 53 bits of a double tell apart more targets than fit into memory.
        rank = (torch.rand(len(sources), count, generator=generator, dtype=torch.float64) * free).long()
        rank = torch.minimum(rank, (free - 1).clamp(min=0))
        asked = sources.unsqueeze(1) * self._width + rank
        passed = torch.searchsorted(self._keys, asked.contiguous(), right=True) - self._first[sources].unsqueeze(1)
        exists = (free > 0).expand(-1, count)
        return torch.where(exists, rank + passed, 0), exists
