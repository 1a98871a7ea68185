"""Fitting a compiled model with Lightning: one process or several, from the start or from the last checkpoint."""

import logging
import signal
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.strategies import DDPStrategy, Strategy
from lightning.pytorch.utilities.exceptions import SIGTERMException
from rich.console import Console
from torch import nn

from graphdsl.data.graph_set import is_graph_list
from graphdsl.model import Training, refuse_gradients
from graphdsl.plan import Plan
from graphdsl.text import SpecError, report
from graphdsl.training.checkpoint import Checkpoint, Origin, WholeFileIO, check_schema, read_checkpoint
from graphdsl.training.events import refuse_processes, refuse_settings
from graphdsl.training.forecasting import refuse_forecast_settings
from graphdsl.training.interrupting import heeding_interruptions
from graphdsl.training.keeping import BEST, LAST, KeepCheckpoints, Patience
from graphdsl.training.liveness import dead_parameters
from graphdsl.training.module import GraphModule
from graphdsl.training.objective import Monitor
from graphdsl.training.penalties import penalty_names
from graphdsl.training.progress import METRICS, MetricsTable, ShowProgress
from graphdsl.training.settings import differing_settings, settings_to_plain
from graphdsl.training.splits import Supervision, read_supervision

Accelerator = Literal["auto", "cpu", "gpu"]

# What Lightning says about choices that are ours, or that nobody can act on.
_NOT_ACTIONABLE = (
    "GPU available but not used",
    "MPS available but not used",
    r"It is recommended to use `self\.log\(.*sync_dist=True\)`",
    r"`LightningModule.configure_optimizers` returned `None`",
    r"`training_step` returned `None`",
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
)


@dataclass(frozen=True, slots=True)
class Machines:
    """Where to compute.

    Attributes:
        devices: processes on each machine; on GPUs each has one of its own.
        nodes: machines.
        accelerator: "cpu", "gpu", or "auto" for a GPU if there is one.
    """

    devices: int = 1
    nodes: int = 1
    accelerator: Accelerator = "auto"

    @property
    def processes(self) -> int:
        """All processes together."""
        return self.devices * self.nodes


@dataclass(frozen=True, slots=True)
class Fit:
    """What a run has come to.

    Attributes:
        folder: where its files are.
        best: the checkpoint of the best epoch.
        last: the checkpoint to resume from.
        monitor: what picked the best epoch; None = the last epoch is the best.
        best_epoch: the best epoch, from 1.
        epochs: epochs trained.
        metrics: metrics of the best epoch, by name.
        seconds: time that this call took.
        is_main: whether this process is the first of those that trained together; only it should go on.
    """

    folder: Path
    best: Path
    last: Path
    monitor: Monitor | None
    best_epoch: int
    epochs: int
    metrics: Mapping[str, float]
    seconds: float
    is_main: bool


