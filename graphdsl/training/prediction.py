"""Using a trained model: metrics of each split, and outputs for any nodes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from graphdsl.backends import CompiledModel
from graphdsl.data.view import open_data
from graphdsl.plan import GraphHead, Head, LinkHead, ObjectiveHead, Plan
from graphdsl.text import SpecError, encode, report, show_name
from graphdsl.training.batch import Batch
from graphdsl.training.batches import AnyWanted, BatchSource, MessageGraph, Wanted
from graphdsl.training.graph_nodes import NodeNumbers, takes_nodes_of_graphs
from graphdsl.training.module import LossSums, measure, measured_outputs, outputs_by_head, wanted_rows
from graphdsl.training.scores import Scores
from graphdsl.training.splits import SPLITS, Supervision
from graphdsl.training.task import head_task
from graphdsl.training.writing import replacing, write_tensors


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says about nodes or whole graphs.

    Attributes:
        head: the prediction.
        nodes: numbers of nodes or graphs, shape `[nodes]`.
        outputs: logits or numbers, shape `[nodes, size]`.
        decisions: what a user reads off them, by name: `class` and `probability`, `label` and `probability`, or
            `value`; of an objective `vector`.
        type: whose vectors they are, where an objective has those of several types; otherwise the head's.
        graphs: the graph of each node, where there are several; `nodes` are numbers in it.
    """

    head: Head | GraphHead | ObjectiveHead
    nodes: Tensor
    outputs: Tensor
    decisions: Mapping[str, Tensor]
    type: str = ""
    graphs: Tensor | None = None

    @property
    def name(self) -> str:
        """The prediction's name; of walks, the type's."""
        return show_name(self.type) if isinstance(self.head, ObjectiveHead) else self.head.name

    @property
    def key(self) -> str:
        """The same as a part of a file's name."""
        return encode(self.type) if isinstance(self.head, ObjectiveHead) else self.head.key

    @property
    def places(self) -> dict[str, Tensor]:
        """By column name, what the rows are about."""
        graphs = {} if self.graphs is None else {"graph": self.graphs}
        return {**graphs, "graph" if isinstance(self.head, GraphHead) else "node": self.nodes}


@dataclass(frozen=True, slots=True)
class LinkPredictions:
    """What a model says about pairs of nodes.

    Attributes:
        head: the prediction.
        pairs: numbers of sources and targets, shape `[2, pairs]`.
        outputs: logits or numbers, shape `[pairs, size]`.
        decisions: what a user reads off them, by name: `score` and `probability` of an edge, or as for nodes.
    """

    head: LinkHead
    pairs: Tensor
    outputs: Tensor
    decisions: Mapping[str, Tensor]

    @property
    def name(self) -> str:
        """The prediction's name."""
        return self.head.name

    @property
    def key(self) -> str:
        """The same as a part of a file's name."""
        return self.head.key

    @property
    def places(self) -> dict[str, Tensor]:
        """By column name, what the rows are about."""
        return {"source": self.pairs[0], "target": self.pairs[1]}


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Who most likely takes part in events.

    Attributes:
        head: the prediction.
        events: numbers of events in the data, each as often as nodes are named, shape [rows].
        rank: 1 for the likeliest nodes, shape [rows].
        decisions: `target` and `target_probability` given the source, `source` and `source_probability` given the target.
        outputs: the same probabilities, [rows, 2].
    """

    head: LinkHead
    events: Tensor
    rank: Tensor
    decisions: Mapping[str, Tensor]
    outputs: Tensor

    @property
    def name(self) -> str:
        """The prediction's name."""
        return self.head.name

    @property
    def key(self) -> str:
        """The same as a part of a file's name."""
        return self.head.key

    @property
    def places(self) -> dict[str, Tensor]:
        """By column name, what the rows are about."""
        return {"event": self.events, "rank": self.rank}


