"""Signs of edges: the loss and the test of PyG's `SignedGCN`."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import BinaryAUROC, BinaryF1Score

from graphdsl.kernels.signs import BESIDE_NEGATIVE, BESIDE_POSITIVE, NEGATIVE, NONE, POSITIVE
from graphdsl.plan import LinkHead
from graphdsl.training.task import HeadTask, LossTerm, View


class SignTask(HeadTask):
    """Three classes (positive, negative, no edge) and distances in triplets; AUROC and F1 of positive among signed edges.

    Outputs have four columns: logits of the classes, and the squared distance of both ends.

    Args:
        head: the prediction.
    """

    main = "auroc"

    def __init__(self, head: LinkHead) -> None:
        super().__init__(head)
        self._weight = float(head.module.arguments.get("lamb", 5.0))

    def is_labelled(self, labels: Tensor) -> Tensor:
        """Every edge has a sign."""
        return torch.ones(len(labels), dtype=torch.bool)

    def conform(self, labels: Tensor) -> Tensor:
        """Whole numbers as they are."""
        return labels.long()

    def loss(self, outputs: Tensor, labels: Tensor) -> LossTerm:
        """`SignedGCN.loss`: each class weighs alike; positive edges are shorter, and negative ones longer, than no edges.

        In validation there are no pairs without an edge, and so the two signs alone.
        """
        exact = outputs if outputs.dtype == torch.float64 else outputs.float()
        rows = [exact[labels == code] for code in range(5)]
        classes = [
            F.cross_entropy(part[:, :3], part.new_full((len(part),), code, dtype=torch.long))
            for code, part in zip((POSITIVE, NEGATIVE, NONE), rows, strict=False)
            if len(part)
        ]
        total = torch.stack(classes).mean() if classes else exact.sum() * 0
        for edges, others, sign in ((POSITIVE, BESIDE_POSITIVE, 1), (NEGATIVE, BESIDE_NEGATIVE, -1)):
            if len(rows[others]):
                apart = sign * (rows[edges][:, 3] - rows[others][:, 3])
                total = total + self._weight * apart.clamp(min=0).mean()
        return LossTerm(total, torch.ones((), device=outputs.device))

    def metrics(self, **options: Any) -> dict[str, tuple[View, Metric]]:
        """AUROC by the chance of a positive sign; F1 of the decided signs, and AUROC of these, as `SignedGCN.test` has it."""
        exact = {"validate_args": False, **options}
        return {
            "auroc": (_chances, BinaryAUROC(**exact)),
            "f1": (_signs, BinaryF1Score(**exact)),
            "auroc_of_signs": (_signs, BinaryAUROC(**exact)),
        }

    def no_rows(self) -> tuple[Tensor, Tensor]:
        """Outputs and labels of no edge."""
        return torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)

    def decide(self, outputs: Tensor) -> dict[str, Tensor]:
        """The sign, 1 or -1, and the chance that it is positive, given that there is an edge."""
        chance = outputs.float()[:, :2].softmax(-1)[:, 0]
        return {"sign": 1 - 2 * outputs[:, :2].argmax(-1), "probability": chance}


def _chances(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = labels <= NEGATIVE
    return outputs.float()[known, :2].softmax(-1)[:, 0], (labels[known] == POSITIVE).long()


def _signs(outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = labels <= NEGATIVE
    return (outputs[known, :2].argmax(-1) == POSITIVE).float(), (labels[known] == POSITIVE).long()


def most_frequent_sign(labels: Tensor, rows: int) -> Tensor:
    """Outputs that say of each edge how frequent the signs are in training, shape [rows, 4]."""
    count = torch.bincount(labels, minlength=2).double().clamp(min=1e-12)
    return torch.cat([count.log(), torch.zeros(2).double()]).expand(rows, -1)
