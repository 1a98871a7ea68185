"""A graph without some of its edges: those that a model is to predict."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from graphdsl.data.places import Place
from graphdsl.data.view import GraphView, describe_tensor, open_data
from graphdsl.model import Schema, TensorInfo
from graphdsl.text import EdgeKey


def without_edges(data: Any, kept: Mapping[EdgeKey, Tensor]) -> GraphView:
    """A graph of which some relations keep only some of their edges, attributes included.

    Args:
        data: a `HeteroData`, a `(FeatureStore, GraphStore)` pair or a view of one.
        kept: by stored relation, which of its edges are there, shape [num_edges] of booleans.
    """
    view = open_data(data)
    return _PartialView(view, kept) if kept else view


class _PartialView(GraphView):
    def __init__(self, view: GraphView, kept: Mapping[EdgeKey, Tensor]) -> None:
        self._view = view
        self._kept = {edge: keep.nonzero().reshape(-1) for edge, keep in kept.items()}
        self.edge_types, self.node_types = view.edge_types, view.node_types

    def keys(self, place: Place) -> tuple[str, ...]:
        return self._view.keys(place)

    def read(self, place: Place, key: str, index: Tensor | None = None) -> Any:
        kept = None if isinstance(place, str) else self._kept.get(place)
        if kept is not None:
            index = kept if index is None else kept[index.cpu()]
        return self._view.read(place, key, index)

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        return describe_tensor(self.read(place, key)) if place in self._kept else self._view.describe(place, key)

    def count(self, place: Place) -> int | None:
        return len(self._kept[place]) if not isinstance(place, str) and place in self._kept else self._view.count(place)

    def connectivity(self, edge: EdgeKey) -> Any:
        found = self._view.connectivity(edge)
        return found[:, self._kept[edge].to(found.device)] if edge in self._kept else found


def pair_numbers(index: Tensor, width: int, ordered: bool = True) -> Tensor:
    """One number for each pair, shape [num_pairs]; without `ordered` a pair and its reverse have the same.

    >>> pair_numbers(torch.tensor([[0, 2], [2, 0]]), 3, ordered=False)
    tensor([2, 2])
    """
    first, second = index[0].long(), index[1].long()
    if not ordered:
        first, second = torch.minimum(first, second), torch.maximum(first, second)
    return first * width + second


def stored_relation(view: GraphView, edge: EdgeKey, schema: Schema) -> tuple[EdgeKey, bool] | None:
    """The stored relation that holds the edges of a relation, and whether it runs the other way; None without one."""
    inverse = schema.edges[edge].inverse
    if edge in view.edge_types:
        return edge, False
    return (inverse, True) if inverse is not None and inverse in view.edge_types else None


def kept_inverse(index: Tensor, inverse: Tensor, keep: Tensor) -> Tensor:
    """Which edges of a stored inverse stay when its original keeps only some.

    Args:
        index: edges of the original, shape [2, E].
        inverse: edges of the inverse, shape [2, F].
        keep: which of the original's stay, shape [E].

    Returns:
        Booleans of shape [F]. Where both do not list the same edges in the same order, every pair that is hidden once
        is hidden altogether.
    """
    if torch.equal(index, inverse.flip(0)):
        return keep
    width = 1 + max((int(item.max()) for item in (index, inverse) if item.numel()), default=0)
    hidden = pair_numbers(index[:, ~keep], width)
    return ~torch.isin(pair_numbers(inverse.flip(0), width), hidden)
