"""What a label asks of training: its loss, its metrics, and what its outputs say.

The kind of the label decides all of it. Rows handed to a task are labelled; only a `multilabel` or `real[k]` row may
miss single values (-1 or NaN), which count neither in the loss nor in the metrics.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanSquaredError, Metric, R2Score
from torchmetrics.classification import (
    BinaryAUROC,
    BinaryAveragePrecision,
    MulticlassAccuracy,
    MulticlassF1Score,
    MultilabelAUROC,
    MultilabelF1Score,
)

from graphdsl.plan import AnyHead, LinkHead, ObjectiveHead
from graphdsl.text import SpecError, report

View = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class LossTerm:
    """A loss before its mean is taken, so that shares of several processes can be added.

    Attributes:
        total: sum over rows (and labels), a differentiable scalar.
        weight: what to divide by for the mean: number of values, or the sum of their class weights.
    """

    total: Tensor
    weight: Tensor


class HeadTask(ABC):
    """Loss and metrics of one prediction.

    Attributes:
        head: the prediction.
        main: name of the metric that picks the best epoch unless a spec says otherwise.
    """

    main: str

    def __init__(self, head: AnyHead) -> None:
        self.head = head
        if head.size is None:
            message = f"the size of the label `{head.name}` is unknown"
            raise SpecError([report("GNN506", message, head.span, helps=("give the model its data",))])
        self.size: int = head.size

    @abstractmethod
    def is_labelled(self, labels: Tensor) -> Tensor:
        """Which nodes have a label, shape `[num_nodes]`."""

    @abstractmethod
    def conform(self, labels: Tensor) -> Tensor:
        """The labels in the dtype and shape that `loss` wants."""

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """The loss of outputs `[rows, size]` for conformed labels."""

    @abstractmethod
    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """By name, what each metric looks at and the metric; `options` go to torchmetrics."""

    def no_rows(self) -> tuple[Tensor, Tensor]:
        """Outputs and labels of no node."""
        return torch.zeros(0, self.size), torch.zeros(0, self.size)

    @abstractmethod
    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """What a user reads off the outputs: by column name, a tensor of shape `[rows]` or `[rows, k]`."""


class ClassTask(HeadTask):
    """Integer labels, one of k classes: cross entropy, accuracy, macro F1; AUROC and average precision for two classes.

    Args:
        head: the prediction.
        class_weights: weight of each class in the loss, shape `[k]`; None = all alike.
    """

    def __init__(self, head: AnyHead, class_weights: Tensor | None = None) -> None:
        super().__init__(head)
        self.main = "auroc" if self.size == 2 else "accuracy"
        self.class_weights = class_weights

    def is_labelled(self, labels: Tensor) -> Tensor:
        """Classes are not negative; -1 stands for none."""
        return labels.reshape(-1) >= 0

    def conform(self, labels: Tensor) -> Tensor:
        """int64 of shape `[rows]`."""
        return labels.reshape(-1).long()

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """Cross entropy, weighted by class if asked; `outputs` are logits."""
        logits = _exact(outputs)
        weight = None if self.class_weights is None else self.class_weights.to(logits)
        total = F.cross_entropy(logits, labels, weight=weight, reduction="sum")
        share = torch.tensor(float(len(labels)), device=outputs.device) if weight is None else weight[labels].sum()
        return LossTerm(total, share)

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """Accuracy and macro F1; with two classes also AUROC and average precision of class 1."""
        options = {"validate_args": False, **options}
        found: dict[str, tuple[View, Metric]] = {
            "accuracy": (_as_they_are, MulticlassAccuracy(self.size, average="micro", **options)),
            "f1_macro": (_as_they_are, MulticlassF1Score(self.size, average="macro", **options)),
        }
        if self.size == 2:
            found["auroc"] = (_chance_of_class_1, BinaryAUROC(**options))
            found["average_precision"] = (_chance_of_class_1, BinaryAveragePrecision(**options))
        return found

    def no_rows(self) -> tuple[Tensor, Tensor]:
        """Outputs and labels of no node."""
        return torch.zeros(0, self.size), torch.zeros(0, dtype=torch.long)

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """The likeliest class and the probability of each."""
        return {"class": outputs.argmax(-1), "probability": outputs.float().softmax(-1)}


class MultilabelTask(HeadTask):
    """k labels, each 0 or 1 and -1 (or NaN) where unknown: binary cross entropy, micro and macro F1, AUROC."""

    main = "f1_micro"

    def is_labelled(self, labels: Tensor) -> Tensor:
        """At least one label is known."""
        return (self.conform(labels) >= 0).any(-1)

    def conform(self, labels: Tensor) -> Tensor:
        """Whole numbers of shape `[rows, k]`: 0, 1, or -1 for unknown."""
        return torch.nan_to_num(labels.reshape(len(labels), -1).float(), nan=-1.0).long()

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """Binary cross entropy over the known labels; `outputs` are logits."""
        known, logits = (labels >= 0).float(), _exact(outputs)
        each = F.binary_cross_entropy_with_logits(logits, labels.clamp(min=0).to(logits), reduction="none")
        return LossTerm((each * known).sum(), known.sum())

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """Micro and macro F1 at probability one half, and AUROC averaged over the labels."""
        options = {"ignore_index": -1, "validate_args": False, **options}
        return {
            "f1_micro": (_chances, MultilabelF1Score(self.size, average="micro", **options)),
            "f1_macro": (_chances, MultilabelF1Score(self.size, average="macro", **options)),
            "auroc": (_chances, MultilabelAUROC(self.size, average="macro", **options)),
        }

    def no_rows(self) -> tuple[Tensor, Tensor]:
        """Outputs and labels of no node."""
        return torch.zeros(0, self.size), torch.zeros(0, self.size, dtype=torch.long)

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """Each label's decision and probability."""
        chance = outputs.float().sigmoid()
        return {"label": (chance > 0.5).long(), "probability": chance}


