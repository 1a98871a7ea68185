"""Which nodes train, validate and test: masks and labels of the predicted types, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphdsl.data.graph_set import read_data
from graphdsl.data.places import show_place
from graphdsl.data.view import GraphView, open_data
from graphdsl.model import Schema, Training
from graphdsl.plan import AnyHead, GraphHead, Head, LinkHead, ObjectiveHead
from graphdsl.text import Diagnostic, EdgeKey, Span, SpecError, report
from graphdsl.training.batches import MessageGraph
from graphdsl.training.graph_nodes import are_nodes_of_graphs, node_table
from graphdsl.training.link_targets import LinkReader, LinkTargets
from graphdsl.training.objective import Task
from graphdsl.training.shares import SPLITS
from graphdsl.training.task import HeadTask, head_task
from graphdsl.training.unlabelled import count_nodes


@dataclass(frozen=True, slots=True)
class Targets:
    """Labels of one prediction and the nodes of each split that have one.

    Attributes:
        labels: of all nodes of the type, conformed to the task, shape `[num_nodes]` or `[num_nodes, k]`.
        nodes: sorted node numbers of each split that has any.
    """

    labels: Tensor
    nodes: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Supervision:
    """What a model learns from.

    Attributes:
        task: all predictions.
        targets: labels and splits of each prediction of nodes, by its name.
        links: edges and splits of each prediction of links, by its name.
        kept: by split, the edges that pass messages meanwhile, of the relations that do not keep all.
    """

    task: Task
    targets: Mapping[str, Targets]
    links: Mapping[str, LinkTargets] = field(default_factory=dict[str, LinkTargets])
    kept: Mapping[str, Mapping[EdgeKey, Tensor]] = field(default_factory=dict[str, Mapping[EdgeKey, Tensor]])

    def has(self, split: str) -> bool:
        """Whether every prediction has nodes or edges in the split; objectives learn of all nodes in training."""
        names = {item.head.name for item in self.task.heads if not isinstance(item.head, ObjectiveHead)}
        if not names:
            return split == "train"
        nodes = all(split in item.nodes for name, item in self.targets.items() if name in names)
        return nodes and all(split in item.edges for item in self.links.values())

    def graph(self, split: str) -> MessageGraph:
        """What passes messages while a split is predicted; the same for all splits where no edge is hidden."""
        kept = self.kept.get(split, {})
        return MessageGraph(split, kept) if kept else MessageGraph()


def read_supervision(
    data: Any,
    heads: Sequence[AnyHead],
    class_weights: bool = False,
    schema: Schema | None = None,
    training: Training | None = None,
) -> Supervision:
    """Read labels and masks `train_mask`, `val_mask`, `test_mask` of every predicted type.

    A mask that the data does not have is a split that does not exist; without `val_mask` nothing picks the best
    epoch. Nodes without a label are in no split. Edges of a predicted relation are split by masks of their own, by
    time, or at random, see `link_targets`.

    Args:
        data: a `HeteroData`, a `(FeatureStore, GraphStore)` pair, or graphs (see `graph_targets`).
        heads: the predictions.
        class_weights: weigh classes inversely to their frequency among training nodes.
        schema: tells where a mask is declared, for diagnostics, and which relations are inverses.
        training: how to split the edges of predicted relations; None = by default.

    Raises:
        SpecError: GNN603 for labels that are missing; GNN613 for a missing training split or an empty split;
            GNN607 for a mask of another length.
    """
    data = read_data(data, schema)
    if any(isinstance(head, GraphHead) for head in heads):
        from graphdsl.training.graph_targets import read_graph_supervision

        return read_graph_supervision(data, heads, class_weights, schema, training or Training(""))
    if are_nodes_of_graphs(data, heads):
        data = node_table(data, heads, training or Training(""))
    view = open_data(data)
    found: list[Diagnostic] = []
    tasks: list[HeadTask] = []
    targets: dict[str, Targets] = {}
    links: dict[str, LinkTargets] = {}
    reader = LinkReader(view, schema, training or Training(""), found) if schema is not None else None
    for head in heads:
        task = head_task(head)
        if isinstance(head, LinkHead):
            if reader is None:
                raise ValueError("predictions of links are split with the schema, which says what is an inverse")
            edges = reader.read(head, task)
            if edges is not None:
                tasks.append(_weighed(task, edges) if class_weights else task)
                links[head.name] = edges
            continue
        assert isinstance(head, Head | ObjectiveHead)
        read = read_targets(view, head, found, schema)
        if read is None:
            continue
        targets[head.name] = read
        if class_weights and head.kind == "class" and "train" in read.nodes:
            task = head_task(head, read.labels[read.nodes["train"]])
        tasks.append(task)
    if found:
        raise SpecError(found)
    kept = {split: reader.kept(split) for split in SPLITS} if reader is not None and links else {}
    return Supervision(Task(tasks), targets, links, kept)


def _all_nodes(count: int) -> Targets:
    """What is learned without labels is learned of all nodes."""
    return Targets(torch.zeros(count), {"train": torch.arange(count)})


def read_targets(
    view: GraphView, head: Head | ObjectiveHead, found: list[Diagnostic], schema: Schema | None
) -> Targets | None:
    """A label of nodes and its splits, None where the data has none; problems go to `found`."""
    if isinstance(head, ObjectiveHead):
        return _all_nodes(count_nodes(view, head))
    labels, task = _read_labels(view, head, found), head_task(head)
    if labels is None:
        return None
    return Targets(task.conform(labels), _read_splits(view, task, labels, found, schema))


def _weighed(task: HeadTask, edges: LinkTargets) -> HeadTask:
    """The task with classes weighed inversely to their frequency among training edges."""
    if task.head.kind != "class" or edges.labels is None or "train" not in edges.edges:
        return task
    return head_task(task.head, edges.labels[edges.edges["train"]])


def _read_labels(view: GraphView, head: Head, found: list[Diagnostic]) -> Tensor | None:
    if head.attribute not in view.keys(head.type):
        message = f"the data has no labels `{head.attribute}` on `{head.type}`"
        where = show_place(head.type, head.attribute)
        found.append(report("GNN603", message, head.span, "predicted here", where=where))
        return None
    return _as_tensor(view.read(head.type, head.attribute))


def _as_tensor(value: Any) -> Tensor:
    return value.detach().cpu() if isinstance(value, Tensor) else torch.from_numpy(np.asarray(value))


def _read_splits(
    view: GraphView, task: HeadTask, labels: Tensor, found: list[Diagnostic], schema: Schema | None
) -> dict[str, Tensor]:
    head = task.head
    assert isinstance(head, Head)
    labelled = task.is_labelled(labels)
    nodes: dict[str, Tensor] = {}
    for split in SPLITS:
        key = f"{split}_mask"
        if key not in view.keys(head.type):
            if split == "train":
                found.append(_missing(head, key, schema))
            continue
        mask = _as_tensor(view.read(head.type, key)).reshape(-1)
        if len(mask) != len(labelled):
            message = f"`{show_place(head.type, key)}` has {len(mask)} entries for {len(labelled)} nodes"
            found.append(report("GNN607", message, where=show_place(head.type, key)))
            continue
        chosen = mask.bool() & labelled
        if not bool(chosen.any()):
            found.append(_empty(head, key, int(mask.bool().sum()), schema))
            continue
        nodes[split] = chosen.nonzero().reshape(-1)
    return nodes


def _missing(head: Head, key: str, schema: Schema | None) -> Diagnostic:
    message = f"`{head.type}` has no `{key}`: nothing says which nodes train"
    helps = (f"give the data a `{key}` for `{head.type}`: one bool for each node",)
    return report("GNN613", message, head.span, "predicted here", also=_declared(head, key, schema),
                  helps=helps, where=show_place(head.type, key))  # fmt: skip


def _empty(head: Head, key: str, chosen: int, schema: Schema | None) -> Diagnostic:
    said = "selects no node" if chosen == 0 else f"selects {chosen} nodes, none of which has a label"
    message = f"`{show_place(head.type, key)}` {said}"
    return report("GNN613", message, head.span, "predicted here", also=_declared(head, key, schema),
                  helps=("every split needs labelled nodes; a split that is not wanted is left out of the data",),
                  where=show_place(head.type, key))  # fmt: skip


def _declared(head: Head, key: str, schema: Schema | None) -> list[tuple[Span, str]]:
    """Where the schema declares the mask, or at least the type."""
    node = None if schema is None else schema.nodes.get(head.type)
    if node is None:
        return []
    attribute = node.attributes.get(key)
    return [(attribute.span, "declared here")] if attribute else [(node.span, f"declared without `{key}`")]
