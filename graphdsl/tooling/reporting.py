"""What `gnn build --report` shows: whether torch takes each model of some specs as one graph, and why not."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphdsl.api import Spec, load, require_sizes
from graphdsl.model import Metadata
from graphdsl.model.stand_in import stand_in
from graphdsl.plan.checks.packages import unmet_requirements
from graphdsl.plan.table import align
from graphdsl.text import Diagnostic, SpecError
from graphdsl.tooling.output import show_findings, wants_color

if TYPE_CHECKING:
    from graphdsl.backends.capturing import Capture

SizesOf = Callable[[Spec, str], Metadata | None]
"""What tells the sizes that a model's schema leaves open, if anything does."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model, and what torch makes of it.

    Attributes:
        spec: the file.
        model: its name.
        capture: what torch makes of it.
    """

    spec: str
    model: str
    capture: "Capture"


def capture_specs(
    paths: Sequence[str], model: str | None, values: dict[str, Any], sizes: SizesOf, failed: list[Diagnostic]
) -> Iterator[Row]:
    """Try all models of some specs, or one of each.

    Args:
        paths: files.
        model: a name; None = all.
        values: of the models' parameters.
        sizes: from data or metadata; where it gives None, small ones are made up.
        failed: takes what is wrong with specs.
    """
    from rich.console import Console
    from rich.markup import escape

    for path in paths:
        try:
            spec = load(path)
            names = spec.models if model is None else (spec.model(model).name,)
        except SpecError as error:
            failed += error.diagnostics
            continue
        for name in names:
            try:
                with Console(stderr=True).status(f"{escape(path)}: {escape(name)}"):
                    row = Row(path, name, capture(spec, name, values, sizes(spec, name)))
                yield row
            except SpecError as error:
                failed += error.diagnostics


def capture(
    spec: Spec, model: str, values: dict[str, Any], metadata: Metadata | None = None, count: bool = True
) -> "Capture":
    """What torch makes of a model, on a small graph made up for it.

    Args:
        spec: a checked spec.
        model: one of its models.
        values: of the model's parameters.
        metadata: sizes that the schema leaves open; without it, small ones are made up.
        count: see `capture_plan`.
    """
    from graphdsl.backends.capturing import capture_plan

    schema = spec.schema(model)
    plan = spec.plan(model, data=metadata or stand_in(schema), **values)
    require_sizes(plan)
    if lacking := unmet_requirements(plan):
        raise SpecError(lacking)
    return capture_plan(plan, schema, metadata or stand_in(schema), count)


def show_report(rows: Sequence[Row], style: str) -> str:
    """A table and the reasons behind it; JSON; or the reasons as findings in another format."""
    if style == "json":
        return json.dumps([_as_dict(row) for row in rows], indent=2, ensure_ascii=False)
    reasons = [item for row in rows for item in (row.capture.compiling, row.capture.exporting) if item is not None]
    if style != "text":
        return show_findings(reasons, style)
    cells = [(row.spec, row.model, compile_status(row.capture), export_status(row.capture)) for row in rows]
    table = align(("spec", "model", "torch.compile", "torch.export"), cells)
    said = "Tried in eval mode on a small made-up graph; torch.compile with fullgraph=True and the backend `eager`."
    shown = f"{table}\n\n{said}"
    return f"{shown}\n\n{show_findings(reasons, 'text', None, wants_color(sys.stdout))}" if reasons else shown


def compile_status(capture: "Capture") -> str:
    """How many graphs torch makes of the compiled module."""
    return "one graph" if capture.compiling is None else f"{capture.breaks} break" + "s" * (capture.breaks != 1)


def export_status(capture: "Capture") -> str:
    """Whether the program is written and exported."""
    if capture.exporting is None:
        return "yes"
    return "not written" if capture.exporting.code == "GNN370" else "no"


def _as_dict(row: Row) -> dict[str, Any]:
    found = row.capture
    return {
        "spec": row.spec,
        "model": row.model,
        "compile": {"fullgraph": found.compiling is None, "breaks": found.breaks, "finding": _plain(found.compiling)},
        "export": {"possible": found.exporting is None, "finding": _plain(found.exporting)},
    }


def _plain(found: Diagnostic | None) -> Any:
    from graphdsl.tooling.formats.plain import diagnostic_to_dict

    return None if found is None else diagnostic_to_dict(found)


__all__ = ["Row", "capture", "capture_specs", "compile_status", "export_status", "show_report"]
