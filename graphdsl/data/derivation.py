"""Relations that the data does not hold: declared inverses are flipped, metapaths composed."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from graphdsl.data.places import Place
from graphdsl.data.view import GraphView, describe_tensor
from graphdsl.kernels import HopCost, NamedWalk, Prefix, compose_named, compose_prefix, weigh_named
from graphdsl.model import Metapath, MetapathHop, TensorInfo
from graphdsl.plan import Derived, Plan
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.plan.hopping import hop_candidates
from graphdsl.text import EdgeKey


def with_derived(view: GraphView, plan: Plan) -> GraphView:
    """The graph with every relation that a plan derives from others.

    A relation that the data holds itself is taken from there, and one whose origins it lacks stays absent. An inverse
    has the attributes of its original, edge by edge. A metapath's relation is composed when it is first asked for.

    Args:
        view: the graph as stored.
        plan: says in `derived` how to make which relation.
    """
    return _DerivedView(view, plan.derived)


class _DerivedView(GraphView):
    def __init__(self, view: GraphView, derived: tuple[Derived, ...]) -> None:
        self._view = view
        self._inverse_of: dict[EdgeKey, EdgeKey] = {}
        self._metapaths: dict[EdgeKey, Metapath] = {}
        self._prefixes: dict[Hashable, Prefix | None] = {}
        self._composed: dict[EdgeKey, tuple[Tensor, Tensor | None]] = {}
        known = set(view.edge_types)
        for item in derived:
            if item.edge in known:
                continue
            if item.inverse_of is not None and item.inverse_of in known:
                self._inverse_of[item.edge] = item.inverse_of
                known.add(item.edge)
            elif item.metapath is not None and all(hop.edge in known for hop in item.metapath.hops):
                self._metapaths[item.edge] = item.metapath
                known.add(item.edge)
        self.edge_types = (*view.edge_types, *self._inverse_of, *self._metapaths)
        self.node_types = view.node_types

    def _origin(self, place: Place) -> Place:
        return place if isinstance(place, str) else self._inverse_of.get(place, place)

    def keys(self, place: Place) -> tuple[str, ...]:
        if place in self._metapaths:
            return () if self._metapaths[place].multiplicity == "set" else (METAPATH_WEIGHT,)
        return self._view.keys(self._origin(place))

    def read(self, place: Place, key: str, index: Tensor | None = None) -> Any:
        if place not in self._metapaths:
            return self._view.read(self._origin(place), key, index)
        if index is not None and not index.numel():
            return torch.zeros(0)  # Of a relation that nobody follows: not worth composing.
        weight = self._compose(place)[1]
        return weight if weight is None or index is None else weight[index]

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        return describe_tensor(self.read(place, key)) if place in self._metapaths else self._view.describe(place, key)

    def count(self, place: Place) -> int | None:
        return self._compose(place)[0].size(1) if place in self._metapaths else self._view.count(self._origin(place))

    def connectivity(self, edge: EdgeKey) -> Any:
        if edge in self._metapaths:
            return self._compose(edge)[0]
        if edge in self._inverse_of:
            return self._view.connectivity(self._inverse_of[edge]).flip(0)
        return self._view.connectivity(edge)

    def _compose(self, edge: Place) -> tuple[Tensor, Tensor | None]:
        assert not isinstance(edge, str)
        if edge not in self._composed:
            self._composed[edge] = self._walk(self._metapaths[edge])
        return self._composed[edge]

    def _walk(self, path: Metapath) -> tuple[Tensor, Tensor | None]:
        hops, sizes = hops_and_sizes(path, self)
        prefix = self._prefix(path, hops, sizes) if path.sample is None else None
        return compose_named(NamedWalk.of(path), hops, sizes, prefix)

    def _prefix(self, path: Metapath, hops: list[Tensor], sizes: list[int]) -> Prefix | None:
        """The hops that another metapath begins with, too, composed once for both."""
        others = (other for other in self._metapaths.values() if other is not path and other.sample is None)
        length = max((_common(path.hops, other.hops) for other in others), default=0)
        length = min(length, len(path.hops) - 1)
        if length < 2:
            return None
        name = (path.source, path.hops[:length], path.multiplicity != "set")
        if name not in self._prefixes:
            made = compose_prefix(hops[:length], sizes[: length + 1], path.multiplicity != "set")
            self._prefixes[name] = made
        return self._prefixes[name]


def _common(first: tuple[MetapathHop, ...], second: tuple[MetapathHop, ...]) -> int:
    """How many hops two metapaths begin with together."""
    return next(
        (at for at, (one, two) in enumerate(zip(first, second, strict=False)) if one != two),
        min(len(first), len(second)),
    )


def hops_and_sizes(path: Metapath, view: GraphView) -> tuple[list[Tensor], list[int]]:
    """The edge index [2, edges] of each hop in walking direction, and the number of nodes at every stop."""
    return walk_and_sizes(path.source, path.hops, view)


def walk_and_sizes(source: str, path: Sequence[MetapathHop], view: GraphView) -> tuple[list[Tensor], list[int]]:
    """The same of hops that begin at a type."""
    hops, stops = [], [source]
    for hop in path:
        index = view.connectivity(hop.edge)
        hops.append(index.flip(0) if hop.backward else index)
        stops.append(hop.edge[0] if hop.backward else hop.edge[2])
    return hops, [view.count(stop) or 0 for stop in stops]


def weigh_candidates(view: GraphView, plan: Plan) -> dict[EdgeKey, HopCost]:
    """What the metapaths cost that a plan may go along hop by hop, those that the data does not hold itself.

    Args:
        view: the graph as stored.
        plan: the model's plan.

    Raises:
        SpecError: GNN606 when an index is out of range.
    """
    complete, candidates = with_derived(view, plan), hop_candidates(plan)
    paths = [item.metapath for item in plan.derived if item.metapath is not None and item.edge in candidates]
    return {
        path.key: weigh_named(NamedWalk.of(path), *hops_and_sizes(path, complete), candidates[path.key].served)
        for path in paths
        if path.key not in view.edge_types and path.key in complete.edge_types
    }


def along_hops(view: GraphView, plan: Plan) -> frozenset[EdgeKey]:
    """The metapaths that a plan goes along hop by hop on some data: see `weigh_candidates`."""
    return frozenset(edge for edge, cost in weigh_candidates(view, plan).items() if cost.pays)


def hops_of(plan: Plan, edges: Iterable[EdgeKey]) -> set[EdgeKey]:
    """The relations on the way of some metapaths."""
    wanted = set(edges)
    paths = [item.metapath for item in plan.derived if item.metapath is not None and item.edge in wanted]
    return {hop.edge for path in paths for hop in path.hops}


def materialize(view: GraphView, edges: tuple[EdgeKey, ...]) -> dict[EdgeKey, Tensor]:
    """The edge index of each relation that is there, int64 and contiguous, shape [2, E]."""
    return {edge: view.connectivity(edge).long().contiguous() for edge in edges if edge in view.edge_types}
