"""Which of all nodes an event joins: loss and ranks of outputs [rows, num_nodes], two rows for each event."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanMetric, Metric

from graphdsl.training.link_task import HITS
from graphdsl.training.task import HeadTask, LossTerm, View


class ForecastTask(HeadTask):
    """Negative log-likelihood of the node that came; its mean reciprocal rank among all, and hits."""

    main = "mrr"

    def is_labelled(self, labels: Tensor) -> Tensor:
        """Every event says who took part."""
        return torch.ones(len(labels), dtype=torch.bool)

    def conform(self, labels: Tensor) -> Tensor:
        """Numbers of nodes."""
        return labels.long()

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """Of outputs that are logarithms of probabilities."""
        exact = outputs if outputs.dtype == torch.float64 else outputs.float()
        return LossTerm(F.nll_loss(exact, labels, reduction="sum"), exact.new_tensor(float(len(labels))))

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """Mean reciprocal rank, and the share of rows whose node is among the first 1, 3 and 10."""
        found: dict[str, tuple[View, Metric]] = {"mrr": (_reciprocal, MeanMetric(**options))}
        return found | {f"hits@{limit}": (_Hits(limit), MeanMetric(**options)) for limit in HITS if limit < self.size}

    def no_rows(self) -> tuple[Tensor, Tensor]:
        """Outputs and labels of no event."""
        return torch.zeros(0, self.size), torch.zeros(0, dtype=torch.long)

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """The likeliest node and its probability."""
        best = outputs.float().max(-1)
        return {"node": best.indices, "probability": best.values.exp()}


def ranks_among_all(outputs: Tensor, labels: Tensor) -> Tensor:
    """The rank of each row's label, from 1; equal scores share the mean of their ranks.

    >>> ranks_among_all(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]), torch.tensor([2, 0]))
    tensor([2.0000, 1.5000])
    """
    own = outputs.gather(1, labels.unsqueeze(1))
    return 1 + (outputs > own).sum(1) + ((outputs == own).sum(1) - 1) / 2


def _reciprocal(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    found = 1 / ranks_among_all(outputs.float(), labels)
    return found, torch.ones_like(found)


class _Hits:
    """Whether a node is among the first so many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __call__(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        found = (ranks_among_all(outputs.float(), labels) <= self._limit).float()
        return found, torch.ones_like(found)
