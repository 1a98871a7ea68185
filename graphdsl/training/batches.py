"""What a step sees: the whole graph, or a sampled neighbourhood of some seed nodes.

Both come as `Batch`es, so neither the Lightning module nor evaluation knows a difference. Loaders are plain iterables
with a length; an iteration belongs to the epoch that `epoch` says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graphdsl.data import batch_inputs, seed_loader
from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.hiding import without_edges
from graphdsl.kernels.histories import EventHistories
from graphdsl.model import Schema, Training
from graphdsl.plan import LinkHead, ObjectiveHead, Plan, asked_at_once, event_head, forecast_head, graph_scorers
from graphdsl.text import EdgeKey, SpecError, report
from graphdsl.training.batch import Batch, Batches, Share, move
from graphdsl.training.events import EventBatches, EventLog, refuse_settings
from graphdsl.training.forecasting import ForecastBatches, read_histories, refuse_forecast_settings
from graphdsl.training.graph_batches import GraphBatches
from graphdsl.training.graph_nodes import NodeNumbers, takes_nodes_of_graphs
from graphdsl.training.link_batches import PairBatches
from graphdsl.training.order import SeedOrder
from graphdsl.training.pairs import WantedPairs, no_pairs, rows_of
from graphdsl.training.walks import WalkBatches, WalkSampler
from graphdsl.training.whole_pairs import WholePairs


@dataclass(frozen=True, slots=True)
class MessageGraph:
    """A part of the graph that messages run over.

    Attributes:
        name: of the split; empty for the whole graph.
        kept: by stored relation, which of its edges are there, shape `[num_edges]`; all of those that are not named.
    """

    name: str = ""
    kept: Mapping[EdgeKey, Tensor] = field(default_factory=dict[EdgeKey, Tensor])


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


AnyWanted = Wanted | WantedPairs


class Resident:
    """Inputs of the whole graph, moved to a device once.

    Args:
        inputs: keyword arguments of the compiled model.
        like: other inputs of the same graph; what was moved for them is not moved again.
    """

    def __init__(self, inputs: Mapping[str, Any], like: "Resident | None" = None) -> None:
        self._inputs, self._device = inputs, torch.device("cpu")
        self._moved: dict[tuple[int, torch.device], tuple[Tensor, Tensor]] = like._moved if like is not None else {}

    def on(self, device: torch.device) -> Mapping[str, Any]:
        """The inputs on a device."""
        if device != self._device:
            self._inputs = {name: self._on(given, device) for name, given in self._inputs.items()}
            self._device = device
        return self._inputs

    def _on(self, given: Any, device: torch.device) -> Any:
        if isinstance(given, Mapping):
            return {key: self._move(value, device) for key, value in given.items()}
        return self._move(given, device) if isinstance(given, Tensor) else given

    def _move(self, value: Tensor, device: torch.device) -> Tensor:
        key = (id(value), device)
        if key not in self._moved:  # The original is kept, so that no other tensor gets its number.
            self._moved[key] = (value, value.to(device, non_blocking=True))
        return self._moved[key][1]


class WholeGraph:
    """One batch: the whole graph.

    Args:
        graph: its inputs, shared by all splits.
        wanted: by prediction, what to compute.
        share: every process computes all outputs and compares its own part of them.
        device: where to compute.
        pairs: for each link prediction of the plan, nothing to score.

    Attributes:
        epoch: the epoch that the next iteration belongs to: each draws negatives of its own.
    """

    def __init__(
        self,
        graph: Resident,
        wanted: Mapping[str, AnyWanted],
        share: Share,
        device: torch.device,
        pairs: Mapping[str, Tensor],
    ) -> None:
        self.epoch = 0
        self._share, self._device, self._no_pairs = share, device, pairs
        self._links = {name: item for name, item in wanted.items() if isinstance(item, WantedPairs)}
        of_nodes = {name: item for name, item in wanted.items() if isinstance(item, Wanted)}
        nodes = {name: item.nodes[share.rank :: share.processes] for name, item in of_nodes.items()}
        labels = {name: item.labels[nodes[name]] for name, item in of_nodes.items() if item.labels is not None}
        self._batch = Batch(graph.on(device), move(nodes, device), move(labels, device), nodes, is_whole=True)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Batch]:
        yield self._with_pairs() if self._no_pairs else self._batch

    def _with_pairs(self) -> Batch:
        """The batch with the pairs of this epoch."""
        batch = self._batch
        pairs, rows, labels, numbers = dict(self._no_pairs), dict(batch.rows), dict(batch.labels), dict(batch.nodes)
        for name, item in self._links.items():
            part = slice(self._share.rank, None, self._share.processes)
            drawn = item.draw(self.epoch).take(part)
            pairs[name], labels[name] = drawn.index(), drawn.labels
            rows[name] = rows_of(item.head, len(drawn.labels), len(drawn.labels))
            numbers[name] = item.edges[part]
        moved = move({"edge_label_index": pairs, "rows": rows, "labels": labels}, self._device)
        inputs = {**batch.inputs, "edge_label_index": moved["edge_label_index"]}
        return Batch(inputs, moved["rows"], moved["labels"], numbers, is_whole=True)


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
        pairs = {"edge_label_index": no_pairs(self._plan.link_heads)} if self._plan.link_heads else {}
        return Batch({**batch_inputs(sampled, self._plan), **pairs}, rows, labels, nodes)


def _membership(nodes: Tensor, seeds: Tensor) -> Tensor:
    """Which of the sorted seeds are among the nodes, shape `[seeds]`."""
    found = torch.zeros(len(seeds), dtype=torch.bool)
    found[torch.searchsorted(seeds, nodes)] = True
    return found


class BatchSource:
    """Makes the batches of all splits of one graph, for one plan; what they can share they share.

    Args:
        data: a `HeteroData`, a `(FeatureStore, GraphStore)` pair, or graphs.
        plan: the model's plan.
        training: with a `batch_size`, neighbourhoods are sampled; otherwise the whole graph is one batch.
        schema: says which attributes are times.

    Attributes:
        training: the settings.
        numbering: of predictions of nodes of several graphs, how these are numbered.
    """

    def __init__(self, data: Any, plan: Plan, training: Training, schema: Schema) -> None:
        self._data, self._plan, self.training, self._schema = read_data(data, schema), plan, training, schema
        if found := asked_at_once(plan, training):
            raise SpecError(found)
        self.numbering: dict[str, NodeNumbers] = {}
        if takes_nodes_of_graphs(self._data, plan):
            self.numbering = {head.name: NodeNumbers(self._data, head.type) for head in plan.node_heads}
        else:
            _refuse_sampling(plan, training)
        self._graphs: dict[str, Resident] = {}
        self._made: dict[tuple[str, str], SeedBatches] = {}
        self._walks: WalkSampler | None = None
        self._log: EventLog | None = None
        self._seen: EventHistories | None = None

    def batches(
        self,
        wanted: Mapping[str, AnyWanted],
        *,
        graph: MessageGraph | None = None,
        shuffle: bool = False,
        share: Share | None = None,
        device: torch.device | None = None,
    ) -> list[Batches]:
        """Batches of some nodes and edges: the whole graph, or sampled batches for each predicted type and link.

        Args:
            wanted: by prediction, what to compute.
            graph: what passes messages; None = all that there is. One name stands for one graph at every call.
            shuffle: whether each epoch of sampled batches has another order.
            share: this process's part; None = everything.
            device: where the whole graph stays; sampled batches are on the CPU.
        """
        share, graph = share or Share(), graph or MessageGraph()
        if self._plan.walks is not None:
            return [self._of_walks(self._plan.walks, shuffle, share, device or torch.device("cpu"))]
        if (head := event_head(self._plan)) is not None:
            refuse_settings(self._plan, self.training)
            asked = [item for item in wanted.values() if isinstance(item, WantedPairs)]
            where = device or torch.device("cpu")
            return [EventBatches(self.event_log(head), item, self.training, where) for item in asked]
        if (head := forecast_head(self._plan)) is not None:
            refuse_forecast_settings(self._plan, self.training)
            asked = [item for item in wanted.values() if isinstance(item, WantedPairs)]
            order = (self.training, shuffle, share, device or torch.device("cpu"))
            return [ForecastBatches(self.histories(head), item, *order) for item in asked]
        if self._plan.graph_heads or self.numbering:
            return [self._of_graphs(wanted, shuffle, share, device or torch.device("cpu"))]
        pairs, place = no_pairs(self._plan.link_heads), device or torch.device("cpu")
        if self.training.batch_size is None:
            return [WholeGraph(self._whole(graph), wanted, share, place, pairs)]
        if graph_scorers(self._plan):
            return self._of_whole(self._whole(graph), wanted, shuffle, share, place, pairs)
        by_type: dict[str, dict[str, Wanted]] = {}
        found: list[Batches] = []
        for name, item in wanted.items():
            if isinstance(item, Wanted):
                by_type.setdefault(item.type, {})[name] = item
            else:
                view = without_edges(self._data, graph.kept)
                found.append(PairBatches(view, self._plan, item, self.training, self._schema, shuffle, share))
        return [*(self._sample(graph, name, group, shuffle, share) for name, group in by_type.items()), *found]

    def _of_whole(
        self,
        graph: Resident,
        wanted: Mapping[str, AnyWanted],
        shuffle: bool,
        share: Share,
        device: torch.device,
        pairs: Mapping[str, Tensor],
    ) -> list[Batches]:
        """Some pairs at a time, all of the rest at once: a scorer of the plan reads the whole graph."""
        rest = {name: item for name, item in wanted.items() if isinstance(item, Wanted)}
        links = [item for item in wanted.values() if isinstance(item, WantedPairs)]
        found: list[Batches] = [WholeGraph(graph, rest, share, device, pairs)] if rest else []
        return [*found, *(WholePairs(graph, it, self.training, shuffle, share, device, pairs) for it in links)]

    def event_log(self, head: LinkHead) -> EventLog:
        """The events that a prediction is of, in the order of time."""
        self._log = self._log or EventLog(self._data, head, self._schema)
        return self._log

    def histories(self, head: LinkHead) -> EventHistories:
        """The events that a forecast is of, with what happened before each."""
        self._seen = self._seen or read_histories(self._data, head, self._schema)
        return self._seen

    def _of_walks(self, head: ObjectiveHead, shuffle: bool, share: Share, device: torch.device) -> WalkBatches:
        self._walks = self._walks or WalkSampler(self._data, head, self._schema)
        return WalkBatches(self._walks, head, self.training, shuffle, share, device)

    def _of_graphs(
        self, wanted: Mapping[str, AnyWanted], shuffle: bool, share: Share, device: torch.device
    ) -> GraphBatches:
        assert isinstance(self._data, GraphSet)
        rows = {name: item for name, item in wanted.items() if isinstance(item, Wanted)}
        nodes = {name: item.nodes for name, item in rows.items()}
        labels = {name: item.labels for name, item in rows.items() if item.labels is not None}
        order = (self.training, shuffle, share, device)
        return GraphBatches(self._data, self._plan, nodes, labels, *order, self.numbering)

    def _whole(self, graph: MessageGraph) -> Resident:
        """The inputs of a whole graph; its features are in memory once, whatever its edges."""
        if graph.name not in self._graphs:
            like = next(iter(self._graphs.values()), None)
            inputs = batch_inputs(without_edges(self._data, graph.kept), self._plan)
            self._graphs[graph.name] = Resident(inputs, like)
        return self._graphs[graph.name]

    def _sample(
        self, graph: MessageGraph, name: str, wanted: Mapping[str, Wanted], shuffle: bool, share: Share
    ) -> SeedBatches:
        like = self._made.get((graph.name, name))
        view = without_edges(self._data, graph.kept) if graph.kept else self._data
        made = SeedBatches(view, self._plan, wanted, self.training, self._schema, shuffle, share, like)
        self._made.setdefault((graph.name, name), made)
        return made


def _refuse_sampling(plan: Plan, training: Training) -> None:
    """Neighbourhoods are sampled for relation maps, whose depth is known; walks know no time."""
    if plan.walks is not None and training.temporal:
        message = f"`temporal` samples neighbours by time, and the walks of `{plan.walks.name}` know none"
        raise SpecError([report("GNN204", message, training.span or plan.walks.span, helps=("leave `temporal` out",))])
    if plan.sequence is None or plan.graph_heads or training.batch_size is None:
        return
    message = "a `sequential` block that predicts nodes or links is trained on the whole graph"
    helps = ("leave `batch_size` out, or write the model with `edges { … }`",)
    raise SpecError([report("GNN204", message, training.span or plan.sequence.span, helps=helps)])