def fit(
    model: nn.Module,
    plan: Plan,
    data: Any,
    training: Training,
    origin: Origin,
    folder: str | Path,
    *,
    resume: bool = False,
    machines: Machines | None = None,
    console: Console | None = None,
) -> Fit:
    """Train a compiled model; its weights end as those of the best epoch.

    Writes `best.ckpt`, `last.ckpt` and `metrics.csv` into the folder. The same arguments give the same curve, also
    when the run is interrupted and resumed, and (with all neighbours sampled, or the whole graph in each step) when
    several processes share the work.

    Args:
        model: the compiled model, in its initial state: seed torch before compiling.
        plan: its plan.
        data: a `HeteroData`, a `(FeatureStore, GraphStore)` pair, or a list or dataset of graphs.
        training: settings.
        origin: where the model comes from, for its checkpoints.
        folder: where files go.
        resume: go on from `last.ckpt` in the folder.
        machines: processes and devices; with several processes this script is started again for each further one.
        console: where to show progress; None = nowhere.

    Raises:
        SpecError: settings that do not fit the data or torch; GNN613 for empty splits, GNN614 and GNN615 for a
            checkpoint that cannot be resumed, GNN616 when a file cannot be written, GNN620 when the loss is no number.
        KeyboardInterrupt: after Ctrl-C; checkpoints are intact.
    """
    start = time.monotonic()
    folder, machines = Path(folder), _machines_for(model, machines or Machines())
    supervision = read_supervision(data, plan.heads, training.class_weights, origin.schema, training)
    monitor = supervision.task.monitor(training.monitor, supervision.has("val"), training.span)
    _check_batches(data, training)
    _check_settings(plan, training, monitor, machines)
    origin = replace(origin, settings=settings_to_plain(training))
    resumed = _read_last(folder, origin, model) if resume else None
    seed_everything(training.seed, workers=True, verbose=False)
    model.train()
    module = GraphModule(model, plan, data, supervision, training, monitor, origin)
    keep = KeepCheckpoints(folder, monitor)
    with _quiet(), _frozen(dead_parameters(model, plan)):
        trainer = _build_trainer(module, keep, training, supervision, machines, console)
        if resumed is None or resumed.header.epoch < training.epochs:
            _run(trainer, module, folder / LAST if resume else None)
    if not trainer.is_global_zero:
        return Fit(folder, folder / BEST, folder / LAST, monitor, 0, 0, {}, time.monotonic() - start, False)
    best = read_checkpoint(folder / BEST)
    model.float()  # "64-true" and "bf16-true" are for training only.
    model.load_state_dict(dict(best.weights))
    return Fit(
        folder, folder / BEST, folder / LAST, monitor, best.header.epoch,
        trainer.current_epoch or (resumed.header.epoch if resumed else 0),
        best.header.metrics, time.monotonic() - start, True,
    )  # fmt: skip


def _check_batches(data: Any, training: Training) -> None:
    if isinstance(data, tuple) and not is_graph_list(data) and training.batch_size is None:
        message = "a pair of stores may be larger than memory, so it is trained in mini-batches"
        raise SpecError([report("GNN204", message, training.span, helps=("set `batch_size: 1024`",))])


def _check_settings(plan: Plan, training: Training, monitor: Monitor | None, machines: Machines) -> None:
    refuse_settings(plan, training)
    refuse_forecast_settings(plan, training)
    refuse_processes(plan, machines.processes)
    if training.patience is not None and monitor is None:
        message = "`patience` waits for a metric of validation nodes, and the data has no `val_mask`"
        helps = ("give the data a `val_mask`, or leave `patience` out: the last epoch is kept",)
        raise SpecError([report("GNN613", message, training.span, helps=helps)])
    sparse = plan.walks is not None and plan.walks.module.arguments.get("sparse") is True
    place = training.optimizer.span or training.span or (plan.walks.span if plan.walks is not None else None)
    if found := refuse_gradients(sparse, training, place, plan.walks.span if plan.walks is not None else None):
        raise SpecError(found)


def _read_last(folder: Path, origin: Origin, model: nn.Module) -> Checkpoint:
    """The checkpoint to go on from, if this is the run that it is from."""
    checkpoint = read_checkpoint(folder / LAST)
    check_schema(checkpoint, origin.schema, model)
    header = checkpoint.header
    old, new = dict(header.parameters), dict(origin.parameters)
    notes = [
        f"{sign} {name} = {side.get(name)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
        for sign, side in (("-", old), ("+", new))
    ]
    notes += differing_settings(header.settings, origin.settings)
    if notes:
        message = f"`{checkpoint.path}` is from a run with other settings"
        helps = ("resume with the same settings, or train again in another folder",)
        raise SpecError([report("GNN614", message, where=str(checkpoint.path), notes=notes, helps=helps)])
    return checkpoint


