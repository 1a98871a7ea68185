"""Metrics of one prediction over one pass."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from graphdsl.training.task import HeadTask


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
        values = {name: _value(metric, together) for name, metric in self._metrics.items()}  # type: ignore[arg-type]
        for metric in self._metrics.values():
            metric.reset()  # type: ignore[operator]
        return values


def is_distributed() -> bool:
    """Whether several processes train together."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _value(metric: Metric, together: bool) -> float:
    if not together and metric.update_count == 0:
        return float("nan")
    with warnings.catch_warnings():
        # Rows of one class: torchmetrics warns and returns 0. A process may be without rows where others have some.
        warnings.filterwarnings("ignore", message=".*was called before the ``update``")
        warnings.filterwarnings("error", message="No (positive|negative) samples in targets")
        warnings.filterwarnings("error", message="No positive samples found in target")
        warnings.filterwarnings("ignore", message=".*(was|were) nan. Ignoring these classes")
        try:
            return float(metric.compute())
        except (UserWarning, ValueError, IndexError):
            return float("nan")
