"""Nodes that no edge touches, and predicted nodes that no message reaches."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from graphdsl.data.hiding import stored_relation
from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.data.validation.offenders import where_true
from graphdsl.model import PredictedLabel, Schema
from graphdsl.text import Diagnostic, EdgeKey, report

SHARE = 0.01
"""Share of the predicted nodes from which on those without a message are worth a line."""
_MOST = 0.5


def check_isolation(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Types of which hardly a node has an edge in any declared relation."""
    for node in schema.nodes.values():
        edges = [edge.key for edge in schema.edges.values() if node.name in (edge.source, edge.target)]
        held = [edge for edge in edges if edge in view.edge_types]
        count = view.count(node.name)
        if view.is_part or not held or not count or any(view.edges(edge) is None for edge in held):
            continue
        if not any(view.count(edge) for edge in held):  # Said of the relations.
            continue
        alone = where_true(~_touched(held, node.name, count, view), "node")
        if alone.count <= _MOST * count:
            continue
        yield report(
            "GNN662",
            f"{alone.counted} of {count:,} of type `{node.name}` have no edge in any relation: {alone.listed}",
            node.span,
            "declared here",
            where=show_place(node.name),
            helps=("`torch_geometric.transforms.RemoveIsolatedNodes()` takes them out; or are ids of edges wrong?",),
            facts=alone.facts("an edge", "none"),
        )


def check_targets(schema: Schema, view: Survey, targets: Iterable[PredictedLabel]) -> Iterator[Diagnostic]:
    """Predicted nodes at which none of the relations that their model reads ends."""
    for target in dict.fromkeys(targets):
        count = view.count(target.type)
        ending = [edge for edge in sorted(target.read) if edge[2] == target.type]
        if view.is_part or not count or not ending or target.type not in view.node_types:
            continue
        received = _received(schema, view, ending, count)
        chosen = _in_splits(view, target.type, count)
        if received is None or not bool(chosen.any()):
            continue
        missed, of = where_true(chosen & (received == 0), "node"), int(chosen.sum())
        if not missed.count or missed.count < SHARE * of:
            continue
        yield report(
            "GNN663",
            f"no message reaches {missed.counted} of the {of:,} of type `{target.type}` that are predicted: {missed.listed}",
            schema.nodes[target.type].span,
            "declared here",
            also=[(target.span, "predicted here")],
            where=show_place(target.type),
            helps=(
                "they are told by their own features alone: add a relation that ends in them, or leave them out of the split",
            ),
            facts=missed.facts("a message", "none"),
        )


def _touched(edges: Iterable[EdgeKey], node_type: str, count: int, view: Survey) -> Tensor:
    touched = torch.zeros(count, dtype=torch.bool)
    for edge in edges:
        for row in (0, 2):
            degrees = view.degrees(edge, row // 2) if edge[row] == node_type else None
            if degrees is not None:
                touched |= degrees.cpu() > 0
    return touched


def _received(schema: Schema, view: Survey, ending: Iterable[EdgeKey], count: int) -> Tensor | None:
    """How many edges end in each node; a metapath counts by its last hop.

    None where a relation is not sound, or is missing though it may not be: that is said of the relation.
    """
    total = torch.zeros(count, dtype=torch.long)
    for edge in ending:
        last = schema.hops(edge)[-1]
        stored = stored_relation(view, last.edge, schema)
        if stored is None:
            if not schema.edges[last.edge].optional:
                return None
            continue
        # A hop that is walked backwards ends in the sources, and so does an inverse that is made from its original.
        found = view.degrees(stored[0], 0 if last.backward != stored[1] else 1)
        if found is None:
            return None
        total += found.cpu()
    return total


def _in_splits(view: Survey, node_type: str, count: int) -> Tensor:
    """Nodes of any split; all nodes where there is none."""
    masks = [view.split(node_type, f"{split}_mask") for split in ("train", "val", "test")]
    found = [mask for mask in masks if mask is not None and len(mask) == count]
    return torch.stack(found).any(0).cpu() if found else torch.ones(count, dtype=torch.bool)
