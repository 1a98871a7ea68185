"""The Lightning module around a compiled model: steps, losses, metrics.

Losses are kept as sums and weights until all processes have added theirs, so that several processes compute the very
loss that one would. Every epoch draws its random numbers from a stream of its own, so that a resumed run goes on with
the same ones.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities import CombinedLoader
from torch import Tensor, nn

from graphdsl.model import Training
from graphdsl.plan import Plan, event_head, forecast_head
from graphdsl.text import SpecError, report
from graphdsl.training.batch import Batch, Batches, Share
from graphdsl.training.batches import AnyWanted, BatchSource, Wanted
from graphdsl.training.checkpoint import ENTRY, Origin, write_header
from graphdsl.training.events import keep_memory, scores_of_events
from graphdsl.training.forecasting import forecasts_of
from graphdsl.training.masking import mask_labels
from graphdsl.training.objective import Monitor, Task
from graphdsl.training.optimization import Scheduler, build_optimizer, build_scheduler, step_scheduler
from graphdsl.training.order import mix
from graphdsl.training.pairs import WantedPairs
from graphdsl.training.penalties import Penalties, read_penalties
from graphdsl.training.scores import Scores, is_distributed
from graphdsl.training.splits import Supervision
from graphdsl.training.task import HeadTask, LossTerm
from graphdsl.training.unlabelled import losses_of_contrast, losses_of_walks

_TINY = torch.finfo(torch.float32).tiny
"""Instead of a weight of zero, where a sum is zero too."""


class LossSums:
    """Loss of each prediction over one pass, as sums and weights.

    Attributes:
        sums: what was added since the last `compute`, shape `[heads, 2]`.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.sums = torch.zeros(len(task.heads), 2)

    def add(self, sums: Tensor) -> None:
        """Add what one step measured, shape `[heads, 2]`."""
        # A sum over millions of rows loses digits in float32; Apple's GPUs have no float64.
        exact = sums if sums.device.type == "mps" else sums.double()
        self.sums = self.sums.to(exact) + exact

    def compute(self, split: str) -> dict[str, float]:
        """Means since the last call, by metric name, the weighted total first."""
        # What a split says nothing about, such as an objective in validation, has no mean.
        seen = self.sums[:, 1] != 0
        means = (self.sums[:, 0] / self.sums[:, 1].clamp(min=_TINY)).where(seen, torch.nan).tolist()
        self.sums = torch.zeros_like(self.sums)
        measured = zip((item.head.weight for item in self._task.heads), means, seen.tolist(), strict=True)
        found = {f"{split}_loss": math.fsum(weight * mean for weight, mean, is_seen in measured if is_seen)}
        if len(means) > 1:
            names = (self._task.name(split, item, "loss") for item in self._task.heads)
            found.update(zip(names, means, strict=True))
        return found


