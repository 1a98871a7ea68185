"""A schema as a picture: node types in a circle, relations between them, as SVG."""

import math
from collections import defaultdict
from dataclasses import dataclass

from graphdsl.text import EdgeKey

WIDTH, HEIGHT = 860, 520
_BOX = 34
_LETTER = 7.2


@dataclass(frozen=True, slots=True)
class Box:
    """A node type: centre, half its width, and lines of text."""

    name: str
    x: float
    y: float
    half: float
    text: tuple[str, ...]
    marked: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """A relation: the path of its line, and where its name stands."""

    key: EdgeKey
    path: str
    x: float
    y: float
    text: str
    marked: bool


def place_types(names: list[str], counts: dict[str, int | None], marked: set[str]) -> dict[str, Box]:
    """Boxes in an ellipse, the first at the left; one type alone in the middle.

    Args:
        names: node types.
        counts: their numbers of nodes.
        marked: types with an error.
    """
    boxes: dict[str, Box] = {}
    for number, name in enumerate(names):
        angle = math.pi + 2 * math.pi * number / max(len(names), 1)
        x, y = WIDTH / 2, HEIGHT / 2
        if len(names) > 1:
            x, y = x + math.cos(angle) * (WIDTH / 2 - 120), y + math.sin(angle) * (HEIGHT / 2 - 70)
        count = counts.get(name)
        shown = name if len(name) <= 26 else name[:25] + "…"
        text = (shown, "? nodes" if count is None else f"{count:,} node{'' if count == 1 else 's'}")
        half = max(44.0, max(len(line) for line in text) * _LETTER / 2 + 12)
        boxes[name] = Box(name, x, y, half, text, name in marked)
    return boxes


def draw_relations(
    keys: list[EdgeKey], counts: dict[EdgeKey, int | None], boxes: dict[str, Box], marked: set[EdgeKey]
) -> list[Arrow]:
    """Arrows between boxes; relations between the same types bend apart."""
    together: defaultdict[frozenset[str], list[EdgeKey]] = defaultdict(list)
    for key in keys:
        together[frozenset((key[0], key[2]))].append(key)
    arrows: list[Arrow] = []
    for group in together.values():
        for number, key in enumerate(group):
            count = counts.get(key)
            name = key[1] if len(key[1]) <= 26 else key[1][:25] + "…"
            text = name if count is None else f"{name} · {count:,}"
            start, end = boxes[key[0]], boxes[key[2]]
            path, x, y = _loop(start, number) if key[0] == key[2] else _bend(start, end, number, len(group), key)
            arrows.append(Arrow(key, path, x, y, text, key in marked))
    return arrows


def _loop(box: Box, number: int) -> tuple[str, float, float]:
    """A line that leaves a box at the top and comes back; further ones reach higher."""
    up = 1 if box.y > HEIGHT / 2 else -1
    reach, edge = 46 + 24 * number, box.y + up * _BOX / 2
    left, right = box.x - 16 - 6 * number, box.x + 16 + 6 * number
    top = edge + up * reach
    path = f"M{left:.1f},{edge:.1f} C{left - 22:.1f},{top:.1f} {right + 22:.1f},{top:.1f} {right:.1f},{edge:.1f}"
    return path, box.x, edge + up * (reach * 0.75 + 8)


def _bend(start: Box, end: Box, number: int, among: int, key: EdgeKey) -> tuple[str, float, float]:
    """A curve from box to box. The side that it bends to is the same for both directions, so that they part."""
    dx, dy = end.x - start.x, end.y - start.y
    length = math.hypot(dx, dy) or 1.0
    side = 1 if key[0] < key[2] else -1
    bend = (number - (among - 1) / 2) * 84 * side
    middle_x, middle_y = (start.x + end.x) / 2 - dy / length * bend, (start.y + end.y) / 2 + dx / length * bend
    first, last = _rim(start, middle_x, middle_y), _rim(end, middle_x, middle_y)
    path = f"M{first[0]:.1f},{first[1]:.1f} Q{middle_x:.1f},{middle_y:.1f} {last[0]:.1f},{last[1]:.1f}"
    return path, (first[0] + 2 * middle_x + last[0]) / 4, (first[1] + 2 * middle_y + last[1]) / 4


def _rim(box: Box, x: float, y: float) -> tuple[float, float]:
    """Where the line from the centre of a box to a point leaves it."""
    dx, dy = x - box.x, y - box.y
    scale = min(box.half / abs(dx) if dx else math.inf, (_BOX / 2 + 8) / abs(dy) if dy else math.inf)
    return box.x + dx * scale, box.y + dy * scale
