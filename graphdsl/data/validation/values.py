"""The numbers themselves: labels in range, masks of 0 and 1, features that are finite and differ."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from graphdsl.data.phrases import first_rows, number, python
from graphdsl.data.places import UnreadableTensorError
from graphdsl.data.survey import Survey
from graphdsl.data.validation.attributes import sound_attributes
from graphdsl.data.validation.finding import Finding
from graphdsl.data.validation.offenders import where_true
from graphdsl.kernels.sweeping import PIECE
from graphdsl.model import Schema
from graphdsl.text import Diagnostic, Facts, report

_VARIED = ("float", "int", "real", "time")


def check_values(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Check the numbers of every tensor whose shape and dtype are right."""
    for finding in sound_attributes(schema, view):
        try:
            ends = view.columns(finding.place, finding.attribute.name)
            value = view.read(finding.place, finding.attribute.name)
        except UnreadableTensorError as error:
            yield report("GNN611", str(error), finding.attribute.span, "declared here", where=finding.where)
            continue
        if view.is_tracked(finding.place, finding.attribute.name):
            message = "belongs to a gradient: each step would go back into how it was made, which fails in the second"
            yield finding.say(
                "GNN682", message, finding.mend("{}.detach()"), facts=Facts("no gradient", "requires_grad")
            )
        if ends is not None:
            yield from _check_numbers(finding, value, *ends, is_part=view.is_part)


def _check_numbers(finding: Finding, value: Tensor, low: Tensor, high: Tensor, is_part: bool) -> Iterator[Diagnostic]:
    kind = finding.attribute.type.kind
    if kind == "class":
        yield from _check_classes(finding, value, int(low), int(high))
    elif kind in ("mask", "bool", "multilabel"):
        yield from _check_binary(finding, value, low, high)
    elif value.is_floating_point() and not bool((torch.isfinite(low) & torch.isfinite(high)).all()):
        yield from _check_finite(finding, value)
        return
    if kind in _VARIED and not is_part and len(value) > 1:
        yield from _check_variety(finding, low, high)


def _check_classes(finding: Finding, value: Tensor, low: int, high: int) -> Iterator[Diagnostic]:
    """Labels from 0 to k - 1, or -1 for unlabelled; with `class[*]` any number of classes is right."""
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
    yield finding.say(
        "GNN608", message, help_line, facts=where_true(bad).facts(f"{accepted}, or -1", f"{low} … {high}")
    )


def _check_binary(finding: Finding, value: Tensor, low: Tensor, high: Tensor) -> Iterator[Diagnostic]:
    may_be_unknown = finding.attribute.type.kind == "multilabel"
    if value.dtype == torch.bool or (
        bool((low >= 0).all()) and bool((high <= 1).all()) and not value.is_floating_point()
    ):
        return
    bad = (value != 0) & (value != 1)
    if may_be_unknown:  # -1 or NaN: it is not known whether the label holds.
        bad &= (value != -1) & (value == value)
    rows = bad if bad.dim() == 1 else bad.any(dim=1)
    if not bool(rows.any()):
        return
    values = value if value.dim() == 1 else None
    message = f"has {number(int(rows.sum()), 'row')} with numbers other than 0 and 1: {first_rows(rows, values)}"
    change = "({} > 0).float()" if may_be_unknown else "({} == 1)"
    facts = where_true(rows).facts("0 and 1", f"{low.min().item():g} … {high.max().item():g}")
    code = "GNN608" if may_be_unknown else "GNN605"
    yield finding.say(code, message, f"if the rest counts as 0 or 1: {finding.mend(change)}", facts=facts)


def _check_finite(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    """No NaN and no infinity; a NaN among `real` labels means unlabelled, an infinity never does."""
    is_label = finding.attribute.type.kind == "real"
    rows = _rows_that_are(torch.isinf if is_label else _is_not_finite, value)
    if not bool(rows.any()):
        return
    noun = "infinite values" if is_label else "NaN or infinite values"
    message = f"has {noun} in {number(int(rows.sum()), 'row')}: {first_rows(rows)}"
    yield finding.say(
        "GNN622", message, finding.mend("{}.nan_to_num(0, 0, 0)"), facts=where_true(rows).facts("finite numbers", noun)
    )


def _is_not_finite(value: Tensor) -> Tensor:
    return ~torch.isfinite(value)


def _rows_that_are(test: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    """Rows with such a number, shape [rows], without a mask of the size of all."""
    table = value.reshape(len(value), -1)
    return torch.cat([test(part).any(1) for part in table.split(max(1, PIECE // max(table.size(1), 1)))])


def _check_variety(finding: Finding, low: Tensor, high: Tensor) -> Iterator[Diagnostic]:
    """Columns that tell no two rows apart."""
    constant = low == high
    found, columns = where_true(constant, "column"), len(low)
    if not found.count:
        return
    if found.count == columns:
        value = f"{low[0].item() + 0:g}" if bool((low == low[0]).all()) else "the same"
        things = "nodes" if isinstance(finding.place, str) else "edges"
        message = f"is {value} in every row: it tells no two {things} apart"
    else:
        verb = "is" if found.count == 1 else "are"
        zero = ", namely 0" if bool((low[constant] == 0).all()) else ""
        message = f"has {found.counted} of {columns:,} that {verb} the same in every row{zero}: {found.listed}"
    help_line = "leave such columns out: they only cost memory and time"
    yield finding.say("GNN664", message, help_line, facts=found.facts("rows that differ", "the same in every row"))