def evaluate(
    model: nn.Module,
    plan: Plan,
    source: BatchSource,
    supervision: Supervision,
    splits: tuple[str, ...] = SPLITS,
    device: torch.device | None = None,
) -> dict[str, dict[str, float]]:
    """Metrics of each split that the data has, by names such as `test_accuracy`.

    Args:
        model: a compiled model with trained weights.
        plan: its plan.
        source: batches of the graph; those that are sampled are the same at each call.
        supervision: labels and splits.
        splits: which splits to measure.
        device: where to compute.
    """
    found: dict[str, dict[str, float]] = {}
    task = supervision.task
    for split in splits:
        if not supervision.has(split):
            continue
        sums = LossSums(task)
        scores = {item.head.name: Scores(item, sync=False) for item in task.heads}
        with predicting(model, device) as place:
            scores = {name: item.to(place) for name, item in scores.items()}
            wanted = wanted_rows(supervision, plan, split)
            for batch in _on(source, wanted, place, supervision.graph(split)):
                sums.add(measure(task, measured_outputs(model, plan, batch), batch, scores)[1])
        values = sums.compute(split)
        for item in task.heads:
            computed = scores[item.head.name].compute()
            values.update({task.name(split, item, name): value for name, value in computed.items()})
        found[split] = values
    return found


def predict(
    model: nn.Module,
    plan: Plan,
    source: BatchSource,
    nodes: Mapping[str, Tensor],
    device: torch.device | None = None,
) -> list[Predictions]:
    """Outputs for nodes, labelled or not.

    Args:
        model: a compiled model with trained weights.
        plan: its plan.
        source: batches of the graph; those that are sampled are the same at each call.
        nodes: by prediction, sorted node numbers; see `all_nodes`.
        device: where to compute.
    """
    if plan.walks is not None:
        return _vectors(model, plan.walks, device)
    wanted: dict[str, AnyWanted] = {
        head.name: Wanted(kind, nodes[head.name]) for kind, head in _heads(plan) if len(nodes[head.name])
    }
    parts: dict[str, list[tuple[Tensor, Tensor]]] = {head.name: [] for _, head in _heads(plan)}
    with predicting(model, device) as place:
        for batch in _on(source, wanted, place):
            outputs = outputs_by_head(model, plan, batch)
            for name, rows in batch.rows.items():
                parts[name].append((batch.nodes[name], outputs[name][rows].float().cpu()))
    found = [_join(head, parts[head.name]) for _, head in _heads(plan)]
    return [_by_graph(item, source.numbering.get(item.head.name)) for item in found]


def _vectors(model: nn.Module, head: ObjectiveHead, device: torch.device | None) -> list[Predictions]:
    """The vectors that walks have trained, type by type."""
    assert isinstance(model, CompiledModel)
    with predicting(model, device):
        found = {
            name: value.detach().float().cpu() for name, value in model.encode({}, {}, prediction=head.name).items()
        }
    return [
        Predictions(head, torch.arange(len(value)), value, {"vector": value}, name) for name, value in found.items()
    ]


def _heads(plan: Plan) -> list[tuple[str, Head | GraphHead | ObjectiveHead]]:
    """Predictions of nodes and states that are learned, with their type, and predictions of whole graphs."""
    learned = (head for head in plan.objectives if head.kind == "infomax")
    nodes = [(head.type, head) for head in (*plan.node_heads, *learned)]
    return [*nodes, *(("graph", head) for head in plan.graph_heads)]


def all_nodes(data: Any, plan: Plan) -> dict[str, Tensor]:
    """Numbers of all nodes of the predicted types, by prediction; of all graphs, where whole graphs are predicted.

    Nodes of several graphs are numbered through, graph after graph.

    Raises:
        SpecError: GNN610 where a number of nodes cannot be told.
    """
    if plan.graph_heads:
        numbers = torch.arange(len(data))
        return {head.name: numbers for head in plan.graph_heads}
    if takes_nodes_of_graphs(data, plan):
        return {head.name: torch.arange(NodeNumbers(data, head.type).count) for head in plan.node_heads}
    view, found = open_data(data), {}
    for head in (*plan.node_heads, *plan.objectives):
        count = view.count(head.type)
        if count is None:
            raise SpecError([report("GNN610", f"the number of nodes of `{head.type}` is unknown", head.span)])
        found[head.name] = torch.arange(count)
    return found


