"""The table of `gnn bench`: a line as soon as a cell is measured, notes and means below."""

import os
import sys
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from graphdsl.benching.records import PASSES, Cell, Measured, Setting, mean_ratio, show_bytes

if TYPE_CHECKING:
    from rich.text import Text

_SHAPE, _MODEL, _TIME, _RATIO, _SMALL = 7, 6, 7, 13, 6
_WIDE = 108
_OWN = 11
_BETTER, _WORSE = 1.05, 0.95


def show_seconds(value: float | None) -> str:
    """A duration in few letters.

    >>> show_seconds(0.01234), show_seconds(123.4), show_seconds(0.00045), show_seconds(2.5), show_seconds(None)
    ('12.3 ms', '123 s', '0.45 ms', '2.50 s', '–')
    """
    if value is None:
        return "–"
    number, unit = (value, "s") if value >= 1 else (value * 1e3, "ms")
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"


def show_ratio(value: float | None) -> str:
    """How many times, in few letters.

    >>> show_ratio(0.456), show_ratio(12.34), show_ratio(123.4), show_ratio(None)
    ('0.46', '12.3', '123', '–')
    """
    if value is None:
        return "–"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


class BenchTable:
    """Lines of the table, in columns of fixed width: nothing must be known of later cells.

    Args:
        against: the baselines, a column each.
        shapes: names in the first column.
        width: of the terminal; wide ones have more columns.
        gpu: whether there is a column for the share of the time that moving the bytes would take.
    """

    def __init__(self, against: Sequence[str], shapes: Sequence[str], width: int, gpu: bool) -> None:
        self._against = tuple(against)
        self._first = max(_SHAPE, *map(len, shapes))
        self._wide, self._gpu = width >= _WIDE, gpu

    def header(self) -> "Iterator[Text]":
        """Two lines."""
        from rich.text import Text

        left = self._first + _MODEL + 2 * _TIME + 6
        yield Text(" " * (left + 2) + "times as fast as" if self._against else "", "bold")
        cells = [f"{'graph':<{self._first}}", f"{'model':<{_MODEL}}", f"{'forward':>{_TIME}}", f"{'step':>{_TIME}}"]
        cells += [f"{name:>{_RATIO}}" for name in self._against]
        cells += [f"{'memory':>{_SMALL}}", f"{'differ':>{_SMALL}}"]
        if self._wide:
            cells += [f"{'peak':>9}", f"{'layout':>{_TIME}}"]
        if self._gpu:
            cells.append(f"{'roofline':>9}")
        yield Text("  ".join(cells), "bold")

    def line(self, cell: Cell) -> "Text":
        """The line of a cell."""
        from rich.text import Text

        names = f"{cell.shape:<{self._first}}  {cell.model:<{_MODEL}}"
        if cell.skipped:
            return Text(f"{names}  {'–':>{_TIME}}  {cell.skipped}", "dim")
        line = Text(names)
        for kind in PASSES:
            line.append(f"  {_own(cell.ours, kind):>{_TIME}}")
        for name in self._against:
            line.append("  ")
            line.append_text(_ratios([_one(cell, name, kind) for kind in PASSES]))
        shares = [cell.memory(name) for name in self._against]
        line.append(f"  {show_ratio(next((share for share in shares if share is not None), None)):>{_SMALL}}")
        gaps = [gap for other in cell.others if (gap := other.difference()) is not None]
        line.append(f"  {(f'{max(gaps):.0e}' if max(gaps) else '0') if gaps else '–':>{_SMALL}}")
        if self._wide:
            line.append(f"  {show_bytes(max(cell.ours.peaks.values(), default=None)):>9}")
            line.append(f"  {show_seconds(cell.ours.layout):>{_TIME}}")
        if self._gpu:
            shown = " / ".join(f"{cell.ours.shares[kind]:.0%}" if kind in cell.ours.shares else "–" for kind in PASSES)
            line.append(f"  {shown:>9}")
        return line

    def mean(self, cells: Sequence[Cell]) -> "Text | None":
        """The line of geometric means, where there is more than one cell."""
        from rich.text import Text

        measured = [cell for cell in cells if not cell.skipped]
        if len(measured) < 2 or not self._against:
            return None
        line = Text(f"{'geometric mean':<{self._first + _MODEL + 2 * _TIME + 6}}", "bold")
        for name in self._against:
            line.append("  ")
            values = [mean_ratio(measured, name, kind) for kind in PASSES]
            line.append_text(_ratios([(show_ratio(value), value) for value in values]))
        return line


def _own(measured: Measured, kind: str) -> str:
    refusal = measured.refusals.get(kind)
    if refusal is None:
        return show_seconds(measured.seconds("step" if kind == "step" else "forward"))
    return {"memory": "too big", "time": f"> {refusal.bound:g} s"}.get(refusal.kind, "failed")