class RealTask(HeadTask):
    """k numbers, NaN where unknown: mean squared error, MAE, RMSE and R² (averaged over the targets)."""

    main = "rmse"

    def is_labelled(self, labels: Tensor) -> Tensor:
        """At least one number is known."""
        return ~self.conform(labels).isnan().all(-1)

    def conform(self, labels: Tensor) -> Tensor:
        """float32 of shape `[rows, k]`."""
        return labels.reshape(len(labels), -1).float()

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """Squared error over the known numbers."""
        known = ~labels.isnan()
        error = (_exact(outputs).reshape(labels.shape) - torch.nan_to_num(labels)).square()
        return LossTerm((error * known).sum(), known.sum().float())

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """RMSE and MAE over all known numbers; R² over rows that know all of them."""
        return {
            "rmse": (_known_numbers, MeanSquaredError(squared=False, **options)),
            "mae": (_known_numbers, MeanAbsoluteError(**options)),
            "r2": (_known_rows, R2Score(**options)),
        }

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """The numbers themselves."""
        return {"value": outputs.float()}


def _exact(outputs: Tensor) -> Tensor:
    """Outputs in float32 at least: half precision is for layers, not for losses."""
    return outputs if outputs.dtype in (torch.float32, torch.float64) else outputs.float()


def _as_they_are(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return outputs, labels


def _chance_of_class_1(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return outputs.float().softmax(-1)[:, 1], labels


def _chances(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return outputs.float().sigmoid(), labels


def _known_numbers(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = ~labels.isnan()
    return outputs.float().reshape(labels.shape)[known], labels[known]


def _known_rows(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = ~labels.isnan().any(-1)
    # R2Score sums squares, which cancel in float32 where the mean is large; Apple's GPUs have no float64.
    exact = torch.float32 if labels.device.type == "mps" else torch.float64
    outputs, labels = outputs.reshape(labels.shape)[known].to(exact), labels[known].to(exact)
    return (outputs.reshape(-1), labels.reshape(-1)) if labels.shape[-1] == 1 else (outputs, labels)


def head_task(head: AnyHead, train_labels: Tensor | None = None) -> HeadTask:
    """The task of a prediction, by the kind of its label.

    Args:
        head: the prediction.
        train_labels: labels of the training nodes; with them, classes are weighted inversely to their frequency:
            n / (k · n_c), as scikit-learn's "balanced"; a class that does not occur weighs nothing.
    """
    if isinstance(head, LinkHead) and head.kind == "link":
        from graphdsl.training.link_task import LinkTask

        return LinkTask(head)
    if isinstance(head, LinkHead) and head.kind == "signed":
        from graphdsl.training.sign_task import SignTask

        return SignTask(head)
    if isinstance(head, LinkHead) and head.kind == "event":
        from graphdsl.training.forecast_task import ForecastTask

        return ForecastTask(head)
    if isinstance(head, ObjectiveHead):
        from graphdsl.training.unlabelled import ObjectiveTask

        return ObjectiveTask(head)
    if head.kind == "class":
        return ClassTask(head, None if train_labels is None else _inverse_frequency(train_labels, head.size or 0))
    return MultilabelTask(head) if head.kind == "multilabel" else RealTask(head)


def _inverse_frequency(labels: Tensor, classes: int) -> Tensor:
    count = torch.bincount(labels.reshape(-1).long(), minlength=classes).float()
    return torch.where(count > 0, count.sum() / (classes * count.clamp(min=1)), 0.0)
