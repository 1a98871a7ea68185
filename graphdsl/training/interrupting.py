"""Ctrl-C that cannot get lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class _Asked(Callback):
    """Remembers an interruption until training has heard of it.

    Python raises `KeyboardInterrupt` wherever it happens to be. Inside a finalizer or a callback of a weak reference it is
    printed and forgotten, and training would go on; so it is raised again at the next step.
    """

    def __init__(self) -> None:
        self.pending = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signal."""
        self.pending = True
        raise KeyboardInterrupt

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.pending:
            raise KeyboardInterrupt

    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        if self.pending:
            raise KeyboardInterrupt


@contextmanager
def heeding_interruptions(trainer: Trainer) -> Iterator[None]:
    """While it lasts, no Ctrl-C is lost; whoever has a handler of their own for it keeps that one."""
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and handler is signal.default_int_handler:
        asked = _Asked()
        trainer.callbacks.append(asked)  # type: ignore[attr-defined]
        signal.signal(signal.SIGINT, asked.handle)
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGINT, handler)
