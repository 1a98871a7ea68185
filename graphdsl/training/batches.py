"""What a step sees: the whole graph, or a sampled neighbourhood of some seed nodes.

Both come as `Batch`es, so neither the Lightning module nor evaluation knows a difference. Loaders are plain iterables
with a length; an iteration belongs to the epoch that `epoch` says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Schema, Training
from graphdsl.plan import Plan
from graphdsl.training.order import SeedOrder


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the work is this process's: that of number `rank` of `processes`."""

    rank: int = 0
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Nodes of one prediction to compute, and what they should be.

    Attributes:
        type: node type.
        nodes: node numbers, shape `[wanted]`.
        labels: conformed labels of all nodes of the type; None where nothing is compared.
    """

    type: str
    nodes: Tensor
    labels: Tensor | None = None


class Batch:
    """Inputs of a model and what its outputs are compared with.

    It is no dataclass or tuple, whose numbers Lightning would convert to half precision, labels included.

    Attributes:
        inputs: keyword arguments of the compiled model.
        rows: by prediction, the rows of its output that count; predictions of other types than the seeds' are absent.
        labels: by prediction, the labels of those rows, if there are any to compare with.
        nodes: by prediction, the node numbers of those rows in the whole graph, on the CPU.
    """

    __slots__ = ("inputs", "labels", "nodes", "rows")

    def __init__(
        self,
        inputs: Mapping[str, Any],
        rows: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        nodes: Mapping[str, Tensor],
    ) -> None:
        self.inputs, self.rows, self.labels, self.nodes = inputs, rows, labels, nodes

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        inputs, rows, labels = (_move(part, device) for part in (self.inputs, self.rows, self.labels))
        return Batch(inputs, rows, labels, self.nodes)


class Batches(Protocol):
    """Batches of one pass."""

    epoch: int

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


class Resident:
    """Inputs of the whole graph, moved to a device once."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._inputs, self._device = inputs, torch.device("cpu")

    def on(self, device: torch.device) -> Mapping[str, Any]:
        """The inputs on a device."""
        if device != self._device:
            self._inputs, self._device = _move(self._inputs, device), device
        return self._inputs


class WholeGraph:
    """One batch: the whole graph.

    Args:
        graph: its inputs, shared by all splits.
        wanted: by prediction, what to compute.
        share: every process computes all outputs and compares its own part of them.
        device: where to compute.
    """

    def __init__(self, graph: Resident, wanted: Mapping[str, Wanted], share: Share, device: torch.device) -> None:
        self.epoch = 0
        nodes = {name: item.nodes[share.rank :: share.processes] for name, item in wanted.items()}
        labels = {name: item.labels[nodes[name]] for name, item in wanted.items() if item.labels is not None}
        self._batch = Batch(graph.on(device), _move(nodes, device), _move(labels, device), nodes)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Batch]:
        yield self._batch


class SeedBatches:
    """Sampled neighbourhoods around nodes of one type.

    Args:
        data: a `HeteroData` or a `(FeatureStore, GraphStore)` pair.
        plan: what is to be computed: it says which relations to follow how deep.
        wanted: by prediction, what to compute; all of one node type.
        training: `batch_size`, `fanout`, `temporal`, `seed`, `workers`.
        schema: says which attributes are times.
        shuffle: whether each epoch has another order.
        share: this process's part of every batch.
        like: other batches of the same graph and plan, whose structure in memory is shared.

    Attributes:
        epoch: the epoch that the next iteration belongs to.
        loader: PyG's loader.
    """

    def __init__(
        self,
        data: Any,
        plan: Plan,
        wanted: Mapping[str, Wanted],
        training: Training,
        schema: Schema,
        shuffle: bool,
        share: Share,
        like: "SeedBatches | None" = None,
    ) -> None:
        self.epoch = 0
        self._plan, self._wanted = plan, wanted
        (self._type,) = {item.type for item in wanted.values()}
        seeds = torch.unique(torch.cat([item.nodes for item in wanted.values()]))
        self._is_wanted = {name: _membership(item.nodes, seeds) for name, item in wanted.items()}
        size = training.batch_size or len(seeds)
        self._order = SeedOrder(len(seeds), size, shuffle, training.seed, share.rank, share.processes)
        loader = None if like is None else like.loader
        self.loader = seed_loader(
            data, plan, (self._type, seeds), training, schema=schema, like=loader, batch_sampler=self._order
        )

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        self._order.epoch = self.loader.epoch = self.epoch
        for share, sampled in zip(self._order.shares(), self.loader, strict=True):
            yield self._describe(sampled, share)

    def _describe(self, sampled: Any, share: int) -> Batch:
        """The first `share` seeds of a sampled graph count."""
        store = sampled[self._type]
        rows, labels, nodes = {}, {}, {}
        for name, item in self._wanted.items():
            chosen = self._is_wanted[name][store.input_id[:share]].nonzero().reshape(-1)
            rows[name], nodes[name] = chosen, store.n_id[chosen]
            if item.labels is not None:
                labels[name] = item.labels[nodes[name]]
        return Batch(batch_inputs(sampled, self._plan), rows, labels, nodes)


def _membership(nodes: Tensor, seeds: Tensor) -> Tensor:
    """Which of the sorted seeds are among the nodes, shape `[seeds]`."""
    found = torch.zeros(len(seeds), dtype=torch.bool)
    found[torch.searchsorted(seeds, nodes)] = True
    return found


def _move(value: Any, device: torch.device) -> Any:
    """Tensors, also inside mappings, on another device."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {key: _move(item, device) for key, item in value.items()}
    return value


class BatchSource:
    """Makes the batches of all splits of one graph, for one plan; what they can share they share.

    Args:
        data: a `HeteroData` or a `(FeatureStore, GraphStore)` pair.
        plan: the model's plan.
        training: with a `batch_size`, neighbourhoods are sampled; otherwise the whole graph is one batch.
        schema: says which attributes are times.
    """

    def __init__(self, data: Any, plan: Plan, training: Training, schema: Schema) -> None:
        self._data, self._plan, self._training, self._schema = data, plan, training, schema
        self._graph: Resident | None = None
        self._made: dict[str, SeedBatches] = {}

    def batches(
        self,
        wanted: Mapping[str, Wanted],
        *,
        shuffle: bool = False,
        share: Share | None = None,
        device: torch.device | None = None,
    ) -> list[Batches]:
        """Batches of some nodes: the whole graph, or a sequence of sampled batches for each predicted type.

        Args:
            wanted: by prediction, what to compute.
            shuffle: whether each epoch of sampled batches has another order.
            share: this process's part; None = everything.
            device: where the whole graph stays; sampled batches are on the CPU.
        """
        share = share or Share()
        if self._training.batch_size is None:
            self._graph = self._graph or Resident(batch_inputs(self._data, self._plan))
            return [WholeGraph(self._graph, wanted, share, device or torch.device("cpu"))]
        by_type: dict[str, dict[str, Wanted]] = {}
        for name, item in wanted.items():
            by_type.setdefault(item.type, {})[name] = item
        return [self._sample(name, group, shuffle, share) for name, group in by_type.items()]

    def _sample(self, name: str, wanted: Mapping[str, Wanted], shuffle: bool, share: Share) -> SeedBatches:
        like = self._made.get(name)
        made = SeedBatches(self._data, self._plan, wanted, self._training, self._schema, shuffle, share, like)
        self._made.setdefault(name, made)
        return made
