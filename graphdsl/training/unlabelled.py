"""Training without labels: the loss of each row of an objective, in place of outputs that labels are compared with."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from graphdsl.backends import CompiledModel
from graphdsl.backends.objectives import contrast, corrupted
from graphdsl.data.view import GraphView
from graphdsl.plan import ObjectiveHead, Plan
from graphdsl.text import SpecError, report
from graphdsl.training.batch import Batch
from graphdsl.training.order import mix
from graphdsl.training.task import HeadTask, LossTerm, View

_FIXED = 0xD61
"""Seeds the permutations of evaluation, which are the same for every run."""


class ObjectiveTask(HeadTask):
    """An objective: its outputs are the losses of rows, and there are no labels to compare them with."""

    main = "loss"

    def is_labelled(self, labels: Tensor) -> Tensor:
        """Every node is learned from."""
        return torch.ones(len(labels), dtype=torch.bool)

    def conform(self, labels: Tensor) -> Tensor:
        """As they are."""
        return labels

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """The sum of the rows' losses."""
        return LossTerm(outputs.sum(), outputs.new_tensor(float(len(outputs))))

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """None: `graphdsl.training.probing` judges the vectors."""
        return {}

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """The vectors themselves."""
        return {"vector": outputs.float()}


def count_nodes(view: GraphView, head: ObjectiveHead) -> int:
    """How many nodes an objective learns of.

    Raises:
        SpecError: GNN610 where that cannot be told.
    """
    count = view.count(head.type)
    if count is None:
        raise SpecError([report("GNN610", f"the number of nodes of `{head.type}` is unknown", head.span)])
    return count


def losses_of_walks(model: nn.Module, head: ObjectiveHead, batch: Batch) -> Tensor:
    """The loss of a batch of walks, once for each seed, shape [seeds]."""
    module: Any = model.get_submodule(f"heads.{head.key}")
    return module.loss(**batch.inputs).reshape(1).expand(max(1, len(batch.rows[head.name])))


def losses_of_contrast(
    model: nn.Module, plan: Plan, head: ObjectiveHead, inputs: Mapping[str, Any], z: Tensor, batch: Batch
) -> Tensor:
    """The loss of each node, shape [num_nodes].

    Args:
        model: a compiled model.
        plan: its plan.
        head: the objective.
        inputs: arguments of the model.
        z: what it made of them.
        batch: says which rows count; in a sampled batch these are what the summary is of.
    """
    assert isinstance(model, CompiledModel)
    generator = None if model.training else torch.Generator().manual_seed(mix(_FIXED, len(z)))
    wrong = corrupted(plan, {key: value for key, value in inputs.items() if key != "edge_label_index"}, generator)
    fake = model.encode(**wrong, prediction=head.name)[head.type]
    rows = None if batch.is_whole else batch.rows.get(head.name)
    return contrast(model.heads[head.key], z, fake, rows)
