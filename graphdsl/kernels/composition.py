"""Composition of relations along a metapath.

The composed relation joins *u* to *v* when at least one path of the metapath leads from *u* to *v*. Relations may be
multigraphs: parallel edges make several path instances but one pair. The walk goes hop by hop from all sources at
once; after each hop, equal (source, node) pairs are merged, so no step is larger than (pairs so far) × degree, and it
is cut into pieces by source, so memory stays within the result plus one piece. Before that, neighbouring hops that
are no larger together than apart become one: `author-paper-venue-paper-author` is walked as `author-venue-author`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from graphdsl.kernels.counting import check_walk, count_arrivals, count_walks
from graphdsl.kernels.merging import NARROW, Packed
from graphdsl.kernels.stepping import Edges, extend_pairs, sort_edges
from graphdsl.kernels.sweeping import mix_bits

Multiplicity = Literal["set", "count", "mean"]
CACHED = 1 << 16
"""Path extensions that a CPU makes at once, unless a single source has more: they fit into the cache of a core."""
PIECE = 1 << 22
"""The same elsewhere."""
_DENSE = 4
GROWTH = 4
"""A prefix that several walks share is composed by itself if it is not that much larger than its hops."""


class BudgetExceeded(ValueError):
    """The composed relation would have more edges than allowed.

    Attributes:
        budget: most edges allowed.
        pairs: distinct pairs found when composition stopped (more may exist).
        instances: exact number of path instances, an upper bound of the number of pairs.
        walks: number of walks after each hop; the last is `instances`.
    """

    def __init__(self, budget: int, pairs: int, instances: int, walks: tuple[int, ...] = ()) -> None:
        self.budget, self.pairs, self.instances, self.walks = budget, pairs, instances, walks
        super().__init__(
            f"the composed relation has more than {budget:,} edges (got {pairs:,} before stopping, "
            f"of {instances:,} path instances)"
        )

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self.budget, self.pairs, self.instances, self.walks)


@dataclass(frozen=True, slots=True)
class _Hop:
    """One relation by source: parallel edges merged, targets sorted within each source; on a CPU also for NumPy."""

    pointer: Tensor  # [sources + 1]
    source: Tensor  # [pairs]
    target: Tensor  # [pairs]
    count: Tensor | None  # [pairs] float64: parallel edges; None when they do not matter
    targets: int
    edges: Edges | None


@dataclass(frozen=True, slots=True)
class _Walks:
    """Where walks from each source have arrived: distinct (source, node) pairs, sorted."""

    source: Tensor
    node: Tensor
    count: Tensor | None

    def __len__(self) -> int:
        return self.node.numel()

    def part(self, start: int, end: int) -> "_Walks":
        """The pairs from `start` up to `end`."""
        count = None if self.count is None else self.count[start:end]
        return _Walks(self.source[start:end], self.node[start:end], count)


def compose(
    hops: Sequence[Tensor],
    sizes: Sequence[int],
    multiplicity: Multiplicity = "set",
    budget: int | None = None,
    piece: int | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
    prefix: "Prefix | None" = None,
) -> tuple[Tensor, Tensor | None]:
    """Compose relations along a metapath.

    Args:
        hops: one edge index [2, edges] per hop, row 0 where the walk comes from and row 1 where it goes to: flip a
            relation that is walked backwards. Parallel edges are allowed.
        sizes: number of nodes at each stop of the walk, one more than hops.
        multiplicity: "set": distinct pairs, no weights. "count": weights are numbers of path instances, parallel edges
            included (exact up to 2^24 in float32). "mean": counts divided so that the weights into each destination
            sum to 1.
        budget: most edges of the result.
        piece: path extensions that are made at once; bounds memory, never changes the result. None: what suits the device.
        sample: keep at most so many pairs of each destination, drawn uniformly from its distinct pairs.
        seed: decides which are drawn: the same on every machine, however the work is cut.
        prefix: the first hops, composed before by `compose_prefix` with the same hops; saves making them again.

    Returns:
        The edge index [2, pairs], sorted by source and then destination, and weights [pairs] of the default dtype, or
        None for "set".

    Raises:
        BudgetExceeded: a `ValueError` that carries the numbers, as soon as more than `budget` pairs are found.
        ValueError: the arguments do not fit each other, or an index lies outside its size.

    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> compose([writes, writes.flip(0)], [2, 2, 2], "count")
    (tensor([[0, 0, 1, 1],
            [0, 1, 0, 1]]), tensor([2., 1., 1., 1.]))
    """
    check_walk(hops, sizes)
    if sample is None:
        layouts = _lay_out_all(hops, sizes, multiplicity != "set", prefix)
    else:  # From the destinations back, so that all pairs of one are made at once.
        layouts = _lay_out_all([hop.flip(0) for hop in reversed(hops)], sizes[::-1], multiplicity != "set", None)
    parts, pairs = list[_Walks | Packed](), 0
    for part in _walk(layouts, piece or (CACHED if hops[0].device.type == "cpu" else PIECE)):
        kept = part if sample is None else _draw(_unpack(part), sample, seed)
        pairs += len(kept)
        if budget is not None and pairs > budget:
            walks = count_walks(hops, sizes)
            raise BudgetExceeded(budget, pairs, walks[-1], walks)
        parts.append(kept)
    return _finish(parts, hops, sizes, multiplicity, turned=sample is not None)


def _finish(
    parts: "Sequence[_Walks | Packed]",
    hops: Sequence[Tensor],
    sizes: Sequence[int],
    multiplicity: Multiplicity,
    turned: bool,
) -> tuple[Tensor, Tensor | None]:
    """The result of all pieces; `turned`: made from the destinations back, and not all pairs."""
    total = count_arrivals(hops, sizes) if multiplicity == "mean" and not turned else None
    direct = (
        torch.get_default_dtype() == torch.float32 and not turned and (multiplicity == "count" or total is not None)
    )
    edge_index, weight = _join(parts, np.float32 if direct else np.float64, total)
    if turned:
        edge_index, weight = _turn_around(edge_index, weight)
    if multiplicity == "mean" and total is None and weight is not None:
        weight = _share_of_all(edge_index, weight, sizes[-1])
    return edge_index, None if weight is None else weight.to(torch.get_default_dtype())


def _share_of_all(edge_index: Tensor, weight: Tensor, targets: int) -> Tensor:
    """Weights divided by the sum of those of their destination."""
    return weight / weight.new_zeros(targets).index_add_(0, edge_index[1], weight)[edge_index[1]]


def _walk(layouts: list[_Hop], piece: int) -> "Iterator[_Walks | Packed]":
    """All distinct pairs of a walk, piece by piece, in the order of their sources."""
    first, *rest = _contract(layouts)
    return _extend(_Walks(first.source, first.target, first.count), rest, piece)


def _join(
    parts: "Sequence[_Walks | Packed]", kind: type[np.floating[Any]] = np.float64, total: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Pieces side by side: the edge index [2, pairs] and, if they are counted, paths, or shares of each node's `total`."""
    walks = [part for part in parts if isinstance(part, _Walks)]
    if walks:
        counts = [part.count for part in walks if part.count is not None]
        edge_index = torch.stack([torch.cat([part.source for part in walks]), torch.cat([part.node for part in walks])])
        weight = torch.cat(counts) if counts else None
        return edge_index, weight if weight is None or total is None else weight / total[edge_index[1]]
    packed = [part for part in parts if isinstance(part, Packed)]
    pairs = np.empty((2, sum(map(len, packed))), np.int64)
    counts = np.empty(pairs.shape[1], kind) if packed[0].count is not None else None
    done = 0
    for part in packed:
        weights = None if counts is None else counts[done : done + len(part)]
        part.fill(pairs[:, done : done + len(part)], weights, None if total is None else total.numpy())
        done += len(part)
    return torch.from_numpy(pairs), None if counts is None else torch.from_numpy(counts)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first hops of a walk, composed; for the walks that begin with them.

    Attributes:
        hops: how many.
        layout: their distinct pairs, by source.
    """

    hops: int
    layout: _Hop


def compose_prefix(hops: Sequence[Tensor], sizes: Sequence[int], counted: bool) -> Prefix | None:
    """Compose hops that several walks begin with, if that makes no more pairs than `GROWTH` times what they have.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.
        counted: whether the numbers of paths are needed ("count" and "mean").
    """
    check_walk(hops, sizes)
    layouts = _lay_out_all(hops, sizes, counted, None)
    made = layouts[0]
    for layout in layouts[1:]:
        if _extensions(made, layout) > GROWTH * (made.target.numel() + layout.target.numel()):
            return None
        made = _as_hop(_whole(made, layout), sizes[0], layout.targets)
    return Prefix(len(hops), made)


def _lay_out_all(hops: Sequence[Tensor], sizes: Sequence[int], counted: bool, prefix: Prefix | None) -> list[_Hop]:
    done = prefix.hops if prefix is not None else 0
    rest = [_lay_out(hop, sizes[i], sizes[i + 1], counted) for i, hop in enumerate(hops) if i >= done]
    return rest if prefix is None else [prefix.layout, *rest]


def _draw(walks: _Walks, most: int, seed: int) -> _Walks:
    """At most so many of the pairs of each source; all pairs of a source are there.

    Each pair gets a number that only it and the seed decide; those with the smallest are kept, in their order.
    """
    source, first, count = torch.unique_consecutive(walks.source, return_inverse=True, return_counts=True)
    if not source.numel() or int(count.max()) <= most:
        return walks
    order = torch.argsort(mix_bits((walks.source << 32) + walks.node + (seed << 17) + seed + 1))
    order = order[torch.argsort(first[order], stable=True)]
    rank = torch.arange(len(order), device=order.device) - (count.cumsum(0) - count)[first[order]]
    kept = order[rank < most].sort().values
    return _Walks(walks.source[kept], walks.node[kept], None if walks.count is None else walks.count[kept])


def _turn_around(edge_index: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Pairs of (destination, source) as (source, destination), sorted."""
    turned = edge_index.flip(0)
    order = torch.argsort(turned[0], stable=True)  # Destinations rise already.
    return turned[:, order], None if weight is None else weight[order]


