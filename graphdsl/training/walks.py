"""Batches of random walks, for objectives that have vectors of their own."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from graphdsl.data.hiding import stored_relation
from graphdsl.data.view import GraphView, open_data
from graphdsl.kernels import ENDED, Neighbors, walk_hops, walk_second_order, windows
from graphdsl.model import MetapathHop, Schema, Training
from graphdsl.plan import ObjectiveHead
from graphdsl.text import SpecError, report
from graphdsl.training.batch import Batch, Share
from graphdsl.training.order import SeedOrder, mix


class WalkSampler:
    """Draws walks from seed nodes, and random ones beside them, as the objective's class in PyG does.

    Args:
        data: the graph.
        head: the objective.
        schema: says which relations are inverses.
    """

    def __init__(self, data: Any, head: ObjectiveHead, schema: Schema) -> None:
        view = open_data(data)
        self.counts = {name: _count(view, name, head) for name in head.embedded}
        self.hops = [_neighbors(view, hop, self.counts, schema) for hop in head.path]
        arguments = head.module.arguments
        self.second_order = "num_nodes" in arguments
        self.size, self.per_node = int(arguments["context_size"]), int(arguments.get("walks_per_node", 1))
        self.negatives = int(arguments.get("num_negative_samples", 1))
        self.p, self.q = float(arguments.get("p", 1.0)), float(arguments.get("q", 1.0))
        # PyG's Node2Vec counts the nodes of a walk, its MetaPath2Vec the steps.
        self.length = int(arguments["walk_length"]) - self.second_order
        ends = [_ends(hop) for hop in head.path]
        types = [ends[0][0], *(ends[step % len(ends)][1] for step in range(self.length))]
        first, start = 0, {}
        for name in head.embedded:
            start[name], first = first, first + self.counts[name]
        self.nobody = first
        self.offset = torch.tensor([start[name] for name in types])
        self.high = torch.tensor([self.counts[name] for name in types])

    def draw(self, seeds: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Windows [windows, context_size] of walks and of random nodes.

        What is behind the end of a walk along a metapath is the dummy node behind all others, whose vector is trained
        like any other: so does PyG.
        """
        starts = seeds.repeat(self.per_node)
        if self.second_order:
            walks = walk_second_order(self.hops[0], starts, self.length, self.p, self.q, generator)
        else:
            walks = walk_hops(self.hops, starts, self.length, generator)
            walks = torch.where(walks == ENDED, self.nobody, walks + self.offset)
        others = seeds.repeat(self.per_node * self.negatives)
        chance = torch.rand(len(others), self.length, generator=generator, dtype=torch.float64)
        random = torch.minimum((chance * self.high[1:]).long(), self.high[1:] - 1)
        random = torch.cat([others.unsqueeze(1), random], 1) + self.offset
        return windows(walks, self.size), windows(random, self.size)


def _ends(hop: MetapathHop) -> tuple[str, str]:
    source, _, target = hop.edge
    return (target, source) if hop.backward else (source, target)


def _count(view: GraphView, name: str, head: ObjectiveHead) -> int:
    count = view.count(name)
    if count is None:
        raise SpecError([report("GNN610", f"the number of nodes of `{name}` is unknown", head.span)])
    return count


def _neighbors(view: GraphView, hop: MetapathHop, counts: Mapping[str, int], schema: Schema) -> Neighbors:
    """Neighbours over a hop; none over an optional relation that the data lacks."""
    stored = stored_relation(view, hop.edge, schema)
    edges = torch.zeros(2, 0, dtype=torch.long)
    if stored is not None:
        edges = view.connectivity(stored[0]).long().cpu()
        edges = edges.flip(0) if stored[1] != hop.backward else edges
    return Neighbors.of(edges, counts[_ends(hop)[0]])


class _Steps(Dataset[tuple[Tensor, Tensor, Tensor, int]]):
    """The walks of each step of an epoch: seeds, walks, random walks, and how many of the seeds count."""

    def __init__(self, sampler: WalkSampler, order: SeedOrder, seed: int) -> None:
        self.sampler, self.order, self.seed = sampler, order, seed
        self.steps: list[tuple[list[int], int]] = []

    def begin(self, epoch: int) -> None:
        self.order.epoch = self.epoch = epoch
        self.steps = list(zip(self.order, self.order.shares(), strict=True))

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor, Tensor, int]:
        numbers, share = self.steps[step]
        seeds = torch.tensor(numbers)
        generator = torch.Generator().manual_seed(mix(self.seed, self.epoch, step, self.order.rank))
        return (seeds, *self.sampler.draw(seeds, generator), share)


class WalkBatches:
    """Walks from all nodes of the type where they begin.

    Args:
        sampler: draws them.
        head: the objective.
        training: `batch_size` (nodes that walks start from; None = all at once), `seed`, `workers`.
        shuffle: whether each epoch has another order.
        share: this process's part of every batch.
        device: where batches of all nodes go; others are on the CPU.

    Attributes:
        epoch: the epoch that the next iteration belongs to: each draws walks of its own.
    """

    def __init__(
        self,
        sampler: WalkSampler,
        head: ObjectiveHead,
        training: Training,
        shuffle: bool,
        share: Share,
        device: torch.device,
    ) -> None:
        self.epoch = 0
        self._name, self._is_whole, self._device = head.name, training.batch_size is None, device
        count = sampler.counts[head.type]
        size = training.batch_size or max(1, count)
        order = SeedOrder(count, size, shuffle, training.seed, share.rank, share.processes)
        self._steps = _Steps(sampler, order, training.seed)
        self._workers = 0 if self._is_whole else training.workers

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Batch]:
        self._steps.begin(self.epoch)
        for seeds, walks, others, share in DataLoader(self._steps, batch_size=None, num_workers=self._workers):
            rows, name = torch.arange(share), self._name
            inputs = {"pos_rw": walks, "neg_rw": others}
            batch = Batch(inputs, {name: rows}, {name: torch.zeros(share)}, {name: seeds[:share]})
            yield batch.to(self._device) if self._is_whole else batch
