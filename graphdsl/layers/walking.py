"""Walks along metapaths, hop by hop: features are carried, and no metapath's graph is ever made."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from graphdsl.kernels import EntryList, KeptResults, SparseMatrix, as_wide, averaging, returning_share
from graphdsl.text import EdgeKey

Hop = tuple[EdgeKey, bool]
"""A relation, and whether it is walked from its targets to its sources."""


def stops_of(hops: Sequence[Hop]) -> list[str]:
    """Node types along a metapath, one more than hops.

    >>> writes = ("author", "writes", "paper")
    >>> stops_of([(writes, False), (writes, True)])
    ['author', 'paper', 'author']
    """
    (first, back), *_ = hops
    return [first[2] if back else first[0], *(edge[0] if back else edge[2] for edge, back in hops)]


class Walker:
    """Carries the features of each metapath's source to its target.

    At each hop every node takes the mean of those from which an edge comes, parallel edges counted each; a node without
    one gets zeros.

    Beginnings that several metapaths have in common are walked once. Where no feature needs a gradient, the results
    are kept while features and edges live and do not change.

    Args:
        paths: hops by metapath; the messages go from the source to the target.
    """

    def __init__(self, paths: Mapping[EdgeKey, Sequence[Hop]]) -> None:
        self.paths = {key: tuple(hops) for key, hops in paths.items()}
        self.relations = sorted({edge for hops in self.paths.values() for edge, _ in hops})
        self.sources = sorted({stops_of(hops)[0] for hops in self.paths.values()})
        self._kept = KeptResults()

    def __call__(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        num_nodes: Mapping[str, int] | None = None,
        wanted: Sequence[EdgeKey] | None = None,
    ) -> dict[EdgeKey, Tensor]:
        """Carry features.

        Args:
            x_dict: features [num_nodes, width] of the types where metapaths begin.
            edge_index_dict: [2, num_edges] of each relation on the way.
            num_nodes: numbers of nodes of types that `x_dict` lacks; without it a type ends with its largest index.
            wanted: some of the metapaths; all by default.

        Returns:
            [num_nodes of the target, width of the source] by metapath.
        """
        keys = [*self.paths] if wanted is None else [*wanted]
        if not keys:
            return {}
        sizes = self.sizes(x_dict, edge_index_dict, num_nodes)
        sources = sorted({stops_of(self.paths[key])[0] for key in keys})
        read = [x_dict[name] for name in sources]
        edges = [edge_index_dict[edge] for edge in self.relations]

        walk = partial(self._walk, keys, x_dict, edge_index_dict, sizes)
        if torch.is_grad_enabled() and any(x.requires_grad for x in read):
            return walk()
        return self._kept.fetch(("walked", *keys), [*read, *edges], [sizes[name] for name in sorted(sizes)], walk)

    def returning(
        self, key: EdgeKey, like: Tensor, edge_index_dict: Mapping[EdgeKey, Tensor], sizes: Mapping[str, int]
    ) -> Tensor:
        """The share of itself that each node gets back along a metapath that ends where it starts: [num_nodes].

        Args:
            key: the metapath.
            like: tells the type of numbers.
            edge_index_dict: as for a call.
            sizes: numbers of nodes of all types on the way.
        """
        hops = self.paths[key]
        stops = stops_of(hops)
        indices = [edge_index_dict[edge] for edge, _ in hops]

        def find() -> Tensor:
            steps = zip(hops, indices, stops, stops[1:], strict=False)
            means = [
                self._mean(edge, back, index, sizes[start], sizes[end], like)
                for (edge, back), index, start, end in steps
            ]
            return returning_share(means).to(as_wide(like.dtype))

        return self._kept.fetch(("returning", key, as_wide(like.dtype)), indices, [sizes[name] for name in stops], find)

    def sizes(
        self,
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        num_nodes: Mapping[str, int] | None,
    ) -> dict[str, int]:
        """Numbers of nodes of all types on the way."""
        given = {**(num_nodes or {}), **{name: x.size(0) for name, x in x_dict.items()}}
        stops = sorted({stop for hops in self.paths.values() for stop in stops_of(hops)})
        return {name: given[name] if name in given else self._largest(name, edge_index_dict) + 1 for name in stops}

    def _largest(self, name: str, edge_index_dict: Mapping[EdgeKey, Tensor]) -> int:
        """Largest index of a type in any relation; -1 if there is none."""
        touching = [edge for edge in self.relations if name in (edge[0], edge[2])]
        indices = [edge_index_dict[edge] for edge in touching]

        def find() -> int:
            rows = [
                index[row]
                for edge, index in zip(touching, indices, strict=True)
                for row in (0, 1)
                if edge[2 * row] == name
            ]
            return max((int(row.max()) for row in rows if row.numel()), default=-1)

        return self._kept.fetch(("largest", name), indices, (), find)

    def _walk(
        self,
        keys: Sequence[EdgeKey],
        x_dict: Mapping[str, Tensor],
        edge_index_dict: Mapping[EdgeKey, Tensor],
        sizes: Mapping[str, int],
    ) -> dict[EdgeKey, Tensor]:
        carried: dict[tuple[Hop, ...], Tensor] = {}
        for key in keys:
            hops = self.paths[key]
            stops = stops_of(hops)
            x = x_dict[stops[0]]
            for place, (edge, back) in enumerate(hops):
                begun = hops[: place + 1]
                if begun not in carried:
                    mean = self._mean(
                        edge, back, edge_index_dict[edge], sizes[stops[place]], sizes[stops[place + 1]], x
                    )
                    carried[begun] = mean @ x
                x = carried[begun]
        return {key: carried[self.paths[key]] for key in keys}

    def _mean(
        self, edge: EdgeKey, back: bool, index: Tensor, sources: int, targets: int, x: Tensor
    ) -> SparseMatrix | EntryList:
        dtype = as_wide(x.dtype)

        make = partial(_average, index, back, sources, targets, dtype)
        return self._kept.fetch(("mean", edge, back, dtype), [index], (sources, targets), make)


def _average(index: Tensor, back: bool, sources: int, targets: int, dtype: torch.dtype) -> SparseMatrix | EntryList:
    return averaging(index.flip(0) if back else index, sources, targets, dtype)
