"""What tells a model the answer: rows that training and test share, and features that are the label."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from graphdsl.data.phrases import SHOWN, number, python
from graphdsl.data.places import Place, show_place
from graphdsl.data.survey import Survey
from graphdsl.data.validation.attributes import sound_attributes
from graphdsl.data.validation.finding import Finding
from graphdsl.data.validation.labels import labelled_rows
from graphdsl.data.validation.offenders import Offenders, where_true
from graphdsl.kernels.sweeping import column_ends, row_digests
from graphdsl.model import Schema
from graphdsl.text import Diagnostic

SHARE: Final = 0.05
"""Share of test rows from which on rows that training has as well make the score look too good."""
_SAMPLE: Final = 2_000
_LEAST: Final = 30
_FEW: Final = 8
_INPUTS: Final = ("float", "int", "bool", "time", "class")


def check_leaks(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Look for labels among the features, and for rows of `x` that stand in two splits."""
    if view.is_part:
        return
    places: dict[Place, list[Finding]] = {}
    for finding in sound_attributes(schema, view):
        places.setdefault(finding.place, []).append(finding)
    for place, findings in places.items():
        inputs = [item for item in findings if item.attribute.type.kind in _INPUTS]
        for label in (item for item in findings if item.attribute.type.kind in ("class", "real", "multilabel")):
            others = [item for item in inputs if item is not label]
            yield from _check_features(view, label, others)
        for item in inputs:
            if item.attribute.name == "x":
                yield from _check_rows(view, place, item)


def _check_rows(view: Survey, place: Place, features: Finding) -> Iterator[Diagnostic]:
    """Rows of `x` that a test or validation row shares with a training row; rows without a number count as nothing."""
    train = view.split(place, "train_mask")
    value = view.read(place, "x")
    if train is None or len(train) != len(value) or value.dim() != 2 or value.size(1) < 2:
        return
    for name in ("test", "val"):
        mask = view.split(place, f"{name}_mask")
        if mask is None or len(mask) != len(value) or not bool(mask.any()) or not bool(train.any()):
            continue
        rows = (mask & ~train).nonzero().squeeze(1)
        bad = torch.zeros_like(mask)
        bad[_copies(value, rows, train.nonzero().squeeze(1))] = True
        found = where_true(bad)
        if found.count and found.count >= SHARE * len(rows):
            where = f"{found.counted} of {len(rows):,} that `{name}_mask` selects"
            message = f"has the same numbers in {where} as in training rows: {found.listed}"
            help_line = "rows that are copies belong into one split: group them before splitting"
            facts = found.facts("other rows than in training", "copies")
            yield features.say("GNN669", message, help_line, facts=facts)
            return


def _copies(table: Tensor, rows: Tensor, others: Tensor) -> Tensor:
    """Those of the rows that equal one of the others and are not all zero; few columns rule most of them out."""
    few = table[:, :: max(1, table.size(1) // _FEW)]
    mine, theirs = row_digests(few, rows), row_digests(few, others)
    rows, others = rows[torch.isin(mine, theirs)], others[torch.isin(theirs, mine)]
    mine = row_digests(table, rows)
    return rows[torch.isin(mine, row_digests(table, others)) & (mine != 0)]


def _check_features(view: Survey, label: Finding, inputs: list[Finding]) -> Iterator[Diagnostic]:
    rows = labelled_rows(view, label).nonzero().squeeze(1)
    if len(rows) < _LEAST:
        return
    sample = rows[:: max(1, len(rows) // _SAMPLE)][:_SAMPLE]
    value = view.read(label.place, label.attribute.name)
    for item in inputs:
        table = _table(view, item)
        if table is None or not bool(torch.isfinite(table[sample].double()).all()):
            continue
        told = _telling(value, table, sample)
        told = told[_telling(value, table[:, told], rows)] if told.numel() else told
        if told.numel():
            yield _told(label, item, told, table.size(1), len(rows))


def _told(label: Finding, item: Finding, told: Tensor, width: int, rows: int) -> Diagnostic:
    columns = Offenders(len(told), tuple(told[:SHOWN].tolist()), "column")
    target, name = show_place(item.place, item.attribute.name), item.attribute.name
    which, shown, change = f"`{target}`", "", f"leave `{name}` out of the model"
    if width > 1:
        which, shown = f"{columns.counted} of `{target}`", f": {columns.listed}"
        change = f"`{python(item.place, name)}[:, {list(columns.first)}] = 0`"
    verb = "tells" if columns.count == 1 else "tell"
    message = f"is told by a feature: {which} {verb} the label of all {number(rows, 'labelled row')}{shown}"
    facts = columns.facts("features without the label", target)
    return label.say("GNN670", message, f"if it is not known when predicting: {change}", facts=facts)


def _table(view: Survey, item: Finding) -> Tensor | None:
    value = view.read(item.place, item.attribute.name)
    return value.unsqueeze(1) if value.dim() == 1 else value if value.dim() == 2 else None


def _telling(label: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """Columns that tell a label of all rows: equal to a number, or the same within each class and not in all."""
    chosen, values = table[rows].double(), label[rows]
    if label.is_floating_point() or label.dim() == 2:
        targets = values.double().reshape(len(rows), -1)
        varied = targets.amin(0) < targets.amax(0)
        same = torch.zeros(table.size(1), dtype=torch.bool)
        for target in targets[:, varied].unbind(1):  # As many as labels of a node, not as nodes.
            same |= (chosen == target.unsqueeze(1)).all(0)
        return same.nonzero().squeeze(1)
    classes, numbers, counts = values.unique(return_inverse=True, return_counts=True)
    if len(classes) < 2 or int(counts.min()) < 2:
        return torch.zeros(0, dtype=torch.long)
    low, high = column_ends(chosen)
    within = torch.ones(table.size(1), dtype=torch.bool)
    shape = (len(classes), table.size(1))
    index = numbers.unsqueeze(1).expand_as(chosen)
    least = torch.full(shape, float("inf"), dtype=torch.double).scatter_reduce_(0, index, chosen, "amin")
    most = torch.full(shape, float("-inf"), dtype=torch.double).scatter_reduce_(0, index, chosen, "amax")
    within &= (least == most).all(0) & (low < high)
    return within.nonzero().squeeze(1)
