"""Relations that the data does not hold: declared inverses are flipped, metapaths composed.

Training calls a model with the same graph hundreds of times, so results are kept as long as the tensors they were
made from live and do not change.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels import HopCost, HopProduct, KeptResults, NamedWalk, compose_named, weigh_named
from graphdsl.kernels.layouts import Layout
from graphdsl.model import Metapath
from graphdsl.plan import Derived, Plan
from graphdsl.plan.bindings import METAPATH_WEIGHT
from graphdsl.plan.hopping import PathUse
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class Made:
    """A derived relation: its edge index [2, edges], and path weights [edges] of a `count` or `mean` metapath."""

    edge_index: Tensor
    weight: Tensor | None = None


class DerivationCache(KeptResults):
    """Derived relations of the graphs that are alive."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A metapath of a graph, which nobody has composed yet: perhaps nobody needs to.

    Attributes:
        item: how to make it.
        known: edge index [2, edges] of the relations on its way.
        num_nodes: number of nodes by type, as far as they are known.
        cache: keeps results between calls.
        served: whether kernels serve sums over its pairs.
    """

    item: Derived
    known: Mapping[EdgeKey, Tensor]
    num_nodes: Mapping[str, int]
    cache: DerivationCache
    served: bool

    def compose(self) -> Made:
        """Its pairs; `SpecError` as of `derive_relations`."""
        with torch.inference_mode(False):
            return _make(self.item, self.known, self.num_nodes, self.cache)

    @property
    def device(self) -> torch.device:
        """Where the edges on its way are."""
        return self.known[origins_of(self.item)[0]].device

    def cost(self) -> HopCost:
        """What it costs to go along its hops, and to compose it."""
        return self._keep("cost", lambda: weigh_named(NamedWalk.of(self._path), *self._walk(), self.served))

    def product(self) -> HopProduct:
        """Its hops as a product of matrices; equal hops of several metapaths are laid out once."""
        return self._keep("product", self._lay_out)

    @property
    def _path(self) -> Metapath:
        assert self.item.metapath is not None
        return self.item.metapath

    def _walk(self) -> tuple[list[Tensor], list[int]]:
        return _hops_and_sizes(self._path, self.known, self.num_nodes)

    def _keep(self, name: str, make: Callable[[], Any]) -> Any:
        origins = [self.known[edge] for edge in origins_of(self.item)]
        given = [self.num_nodes.get(stop, -1) for stop in _stops(self._path)]
        return self.cache.fetch((name, self.item.edge), origins, given, make)

    def _lay_out(self) -> HopProduct:
        _, sizes = self._walk()
        layouts: list[Layout] = []
        for place, hop in enumerate(self._path.hops):
            index = self.known[hop.edge]
            ends = (sizes[place + 1], sizes[place]) if hop.backward else (sizes[place], sizes[place + 1])
            there = self.cache.fetch(("hop", *ends), [index], (), lambda index=index, ends=ends: _along(index, *ends))
            layouts.append(there.back if hop.backward else there)
        return HopProduct(layouts, self._path.multiplicity == "mean")


def _along(index: Tensor, sources: int, targets: int) -> Layout:
    """The edges of a relation, from its sources to its targets."""
    return Layout.of(index[1].long(), index[0].long(), targets, sources)


def derive_relations(
    derived: Iterable[Derived],
    edge_index_dict: Mapping[EdgeKey, Tensor],
    num_nodes: Mapping[str, int],
    cache: DerivationCache | None = None,
) -> dict[EdgeKey, Tensor]:
    """Add inverses and metapaths that the graph does not hold itself.

    Args:
        derived: how to make each, in an order in which each needs only earlier ones.
        edge_index_dict: edge index [2, edges] of the relations that the graph holds.
        num_nodes: number of nodes by type; a type that is missing is taken to end with its largest index.
        cache: keeps results between calls.

    Returns:
        The relations given and those derived from them. What cannot be derived, because an origin is missing too, is
        left out.

    Raises:
        SpecError: GNN402 when a metapath exceeds its budget, GNN606 when an index is out of range.

    >>> writes, written_by = ("author", "writes", "paper"), ("paper", "written_by", "author")
    >>> index = torch.tensor([[0, 1], [2, 2]])
    >>> derive_relations([Derived(written_by, inverse_of=writes)], {writes: index}, {})[written_by]
    tensor([[2, 2],
            [0, 1]])
    """
    made = make_relations(derived, edge_index_dict, num_nodes, cache)
    return {**edge_index_dict, **{edge: item.edge_index for edge, item in made.items()}}


def make_relations(
    derived: Iterable[Derived],
    edge_index_dict: Mapping[EdgeKey, Tensor],
    num_nodes: Mapping[str, int],
    cache: DerivationCache | None = None,
) -> dict[EdgeKey, Made]:
    """The relations that `derive_relations` adds, with the path weights of metapaths."""
    known = dict(edge_index_dict)
    cache = cache if cache is not None else DerivationCache()
    result: dict[EdgeKey, Made] = {}
    for item in derived:
        if item.edge in known or any(edge not in known for edge in origins_of(item)):
            continue
        # A result made inside `torch.inference_mode` could never take part in training afterwards.
        with torch.inference_mode(False):
            result[item.edge] = _make(item, known, num_nodes, cache)
        known[item.edge] = result[item.edge].edge_index
    return result


def with_pairs(plan: Plan, inputs: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    """What a model is called with, and the pairs of all metapaths that it reads.

    Args:
        plan: of the model.
        inputs: what it is called with.
        names: keywords of the further dictionaries that it reads.

    Raises:
        SpecError: as `derive_relations`.
    """
    edges: Mapping[EdgeKey, Tensor] = inputs["edge_index_dict"]
    values = {**inputs.get("n_id_dict", {}), **inputs["x_dict"]}
    paths = {item.edge for item in plan.derived if item.metapath is not None}.intersection(plan.relations)
    needed = needed_derivations(plan.derived, paths, edges)
    made = make_relations(needed, edges, {name: value.size(0) for name, value in values.items()})
    given: dict[str, Any] = {**inputs, "edge_index_dict": {**edges}}
    for edge in paths.intersection(made):
        given["edge_index_dict"][edge] = made[edge].edge_index
        if (weight := made[edge].weight) is not None and (keyword := f"{METAPATH_WEIGHT}_dict") in names:
            given[keyword] = {edge: weight, **given.get(keyword, {})}
    return given


def origins_of(item: Derived) -> tuple[EdgeKey, ...]:
    """The relations that a derived one is made from, each once."""
    if item.inverse_of is not None:
        return (item.inverse_of,)
    return tuple(dict.fromkeys(hop.edge for hop in item.metapath.hops)) if item.metapath else ()


def pending_paths(
    derived: Iterable[Derived],
    left: Mapping[EdgeKey, PathUse],
    known: Mapping[EdgeKey, Tensor],
    num_nodes: Mapping[str, int],
    cache: DerivationCache,
) -> dict[EdgeKey, Pending]:
    """Of the metapaths in `left` those that could be made: see `make_relations` for the arguments."""
    return {
        item.edge: Pending(item, known, num_nodes, cache, left[item.edge].served)
        for item in derived
        if item.edge in left and item.edge not in known and all(edge in known for edge in origins_of(item))
    }


def needed_derivations(
    derived: Iterable[Derived], wanted: Iterable[EdgeKey], given: Container[EdgeKey]
) -> tuple[Derived, ...]:
    """Those of `derived` that the relations in `wanted` need when some are given, in the same order."""
    needed = set(wanted)
    kept: list[Derived] = []
    for item in reversed(tuple(derived)):
        if item.edge in needed and item.edge not in given:
            needed.update(origins_of(item))
            kept.append(item)
    return tuple(reversed(kept))


def _make(item: Derived, known: Mapping[EdgeKey, Tensor], num_nodes: Mapping[str, int], cache: DerivationCache) -> Made:
    origins = [known[edge] for edge in origins_of(item)]
    path = item.metapath
    if path is None:
        return cache.fetch(item.edge, origins, (), lambda: Made(origins[0].flip(0)))
    # Sizes that come from indices follow from the origins; only those that are given must be compared.
    given = [num_nodes.get(name, -1) for name in _stops(path)]
    return cache.fetch(item.edge, origins, given, lambda: _compose(path, known, num_nodes))


def _stops(path: Metapath) -> tuple[str, ...]:
    """Node types along a metapath."""
    return (path.source, *(hop.edge[0] if hop.backward else hop.edge[2] for hop in path.hops))


def _compose(path: Metapath, known: Mapping[EdgeKey, Tensor], num_nodes: Mapping[str, int]) -> Made:
    return Made(*compose_named(NamedWalk.of(path), *_hops_and_sizes(path, known, num_nodes)))


def _hops_and_sizes(
    path: Metapath, known: Mapping[EdgeKey, Tensor], num_nodes: Mapping[str, int]
) -> tuple[list[Tensor], list[int]]:
    """The edge index of each hop in walking direction, and the number of nodes at every stop."""
    hops = [known[hop.edge].flip(0) if hop.backward else known[hop.edge] for hop in path.hops]
    return hops, [num_nodes.get(name, _largest(hops, place) + 1) for place, name in enumerate(_stops(path))]


def _largest(hops: Sequence[Tensor], place: int) -> int:
    """Largest index at one stop of a walk; -1 if there is none."""
    arriving = hops[place - 1 : place] if place else ()
    rows = [*(hop[1] for hop in arriving), *(hop[0] for hop in hops[place : place + 1])]
    return max((int(row.max()) for row in rows if row.numel()), default=-1)