def _by_graph(item: Predictions, numbering: NodeNumbers | None) -> Predictions:
    """Nodes of several graphs by graph."""
    if numbering is None:
        return item
    graphs, nodes = numbering.split(item.nodes)
    return replace(item, nodes=nodes, graphs=graphs)


def _join(head: Head | GraphHead | ObjectiveHead, parts: list[tuple[Tensor, Tensor]]) -> Predictions:
    size = head.size or 0
    nodes = torch.cat([torch.empty(0, dtype=torch.long), *(part[0] for part in parts)])
    outputs = torch.cat([torch.empty(0, size), *(part[1].reshape(-1, size) for part in parts)])
    kind = head.type if isinstance(head, ObjectiveHead) else ""
    return Predictions(head, nodes, outputs, head_task(head).decide(outputs), kind)


def _on(
    source: BatchSource, wanted: Mapping[str, AnyWanted], device: torch.device, graph: MessageGraph | None = None
) -> Iterator[Batch]:
    for batches in source.batches(wanted, graph=graph, device=device):
        for batch in batches:
            yield batch.to(device)


@contextmanager
def predicting(model: nn.Module, device: torch.device | None) -> Iterator[torch.device]:
    """The model in evaluation mode, without gradients, on the device; afterwards as it was."""
    device = device or next((item.device for item in model.parameters()), torch.device("cpu"))
    was_training = model.training
    model.to(device).eval()
    try:
        with torch.no_grad():
            yield device
    finally:
        model.train(was_training)


def write_predictions(predictions: Sequence[Predictions | LinkPredictions | Forecasts], path: Path) -> list[Path]:
    """Write predictions as CSV, or as tensors where the path ends in `.pt`.

    A CSV table has a line for each node: `node`, then what the label's kind decides (`class`, `probability_0`, …); one
    of links has a line for each pair: `source`, `target`, then `score` and `probability` or the label's; one of events
    has lines for the likeliest nodes of each: `event`, `rank`, `target`, `source` and their probabilities. With
    several predictions each has a file of its own, named after it. A `.pt` file holds a dictionary by prediction name.

    Returns:
        The files written.

    Raises:
        SpecError: GNN616.
    """
    if path.suffix == ".pt":
        content = {
            item.name: {
                **_numbers(item),
                "outputs": item.outputs,
                **item.decisions,
            }
            for item in predictions
        }
        write_tensors(content, path)
        return [path]
    several = len(predictions) > 1
    paths = [path.with_name(f"{path.stem}-{item.key}{path.suffix}") if several else path for item in predictions]
    for item, file in zip(predictions, paths, strict=True):
        with replacing(file) as stream:
            _table(item).to_csv(stream, index=False, lineterminator="\n", float_format="%.9g")
    return paths


def _numbers(item: Predictions | LinkPredictions | Forecasts) -> dict[str, Tensor]:
    if isinstance(item, LinkPredictions):
        return {"pairs": item.pairs}
    if isinstance(item, Forecasts):
        return {"events": item.events, "ranks": item.rank}
    return {**({} if item.graphs is None else {"graphs": item.graphs}), "nodes": item.nodes}


def _table(item: Predictions | LinkPredictions | Forecasts) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {name: numbers.numpy() for name, numbers in item.places.items()}
    for name, value in item.decisions.items():
        if value.dim() == 1 or (name == "value" and value.shape[1] == 1):
            columns[name] = value.reshape(-1).numpy()
        else:
            columns.update({f"{name}_{index}": value[:, index].numpy() for index in range(value.shape[1])})
    return pd.DataFrame(columns)
