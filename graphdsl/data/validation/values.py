"""The numbers themselves: labels in range, masks of 0 and 1, features that are finite."""

from collections.abc import Iterator

import torch
from torch import Tensor

from graphdsl.data.phrases import first_rows, number, python
from graphdsl.data.validation.finding import Finding
from graphdsl.text import Diagnostic

_FEW = 4_000_000


def check_values(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    """Check the numbers of a tensor whose shape and dtype are right."""
    kind = finding.attribute.type.kind
    if kind == "class":
        yield from _check_classes(finding, value)
    elif kind in ("mask", "bool", "multilabel"):
        yield from _check_binary(finding, value)
    elif value.is_floating_point():
        yield from _check_finite(finding, value)


def _check_classes(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    """Labels from 0 to k - 1, or -1 for unlabelled; with `class[*]` any number of classes is right."""
    if not value.numel():
        return
    low, high = (int(end) for end in value.aminmax())
    classes = finding.attribute.type.size
    limit = classes if isinstance(classes, int) else high + 1
    if low >= -1 and high < limit:
        return
    bad = (value < -1) | (value >= limit)
    accepted = f"0 … {limit - 1}" if isinstance(classes, int) else "0, 1, …"
    message = f"has {number(int(bad.sum()), 'label')} outside {accepted} (or -1, unlabelled): {first_rows(bad, value)}"
    target = python(finding.place, finding.attribute.name)
    if low < -1:
        help_line = f"mark unlabelled nodes by -1: `{target}[{target} < 0] = -1`"
    elif low == 1 and high == limit:
        help_line = f"labels start at 0: {finding.mend('{} - 1')}"
    else:
        help_line = f"the data has labels up to {high}: is `class[{high + 1}]` meant?"
    yield finding.say("GNN608", message, help_line)


def _check_binary(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    if value.dtype == torch.bool or not value.numel():
        return
    bad = (value != 0) & (value != 1)
    if finding.attribute.type.kind == "multilabel":  # -1 or NaN: it is not known whether the label holds.
        bad &= (value != -1) & (value == value)
    rows = bad if bad.dim() == 1 else bad.any(dim=1)
    if not bool(rows.any()):
        return
    values = value if value.dim() == 1 else None
    message = f"has {number(int(rows.sum()), 'row')} with numbers other than 0 and 1: {first_rows(rows, values)}"
    change = "({} == 1)" if finding.attribute.type.kind != "multilabel" else "({} > 0).float()"
    code = "GNN608" if finding.attribute.type.kind == "multilabel" else "GNN605"
    yield finding.say(code, message, f"if the rest counts as 0 or 1: {finding.mend(change)}")


def _check_finite(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    """No NaN and no infinity; a NaN among `real` labels means unlabelled, an infinity never does."""
    if is_finite(value):
        return
    bad = torch.isinf(value) if finding.attribute.type.kind == "real" else ~torch.isfinite(value)
    rows = bad if bad.dim() == 1 else bad.any(dim=1)
    if not bool(rows.any()):
        return
    noun = "infinite values" if finding.attribute.type.kind == "real" else "NaN or infinite values"
    message = f"has {noun} in {number(int(rows.sum()), 'row')}: {first_rows(rows)}"
    yield finding.say("GNN622", message, finding.mend("{}.nan_to_num(0, 0, 0)"))


def is_finite(value: Tensor) -> bool:
    """Whether a floating tensor has neither NaN nor infinity, in one pass without a mask of its size.

    A sum is NaN or infinite if a term is; it may also overflow, and only then the mask is made, part by part.
    """
    if bool(torch.isfinite(value.sum())):
        return True
    return all(bool(torch.isfinite(part).all()) for part in value.reshape(-1).split(_FEW))
