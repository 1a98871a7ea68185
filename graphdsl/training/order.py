"""The order of seed nodes: a function of seed, epoch and process alone, so that a resumed run goes on with the same."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from graphdsl.model.seeds import mix


class SeedOrder(Sampler[list[int]]):
    """Batches of positions 0 … count - 1, of which each process takes its share.

    The epoch's order is cut into global batches of `batch_size`; of each, process r of n takes every n-th position
    from the r-th on. So n processes together see the very batches that one would. A process whose share of a short
    last batch is empty gets the batch's first position, to take part in the step, and `shares` says 0 for it.

    Args:
        count: number of seeds.
        batch_size: seeds of one step over all processes.
        shuffle: a new order for each epoch; otherwise 0, 1, 2, ….
        seed: what the order depends on, with the epoch.
        rank: number of this process.
        processes: how many there are.

    Attributes:
        epoch: the epoch whose order the next iteration takes.

    Example:
        >>> order = SeedOrder(5, 4, shuffle=False, rank=1, processes=2)
        >>> list(order), order.shares()
        ([[1, 3], [4]], [2, 0])
    """

    def __init__(
        self, count: int, batch_size: int, shuffle: bool = True, seed: int = 0, rank: int = 0, processes: int = 1
    ) -> None:
        self.count, self.batch_size, self.shuffle, self.seed = count, batch_size, shuffle, seed
        self.rank, self.processes = rank, processes
        self.epoch = 0

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.arange(self.count)
        if self.shuffle:
            order = torch.randperm(self.count, generator=torch.Generator().manual_seed(mix(self.seed, self.epoch)))
        for batch in order.split(self.batch_size):
            share = batch[self.rank :: self.processes]
            yield (share if len(share) else batch[:1]).tolist()

    def shares(self) -> list[int]:
        """How many seeds of each batch count for this process."""
        sizes = [self.batch_size] * (len(self) - 1) + [self.count - self.batch_size * (len(self) - 1)] * (len(self) > 0)
        return [len(range(self.rank, size, self.processes)) for size in sizes]


__all__ = ["SeedOrder", "mix"]