def _lay_out(hop: Tensor, sources: int, targets: int, counted: bool) -> _Hop:
    """Sort a relation by source and merge its parallel edges."""
    if hop.device.type == "cpu":
        source, target, many = sort_edges(hop[0].numpy(), hop[1].numpy(), sources, targets)
        walks = _Walks(torch.from_numpy(source), torch.from_numpy(target), None)
        if counted:
            count = torch.ones(len(walks), dtype=torch.double) if many is None else torch.from_numpy(many)
            walks = _Walks(walks.source, walks.node, count)
        return _as_hop(walks, sources, targets)
    key = hop[0].long() * targets + hop[1].long()
    key, repeated = torch.unique_consecutive(torch.sort(key).values, return_counts=True)
    return _as_hop(_Walks(*_split(key, targets), repeated.double() if counted else None), sources, targets)


def _as_hop(walks: "_Walks", sources: int, targets: int) -> _Hop:
    """Distinct sorted pairs as one relation."""
    pointer = torch.zeros(sources + 1, dtype=torch.long, device=walks.source.device)
    pointer[1:] = torch.bincount(walks.source, minlength=sources).cumsum(0)
    edges = None
    if walks.source.device.type == "cpu":
        target = walks.node.numpy().astype(np.uint32) if targets < NARROW else walks.node.numpy()
        count = None if walks.count is None else walks.count.numpy()
        edges = Edges(pointer.numpy(), target, count, targets, count is not None and bool((count == 1).all()))
    return _Hop(pointer, walks.source, walks.node, walks.count, targets, edges)


