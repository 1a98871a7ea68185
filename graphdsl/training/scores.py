"""Metrics of one prediction over one pass."""

import re
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.classification import MulticlassStatScores, MultilabelStatScores

from graphdsl.training.task import HeadTask

_UNDEFINED = "No (positive|negative) samples"
"""How torchmetrics warns when it returns 0 for want of anything better."""

_COUNTERS = (MulticlassStatScores, MultilabelStatScores)
"""Metrics whose states never change dtype or shape; they cannot be given zero rows."""


class Scores(nn.Module):
    """The metrics of one prediction over one pass: `update` with rows, then `compute`.

    Args:
        task: whose metrics.
        sync: add the rows of all processes when computing.
        only: names of the metrics to keep; None = all.
    """

    def __init__(self, task: HeadTask, sync: bool = True, only: Sequence[str] | None = None) -> None:
        super().__init__()
        chosen = {name: it for name, it in task.metrics(sync_on_compute=sync).items() if only is None or name in only}
        self._views = {name: view for name, (view, _) in chosen.items()}
        self._metrics = nn.ModuleDict({name: metric for name, (_, metric) in chosen.items()})
        self._sync = sync
        self._no_rows = task.no_rows()

    def update(self, outputs: Tensor, labels: Tensor) -> None:
        """Add rows; none at all is fine."""
        if len(labels) == 0:
            return
        outputs = outputs.detach()
        for name, metric in self._metrics.items():
            seen, wanted = self._views[name](outputs, labels)
            if len(wanted):
                metric.update(seen, wanted)  # type: ignore[operator]

    def compute(self) -> dict[str, float]:
        """The values since the last call, which they forget; NaN where a metric says nothing about such rows.

        AUROC says nothing about rows of a single class, R² nothing about fewer than two rows.
        """
        together = self._sync and is_distributed()
        if together:
            self._agree()
        values = {name: _value(metric, together) for name, metric in self._metrics.items()}  # type: ignore[arg-type]
        for metric in self._metrics.values():
            metric.reset()  # type: ignore[operator]
        return values

    def _agree(self) -> None:
        """Give states the dtype and shape that they get from rows, where this process has none and others may."""
        for name, metric in self._metrics.items():
            assert isinstance(metric, Metric)
            if metric.update_count == 0 and not isinstance(metric, _COUNTERS):
                seen, wanted = self._views[name](*self._no_rows)
                metric.update(seen.to(metric.device), wanted.to(metric.device))


def is_distributed() -> bool:
    """Whether several processes train together."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _value(metric: Metric, together: bool) -> float:
    if not together and metric.update_count == 0:
        return float("nan")
    with warnings.catch_warnings(record=True) as said:
        warnings.filterwarnings("always", message=_UNDEFINED)
        # A process may be without rows where others have some.
        warnings.filterwarnings("ignore", message=".*was called before the ``update``")
        try:
            value = float(metric.compute())
        except ValueError:  # R² of fewer than two rows
            return float("nan")
    return float("nan") if any(re.match(_UNDEFINED, str(item.message)) for item in said) else value
