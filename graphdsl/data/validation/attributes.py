"""The attributes of types and relations: there, of the declared dtype, as many rows and columns as they should have."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphdsl.data.phrases import number, python, shape_of
from graphdsl.data.validation.finding import Finding
from graphdsl.data.validation.kinds import RULES, VECTORS, expected_shape, fits_shape
from graphdsl.data.validation.values import check_values
from graphdsl.data.view import BOOKKEEPING, GraphView, Place, UnreadableTensorError, show_place
from graphdsl.model import Attribute, Schema
from graphdsl.text import Diagnostic, Span, closest, listing, report, show_name


def check_attributes(schema: Schema, view: GraphView) -> Iterator[Diagnostic]:
    """Check every attribute of the types and relations that schema and data share."""
    for node in schema.nodes.values():
        if node.name in view.node_types:
            yield from _check_place(view, node.name, node.attributes, node.span)
    for edge in schema.edges.values():
        if edge.key in view.edge_types:
            yield from _check_place(view, edge.key, edge.attributes, edge.span)


def _check_place(view: GraphView, place: Place, declared: Mapping[str, Attribute], span: Span) -> Iterator[Diagnostic]:
    held = view.keys(place)
    extra = [key for key in held if key not in declared and key not in BOOKKEEPING]
    rows = view.count(place)
    for attribute in declared.values():
        finding = Finding(place, attribute, rows)
        if attribute.name in held:
            yield from _check_attribute(view, finding)
        elif not attribute.type.optional:
            meant = closest(attribute.name, extra)
            if meant is not None:
                extra.remove(meant)
            yield _missing(finding, meant, held)
    for key in extra:
        if _is_tensor(view, place, key):
            yield report(
                "GNN619",
                f"the data has an attribute `{show_place(place, key)}` that the schema does not declare",
                span,
                f"`{key}` is not declared here",
                where=show_place(place, key),
                helps=(f"declare it with `{show_name(key)}: …`, or leave it: it is not used",),
            )


def _is_tensor(view: GraphView, place: Place, key: str) -> bool:
    try:
        return view.describe(place, key) is not None
    except UnreadableTensorError:  # Nobody needs it.
        return False


def _missing(finding: Finding, meant: str | None, held: tuple[str, ...]) -> Diagnostic:
    name, target = finding.attribute.name, python(finding.place, finding.attribute.name)
    if meant is not None:
        help_line = f"is it `{meant}`? then rename one of them: `{target} = {python(finding.place, meant)}`"
    elif name == "x":
        help_line = "a type without features needs no `x`: leave it out of the schema and give the type an `Embedding`"
    else:
        help_line = f"add `{target}`, or declare it `{show_name(name)}: {finding.attribute.type}?`"
    notes = listing(f"attributes of `{show_place(finding.place)}`", held)
    return finding.say("GNN603", "is missing in the data", help_line, notes=notes)


def _check_attribute(view: GraphView, finding: Finding) -> Iterator[Diagnostic]:
    try:
        value = view.read(finding.place, finding.attribute.name)
    except UnreadableTensorError as error:
        yield report("GNN611", str(error), finding.attribute.span, "declared here", where=finding.where)
        return
    wrong = _check_container(finding, value)
    if wrong is not None:
        yield wrong
        return
    problems = [*_check_shape(finding, value), *_check_dtype(finding, value)]
    yield from problems
    if not problems:
        yield from check_values(finding, value)


def _check_container(finding: Finding, value: Any) -> Diagnostic | None:
    """Whatever is no dense tensor ends the examination."""
    if isinstance(value, np.ndarray):
        return finding.say("GNN605", "is a numpy array, not a tensor", finding.mend("torch.from_numpy({})"))
    if isinstance(value, Tensor) and value.layout == torch.strided:
        return None
    if isinstance(value, Tensor) or hasattr(value, "to_dense"):
        return finding.say("GNN605", "is a sparse matrix, not a dense tensor", finding.mend("{}.to_dense()"))
    help_line = finding.mend("torch.tensor({})")
    return finding.say("GNN605", f"is a `{type(value).__name__}`, not a tensor", help_line)


def _check_shape(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    shape, type_, rows = tuple(value.shape), finding.attribute.type, finding.rows
    wanted = expected_shape(type_, "N" if rows is None else str(rows))
    noun = "node" if isinstance(finding.place, str) else "edge"
    if not fits_shape(type_, shape):
        message = f"has shape {shape_of(value)}, expected {wanted}"
        yield finding.say("GNN607", message, *_mend_shape(finding, value))
        return
    if rows is not None and shape[0] != rows:
        message = f"has {number(shape[0], 'row')} for {number(rows, noun)}"
        yield finding.say("GNN607", message, *_mend_rows(finding, value, rows))
    if type_.width is not None and len(shape) == 2 and shape[1] != type_.width:
        message = f"has {number(shape[1], 'column')}, the schema says {type_.width}"
        actual = f"{show_name(finding.attribute.name)}: {type_.kind}[{shape[1]}]"
        yield finding.say("GNN604", message, f"write `{actual}` in the schema, or mend the data")


def _mend_shape(finding: Finding, value: Tensor) -> tuple[str, ...]:
    type_, shape = finding.attribute.type, tuple(value.shape)
    if type_.kind in VECTORS and len(shape) == 2:
        if shape[1] == 1:
            return (finding.mend("{}.view(-1)"),)
        if type_.kind == "mask":
            return (f"one split at a time: {finding.mend('{}[:, 0]')}",)
        if type_.kind == "class":
            several = f"several labels a node are a `multilabel[{shape[1]}]`"
            return (f"{several}; one-hot rows become numbers by {finding.mend('{}.argmax(dim=1)')}",)
    if len(shape) == 1 and type_.kind != "multilabel":
        return (finding.mend("{}.view(-1, 1)"),) if type_.width == 1 else ()
    if len(shape) > 2 and type_.kind not in VECTORS:
        return (finding.mend("{}.flatten(1)"),)
    return ()


def _mend_rows(finding: Finding, value: Tensor, rows: int) -> tuple[str, ...]:
    """A mask that is a list of node numbers is the usual cause."""
    is_indices = finding.attribute.type.kind == "mask" and value.dtype != torch.bool and not value.is_floating_point()
    if is_indices and value.numel() and int(value.min()) >= 0 and int(value.max()) < rows:
        target = python(finding.place, finding.attribute.name)
        return (f"node numbers become a mask by `torch_geometric.utils.index_to_mask({target}, size={rows})`",)
    if isinstance(finding.place, str) and value.dim() and value.size(0) != rows:
        return (f"if {rows:,} is not the number of nodes, set `{python(finding.place, 'num_nodes')}`",)
    return ()


def _check_dtype(finding: Finding, value: Tensor) -> Iterator[Diagnostic]:
    rule = RULES[finding.attribute.type.kind]
    found = str(value.dtype).removeprefix("torch.")
    if found not in rule.dtypes:
        yield finding.say("GNN605", f"is {found}, expected {rule.words}", finding.mend("{}" + rule.convert))
