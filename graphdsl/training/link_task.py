"""Whether there is an edge: loss and metrics of pairs, each positive one beside its negatives.

Outputs and labels have the shape [positives, 1 + negatives]: the first column is the edge, the others are pairs of the
same source with targets that it is not joined to. A label is 1, 0, or -1 for a negative that does not exist.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanMetric, Metric
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision

from graphdsl.plan import LinkHead
from graphdsl.training.task import HeadTask, LossTerm, View

HITS = (1, 3, 10)
"""Ranks of which the share of edges that reach them is measured, where there are that many negatives."""


class LinkTask(HeadTask):
    """Binary cross entropy; AUROC, average precision, mean reciprocal rank and hits among an edge's own negatives.

    Args:
        head: the prediction.
    """

    main = "auroc"

    def __init__(self, head: LinkHead) -> None:
        super().__init__(head)
        self._columns = 1 + head.negatives

    def is_labelled(self, labels: Tensor) -> Tensor:
        """Every edge is its own label."""
        return torch.ones(len(labels), dtype=torch.bool)

    def conform(self, labels: Tensor) -> Tensor:
        """Whole numbers as they are."""
        return labels.long()

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """Binary cross entropy over edges and negatives alike; `outputs` are logits."""
        logits = outputs if outputs.dtype == torch.float64 else outputs.float()
        known = (labels >= 0).to(logits)
        each = F.binary_cross_entropy_with_logits(logits, labels.clamp(min=0).to(logits), reduction="none")
        return LossTerm((each * known).sum(), known.sum())

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """AUROC and average precision over all pairs, ranks of edges among their negatives."""
        exact = {"validate_args": False, **options}
        found: dict[str, tuple[View, Metric]] = {
            "auroc": (_known_pairs, BinaryAUROC(**exact)),
            "average_precision": (_known_pairs, BinaryAveragePrecision(**exact)),
            "mrr": (_reciprocal_ranks, MeanMetric(**options)),
        }
        for limit in HITS:
            if limit < self._columns:
                found[f"hits@{limit}"] = (_Hits(limit), MeanMetric(**options))
        return found

    def no_rows(self) -> tuple[Tensor, Tensor]:
        """Outputs and labels of no edge."""
        return torch.zeros(0, self._columns), torch.zeros(0, self._columns, dtype=torch.long)

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """The score (a logit) and the probability of an edge."""
        score = outputs.float().reshape(-1)
        return {"score": score, "probability": score.sigmoid()}


def _known_pairs(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = labels >= 0
    return outputs.float()[known].sigmoid(), labels[known]


def ranks(outputs: Tensor, labels: Tensor) -> Tensor:
    """The rank of each edge among its negatives, from 1; equal scores share the mean of their ranks.

    >>> ranks(torch.tensor([[2.0, 3.0, 1.0], [0.0, 0.0, 0.0]]), torch.tensor([[1, 0, 0], [1, 0, -1]]))
    tensor([2.0000, 1.5000])
    """
    edge, others, real = outputs[:, :1], outputs[:, 1:], labels[:, 1:] >= 0
    above = ((others > edge) & real).sum(1)
    beside = ((others == edge) & real).sum(1)
    return 1 + above + beside / 2


def _ranked(outputs: Tensor, labels: Tensor) -> Tensor:
    """Ranks of the edges that have a negative at all."""
    return ranks(outputs, labels)[(labels[:, 1:] >= 0).any(1)]


def _reciprocal_ranks(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    found = 1 / _ranked(outputs.float(), labels)
    return found, torch.ones_like(found)


class _Hits:
    """Whether an edge is among the first so many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __call__(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        found = (_ranked(outputs.float(), labels) <= self._limit).float()
        return found, torch.ones_like(found)