class GraphModule(LightningModule):
    """Trains a compiled model.

    Args:
        model: what `compile_plan` made.
        plan: its plan.
        data: the graph.
        supervision: labels and splits.
        training: settings.
        monitor: what picks the best epoch; None = the last one is kept.
        origin: what checkpoints say about themselves.
    """

    def __init__(
        self,
        model: nn.Module,
        plan: Plan,
        data: Any,
        supervision: Supervision,
        training: Training,
        monitor: Monitor | None,
        origin: Origin,
    ) -> None:
        super().__init__()
        self.model = model
        self.plan, self.supervision = plan, supervision
        self.settings, self.monitor, self.origin = training, monitor, origin
        self.task = supervision.task
        # Metrics of the latest epoch by name: what callbacks read.
        self.epoch_metrics: dict[str, float] = {}
        self.scheduler: Scheduler | None = None
        self._pending_scheduler: dict[str, Any] | None = None
        self._source = BatchSource(data, plan, training, origin.schema)
        self._train_batches: list[Batches] = []
        self._train_sums, self._val_sums = LossSums(self.task), LossSums(self.task)
        self._penalties = Penalties(plan)
        self._train_scores = nn.ModuleDict({_key(item): Scores(item, only=[item.main]) for item in self.task.heads})
        self._val_scores = nn.ModuleDict({_key(item): Scores(item) for item in self.task.heads})

    # --- data ---

    def train_dataloader(self) -> Any:
        """Batches of training nodes; those of several predicted types side by side."""
        self._train_batches = self._batches("train")
        first, *more = self._train_batches
        return CombinedLoader([first, *more], "max_size_cycle") if more else first

    def val_dataloader(self) -> Any:
        """Batches of validation nodes, the same in each epoch."""
        return self._batches("val") if self.supervision.has("val") else []

    def _batches(self, split: str) -> list[Batches]:
        share = Share(self.global_rank, self.trainer.world_size)
        wanted = wanted_rows(self.supervision, self.plan, split, self.settings.seed)
        graph = self.supervision.graph(split)
        return self._source.batches(wanted, graph=graph, shuffle=split == "train", share=share, device=self.device)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Sampled batches travel; the whole graph is there already."""
        if self.settings.batch_size is None:
            return batch
        return [item.to(device) for item in batch] if isinstance(batch, list) else batch.to(device)

    # --- steps ---

    def on_train_epoch_start(self) -> None:
        """Begin the epoch's own stream of random numbers."""
        epoch = self.current_epoch
        for batches in self._train_batches:
            batches.epoch = epoch
        # On the whole graph, processes draw alike and so compute what one would.
        rank = self.global_rank if self.settings.batch_size is not None else 0
        seed = mix(self.settings.seed, epoch, rank)
        torch.manual_seed(seed)
        random.seed(seed)  # PyG draws edges that are not there with Python's

    def training_step(self, batch: Batch | list[Batch], batch_idx: int) -> Tensor | None:
        """One step on a batch (of each predicted type): the weighted sum of the predictions' mean losses, and of penalties."""
        found, penalties = [], []
        for item in batch if isinstance(batch, list) else [batch]:
            found.append(self._measure(mask_labels(item, self.plan), self._train_scores))
            penalties.append(read_penalties(self.model, self.plan))
        totals = torch.stack([total for total, _ in found]).sum(0)
        whole = self._add_processes(torch.stack([sums for _, sums in found]).sum(0))
        self._train_sums.add(whole)
        self._refuse_infinite(whole, "train")
        # Lightning averages gradients over processes; the mean wanted is over all their rows.
        weights = torch.tensor([item.head.weight for item in self.task.heads], device=whole.device)
        loss = (weights * totals * self.trainer.world_size / whole[:, 1].clamp(min=_TINY)).sum()
        if not loss.requires_grad:
            return None  # Labels that spread: there is nothing to learn, and no step to make.
        return loss if not self.plan.penalties else loss + self._add_penalties(penalties)

    def _add_penalties(self, found: list[Tensor]) -> Tensor:
        together = self._add_processes(torch.stack([item.detach() for item in found]).mean(0))
        self._penalties.add(together / self.trainer.world_size, self.current_epoch + 1)
        return self._penalties.weigh(found)

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Measure one batch."""
        self._val_sums.add(self._measure(batch, self._val_scores)[1])

    def _measure(self, batch: Batch, scores: nn.ModuleDict) -> tuple[Tensor, Tensor]:
        by_name = {item.head.name: scores[_key(item)] for item in self.task.heads}
        return measure(self.task, measured_outputs(self.model, self.plan, batch), batch, by_name)

    def _add_processes(self, sums: Tensor) -> Tensor:
        if not is_distributed():
            return sums
        together = sums.clone()
        torch.distributed.all_reduce(together)
        return together

    def _refuse_infinite(self, sums: Tensor, split: str) -> None:
        finite = sums[:, 0].isfinite()
        if bool(finite.all()):
            return
        item = self.task.heads[int((~finite).nonzero()[0])]
        value = float(sums[:, 0][~finite][0])
        message = f"the {split} loss of `{item.head.name}` became {value} in epoch {self.current_epoch + 1}"
        helps = (
            "a smaller learning rate or `clip: 1.0` often helps; so does scaling of inputs",
            "the last good checkpoint is kept",
        )
        raise SpecError([report("GNN620", message, item.head.span, "predicted here", helps=helps)])

    # --- ends of passes ---

    def on_validation_epoch_end(self) -> None:
        """Metrics of the validation split."""
        self._val_sums.sums = self._add_processes(self._val_sums.sums)
        self._refuse_infinite(self._val_sums.sums, "validation")
        self._close_pass("val", self._val_sums, self._val_scores)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Metrics of the training split, after the last batch: before any callback asks for them."""
        if batch_idx + 1 == self.trainer.num_training_batches:
            keep_memory(self.model, self.plan)
            self._close_pass("train", self._train_sums, self._train_scores)

    def on_train_epoch_end(self) -> None:
        """The scheduler steps here, so that a checkpoint of this epoch knows it."""
        if self.scheduler is not None:
            step_scheduler(self.scheduler, self.epoch_metrics, self.monitor)

    def _close_pass(self, split: str, sums: LossSums, scores: nn.ModuleDict) -> None:
        values = sums.compute(split)
        if split == "train":
            values.update(self._penalties.compute())
        for item in self.task.heads:
            found = scores[_key(item)].compute()  # type: ignore[operator]
            values.update({self.task.name(split, item, name): value for name, value in found.items()})
        # Metrics that are undefined on one process only would let processes disagree on stopping.
        values = self.trainer.strategy.broadcast(values)
        self.epoch_metrics.update(values)
        if self.monitor is not None and self.monitor.name in values:
            # For Lightning's early stopping; everything else reads `epoch_metrics`.
            self.log(self.monitor.name, values[self.monitor.name], on_step=False, on_epoch=True, batch_size=1)

    # --- optimization ---

    def configure_optimizers(self) -> Any:
        """The spec's optimizer; its scheduler is stepped by `on_train_epoch_end`, not by Lightning."""
        trained = [item for item in self.parameters() if item.requires_grad]
        if not trained:
            return None
        optimizer = build_optimizer(self.settings.optimizer, trained)
        if self.settings.scheduler is not None:
            self.scheduler = build_scheduler(self.settings.scheduler, optimizer, self.monitor)
        return optimizer

    def on_train_start(self) -> None:
        """The scheduler's state comes with the checkpoint, before there is a scheduler."""
        if self.scheduler is not None and self._pending_scheduler is not None:
            self.scheduler.load_state_dict(self._pending_scheduler)
            self._pending_scheduler = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say where the weights come from."""
        # Checkpoints are written at the end of an epoch, which is not counted yet.
        checkpoint[ENTRY] = write_header(self.origin, self.epoch_metrics, self.trainer.current_epoch + 1)
        if self.scheduler is not None:
            checkpoint["graphdsl_scheduler"] = self.scheduler.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Remember the scheduler's state until there is one."""
        self._pending_scheduler = checkpoint.get("graphdsl_scheduler")


