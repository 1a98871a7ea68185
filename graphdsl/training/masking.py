"""Labels as inputs: in training a node is either shown with its label or learned, never both."""

from typing import Any

import torch
from torch import Tensor

from graphdsl.model import TRAIN_MASK
from graphdsl.plan import Plan, shown_labels
from graphdsl.training.batch import Batch


def mask_labels(batch: Batch, plan: Plan) -> Batch:
    """The batch with the labels of a random share of the training nodes for the model to read, and the others to learn.

    What is drawn comes from torch's global generator, which each epoch seeds anew. Predictions of other labels of the
    type than those that are shown keep all of their rows.

    Args:
        batch: with the masks of all training nodes among its inputs.
        plan: says which labels the model reads, and what share of them it is shown.
    """
    labels = shown_labels(plan)
    if not labels:
        return batch
    masks: dict[str, Tensor] = dict(batch.inputs[f"{TRAIN_MASK}_dict"])
    for name, ratio in {name: ratio for (name, _), ratio in labels.items()}.items():
        if name in masks:
            mask = masks[name].reshape(-1).bool()
            masks[name] = mask & (torch.rand(len(mask)) < ratio).to(mask.device)
    rows, wanted, nodes = dict(batch.rows), dict(batch.labels), dict(batch.nodes)
    for head in plan.node_heads:
        if (head.type, head.attribute) in labels and head.name in rows and head.type in masks:
            learned = ~masks[head.type][rows[head.name]]
            rows[head.name], nodes[head.name] = rows[head.name][learned], nodes[head.name][learned.cpu()]
            if head.name in wanted:
                wanted[head.name] = wanted[head.name][learned]
    inputs: dict[str, Any] = {**batch.inputs, f"{TRAIN_MASK}_dict": masks}
    return Batch(inputs, rows, wanted, nodes, batch.is_whole)
