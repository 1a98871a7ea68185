"""Events in the order of time: batches of the next ones, scored by a memory that then learns of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graphdsl.data.hiding import stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.view import open_data
from graphdsl.kernels.events import EventMemory, Events
from graphdsl.model import Schema, Training
from graphdsl.plan import LinkHead, Plan, event_head, unordered_events
from graphdsl.text import SpecError, report
from graphdsl.training.batch import Batch, move
from graphdsl.training.order import mix
from graphdsl.training.pairs import WantedPairs, rows_of

_FIXED = 0x7616
"""Seeds the targets that evaluation compares with, which are the same for every run."""


def read_events(data: Any, head: LinkHead, schema: Schema) -> tuple[Tensor, Tensor, Tensor]:
    """Events in the order of the data: ends [2, events], times [events], and what they carry or of which kind they are.

    Raises:
        SpecError: GNN601 without the relation, GNN603 where an attribute is missing.
    """
    assert head.events is not None
    view, stored = open_data(data), stored_relation(open_data(data), head.edge, schema)
    if stored is None:
        raise SpecError([report("GNN601", f"the data has no `{head.name}`", head.span, "predicted here")])
    edge, backward = stored
    for name in (head.events.time, *([head.events.message] if head.events.message else [])):
        if name not in view.keys(edge):
            message = f"the data has no `{name}` on `{head.name}`, which `{head.scorer}` reads"
            raise SpecError([report("GNN603", message, head.span, "predicted here", where=show_place(edge, name))])
    index = _as_tensor(view.connectivity(edge)).long()
    index = index.flip(0) if backward else index
    time = _as_tensor(view.read(edge, head.events.time)).reshape(-1).long()
    carried = _as_tensor(view.read(edge, head.events.message)) if head.events.message else torch.ones(len(time), 1)
    return index, time, carried


class EventLog:
    """All events of a relation in the order of time, and where each stands in the data.

    Args:
        data: the graph.
        head: the prediction.
        schema: of the model.

    Attributes:
        order: positions in the data of the events, the earliest first, shape [events].
        targets: numbers of targets that there are: the first, and the one behind the last.

    Raises:
        SpecError: GNN601 without the relation, GNN603 where an attribute is missing, GNN610 where a number of nodes is
            unknown.
    """

    def __init__(self, data: Any, head: LinkHead, schema: Schema) -> None:
        assert head.events is not None
        view = open_data(data)
        counts = [view.count(name) for name in (head.edge[0], head.edge[2])]
        if None in counts:
            raise SpecError([report("GNN610", f"a number of nodes of `{head.name}` is unknown", head.span)])
        index, time, carried = read_events(data, head, schema)
        self.order = time.argsort(stable=True)
        within = head.edge[0] == head.edge[2]
        first = 0 if within else int(counts[0] or 0)
        self.targets = (first, first + int(counts[1] or 0))
        carried = carried.reshape(len(time), -1).float()
        index, time, carried = index[:, self.order], time[self.order], carried[self.order]
        self._values = {"source": index[0], "target": index[1] + first, "time": time, "message": carried}
        self._moved: dict[torch.device, dict[str, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.order)

    def on(self, device: torch.device) -> dict[str, Tensor]:
        """What happens, on a device: moved once."""
        if device not in self._moved:
            self._moved[device] = move(self._values, device)
        return self._moved[device]


def _as_tensor(value: Any) -> Tensor:
    return value.detach().cpu() if isinstance(value, Tensor) else torch.from_numpy(np.asarray(value))


class EventBatches:
    """Batches of a split's events, never in another order than that of time, each beside targets that are drawn.

    Targets are drawn uniformly from all, as in PyG's example: an event may be compared with what happens elsewhere. The
    draws of training are new in each epoch, those of evaluation are the same for every run.

    Args:
        log: all events.
        wanted: those of the split.
        training: `batch_size`.
        device: where to compute.

    Attributes:
        epoch: the epoch that the next iteration belongs to.

    Raises:
        SpecError: GNN646 for a split that is not one stretch of time behind the earlier ones.
    """

    def __init__(self, log: EventLog, wanted: WantedPairs, training: Training, device: torch.device) -> None:
        self.epoch = 0
        self._log, self._wanted, self._device = log, wanted, device
        self._size = training.batch_size or len(log)
        refuse_disorder(log.order, wanted)
        places = torch.empty(len(log), dtype=torch.long)
        places[log.order] = torch.arange(len(log))
        rows = places[wanted.edges]
        self._first, self._last = int(rows.min()), int(rows.max()) + 1

    def __len__(self) -> int:
        return -(-(self._last - self._first) // self._size)

    def __iter__(self) -> Iterator[Batch]:
        head, wanted = self._wanted.head, self._wanted
        seed = mix(_FIXED, head.negatives) if wanted.seed is None else mix(wanted.seed, self.epoch, head.negatives)
        generator = torch.Generator().manual_seed(seed)
        count = self._last - self._first
        others = torch.randint(*self._log.targets, (count, head.negatives), generator=generator).to(self._device)
        for first in range(self._first, self._last, self._size):
            last = min(first + self._size, self._last)
            rows = rows_of(head, last - first, last - first).to(self._device)
            labels = torch.zeros_like(rows)
            labels[:, 0] = 1
            asked = others[first - self._first : last - self._first]
            inputs = {
                "events": self._log.on(self._device),
                "first": first,
                "last": last,
                "others": asked,
                "size": self._size,
            }
            yield Batch(inputs, {head.name: rows}, {head.name: labels}, {head.name: self._log.order[first:last]})


def refuse_disorder(order: Tensor, wanted: WantedPairs) -> None:
    """Training, validation and test follow each other in time, and nothing lies between.

    Args:
        order: positions of the events in the data, the earliest first.
        wanted: says which events are of which split.

    Raises:
        SpecError: GNN646.
    """
    roles = torch.full_like(order, 3)
    for number, split in enumerate(("train", "val", "test")):
        if split in wanted.targets.edges:
            roles[wanted.targets.edges[split]] = number
    ordered = roles[order]
    if bool((ordered[1:] >= ordered[:-1]).all()):
        return
    message = f"the masks of `{wanted.head.name}` are not in the order of time: training, validation, test, then others"
    helps = ("leave the masks out: `split` takes the latest events for testing",)
    raise SpecError([report("GNN646", message, wanted.head.span, "predicted here", helps=helps)])


def refuse_settings(plan: Plan, training: Training) -> None:
    """Refuse settings that would take events out of their order.

    Raises:
        SpecError: GNN644 or GNN645.
    """
    if found := unordered_events(plan, training):
        raise SpecError(found)


def refuse_processes(plan: Plan, processes: int) -> None:
    """Refuse to share events between processes, none of which would know of all.

    Raises:
        SpecError: GNN645.
    """
    if (head := event_head(plan)) is not None and processes > 1:
        message = f"`tgn` learns of events one after another, which {processes} processes cannot share"
        helps = ("train with one process: leave `--devices` and `--nodes` out",)
        raise SpecError([report("GNN645", message, head.module.span, "predicted here", helps=helps)])


def memory_of(model: nn.Module, head: LinkHead) -> EventMemory:
    """The module of a prediction of events."""
    found: Any = model.get_submodule(f"heads.{head.key}")
    assert isinstance(found, EventMemory)
    return found


def scores_of_events(model: nn.Module, head: LinkHead, batch: Batch, dtype: torch.dtype) -> Tensor:
    """Logits of the events of a batch and of the targets beside them; the memory then knows of the events."""
    events = _typed(batch.inputs["events"], dtype)
    asked = {name: batch.inputs[name] for name in ("first", "last", "others", "size")}
    return memory_of(model, head).step(events, **asked)


def follow_all(model: nn.Module, head: LinkHead, log: EventLog, training: Training, device: torch.device) -> None:
    """Bring the memory behind the last event; the model is in evaluation mode."""
    module = memory_of(model, head)
    events = _typed(log.on(device), module.kept_memory.dtype)
    module.follow(events, len(log), training.batch_size or len(log))


def keep_memory(model: nn.Module, plan: Plan) -> None:
    """Let a checkpoint hold the memory that an epoch of training has left."""
    if (head := event_head(plan)) is not None:
        memory_of(model, head).keep()


def _typed(values: dict[str, Tensor], dtype: torch.dtype) -> Events:
    return Events(values["source"], values["target"], values["time"], values["message"].to(dtype))
