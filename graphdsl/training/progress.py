"""What a run tells while it goes on: a table of metrics in a file, and a line or bar for people."""

import csv
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from graphdsl.text import SpecError
from graphdsl.training.module import metrics_of
from graphdsl.training.objective import Monitor
from graphdsl.training.writing import unwritable, write_table

METRICS = "metrics.csv"
_LINES = 10


class MetricsTable(Callback):
    """Appends a line to `metrics.csv` after each epoch; epochs count from 1.

    A resumed run first drops the lines of epochs that it will repeat.

    Args:
        path: the file.
        columns: names of the metrics, in order.
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._path, self._columns = path, columns

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the table, or keep what a resumed run builds on."""
        if not trainer.is_global_zero:
            return
        kept: list[list[str]] = []
        header = ["epoch", *self._columns]
        if trainer.current_epoch and self._path.is_file():
            with open(self._path, newline="", encoding="utf-8") as stream:
                old, *rows = list(csv.reader(stream)) or [[]]
            kept = [row for row in rows if old == header and row and int(row[0]) <= trainer.current_epoch]
        write_table(header, kept, self._path)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Append the epoch's line."""
        if not trainer.is_global_zero:
            return
        metrics = metrics_of(pl_module)
        values = [repr(metrics[name]) for name in self._columns]
        try:
            with open(self._path, "a", newline="", encoding="utf-8") as stream:
                csv.writer(stream, lineterminator="\n").writerow([trainer.current_epoch + 1, *values])
        except OSError as error:
            raise SpecError([unwritable(self._path, error)]) from error


class ShowProgress(Callback):
    """A bar in a terminal; elsewhere some ten lines, whatever the number of epochs.

    Args:
        console: where to write.
        epochs: how many there will be at most.
        monitor: the metric to show beside the loss.
    """

    def __init__(self, console: Console, epochs: int, monitor: Monitor | None) -> None:
        self._console, self._epochs, self._monitor = console, epochs, monitor
        self._best: float | None = None
        self._start = 0.0
        self._bar: Progress | None = None
        self._by_epoch = self._by_batch = TaskID(0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the bar."""
        self._start = time.monotonic()
        if not (trainer.is_global_zero and self._console.is_terminal):
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("{task.fields[said]}", markup=False))  # fmt: skip
        self._bar = Progress(*columns, console=self._console, refresh_per_second=5)
        self._by_epoch = self._bar.add_task("epochs", total=self._epochs, completed=trainer.current_epoch, said="")
        batches = trainer.num_training_batches
        self._by_batch = self._bar.add_task("batches", total=batches, said="", visible=batches > 1)
        self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count batches."""
        if self._bar is not None:
            self._bar.update(self._by_batch, completed=batch_idx + 1)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say how it goes."""
        metrics = metrics_of(pl_module)
        if self._monitor is not None and self._monitor.is_better(metrics[self._monitor.name], self._best):
            self._best = metrics[self._monitor.name]
        if not trainer.is_global_zero:
            return
        done = trainer.current_epoch + 1
        if self._bar is not None:
            self._bar.update(self._by_epoch, completed=done, said=self._say(metrics))
        elif done == 1 or done * _LINES // self._epochs > (done - 1) * _LINES // self._epochs:
            seconds = time.monotonic() - self._start
            said = f"epoch {done}/{self._epochs}  {self._say(metrics)}  {seconds:.1f} s"
            self._console.print(said, highlight=False, markup=False, soft_wrap=True)  # Relations have brackets.

    def _say(self, metrics: dict[str, float]) -> str:
        said = f"train_loss {metrics['train_loss']:.4f}"
        if "train_penalty" in metrics:
            said += f"  train_penalty {metrics['train_penalty']:.4f}"
        if self._monitor is None or self._monitor.name == "train_loss":
            return said
        best = f" (best {self._best:.4f})" if self._best is not None else ""
        return f"{said}  {self._monitor.name} {metrics[self._monitor.name]:.4f}{best}"

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar."""
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the terminal as it was."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
