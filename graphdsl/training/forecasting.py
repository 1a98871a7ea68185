"""Batches of events, each with its history: who takes part in them is learned in any order of time."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.forecasts import foresee
from graphdsl.kernels.histories import EventHistories
from graphdsl.model import Schema, Training
from graphdsl.plan import LinkHead, Plan, unforeseen_settings
from graphdsl.text import SpecError, report
from graphdsl.training.batch import Batch, Share, move
from graphdsl.training.events import read_events, refuse_disorder
from graphdsl.training.order import SeedOrder
from graphdsl.training.pairs import WantedPairs


def read_histories(data: Any, head: LinkHead, schema: Schema) -> EventHistories:
    """All events of a forecast, in the order of the data.

    Raises:
        SpecError: GNN601 without the relation, GNN603 where an attribute is missing, GNN608 for a kind that there is not.
    """
    index, time, kind = read_events(data, head, schema)
    known = head.module.arguments["num_rels"]
    wrong = (kind < 0) | (kind >= known)
    if bool(wrong.any()):
        assert head.events is not None
        message = f"`{head.events.message}` of `{head.name}` is {int(kind[wrong][0])}, which is none of {known} kinds"
        raise SpecError([report("GNN608", message, head.span, "predicted here")])
    return EventHistories(index, kind, time, head.module.arguments["seq_len"])


class ForecastBatches:
    """Events of a split, in any order: each brings its own history, of whatever split.

    Args:
        seen: all events.
        wanted: those of the split.
        training: `batch_size` and `seed`.
        shuffle: whether each epoch has another order.
        share: this process's part of every batch.
        device: where to compute.

    Attributes:
        epoch: the epoch that the next iteration belongs to.

    Raises:
        SpecError: GNN646 for splits that do not follow each other in time.
    """

    def __init__(
        self,
        seen: EventHistories,
        wanted: WantedPairs,
        training: Training,
        shuffle: bool,
        share: Share,
        device: torch.device,
    ) -> None:
        self.epoch = 0
        self._seen, self._wanted, self._device = seen, wanted, device
        refuse_disorder(seen.turn.argsort(stable=True), wanted)
        count = len(wanted.edges)
        self._order = SeedOrder(
            count, training.batch_size or count, shuffle, training.seed, share.rank, share.processes
        )

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        self._order.epoch = self.epoch
        for share, chosen in zip(self._order.shares(), self._order, strict=True):
            yield self._describe(self._wanted.edges[torch.tensor(chosen, dtype=torch.long)], share)

    def _describe(self, events: Tensor, share: int) -> Batch:
        """The first `share` events count, with two rows each: who it went to, and who it came from."""
        name, first = self._wanted.head.name, torch.arange(share)
        given = self._seen.batch(events)
        rows = {name: torch.cat([first, len(events) + first])}
        labels = {name: torch.cat([given["obj"][:share], given["sub"][:share]])}
        inputs = move({"events": given}, self._device)
        return Batch(inputs, move(rows, self._device), move(labels, self._device), {name: events[:share].repeat(2)})


def refuse_forecast_settings(plan: Plan, training: Training) -> None:
    """Refuse settings that a forecast cannot follow.

    Raises:
        SpecError: GNN644 or GNN645.
    """
    if found := unforeseen_settings(plan, training):
        raise SpecError(found)


def forecasts_of(model: nn.Module, head: LinkHead, batch: Batch) -> Tensor:
    """Logarithms of probabilities [2 * events, num_nodes]: of targets, then of sources."""
    return foresee(model.get_submodule(f"heads.{head.key}"), batch.inputs["events"]).flatten(0, 1)
