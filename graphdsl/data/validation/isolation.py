"""Nodes that no edge touches."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.data.validation.offenders import where_true
from graphdsl.model import Schema
from graphdsl.text import Diagnostic, EdgeKey, report

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


def _touched(edges: Iterable[EdgeKey], node_type: str, count: int, view: Survey) -> Tensor:
    touched = torch.zeros(count, dtype=torch.bool)
    for edge in edges:
        for row in (0, 2):
            degrees = view.degrees(edge, row // 2) if edge[row] == node_type else None
            if degrees is not None:
                touched |= degrees.cpu() > 0
    return touched