def _contract(hops: list[_Hop]) -> list[_Hop]:
    """Compose neighbouring hops while that makes no more pairs than the two have: fewer and shorter steps remain."""
    while len(hops) > 2:
        growth = [_extensions(one, two) - one.target.numel() - two.target.numel() for one, two in pairwise(hops)]
        place = min(range(len(growth)), key=growth.__getitem__)
        if growth[place] > 0:
            break
        one, two = hops[place : place + 2]
        made = _as_hop(_whole(one, two), one.pointer.numel() - 1, two.targets)
        hops = [*hops[:place], made, *hops[place + 2 :]]
    return hops


def _extensions(one: _Hop, two: _Hop) -> int:
    """Pairs of `one` extended by each pair of `two` that goes on from there."""
    return int((two.pointer[one.target + 1] - two.pointer[one.target]).sum())


def _split(key: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Source and node of a key `source * size + node`."""
    source = torch.div(key, max(size, 1), rounding_mode="floor")
    return source, key - source * size


def _extend(walks: _Walks, hops: Sequence[_Hop], piece: int) -> "Iterator[_Walks | Packed]":
    """Walk the remaining hops, depth first, piece by piece; results come in the order of their sources."""
    if not hops:
        yield walks
        return
    first, *rest = hops
    for part in _steps(walks, first, piece):
        if rest:
            yield from _extend(_unpack(part), rest, piece)
        else:
            yield part


def _steps(walks: _Walks, hop: _Hop, piece: int) -> "Iterator[_Walks | Packed]":
    """Extend every walk by one hop and merge equal pairs, piece by piece."""
    if not len(walks):
        yield walks
    elif hop.edges is not None:
        count = None if walks.count is None else walks.count.numpy()
        yield from extend_pairs(walks.source.numpy(), walks.node.numpy(), count, hop.edges, piece)
    else:
        for part in _pieces(walks, hop, piece):
            yield _step(part, hop)


def _whole(one: _Hop, two: _Hop) -> _Walks:
    """Two hops as one, small enough to be there at once."""
    made = _join(
        list(_steps(_Walks(one.source, one.target, one.count), two, CACHED if one.edges is not None else PIECE))
    )
    return _Walks(made[0][0], made[0][1], made[1])


def _unpack(walks: "_Walks | Packed") -> _Walks:
    if isinstance(walks, _Walks):
        return walks
    edge_index, count = _join([walks])
    return _Walks(edge_index[0], edge_index[1], count)


def _pieces(walks: _Walks, hop: _Hop, piece: int) -> Iterator[_Walks]:
    """Cut walks between sources so that each piece has about `piece` extensions, or belongs to one source."""
    degree = hop.pointer[walks.node + 1] - hop.pointer[walks.node]
    before = degree.cumsum(0) - degree
    opens = torch.ones_like(walks.source, dtype=torch.bool)
    opens[1:] = walks.source[1:] != walks.source[:-1]
    first = opens.nonzero().squeeze(1)
    bucket = torch.div(before[first], piece, rounding_mode="floor")
    changes = torch.ones_like(bucket, dtype=torch.bool)
    changes[1:] = bucket[1:] != bucket[:-1]
    bounds = [*first[changes].tolist(), walks.node.numel()]
    for start, end in pairwise(bounds):
        yield walks.part(start, end)


def _step(walks: _Walks, hop: _Hop) -> _Walks:
    """Extend every walk by one hop and merge equal pairs."""
    start = hop.pointer[walks.node]
    degree = hop.pointer[walks.node + 1] - start
    origin = torch.repeat_interleave(degree)
    position = torch.arange(origin.numel(), device=origin.device) + (start - degree.cumsum(0) + degree)[origin]
    lowest = walks.source[0]
    key = (walks.source[origin] - lowest) * hop.targets + hop.target[position]
    count = None
    if walks.count is not None and hop.count is not None:
        count = walks.count[origin] * hop.count[position]
    rows = int(walks.source[-1] - lowest) + 1
    key, count = _merge(key, count, rows * hop.targets)
    source, node = _split(key, hop.targets)
    return _Walks(source + lowest, node, count)


def _merge(key: Tensor, count: Tensor | None, cells: int) -> tuple[Tensor, Tensor | None]:
    """Distinct keys below `cells`, sorted, and the sums of their counts."""
    if count is None:
        return torch.unique_consecutive(torch.sort(key).values), None
    if cells <= _DENSE * key.numel():  # A table of all keys is smaller than the work of sorting.
        table = count.new_zeros(cells).index_add_(0, key, count)
        found = table.nonzero().squeeze(1)
        return found, table[found]
    key, order = torch.sort(key)
    distinct, place = torch.unique_consecutive(key, return_inverse=True)
    return distinct, count.new_zeros(distinct.numel()).index_add_(0, place, count[order])