def _build_trainer(
    module: GraphModule,
    keep: KeepCheckpoints,
    training: Training,
    supervision: Supervision,
    machines: Machines,
    console: Console | None,
) -> Trainer:
    columns = [*supervision.task.names("val")] if supervision.has("val") else []
    trained = ["train_loss", *penalty_names(module.plan)]
    trained += (supervision.task.name("train", it, it.main) for it in supervision.task.heads)
    callbacks: list[Callback] = [MetricsTable(keep.folder / METRICS, tuple(dict.fromkeys((*trained, *columns)))), keep]
    if console is not None:
        callbacks.append(ShowProgress(console, training.epochs, module.monitor))
    if training.patience is not None and module.monitor is not None:
        callbacks.append(Patience(module.monitor, training.patience))
    try:
        return Trainer(
            accelerator=_accelerator(machines),
            devices=machines.devices,
            num_nodes=machines.nodes,
            strategy=_strategy(module.plan, machines),
            precision=training.precision,  # type: ignore[arg-type]
            max_epochs=training.epochs if learns(module) else 1,
            gradient_clip_val=training.clip,
            limit_val_batches=None if supervision.has("val") else 0,
            callbacks=callbacks,
            plugins=[WholeFileIO()],
            default_root_dir=keep.folder,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
    except MisconfigurationException as error:
        first = str(error).strip().splitlines()[0]
        raise SpecError([report("GNN204", f"this machine cannot train so: {first}", where="--devices")]) from error


def _accelerator(machines: Machines) -> str:
    """Lightning's "auto" would take Apple's GPUs, which lack what PyG's layers need."""
    if machines.accelerator != "auto":
        return machines.accelerator
    return "gpu" if torch.cuda.is_available() else "cpu"


def _machines_for(model: nn.Module, machines: Machines) -> Machines:
    """One process where there is nothing to learn, and so no gradient to share."""
    return machines if learns(model) else replace(machines, devices=1, nodes=1)


def learns(model: nn.Module) -> bool:
    """Whether there is anything to learn: labels that spread predict without, and one epoch says all of it."""
    return any(item.requires_grad for item in model.parameters())


def _strategy(plan: Plan, machines: Machines) -> Strategy | str:
    if machines.processes == 1:
        return "auto"
    return DDPStrategy(find_unused_parameters=_may_leave_parameters_unused(plan))


def _may_leave_parameters_unused(plan: Plan) -> bool:
    """Whether a step may give no gradient to a parameter that is trained, which costs DDP a search in every step.

    A joint layer is alive as a whole, even if some of the types it makes are not (of HGTConv it is known which parameters
    that leaves without a use, see `dead_parameters`); and a batch may lack optional relations.
    """
    joints = (joint for _, stage in plan.relation_stages() for joint in stage.joints)
    partly = any(
        joint.live and joint.scope != "typed" and joint.module.name != "HGTConv" and {*joint.targets} - {*joint.wanted}
        for joint in joints
    )
    return partly or bool(plan.optional_types or plan.optional_relations)


def _run(trainer: Trainer, module: GraphModule, last: Path | None) -> None:
    """Fit; Lightning ends the process after Ctrl-C, which is turned back into the interruption that it was."""
    is_first_group = not _has_process_group()
    try:
        with heeding_interruptions(trainer):
            trainer.fit(module, ckpt_path=last)
    except SIGTERMException:
        raise SystemExit(128 + signal.SIGTERM) from None
    except SystemExit as stop:
        if not trainer.interrupted or stop.code != 1:
            raise
        raise KeyboardInterrupt from None
    finally:
        if is_first_group and _has_process_group():
            torch.distributed.destroy_process_group()


def _has_process_group() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


@contextmanager
def _frozen(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Parameters that are not trained meanwhile."""
    for item in parameters:
        item.requires_grad_(False)
    try:
        yield
    finally:
        for item in parameters:
            item.requires_grad_(True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's advertisements and its remarks on choices that are ours."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in _NOT_ACTIONABLE:
                warnings.filterwarnings("ignore", message=f".*{message}")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
