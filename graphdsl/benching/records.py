"""What was measured, as plain values: for tables, for JSON, for plots. Torch-free."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import exp, log
from statistics import median
from typing import Any, Literal

Pass = Literal["forward", "step"]
PASSES: tuple[Pass, Pass] = ("forward", "step")
"""Prediction without gradients, and forward with backward."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not measured.

    Attributes:
        kind: it needs too much memory, takes too long, or something else.
        reason: in words.
        bound: bytes that it needs at least, or seconds after which it was given up.
    """

    kind: Literal["memory", "time", "other"]
    reason: str
    bound: float = 0.0


@dataclass(slots=True)
class Measured:
    """One way to run a model.

    Attributes:
        name: of the backend or baseline.
        runs: seconds of each run, by pass.
        peaks: bytes alive at once, by pass, with those that are kept.
        refusals: by pass, why there are no runs.
        outputs: largest difference of outputs from ours, relative to the largest output.
        gradients: the same of gradients, parameter by parameter.
        layout: seconds that the first call on a graph takes longer than later ones.
        kept: bytes that stay behind the first call on a graph, its result apart.
        compiling: seconds of compiling, where there is some.
        shares: share of the time in which the device could have moved the bytes that must be moved, by pass.
    """

    name: str
    runs: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    peaks: dict[str, int] = field(default_factory=dict[str, int])
    refusals: dict[str, Refusal] = field(default_factory=dict[str, Refusal])
    outputs: float | None = None
    gradients: float | None = None
    layout: float | None = None
    kept: int = 0
    compiling: float | None = None
    shares: dict[str, float] = field(default_factory=dict[str, float])

    def seconds(self, kind: Pass) -> float | None:
        """The median of the runs."""
        return median(self.runs[kind]) if self.runs.get(kind) else None

    def difference(self) -> float | None:
        """The larger difference."""
        known = [value for value in (self.outputs, self.gradients) if value is not None]
        return max(known, default=None)


@dataclass(slots=True)
class Cell:
    """A model on a graph.

    Attributes:
        shape: the graph's name.
        model: the model's name.
        skipped: why there is nothing; empty otherwise.
        nodes: of the types that the model reads.
        relations: that it reads.
        edges: of them.
        ours: the backend that is measured.
        others: baselines.
    """

    shape: str
    model: str
    skipped: str = ""
    nodes: int = 0
    relations: int = 0
    edges: int = 0
    ours: Measured = field(default_factory=lambda: Measured(""))
    others: list[Measured] = field(default_factory=list[Measured])

    def other(self, name: str) -> Measured | None:
        """A baseline by name."""
        return next((item for item in self.others if item.name == name), None)

    def ratio(self, name: str, kind: Pass) -> float | None:
        """How many times as long a baseline takes."""
        other, own = self.other(name), self.ours.seconds(kind)
        theirs = None if other is None else other.seconds(kind)
        return None if theirs is None or not own else theirs / own

    def bound(self, name: str, kind: Pass) -> float | None:
        """How many times as long a baseline takes at least, where it was given up."""
        other, own = self.other(name), self.ours.seconds(kind)
        refusal = None if other is None else other.refusals.get(kind)
        return refusal.bound / own if refusal is not None and refusal.kind == "time" and own else None

    def memory(self, name: str) -> float | None:
        """Our peak as a share of a baseline's, of the pass that both finished and that takes more."""
        other = self.other(name)
        if other is None:
            return None
        for kind in reversed(PASSES):
            theirs = other.peaks.get(kind)
            if theirs and kind in self.ours.peaks:
                return self.ours.peaks[kind] / theirs
        return None


@dataclass(frozen=True, slots=True)
class Setting:
    """Where it was measured.

    Attributes:
        backend: ours.
        against: the baselines.
        device: "cpu" or the name of the GPU.
        threads: that torch uses.
        clock: "wall" or "processor" time.
        seed: of graphs and weights.
        repeats: most runs of each.
        seconds: that a cell may take, about.
        versions: of packages.
        bandwidth: bytes a second that a copy on the GPU moves; None on a CPU.
        kernels: which implementation of the kernels computes there; empty where the backend has none.
    """

    backend: str
    against: tuple[str, ...]
    device: str
    threads: int
    clock: str
    seed: int
    repeats: int
    seconds: float
    versions: dict[str, str]
    bandwidth: float | None = None
    kernels: str = ""


def geometric_mean(values: Sequence[float]) -> float | None:
    """The mean of ratios.

    >>> geometric_mean([2.0, 8.0]), geometric_mean([])
    (4.0, None)
    """
    return exp(sum(map(log, values)) / len(values)) if values else None


def mean_ratio(cells: Sequence[Cell], name: str, kind: Pass) -> float | None:
    """The geometric mean over all cells in which a baseline was measured."""
    found = [cell.ratio(name, kind) for cell in cells]
    return geometric_mean([ratio for ratio in found if ratio])


def show_bytes(value: float | None) -> str:
    """A size in few letters.

    >>> show_bytes(512), show_bytes(5_300_000), show_bytes(17 * 2**30)
    ('512 B', '5.1 MiB', '17.0 GiB')
    """
    if value is None:
        return "–"
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.{0 if unit == 'B' or value >= 100 else 1}f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def to_plain(setting: Setting, cells: Sequence[Cell]) -> dict[str, Any]:
    """Everything as values that JSON has."""
    means = {
        name: {kind: mean_ratio(cells, name, kind) for kind in PASSES}
        for name in dict.fromkeys(other.name for cell in cells for other in cell.others)
    }
    return {"format": 1, "setting": asdict(setting), "cells": [_cell(cell) for cell in cells], "means": means}


def _cell(cell: Cell) -> dict[str, Any]:
    plain = asdict(cell)
    plain["ours"] = _measured(cell.ours)
    plain["others"] = [
        _measured(item)
        | {
            "ratio": {kind: cell.ratio(item.name, kind) for kind in PASSES},
            "memory": cell.memory(item.name),
        }
        for item in cell.others
    ]
    return plain


def _measured(item: Measured) -> dict[str, Any]:
    return asdict(item) | {"median": {kind: item.seconds(kind) for kind in PASSES}}


__all__ = [
    "PASSES",
    "Cell",
    "Measured",
    "Pass",
    "Refusal",
    "Setting",
    "geometric_mean",
    "mean_ratio",
    "show_bytes",
    "to_plain",
]
