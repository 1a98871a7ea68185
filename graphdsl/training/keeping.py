"""Keeping the best and the last checkpoint of a run, and stopping when nothing improves."""

import time
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping

from graphdsl.text import SpecError, report
from graphdsl.training.module import metrics_of
from graphdsl.training.objective import Monitor

BEST, LAST = "best.ckpt", "last.ckpt"

_SHARE_OF_TIME = 0.05


class KeepCheckpoints(Checkpoint):
    """Writes `best.ckpt` whenever the monitored metric improves, and `last.ckpt` to resume from.

    `best.ckpt` holds weights only. `last.ckpt` holds the state of optimizer and loops too; it is written at the end
    of the run, and after epochs as often as that costs no more than a twentieth of the time. Lightning's own
    `ModelCheckpoint` writes its last file in every epoch, which takes longer than the epoch where graphs are small.

    Args:
        folder: where the files go.
        monitor: what picks the best epoch; None = the last one is the best.

    Attributes:
        best: the best value so far.
    """

    def __init__(self, folder: Path, monitor: Monitor | None) -> None:
        self.folder, self.monitor = folder, monitor
        self.best: float | None = None
        self._written_at = -float("inf")
        self._cost = 0.0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the checkpoint ends."""
        self.best = state_dict["best"]

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write what is due; all metrics of the epoch are known."""
        metrics = metrics_of(pl_module)
        if self.monitor is not None and self._is_best(metrics, self.monitor):
            self.best = metrics[self.monitor.name]
            trainer.save_checkpoint(self.folder / BEST, weights_only=True)
        final = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        due = final or time.monotonic() - self._written_at >= self._cost / _SHARE_OF_TIME
        if trainer.strategy.broadcast(due):
            self._write_last(trainer)

    def _is_best(self, metrics: dict[str, float], monitor: Monitor) -> bool:
        value = metrics[monitor.name]
        if value != value:
            message = f"`{monitor.name}` is undefined on the validation nodes"
            helps = ("AUROC needs nodes of both classes; give more validation nodes, or monitor `val_loss`",)
            raise SpecError([report("GNN613", message, where="val_mask", helps=helps)])
        return monitor.is_better(value, self.best)

    def _write_last(self, trainer: Trainer) -> None:
        start = time.monotonic()
        if self.monitor is None:
            trainer.save_checkpoint(self.folder / BEST, weights_only=True)
        trainer.save_checkpoint(self.folder / LAST)
        self._written_at = time.monotonic()
        self._cost = self._written_at - start


class Patience(EarlyStopping):
    """Lightning's early stopping, for runs that are resumed.

    A run that had stopped stays stopped, and a new patience takes the place of the one in the checkpoint.
    """

    def __init__(self, monitor: Monitor, patience: int) -> None:
        super().__init__(monitor.name, patience=patience, mode=monitor.mode)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop where the run before had stopped."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience
