"""Relations that give away a predicted one: they hold the same pairs, and nothing says that they belong together."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from graphdsl.data.hiding import pair_numbers, stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.model import HiddenLinks, Schema
from graphdsl.text import Diagnostic, EdgeKey, report, show_edge, show_name

SHARE = 0.9
"""Share of the predicted pairs from which on another relation gives them away."""


def check_mirrors(schema: Schema, view: Survey, links: Iterable[HiddenLinks]) -> Iterator[Diagnostic]:
    """Compare predicted relations with others between the same types that their models read, in both directions.

    A declared inverse is hidden with the predicted edges; what is not declared would show them to the model, which PyG's
    `RandomLinkSplit` leaves to the user (`rev_edge_types`).
    """
    seen: set[tuple[EdgeKey, EdgeKey]] = set()
    for link in links:
        stored = stored_relation(view, link.edge, schema)
        index = None if stored is None else view.edges(stored[0])
        if stored is None or index is None or not index.size(1):
            continue
        own = {stored[0], schema.edges[stored[0]].inverse}
        others = {found[0] for edge in link.read if (found := stored_relation(view, edge, schema)) is not None}
        for other in sorted(others - own):
            if (stored[0], other) not in seen:
                seen.add((stored[0], other))
                yield from _compare(link, stored[0], index, other, schema, view)


def _compare(
    link: HiddenLinks, edge: EdgeKey, index: Tensor, other: EdgeKey, schema: Schema, view: Survey
) -> Iterator[Diagnostic]:
    mirrored = (edge[0], edge[2]) == (other[2], other[0])
    parallel = (edge[0], edge[2]) == (other[0], other[2])
    found = view.edges(other) if mirrored or parallel else None
    if found is None or not found.size(1):
        return
    width = 1 + max(int(index.max()), int(found.max()))
    own = torch.unique(pair_numbers(index, width))
    backward = _share(own, pair_numbers(found.flip(0), width)) if mirrored else 0.0
    forward = _share(own, pair_numbers(found, width)) if parallel else 0.0
    share = max(backward, forward)
    if share < SHARE:
        return
    shown = show_edge(edge)
    helps = ["`keep_target` behind the prediction, if the edges are no secret; else no layer may read this relation"]
    if backward >= forward:
        helps.insert(
            0, f"declare it as the inverse, which is hidden along: `edge {shown} reverse {show_name(other[1])}`"
        )
    yield report(
        "GNN625",
        f"`{show_place(other)}` holds {share:.0%} of the pairs of `{shown}`, which is predicted"
        + (", the other way round" if backward >= forward else ""),
        schema.edges[other].span,
        "it would show them to the model",
        also=[(link.span, "predicted here")],
        where=show_place(other),
        helps=helps,
    )


def _share(own: Tensor, others: Tensor) -> float:
    """Which part of distinct pairs is among the others."""
    return float(torch.isin(own, others).double().mean())
