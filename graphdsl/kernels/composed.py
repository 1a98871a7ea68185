"""Composed relations by the fingerprint of the edges that they are made from.

The same metapaths of the same graph are asked for by training, evaluation, prediction and baselines, each with tensors of its
own; what was composed last is kept as long as there is room.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.kernels.composition import BudgetExceeded, Multiplicity, Prefix, compose
from graphdsl.kernels.counting import count_walks
from graphdsl.kernels.sweeping import pair_digest

ROOM = 1 << 25
"""Edges that are kept, of all results together: half a gigabyte."""
_LEAST = 1 << 13


@dataclass(frozen=True, slots=True)
class _Composed:
    edge_index: Tensor
    weight: Tensor | None
    versions: tuple[int, ...]

    @property
    def unchanged(self) -> bool:
        """Whether nobody has written into what was handed out."""
        return self.versions == _versions(self.edge_index, self.weight)


_kept: OrderedDict[Hashable, _Composed] = OrderedDict()


def compose_kept(
    hops: Sequence[Tensor],
    sizes: Sequence[int],
    multiplicity: Multiplicity = "set",
    budget: int | None = None,
    *,
    sample: int | None = None,
    seed: int = 0,
    prefix: Prefix | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Compose as `compose` does, or find what was composed from the same edges before.

    The order of edges decides nothing, so it is not part of the fingerprint. Small relations, as mini-batches have them, are
    composed each time.
    """
    edges = sum(hop.size(1) for hop in hops)
    if edges < _LEAST or torch.compiler.is_compiling():
        return compose(hops, sizes, multiplicity, budget, sample=sample, seed=seed, prefix=prefix)
    name = fingerprint(hops, sizes, multiplicity, sample, seed)
    found = _kept.get(name)
    if found is None or not found.unchanged:
        edge_index, weight = compose(hops, sizes, multiplicity, budget, sample=sample, seed=seed, prefix=prefix)
        found = _Composed(edge_index, weight, _versions(edge_index, weight))
        _keep(name, found)
    if name in _kept:
        _kept.move_to_end(name)
    pairs = found.edge_index.size(1)
    if budget is not None and pairs > budget:
        walks = count_walks(hops, sizes)
        raise BudgetExceeded(budget, pairs, walks[-1], walks)
    return found.edge_index, found.weight


def fingerprint(
    hops: Sequence[Tensor], sizes: Sequence[int], multiplicity: Multiplicity, sample: int | None, seed: int
) -> Hashable:
    """What decides the result: the pairs of each hop as a multiset, the sizes, the meaning, device and dtype."""
    place = (str(hops[0].device), torch.get_default_dtype())
    return (tuple(pair_digest(hop) for hop in hops), tuple(sizes), multiplicity, sample, seed, place)


def _keep(name: Hashable, found: _Composed) -> None:
    if found.edge_index.size(1) > ROOM:
        return
    _kept[name] = found
    while sum(item.edge_index.size(1) for item in _kept.values()) > ROOM:
        _kept.popitem(last=False)


def _versions(edge_index: Tensor, weight: Tensor | None) -> tuple[int, ...]:
    if edge_index.is_inference():
        return (-1,)
    return (edge_index._version, 0 if weight is None else weight._version)
