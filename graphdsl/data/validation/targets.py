"""Predicted nodes that no message reaches in the layers of their model, or none but their own."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from graphdsl.data.hiding import stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.data.validation.offenders import where_true
from graphdsl.kernels.counting import find_origins
from graphdsl.kernels.sweeping import count_loops
from graphdsl.model import Schema
from graphdsl.plan import PredictedLabel
from graphdsl.text import Diagnostic, EdgeKey, report

SHARE = 0.01
"""Share of the predicted nodes from which on those without a message are worth a line."""


def check_targets(schema: Schema, view: Survey, targets: Iterable[PredictedLabel]) -> Iterator[Diagnostic]:
    """Predicted nodes at which no edge or path ends that their prediction depends on, or only such that begin there, too."""
    for target in dict.fromkeys(targets):
        count = view.count(target.type)
        if view.is_part or not count or not target.along or target.type not in view.node_types:
            continue
        chosen = _in_splits(view, target.type, count)
        found = _reached(schema, view, target, count)
        if found is None or chosen is None or not bool(chosen.any()):
            continue
        reached, by_others = found
        if not bool(reached.any()) and all(_is_empty(schema, view, edge) for edge in target.along):
            continue  # Said of the relations.
        yield from _say(schema, target, chosen, chosen & ~reached, chosen & reached & ~by_others)


def _say(
    schema: Schema, target: PredictedLabel, chosen: Tensor, unreached: Tensor, alone: Tensor
) -> Iterator[Diagnostic]:
    of = int(chosen.sum())
    for code, bad, said, help_line in (
        (
            "GNN663",
            unreached,
            "no message reaches",
            "they are told by their own features alone: add a relation that ends in them, or leave them out of the split",
        ),
        (
            "GNN680",
            alone,
            "no message but their own reaches",
            "the graph tells nothing about them: add a relation or a metapath that leads to them from other nodes",
        ),
    ):
        missed = where_true(bad, "node")
        if missed.count and missed.count >= SHARE * of:
            yield report(
                code,
                f"{said} {missed.counted} of the {of:,} of type `{target.type}` that are predicted: {missed.listed}",
                schema.nodes[target.type].span,
                "declared here",
                also=[(target.span, "predicted here")],
                where=show_place(target.type),
                helps=(help_line,),
                facts=missed.facts("a message", "none" if code == "GNN663" else "its own"),
            )


def _reached(schema: Schema, view: Survey, target: PredictedLabel, count: int) -> tuple[Tensor, Tensor] | None:
    """Which nodes get a message at all, and which one of another node.

    None where a relation is not sound, or is missing though it may not be: that is said of the relation.
    """
    reached, by_others = torch.zeros(count, dtype=torch.bool), torch.zeros(count, dtype=torch.bool)
    for edge in sorted(target.along):
        way = schema.hops(edge)
        stored = [stored_relation(view, hop.edge, schema) for hop in way]
        if None in stored:
            lacking = [hop.edge for hop, item in zip(way, stored, strict=True) if item is None]
            if all(schema.edges[item].optional for item in lacking):
                continue
            return None
        # A hop that is walked backwards ends in the sources, and so does an inverse that is made from its original.
        walk = [(item[0], hop.backward != item[1]) for hop, item in zip(way, stored, strict=True) if item is not None]
        ends = _ends(view, edge, walk)
        if ends is None:
            return None
        reached |= ends[0]
        by_others |= ends[1]
    return reached, by_others


def _ends(view: Survey, edge: EdgeKey, walk: list[tuple[EdgeKey, bool]]) -> tuple[Tensor, Tensor] | None:
    """Targets of a relation or metapath that anything leads to, and those that another node leads to."""
    if len(walk) == 1:
        return _ends_of_edges(view, *walk[0])
    hops, sizes = list[Tensor](), list[int]()
    for stored, backward in walk:
        index, size = view.edges(stored), view.sizes(stored)
        if index is None or size is None:
            return None
        hops.append(index.flip(0) if backward else index)
        sizes += [size[backward], size[not backward]] if not sizes else [size[not backward]]
    first, last = (item.cpu() for item in find_origins(hops, sizes))
    if edge[0] != edge[2]:
        return first <= last, first <= last
    itself = torch.arange(sizes[-1])
    return first <= last, (first <= last) & ((first != itself) | (last != itself))


def _ends_of_edges(view: Survey, stored: EdgeKey, backward: bool) -> tuple[Tensor, Tensor] | None:
    """The same of a single relation, by numbers of edges that were counted for other checks, too."""
    index, arrive = view.edges(stored), view.degrees(stored, 0 if backward else 1)
    if index is None or arrive is None:
        return None
    others = arrive
    if stored[0] == stored[2] and count_loops(index):
        others = arrive - torch.bincount(index[1][index[0] == index[1]], minlength=len(arrive))
    return (arrive > 0).cpu(), (others > 0).cpu()


def _is_empty(schema: Schema, view: Survey, edge: EdgeKey) -> bool:
    """Whether a hop of a relation or metapath has no edge."""
    stored = (stored_relation(view, hop.edge, schema) for hop in schema.hops(edge))
    return any(item is not None and not view.count(item[0]) for item in stored)


def _in_splits(view: Survey, node_type: str, count: int) -> Tensor | None:
    """Nodes of any split; all nodes where there is none, and None where masks do not fit."""
    masks = [view.split(node_type, f"{split}_mask") for split in ("train", "val", "test")]
    found = [mask for mask in masks if mask is not None]
    if any(len(mask) != count for mask in found):
        return None
    return torch.stack(found).any(0).cpu() if found else torch.ones(count, dtype=torch.bool)
