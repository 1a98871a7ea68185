"""Pairs a few at a time, on the whole graph: for scorers that read the graph around both ends."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor

from graphdsl.model import Training
from graphdsl.training.batch import Batch, Share, move
from graphdsl.training.order import SeedOrder
from graphdsl.training.pairs import DrawnPairs, WantedPairs, rows_of


class _Inputs(Protocol):
    def on(self, device: torch.device) -> Mapping[str, object]: ...


class WholePairs:
    """Batches of edges of one relation and their negatives, each with the inputs of the whole graph.

    Args:
        graph: the inputs, which stay on the device.
        wanted: the edges.
        training: `batch_size` (edges) and `seed`.
        shuffle: whether each epoch has another order.
        share: this process's part of every batch.
        device: where to compute.
        pairs: for each link prediction of the plan, nothing to score.

    Attributes:
        epoch: the epoch that the next iteration belongs to.
    """

    def __init__(
        self,
        graph: _Inputs,
        wanted: WantedPairs,
        training: Training,
        shuffle: bool,
        share: Share,
        device: torch.device,
        pairs: Mapping[str, Tensor],
    ) -> None:
        self.epoch = 0
        self._graph, self._wanted, self._device, self._no_pairs = graph, wanted, device, pairs
        count = len(wanted.edges)
        size = training.batch_size or max(1, count)
        self._order = SeedOrder(count, size, shuffle, training.seed, share.rank, share.processes)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        drawn = self._wanted.draw(self.epoch)
        self._order.epoch = self.epoch
        for share, chosen in zip(self._order.shares(), self._order, strict=True):
            yield self._describe(drawn, torch.tensor(chosen, dtype=torch.long), share)

    def _describe(self, drawn: DrawnPairs, chosen: Tensor, share: int) -> Batch:
        """The first `share` edges count."""
        name, edges = self._wanted.head.name, self._wanted.edges
        part = DrawnPairs(drawn.edges[:, chosen], drawn.others[chosen], drawn.labels[chosen], None)
        rows = {name: rows_of(self._wanted.head, share, len(chosen))}
        pairs = move({**self._no_pairs, name: part.index()}, self._device)
        inputs = {**self._graph.on(self._device), "edge_label_index": pairs}
        labels = move({name: part.labels[:share]}, self._device)
        return Batch(inputs, move(rows, self._device), labels, {name: edges[chosen[:share]]})
