"""Lines over sizes as SVG: both axes logarithmic, panels side by side, nothing to load."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).resolve().parent
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d1f")  # told apart by colour-blind readers, too
_DASHES: Final = ("none", "7 4", "2 3", "9 3 2 3", "4 2")
_PANEL, _HEIGHT, _LEFT, _GAP, _TOP = 330, 230, 74, 92, 84

Points = Mapping[str, Sequence[tuple[float, float]]]
"""By line, sizes and values, all above 0."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: what is drawn.
        lines: of each name, its points; those that are not above 0 are left out.
        show: how a value is written beside its axis.
    """

    title: str
    lines: Points
    show: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class _Line:
    colour: str
    dash: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    title: str
    left: float
    right: float
    top: float
    bottom: float
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    lines: tuple[_Line, ...]


def line_plot(title: str, across: str, panels: Sequence[Panel], note: str = "") -> str:
    """Draw lines.

    Args:
        title: of the whole picture.
        across: what the horizontal axes are.
        panels: side by side; a line has the same colour in each.
        note: a line below.

    Returns:
        SVG; every text is escaped.

    >>> text = line_plot("cost", "edges", [Panel("seconds", {"pyg": [(10, 0.1), (1000, 2.0)]}, str)])
    >>> text.startswith("<svg"), text.count("<circle")
    (True, 2)
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    width = _LEFT + len(panels) * _PANEL + (len(panels) - 1) * _GAP + 30
    return environment.get_template("lines.svg.jinja").render(
        title=title,
        across=across,
        note=note,
        left=_LEFT,
        width=width,
        height=_TOP + _HEIGHT + (74 if note else 52),
        legend=[(name, *_style(place), _LEFT + 130 * place) for place, name in enumerate(names)],
        panels=[_draw(panel, names, place) for place, panel in enumerate(panels)],
    )


def _style(place: int) -> tuple[str, str]:
    return _COLOURS[place % len(_COLOURS)], _DASHES[place % len(_DASHES)]


def _draw(panel: Panel, names: Sequence[str], place: int) -> _Drawn:
    """Axes that hold all points, in whole decades upwards."""
    left = _LEFT + place * (_PANEL + _GAP)
    known = {
        name: [(x, y) for x, y in panel.lines.get(name, ()) if x > 0 and y > 0 and math.isfinite(y)] for name in names
    }
    xs = [x for points in known.values() for x, _ in points] or [1.0, 10.0]
    ys = [y for points in known.values() for _, y in points] or [1.0, 10.0]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    high = max(high, low + 1)
    first, last = math.log10(min(xs)), math.log10(max(xs))
    if first == last:
        first, last = first - 0.5, last + 0.5

    def across(x: float) -> float:
        return round(left + 14 + (math.log10(x) - first) / (last - first) * (_PANEL - 28), 1)

    def up(y: float) -> float:
        return round(_TOP + _HEIGHT - (math.log10(y) - low) / (high - low) * _HEIGHT, 1)

    lines = [
        _Line(*_style(number), tuple((across(x), up(y)) for x, y in sorted(known[name])))
        for number, name in enumerate(names)
        if known[name]
    ]
    rows = tuple((up(10.0**power), panel.show(10.0**power)) for power in range(low, high + 1))
    columns = tuple((across(x), _short(x)) for x in _ticks(sorted(set(xs))))
    return _Drawn(panel.title, left, left + _PANEL, _TOP, _TOP + _HEIGHT, rows, columns, tuple(lines))


def _ticks(xs: Sequence[float]) -> list[float]:
    """Sizes with a number below: those that are far enough from each other."""
    found: list[float] = []
    room = 44 * (math.log10(xs[-1] / xs[0]) if len(xs) > 1 else 1) / (_PANEL - 28)
    for x in xs:
        if not found or math.log10(x / found[-1]) >= room:
            found.append(x)
    return found


def _short(number: float) -> str:
    """A size in few letters.

    >>> _short(30), _short(9_980), _short(299_000), _short(1e7)
    ('30', '10 k', '299 k', '10 M')
    """
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if number >= 0.95 * size:
            shown = number / size
            return f"{shown:.0f}{unit}" if abs(shown - round(shown)) < 0.06 * shown else f"{shown:.1f}{unit}"
    return f"{number:.0f}"


__all__ = ["Panel", "Points", "line_plot"]
