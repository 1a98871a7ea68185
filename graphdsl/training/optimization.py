"""Building the optimizer and the scheduler that a spec names, with located errors for what torch refuses."""

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from graphdsl.model import ClassUse
from graphdsl.text import SpecError, did_you_mean, listing, report
from graphdsl.training.objective import Monitor

Scheduler = LRScheduler | ReduceLROnPlateau


def build_optimizer(use: ClassUse, parameters: Iterable[Parameter]) -> Optimizer:
    """An optimizer of `torch.optim` for the parameters that are trained.

    Raises:
        SpecError: GNN101 for an unknown class, GNN201 for an unknown argument, GNN204 for a refused value.
    """
    return _build(use, torch.optim, Optimizer, "optimizer", list(parameters), {})


def build_scheduler(use: ClassUse, optimizer: Optimizer, monitor: Monitor | None) -> Scheduler:
    """A scheduler of `torch.optim.lr_scheduler` or of PyG, to be stepped once per epoch.

    `ReduceLROnPlateau` watches the monitored metric, and in its direction unless the spec gives `mode`.

    Raises:
        SpecError: as `build_optimizer`.
    """
    extra = {"mode": monitor.mode} if use.name == "ReduceLROnPlateau" and monitor is not None else {}
    module = import_module(use.scheduler_module)
    return _build(use, module, (LRScheduler, ReduceLROnPlateau), "scheduler", optimizer, extra)


def step_scheduler(scheduler: Scheduler, metrics: Mapping[str, float], monitor: Monitor | None) -> None:
    """One step, at the end of an epoch."""
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(metrics[monitor.name if monitor is not None else "train_loss"])
    else:
        scheduler.step()


def _build(use: ClassUse, module: Any, kind: Any, what: str, first: Any, extra: Mapping[str, Any]) -> Any:
    cls = getattr(module, use.name, None)
    if not (inspect.isclass(cls) and issubclass(cls, kind)):
        known = [name for name, it in vars(module).items() if inspect.isclass(it) and issubclass(it, kind)]
        message = f"unknown {what} `{use.name}`"
        notes = listing(f"{what}s", known)
        raise SpecError([report("GNN101", message, use.span, helps=did_you_mean(use.name, known), notes=notes)])
    arguments = {**extra, **use.arguments}
    accepted = list(inspect.signature(cls).parameters)[1:]
    unknown = [name for name in arguments if name not in accepted]
    if unknown:
        message = f"`{use.name}` takes no argument `{unknown[0]}`"
        helps = did_you_mean(unknown[0], accepted)
        notes = listing("arguments", accepted)
        raise SpecError([report("GNN201", message, use.span, helps=helps, notes=notes)])
    try:
        made: Any = cls
        return made(first, **arguments)
    except (TypeError, ValueError) as error:
        missing = isinstance(error, TypeError) and "missing" in str(error)
        code = "GNN203" if missing else "GNN204"
        raise SpecError([report(code, f"`{use.name}` refuses its arguments: {error}", use.span)]) from error