def metrics_of(module: LightningModule) -> dict[str, float]:
    """Metrics of the latest epoch, for callbacks."""
    assert isinstance(module, GraphModule)
    return module.epoch_metrics


def _key(item: HeadTask) -> str:
    """A name that `ModuleDict` takes."""
    return item.head.key


def wanted_rows(supervision: Supervision, plan: Plan, split: str, seed: int = 0) -> dict[str, AnyWanted]:
    """The nodes and edges of a split with their labels, by prediction; `seed` is that of negatives in training."""
    found: dict[str, AnyWanted] = {}
    for graph_head in plan.graph_heads:
        targets = supervision.targets[graph_head.name]
        if split in targets.nodes:
            found[graph_head.name] = Wanted("graph", targets.nodes[split], targets.labels)
    for head in (*plan.node_heads, *plan.objectives):
        targets = supervision.targets[head.name]
        if split in targets.nodes:
            found[head.name] = Wanted(head.type, targets.nodes[split], targets.labels)
    for head in plan.link_heads:
        links = supervision.links[head.name]
        if split in links.edges:
            found[head.name] = WantedPairs(head, links, links.edges[split], seed if split == "train" else None)
    return found


def measure(
    task: Task, outputs: Mapping[str, Tensor], batch: Batch, scores: Mapping[str, Any]
) -> tuple[Tensor, Tensor]:
    """Losses of a batch, and its rows added to the metrics.

    Args:
        task: all predictions.
        outputs: by prediction, shape `[nodes, size]`.
        batch: which rows count, and their labels.
        scores: by prediction, its `Scores`.

    Returns:
        Sums of losses that can be differentiated, shape `[heads]`, and sums with their weights that cannot, shape
        `[heads, 2]`.
    """
    totals, weights = [], []
    for item in task.heads:
        name = item.head.name
        output = outputs[name]
        if name in batch.labels:
            chosen = output[batch.rows[name]]
            term = item.loss(chosen, batch.labels[name])
            scores[name].update(chosen, batch.labels[name])
        else:  # A gradient of zero, which other processes wait for.
            term = LossTerm(output[:0].sum(), output.new_zeros(()))
        totals.append(term.total)
        weights.append(term.weight.to(term.total))
    total, weight = torch.stack(totals), torch.stack(weights)
    return total, torch.stack([total.detach(), weight], 1)


def outputs_by_head(model: nn.Module, plan: Plan, batch: Batch) -> Mapping[str, Tensor]:
    """Call a compiled model; its single output gets its prediction's name."""
    outputs = model(**cast_inputs(model, batch))
    return {plan.heads[0].name: outputs} if len(plan.heads) == 1 else outputs


def measured_outputs(model: nn.Module, plan: Plan, batch: Batch) -> Mapping[str, Tensor]:
    """What losses are made of: outputs of predictions [rows, size], and the losses of rows of objectives [rows]."""
    if plan.walks is not None:
        return {plan.walks.name: losses_of_walks(model, plan.walks, batch)}
    if (head := forecast_head(plan)) is not None:
        return {head.name: forecasts_of(model, head, batch)}
    if (head := event_head(plan)) is not None:
        return {head.name: scores_of_events(model, head, batch, _dtype(model))}
    outputs = outputs_by_head(model, plan, batch)
    if not plan.objectives:
        return outputs
    inputs = cast_inputs(model, batch)
    learned = {
        head.name: losses_of_contrast(model, plan, head, inputs, outputs[head.name], batch) for head in plan.objectives
    }
    return {**outputs, **learned}


def cast_inputs(model: nn.Module, batch: Batch) -> dict[str, Any]:
    """The arguments of a compiled model, in its dtype."""
    return {name: _cast(given, _dtype(model)) for name, given in batch.inputs.items()}


def _dtype(model: nn.Module) -> torch.dtype:
    return next((item.dtype for item in model.parameters() if item.is_floating_point()), torch.float32)


def _cast(given: Any, dtype: torch.dtype) -> Any:
    """Floats in the model's dtype, which is another one where it is trained in "64-true" or "bf16-true"."""
    if isinstance(given, Mapping):
        return {key: _cast(value, dtype) for key, value in given.items()}
    return given.to(dtype) if isinstance(given, Tensor) and given.is_floating_point() else given
