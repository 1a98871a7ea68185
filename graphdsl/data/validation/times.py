"""Time against splits: whoever is to predict the future may not train on it."""

from collections.abc import Iterator

from torch import Tensor

from graphdsl.data.survey import Survey
from graphdsl.data.validation.attributes import sound_attributes
from graphdsl.data.validation.finding import Finding
from graphdsl.data.validation.offenders import where_true
from graphdsl.model import Schema
from graphdsl.text import Diagnostic, Facts

NEARLY = 0.05
"""A split with no larger share of test rows before the last training row was meant to follow time."""


def check_times(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Compare the times of training rows with those of validation and test, of nodes and of edges."""
    for finding in sound_attributes(schema, view):
        train = view.split(finding.place, "train_mask")
        if finding.attribute.type.kind != "time" or view.is_part or train is None:
            continue
        times = view.read(finding.place, finding.attribute.name)
        if len(train) != len(times) or not bool(train.any()):
            continue
        for name in ("test", "val"):
            mask = view.split(finding.place, f"{name}_mask")
            if mask is not None and len(mask) == len(times) and bool(mask.any()):
                found = list(_compare(finding, times, train, name, mask))
                yield from found
                if found:  # The other split would say the same.
                    break


def _compare(finding: Finding, times: Tensor, train: Tensor, name: str, mask: Tensor) -> Iterator[Diagnostic]:
    first, last, half = int(times[train].min()), int(times[train].max()), int(times[train].median())
    if first == last:
        return
    end, rows = int(times[mask].max()), int(mask.sum())
    if end <= half and int(times[mask].min()) < half:
        message = f"runs against the split: `{name}_mask` ends at {end}, and training rows go on to {last}"
        facts = Facts("training first", f"`{name}_mask` first", rows)
        yield finding.say("GNN671", message, "are the masks swapped? training comes first in time", facts=facts)
        return
    bad = where_true(mask & (times < last))
    if bad.count and bad.count <= NEARLY * rows:
        where = f"{bad.counted} of {rows:,} in `{name}_mask`"
        message = f"puts {where} before the last training row ({last}): {bad.listed}"
        help_line = "a split by time has one border: move these rows, or the border"
        yield finding.say("GNN671", message, help_line, facts=bad.facts(f"{last} or later", "earlier"))
