"""Relations that the data does not hold: declared inverses are flipped, metapaths composed.

Training calls a model with the same graph hundreds of times, so results are kept as long as the tensors they were
made from live and do not change.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.kernels import KeptResults, NamedWalk, compose_named
from graphdsl.model import Metapath
from graphdsl.plan import Derived
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class Made:
    """A derived relation: its edge index [2, edges], and path weights [edges] of a `count` or `mean` metapath."""

    edge_index: Tensor
    weight: Tensor | None = None


class DerivationCache(KeptResults):
    """Derived relations of the graphs that are alive."""


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


def origins_of(item: Derived) -> tuple[EdgeKey, ...]:
    """The relations that a derived one is made from, each once."""
    if item.inverse_of is not None:
        return (item.inverse_of,)
    return tuple(dict.fromkeys(hop.edge for hop in item.metapath.hops)) if item.metapath else ()


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
    hops = [known[hop.edge].flip(0) if hop.backward else known[hop.edge] for hop in path.hops]
    sizes = [num_nodes.get(name, _largest(hops, place) + 1) for place, name in enumerate(_stops(path))]
    return Made(*compose_named(NamedWalk.of(path), hops, sizes))


def _largest(hops: Sequence[Tensor], place: int) -> int:
    """Largest index at one stop of a walk; -1 if there is none."""
    arriving = hops[place - 1 : place] if place else ()
    rows = [*(hop[1] for hop in arriving), *(hop[0] for hop in hops[place : place + 1])]
    return max((int(row.max()) for row in rows if row.numel()), default=-1)
