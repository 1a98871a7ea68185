"""Labels and splits together: splits without labels, labels without a split, classes that nobody has."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from graphdsl.data.phrases import SHOWN
from graphdsl.data.places import Place, show_place
from graphdsl.data.survey import Survey
from graphdsl.data.validation.attributes import sound_attributes
from graphdsl.data.validation.finding import Finding
from graphdsl.data.validation.offenders import where_true
from graphdsl.model import LABEL_KINDS, Schema
from graphdsl.text import Diagnostic, Facts, listing

SPLITS: Final = ("train", "val", "test")
_LISTED: Final = 10


def check_labels(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Compare the labels of each type with its masks `train_mask`, `val_mask` and `test_mask`."""
    if view.is_part:
        return
    sound: dict[Place, list[Finding]] = {}
    for finding in sound_attributes(schema, view):
        if finding.attribute.type.kind in (*LABEL_KINDS, "mask") and _is_in_range(view, finding):
            sound.setdefault(finding.place, []).append(finding)
    for place, findings in sound.items():
        masks = {item.attribute.name: item for item in findings if item.attribute.type.kind == "mask"}
        splits = {name: masks[f"{name}_mask"] for name in SPLITS if f"{name}_mask" in masks}
        chosen = {name: mask for name, item in splits.items() if (mask := _read(view, item)) is not None}
        for name, mask in chosen.items():
            yield from _check_size(splits[name], mask)
        declared = schema.nodes[place].attributes if isinstance(place, str) else schema.edges[place].attributes
        is_whole = all(name in masks for name, item in declared.items() if item.type.kind == "mask")
        is_whole &= all(bool(mask.any()) for mask in chosen.values())
        for finding in findings:
            if finding.attribute.type.kind != "mask":
                yield from _check_splits(finding, labelled_rows(view, finding), chosen, is_whole)
                yield from _check_classes(view, finding, chosen.get("train"))


def _is_in_range(view: Survey, finding: Finding) -> bool:
    """Whether a label or mask holds what it may; what it may not is said of the values."""
    ends, size = view.columns(finding.place, finding.attribute.name), finding.attribute.type.size
    if ends is None or finding.attribute.type.kind not in ("class", "mask"):
        return True
    least, most = (-1, size) if finding.attribute.type.kind == "class" else (0, 2)
    return int(ends[0]) >= least and (not isinstance(most, int) or int(ends[1]) < most)


def labelled_rows(view: Survey, finding: Finding) -> Tensor:
    """Which rows have a label, shape [rows]: class 0 and up, a real number, any known entry of several.

    Args:
        view: the data.
        finding: a label whose shape and dtype are right.
    """
    value = view.read(finding.place, finding.attribute.name)
    known = value >= 0 if finding.attribute.type.kind != "real" else ~torch.isnan(value)
    return known if known.dim() == 1 else known.any(1)


def _read(view: Survey, mask: Finding) -> Tensor | None:
    return view.split(mask.place, mask.attribute.name)


def _check_size(finding: Finding, mask: Tensor) -> Iterator[Diagnostic]:
    if len(mask) and not bool(mask.any()):
        message = f"selects no row of {len(mask):,}: the split is empty"
        help_line = "fill it, or leave the mask out: then there is no such split"
        yield finding.say("GNN665", message, help_line, facts=Facts("rows", "none", 0))


def _check_splits(
    finding: Finding, labelled: Tensor, chosen: dict[str, Tensor], is_whole: bool
) -> Iterator[Diagnostic]:
    if len(labelled) and not bool(labelled.any()):
        yield finding.say("GNN666", "has no label at all", facts=Facts("labels", "none", len(labelled)))
        return
    for name, mask in chosen.items():
        bad = where_true(mask & ~labelled)
        if bad.count:
            key = f"{name}_mask"
            message = f"has no label in {bad.counted} of {int(mask.sum()):,} that `{key}` selects: {bad.listed}"
            help_line = f"they count for nothing: label them, or take them out of `{show_place(finding.place, key)}`"
            yield finding.say("GNN666", message, help_line, facts=bad.facts("a label", "none"))
    left = where_true(labelled & ~torch.stack(list(chosen.values())).any(0)) if chosen and is_whole else None
    if left is not None and left.count:
        message = f"has labels in {left.counted} of {int(labelled.sum()):,} that no mask selects: {left.listed}"
        help_line = "nothing is learned from them, and nothing measured on them"
        yield finding.say("GNN667", message, help_line, facts=left.facts("a split", "none"))


def _check_classes(view: Survey, finding: Finding, train: Tensor | None) -> Iterator[Diagnostic]:
    """Classes that no row has, and those that no training row has."""
    ends = view.columns(finding.place, finding.attribute.name)
    if finding.attribute.type.kind != "class" or ends is None:
        return
    size, high = finding.attribute.type.size, int(ends[1])
    classes = size if isinstance(size, int) else high + 1
    if high < 0:
        return
    value = view.read(finding.place, finding.attribute.name)
    counts = _count(value, classes)
    absent = where_true(counts == 0, "class")
    if absent.count:
        helps = (f"write `class[{high + 1}]`",) if absent.count == classes - high - 1 else ()
        message = f"has no row of {_named(counts == 0)}, of {classes:,} that are declared"
        yield finding.say("GNN673", message, *helps, facts=absent.facts(f"{classes} classes", "fewer"))
    if train is None or not bool(train.any()):
        return
    taught = _count(value[train], classes)
    untaught = (taught == 0) & (counts > 0)
    if bool(untaught.any()):
        shown = [f"{item}: {count:,}" for item, count in enumerate(taught.tolist())]
        yield finding.say(
            "GNN668",
            f"has no training row of {_named(untaught)}, which other rows have",
            "what is not taught is never predicted: split within each class",
            notes=listing("training rows by class", shown) if classes <= _LISTED else (),
            facts=where_true(untaught, "class").facts(f"{classes} classes", "fewer"),
        )


def _count(labels: Tensor, classes: int) -> Tensor:
    """Rows of each class, shape [classes]."""
    return torch.bincount(labels.clamp(min=-1) + 1, minlength=classes + 1)[1:]


def _named(which: Tensor) -> str:
    numbers = which.nonzero().squeeze(1).tolist()
    shown = ", ".join(map(str, numbers[:SHOWN])) + (", …" if len(numbers) > SHOWN else "")
    return f"class {shown}" if len(numbers) == 1 else f"{len(numbers):,} classes ({shown})"
