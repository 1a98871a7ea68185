"""Which graphs train, validate and test: labels that graphs carry, their masks, or shares drawn at random."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.model import Schema, Training
from graphdsl.plan import AnyHead, GraphHead
from graphdsl.text import Diagnostic, SpecError, report, show_name
from graphdsl.training.objective import Task
from graphdsl.training.shares import SPLITS, draw_graphs
from graphdsl.training.splits import Supervision, Targets
from graphdsl.training.task import HeadTask, head_task


def read_graph_supervision(
    data: Any, heads: Sequence[AnyHead], class_weights: bool, schema: Schema | None, training: Training
) -> Supervision:
    """Read what graphs carry: labels, and masks `train_mask`, `val_mask`, `test_mask` where all graphs have them.

    Without masks the labelled graphs are split at random in the shares of `training.split`, by `training.seed` alone, so
    that every prediction and every call sees the same graphs.

    Args:
        data: graphs.
        heads: predictions of whole graphs.
        class_weights: weigh classes inversely to their frequency among training graphs.
        schema: what graphs carry.
        training: `split` and `seed`.

    Raises:
        SpecError: GNN603 for labels that are missing; GNN613 for an empty split; GNN631 for predictions of nodes or
            links beside those of graphs.
    """
    other = next((head for head in heads if not isinstance(head, GraphHead)), None)
    if other is not None:
        helps = ("train a model that predicts whole graphs alone",)
        message = f"`{other.name}` cannot be trained together with a label of whole graphs"
        raise SpecError([report("GNN631", message, other.span, "predicted here", helps=helps)])
    graphs = read_data(data, schema)
    if not isinstance(graphs, GraphSet):
        helps = ("give a list of graphs, or a dataset of PyG",)
        message = f"labels of whole graphs need graphs, not a `{type(data).__name__}`"
        raise SpecError([report("GNN611", message, where="data", helps=helps)])
    found: list[Diagnostic] = []
    tasks: list[HeadTask] = []
    targets: dict[str, Targets] = {}
    for head in heads:
        assert isinstance(head, GraphHead)
        task = head_task(head)
        labels = graphs.values(head.attribute)
        if labels is None:
            where = f"graph.{show_name(head.attribute)}"
            message = f"not every graph carries a label `{head.attribute}`"
            found.append(report("GNN603", message, head.span, "predicted here", where=where))
            continue
        numbers = _split(graphs, task, labels, training, found)
        if class_weights and head.kind == "class" and "train" in numbers:
            task = head_task(head, labels[numbers["train"]])
        tasks.append(task)
        targets[head.name] = Targets(task.conform(labels), numbers)
    if found:
        raise SpecError(found)
    return Supervision(Task(tasks), targets)


def _split(
    graphs: GraphSet, task: HeadTask, labels: Tensor, training: Training, found: list[Diagnostic]
) -> dict[str, Tensor]:
    """Sorted numbers of the labelled graphs of each split that has any."""
    labelled = task.is_labelled(labels)
    masks = {split: mask for split in SPLITS if (mask := graphs.values(f"{split}_mask")) is not None}
    if masks:
        chosen = {split: (mask.bool() & labelled).nonzero().reshape(-1) for split, mask in masks.items()}
    else:
        chosen = draw_graphs(labelled, training)
    for split, numbers in chosen.items():
        if not len(numbers):
            helps = ("give more labelled graphs, or other shares: `split: [0.8, 0.1, 0.1]`",)
            message = f"no labelled graph is left for the split `{split}`"
            found.append(report("GNN613", message, task.head.span, "predicted here", helps=helps, where="data"))
    if "train" not in chosen:
        message = "graphs carry masks, but no `train_mask`: nothing says which of them train"
        found.append(report("GNN613", message, task.head.span, "predicted here", where="data"))
    return chosen
