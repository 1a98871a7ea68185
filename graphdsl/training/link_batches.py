"""Sampled neighbourhoods of pairs of nodes."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Sampler

from graphdsl.data import batch_inputs
from graphdsl.data.link_loading import PairSeeds, pair_loader, pair_sampler
from graphdsl.model import Schema, Training
from graphdsl.plan import Plan
from graphdsl.training.batch import Batch, Share
from graphdsl.training.order import SeedOrder
from graphdsl.training.pairs import WantedPairs, no_pairs, rows_of


class _PairOrder(Sampler[list[int]]):
    """Batches of edges, each edge with its negatives: positions in `DrawnPairs.index`."""

    def __init__(self, order: SeedOrder, wanted: int, negatives: int) -> None:
        self._order, self._wanted, self._negatives = order, wanted, negatives

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[list[int]]:
        offsets = torch.arange(self._negatives)
        for batch in self._order:
            edges = torch.tensor(batch)
            others = self._wanted + edges.unsqueeze(1) * self._negatives + offsets
            yield torch.cat([edges, others.reshape(-1)]).tolist()


class PairBatches:
    """Sampled neighbourhoods around edges of one relation and their negatives.

    The edges of a batch, their inverses and their parallels are no messages in it, unless the prediction keeps them.

    Args:
        data: the graph of the split, see `open_data`.
        plan: what is to be computed.
        wanted: the edges.
        training: `batch_size` (edges), `fanout`, `temporal`, `seed`, `workers`.
        schema: says which attributes are times, and what is an inverse.
        shuffle: whether each epoch has another order.
        share: this process's part of every batch.

    Attributes:
        epoch: the epoch that the next iteration belongs to.
    """

    def __init__(
        self,
        data: Any,
        plan: Plan,
        wanted: WantedPairs,
        training: Training,
        schema: Schema,
        shuffle: bool,
        share: Share,
    ) -> None:
        self.epoch = 0
        self._data, self._plan, self._wanted, self._schema = data, plan, wanted, schema
        self._workers = training.workers
        count = len(wanted.edges)
        size = training.batch_size or count
        self._order = SeedOrder(count, size, shuffle, training.seed, share.rank, share.processes)
        self._structure, self._sampler = pair_sampler(data, plan, training, schema)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        head = self._wanted.head
        drawn = self._wanted.draw(self.epoch)
        index = drawn.index()
        is_edge = torch.arange(index.size(1)) < len(drawn.labels)
        self._order.epoch = self.epoch
        loader = pair_loader(
            self._data,
            self._plan,
            PairSeeds(head.edge, index, is_edge, drawn.times(), pass_messages=head.keep_target),
            self._schema,
            self._structure,
            self._sampler,
            batch_sampler=_PairOrder(self._order, len(drawn.labels), drawn.others.size(1)),
            num_workers=self._workers,
        )
        loader.epoch = self.epoch
        for share, sampled in zip(self._order.shares(), loader, strict=True):
            yield self._describe(sampled, share, drawn.labels)

    def _describe(self, sampled: Any, share: int, labels: Tensor) -> Batch:
        """The first `share` edges of a sampled graph count."""
        head = self._wanted.head
        store = sampled[head.edge]
        edges = store.input_id[store.edge_label > 0]
        pairs = {**no_pairs(self._plan.link_heads), head.name: store.edge_label_index}
        inputs = {**batch_inputs(sampled, self._plan), "edge_label_index": pairs}
        rows = {head.name: rows_of(head, share, len(edges))}
        return Batch(inputs, rows, {head.name: labels[edges[:share]]}, {head.name: edges[:share]})
