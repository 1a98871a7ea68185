"""Products along the hops of a metapath: what sums over its pairs give, without making the pairs.

The matrix of a metapath, which counts the paths between two nodes, is the product of those of its hops. So a sum over pairs,
each as often as there are paths, is one sum per hop, over as many edges as the hops have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from graphdsl.kernels.composition import Multiplicity, compose
from graphdsl.kernels.counting import profile_walk
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.layouts import Layout, lasting
from graphdsl.kernels.propagation import sparse_matrix
from graphdsl.kernels.returning import returning_share

_LEAST = 10_000
"""Fewer pairs cost nothing to speak of: they are composed."""
_MARGIN = {True: 1.5, False: 0.75}
"""How many times as many pairs there must be as edges and nodes on the way, with and without a kernel for sums over pairs."""
_UNCLEAR = 8
"""With so many times as many paths as pairs must be, it does not matter how many of them join the same nodes."""
_LOOKED_AT = 64
"""Sources whose pairs are made to estimate how many there are."""
_MOST = 1 << 20
"""Paths of these sources, so that looking stays cheap."""

Carried = dict[tuple[int, ...], tuple[Tensor, Tensor]]
"""What was carried along the first hops of metapaths: by the numbers of the rows where they began and of the layouts."""


@dataclass(frozen=True, slots=True)
class HopCost:
    """What a sum along a metapath costs in both ways.

    Attributes:
        steps: hop by hop: edges of all hops, and nodes that they lead to.
        pairs: about how many pairs composing makes, each of which a sum reads.
        exact: whether sums along the hops are those over pairs: always where paths count, else where no two paths join
            the same nodes.
        served: whether kernels serve sums over the pairs, too; else PyG's layer makes a row for each pair.
    """

    steps: int
    pairs: int
    exact: bool
    served: bool

    @property
    def pays(self) -> bool:
        """Whether to go hop by hop."""
        return self.exact and self.pairs >= self.least

    @property
    def least(self) -> float:
        """From how many pairs on going hop by hop pays."""
        return max(_LEAST, _MARGIN[self.served] * self.steps)


def weigh_hops(
    hops: Sequence[Tensor], sizes: Sequence[int], multiplicity: Multiplicity, served: bool = True
) -> HopCost:
    """Compare both ways; linear in edges.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.
        multiplicity: of the metapath.
        served: whether kernels serve sums over its pairs.

    Raises:
        ValueError: as for `compose`.

    >>> everyone = torch.stack([torch.arange(500), torch.zeros(500, dtype=torch.long)])
    >>> weigh_hops([everyone, everyone.flip(0)], [500, 1, 500], "count")
    HopCost(steps=1501, pairs=250000, exact=True, served=True)
    """
    most = profile_walk(hops, sizes).pairs
    steps = sum(hop.size(1) for hop in hops) + sum(sizes[1:])
    cost = HopCost(steps, most, True, served)
    if most < cost.least:
        return cost
    if multiplicity == "set" and not is_single(hops, sizes):
        return replace(cost, exact=False)
    unclear = multiplicity != "set" and most < _UNCLEAR * cost.least
    return replace(cost, pairs=_estimate_pairs(hops, sizes, most)) if unclear else cost


def is_single(hops: Sequence[Tensor], sizes: Sequence[int]) -> bool:
    """Whether it is plain from degrees that no two paths join the same nodes.

    So it is where one hop has no parallel edges, those before it lead from each node to one at most, and those after it to
    each node from one at most: then both ends of a path tell the whole of it.

    Args:
        hops: as for `compose`.
        sizes: as for `compose`.

    >>> topic = torch.tensor([[0, 1, 2], [0, 0, 1]])
    >>> is_single([topic, topic.flip(0)], [3, 2, 3]), is_single([topic.flip(0), topic], [2, 3, 2])
    (True, False)
    """
    one_on = [_most(hop[0], size) <= 1 for hop, size in zip(hops, sizes, strict=False)]
    one_back = [_most(hop[1], size) <= 1 for hop, size in zip(hops, sizes[1:], strict=True)]
    places = [at for at in range(len(hops)) if all(one_on[:at]) and all(one_back[at + 1 :])]
    return any(_is_simple(hops[at], sizes[at + 1]) for at in places)


def _most(ends: Tensor, size: int) -> int:
    """Edges of the node that has most."""
    return int(torch.bincount(ends, minlength=size).max()) if ends.numel() else 0


def _is_simple(hop: Tensor, targets: int) -> bool:
    """Whether no two edges are parallel."""
    return (hop[0].long() * targets + hop[1].long()).unique().numel() == hop.size(1)


def _estimate_pairs(hops: Sequence[Tensor], sizes: Sequence[int], most: int) -> int:
    """How many pairs there are, by those of some sources: many paths may join the same nodes."""
    begins = hops[0][0].unique()
    chosen = begins[:: max(1, begins.numel() // _LOOKED_AT)][:_LOOKED_AT]
    known = torch.zeros(sizes[0], dtype=torch.bool, device=begins.device)
    known[chosen] = True
    some = [hops[0][:, known[hops[0][0]]], *hops[1:]]
    profile = profile_walk(some, sizes)
    if not profile.pairs or profile.walks[-1] > _MOST:
        return most
    return round(most * compose(some, sizes)[0].size(1) / profile.pairs)


class HopProduct:
    """A metapath as a matrix [targets, sources] that is never made, only multiplied with.

    Attributes:
        layouts: of each hop, from the nodes before it to those after it.
        mean: whether the weights into each target sum to one, as of a `mean` metapath; otherwise paths are counted.
    """

    def __init__(self, layouts: Sequence[Layout], mean: bool) -> None:
        self.layouts = tuple(layouts)
        self.mean = mean

    @property
    def sources(self) -> int:
        """Number of nodes where the metapath begins."""
        return self.layouts[0].columns

    @property
    def targets(self) -> int:
        """Number of nodes where it ends."""
        return self.layouts[-1].rows

    @property
    def edges(self) -> int:
        """Edges of all hops."""
        return sum(layout.edges for layout in self.layouts)

    def walk(self, x: Tensor, carried: Carried | None = None) -> Tensor:
        """Sums over paths: what each path brings from its source to its target [targets, width].

        Args:
            x: [sources, width].
            carried: what other metapaths brought along the same first hops from the same `x`, which is added to.

        >>> hop = Layout.of(torch.tensor([0, 0]), torch.tensor([0, 1]), 1, 2)
        >>> HopProduct([hop, hop.back], mean=False).walk(torch.tensor([[1.0], [2.0]]))
        tensor([[3.],
                [3.]])
        """
        made, key = x, (id(x),)
        for layout in self.layouts:
            key = (*key, id(layout))
            if carried is not None and key in carried:
                made = carried[key][1]
                continue
            made = gather_sum(layout, made)
            if carried is not None:
                carried[key] = x, made  # With `x`, so that no other tensor gets its number meanwhile.
        return made

    def sum(self, x: Tensor, carried: Carried | None = None) -> Tensor:
        """Sums over pairs with their weights [targets, width]; arguments as of `walk`."""
        return self.average(x, carried) if self.mean else self.walk(x, carried)

    def average(self, x: Tensor, carried: Carried | None = None) -> Tensor:
        """Averages over paths [targets, width], zero where none ends; arguments as of `walk`."""
        return self.walk(x, carried) * self._share.to(x.dtype).unsqueeze(1)

    @cached_property
    @lasting
    def arrivals(self) -> Tensor:
        """Paths that end in each target [targets], double."""
        first = self.layouts[0]
        return self.walk(torch.ones(first.columns, 1, dtype=torch.float64, device=first.column.device)).squeeze(1)

    @cached_property
    @lasting
    def _share(self) -> Tensor:
        return self.arrivals.reciprocal().masked_fill(self.arrivals == 0, 0.0)

    @cached_property
    @lasting
    def degree(self) -> Tensor:
        """Sum of the weights into each target [targets], double."""
        return (self.arrivals > 0).double() if self.mean else self.arrivals

    @cached_property
    @lasting
    def returns(self) -> Tensor:
        """Whether a path leads from each node back to it, where both ends are of one type [targets]."""
        half = len(self.layouts) // 2
        pairs = zip(self.layouts[:half], reversed(self.layouts), strict=False)
        if 2 * half == len(self.layouts) and all(one is two.back or two is one.back for one, two in pairs):
            # There and back the same way: whoever can be reached from the middle gets there, too.
            return HopProduct(self.layouts[half:], mean=False).arrivals > 0
        matrices = [
            sparse_matrix(
                layout.row.long(),
                layout.column.long(),
                torch.ones(layout.edges, dtype=torch.float64, device=layout.column.device),
                (layout.rows, layout.columns),
            )
            for layout in self.layouts
        ]
        return returning_share(matrices) > 0


class NormalizedHops:
    """The symmetric normalization of GCN, of a metapath whose ends are of one type, as PyG's `gcn_norm` gives it.

    Args:
        product: the metapath.
        loop: weight of a self-loop of each node that no path leads back to; None for no self-loops.
    """

    def __init__(self, product: HopProduct, loop: float | None) -> None:
        self.product = product
        own = None if loop is None else (~product.returns).double() * loop
        degree = product.degree if own is None else product.degree + own
        self._root = degree.rsqrt().masked_fill(degree == 0, 0.0)
        self._own = own

    def sum(self, x: Tensor) -> Tensor:
        """Sums with normalized weights [nodes, width] of `x` [nodes, width]."""
        root = self._root.to(x.dtype).unsqueeze(1)
        scaled = x * root
        made = self.product.sum(scaled)
        if self._own is not None:
            made = made + self._own.to(x.dtype).unsqueeze(1) * scaled
        return made * root
