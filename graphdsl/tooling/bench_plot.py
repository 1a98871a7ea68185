"""How cost grows with edges or relations, as a picture: what `gnn bench --scale --svg` writes."""

from collections.abc import Sequence

from graphdsl.benching.records import Cell, Measured, Setting
from graphdsl.pages import Panel, line_plot


def plot(scale: str, setting: Setting, cells: Sequence[Cell]) -> str:
    """Seconds of a step and memory, each over sizes: a line for the backend and for each baseline of each model.

    Args:
        scale: "edges" or "relations".
        setting: where it was measured.
        cells: one for each size and model.

    Returns:
        SVG.
    """
    seconds: dict[str, list[tuple[float, float]]] = {}
    memory: dict[str, list[tuple[float, float]]] = {}
    several = len({cell.model for cell in cells}) > 1
    for cell in cells:
        size = float(cell.edges if scale == "edges" else cell.relations)
        for item in (cell.ours, *cell.others):
            name = f"{cell.model}, {item.name}" if several else item.name
            _append(seconds.setdefault(name, []), size, item.seconds("step"))
            _append(memory.setdefault(name, []), size, _peak(item))
    threads = f", {setting.threads} thread" + "s" * (setting.threads != 1) if setting.device == "cpu" else ""
    models = ", ".join(dict.fromkeys(cell.model for cell in cells))
    title = f"Forward and backward of two layers, {models}; {setting.device}{threads}"
    panels = [Panel("time of a step", seconds, _seconds), Panel("peak memory of a step", memory, _bytes)]
    note = f"Lines end where a step would not fit into the memory, or took longer than {setting.seconds:g} s."
    return line_plot(title, scale, panels, note if _ended(cells) else "")


def _seconds(power: float) -> str:
    """A power of ten as a duration.

    >>> _seconds(0.01), _seconds(1e-4), _seconds(100.0)
    ('10 ms', '0.1 ms', '100 s')
    """
    return f"{power:.0f} s" if power >= 1 else f"{power * 1e3:g} ms"


def _bytes(power: float) -> str:
    """A power of ten as a size.

    >>> _bytes(1e7), _bytes(1e9)
    ('10 MB', '1 GB')
    """
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if power >= size:
            return f"{power / size:.0f} {unit}"
    return f"{power:.0f} B"


def _append(points: list[tuple[float, float]], size: float, value: float | None) -> None:
    if value is not None:
        points.append((size, value))


def _peak(item: Measured) -> float | None:
    return float(item.peaks["step"]) if "step" in item.peaks else None


def _ended(cells: Sequence[Cell]) -> bool:
    return any(item.refusals for cell in cells for item in (cell.ours, *cell.others))


__all__ = ["plot"]
