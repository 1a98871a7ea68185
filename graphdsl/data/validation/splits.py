"""Splits: masks of training, validation and test that share nodes or edges."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

from graphdsl.data.phrases import first_rows, mend, number, python
from graphdsl.data.places import Place, show_place
from graphdsl.data.survey import Survey
from graphdsl.model import Attribute, Schema
from graphdsl.text import Diagnostic, report

_ROLES = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "dev": 1, "test": 2}


def check_splits(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Warn of nodes or edges that two splits of different roles share."""
    places: list[tuple[Place, Mapping[str, Attribute]]] = [
        (node.name, node.attributes) for node in schema.nodes.values()
    ]
    places += [(edge.key, edge.attributes) for edge in schema.edges.values()]
    for place, attributes in places:
        splits = [item for item in attributes.values() if item.type.kind == "mask"]
        roles = {item.name: role for item in splits if (role := split_role(item.name)) is not None}
        named = sorted((item for item in splits if item.name in roles), key=lambda item: roles[item.name])
        for first, second in combinations(named, 2):
            if roles[first.name] != roles[second.name]:
                yield from _compare(view, place, first, second)


def split_role(name: str) -> int | None:
    """0 for a training mask, 1 for validation, 2 for test, by the words of its name; None for another mask.

    >>> split_role("train_mask"), split_role("is_test"), split_role("labelled")
    (0, 2, None)
    """
    return next((_ROLES[word] for word in re.split(r"[^a-z]+", name.lower()) if word in _ROLES), None)


def _compare(view: Survey, place: Place, first: Attribute, second: Attribute) -> Iterator[Diagnostic]:
    left, right = view.split(place, first.name), view.split(place, second.name)
    if left is None or right is None or left.shape != right.shape:
        return
    both = left & right
    if not bool(both.any()):
        return
    where, noun = show_place(place, second.name), "node" if isinstance(place, str) else "edge"
    shared = f"{number(int(both.sum()), noun)}: {first_rows(both)}"
    change = f"{{}} & ~{python(place, first.name)}"
    yield report(
        "GNN621",
        f"`{show_place(place, first.name)}` and `{where}` share {shared}",
        second.span,
        "declared here",
        also=[(first.span, "and the other here")],
        where=where,
        helps=(mend(place, second.name, change),),
    )