def _one(cell: Cell, name: str, kind: str) -> tuple[str, float | None]:
    """A ratio as it is shown, and as a number; where there is none, why."""
    which = "step" if kind == "step" else "forward"
    ratio = cell.ratio(name, which)
    if ratio is not None:
        return show_ratio(ratio), ratio
    if (bound := cell.bound(name, which)) is not None:
        return f">{show_ratio(bound)}", bound
    other = cell.other(name)
    refusal = None if other is None else other.refusals.get(kind)
    return ("memory" if refusal is not None and refusal.kind == "memory" else "–"), None


def _ratios(shown: "Sequence[tuple[str, float | None]]") -> "Text":
    """Ratios of both passes in one column, each coloured."""
    from rich.text import Text

    texts = [text for text, _ in shown]
    if len(set(texts)) == 1 and shown[0][1] is None:
        return Text(f"{'too large' if texts[0] == 'memory' else texts[0]:>{_RATIO}}", "dim")
    made = Text(" " * max(_RATIO - len(" / ".join(texts)), 0))
    for place, (text, value) in enumerate(shown):
        style = "" if value is None else "green" if value > _BETTER else "red" if value < _WORSE else ""
        made.append(" / " if place else "").append(text, style)
    return made


def own_report(cell: Cell) -> "Iterator[Text]":
    """One cell in full: a line for each way to run the model."""
    from rich.text import Text

    graph = f"{cell.nodes:,} nodes, {cell.relations:,} relation{'s' * (cell.relations != 1)}, {cell.edges:,} edges"
    yield Text(f"model `{cell.model}` of {cell.shape}: {graph}")
    yield Text(
        f"{'':<{_OWN}}{'forward':>{_OWN}}{'step':>{_OWN}}{'peak':>{_OWN}}{'slower, times':>{_RATIO + 4}}", "bold"
    )
    for item in (cell.ours, *cell.others):
        line = Text(f"{item.name:<{_OWN}}")
        line.append("".join(f"{_own(item, kind):>{_OWN}}" for kind in PASSES))
        line.append(f"{show_bytes(max(item.peaks.values(), default=None)):>{_OWN}}")
        if item is not cell.ours:
            line.append(" " * 4)
            line.append_text(_ratios([_one(cell, item.name, kind) for kind in PASSES]))
        yield line
    outputs = max((item.outputs for item in cell.others if item.outputs is not None), default=None)
    gradients = max((item.gradients for item in cell.others if item.gradients is not None), default=None)
    shown = ("–" if gap is None else f"{gap:.0e}" if gap else "none" for gap in (outputs, gradients))
    yield Text("largest relative difference: outputs {}, gradients {}".format(*shown))
    if cell.ours.layout is not None:
        yield Text(f"first call on a graph: {show_seconds(cell.ours.layout)} more than later ones")


def notes(cells: Sequence[Cell], width: int = 80) -> list[str]:
    """What a reader needs to know below the table: why something is missing, and what compiling took."""
    lines: list[str] = []
    for cell in cells:
        for item in (cell.ours, *cell.others):
            place = f"{cell.shape} {cell.model}, {item.name}"
            reasons = {refusal.reason: kind for kind, refusal in reversed(item.refusals.items())}
            lines += [f"{place}: {kind}: {reason}" for reason, kind in reasons.items()]
            if item.compiling is not None:
                lines.append(f"{place}: compiled in {show_seconds(item.compiling)}")
    return _wrapped(lines, width)


def legend(setting: Setting, width: int) -> list[str]:
    """What the columns are."""
    first = f"{setting.against[0]}'s" if setting.against else "a baseline's"
    said = {
        "pyg": "pyg: graphdsl's reference backend",
        "idiom": "idiom: the same in plain PyG, as its examples write it",
        "program": "program: what `gnn build` writes, in PyG's classes",
        "compile": "compile: that behind torch.compile",
    }
    lines = [said[name] for name in setting.against if name in said]
    lines = [
        "; ".join(lines),
        f"forward: without gradients; step: forward and backward; memory: our peak ÷ {first}",
        "differ: the larger of outputs and gradients, relative",
    ]
    if setting.bandwidth is not None:
        speed = f"{setting.bandwidth / 1e12:.2f} TB/s"
        lines.append(
            f"roofline: share of the time that moving the bytes needs that must be moved, at {speed} of a copy"
        )
    return _wrapped(lines, width)


def heading(setting: Setting, width: int) -> list[str]:
    """Where it was measured."""
    known = ", ".join(f"{name} {version}" for name, version in setting.versions.items())
    threads = f", {setting.threads} thread" + "s" * (setting.threads != 1) if setting.device == "cpu" else ""
    where = f"{setting.device}{threads}, {setting.clock} time"
    kernels = f", kernels {setting.kernels}" if setting.kernels else ""
    return _wrapped([f"backend {setting.backend}{kernels}; {where}; {known}"], width)


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [part for line in lines for part in wrap(line, max(width, 40), subsequent_indent="  ")]


def terminal_width() -> int:
    """Columns of the terminal, 80 where there is none."""
    if not sys.stdout.isatty():
        return int(os.environ.get("COLUMNS", "80"))
    return os.get_terminal_size(sys.stdout.fileno()).columns


__all__ = [
    "BenchTable", "heading", "legend", "notes", "own_report", "show_ratio", "show_seconds", "terminal_width",
]  # fmt: skip
