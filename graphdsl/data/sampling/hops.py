"""Walking from seeds into the graph, hop by hop, each hop a handful of array operations over all relations at once.

A hop follows, from the nodes that the hop before added and from no others, the relations that its fanout names, chooses
edges in each row, and adds the sources that the batch does not have yet. A node counts once for each *tree*: all seeds
share one tree, or each seed grows its own (disjoint sampling).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from graphdsl.data.sampling.choose import choose_positions, concat_ranges
from graphdsl.data.sampling.layout import Layout
from graphdsl.data.sampling.times import Times
from graphdsl.kernels.sorting import sort_with_places

Int64s: TypeAlias = npt.NDArray[np.int64]
Strategy: TypeAlias = Literal["uniform", "last"]


@dataclass(frozen=True)
class Rules:
    """How to sample.

    Attributes:
        fanout: edges per row, -1 for all, 0 for none, shape `[hops, relations]`.
        replace: whether an edge may be chosen more than once for the same node.
        disjoint: whether each seed grows its own tree.
        strategy: of the edges visible in time, choose "uniform"-ly or the "last" ones.
        strictly_before: whether what happens at the very time of the seed is hidden from it.
    """

    fanout: Int64s
    replace: bool = False
    disjoint: bool = False
    strategy: Strategy = "uniform"
    strictly_before: bool = False


@dataclass(frozen=True)
class Nodes:
    """Nodes that the seeds or one hop add, type after type.

    Attributes:
        number: node in the layout's common numbering, shape `[n]`.
        local: position among all sampled nodes of its type, shape `[n]`.
        tree: seed whose tree the node belongs to, all 0 where seeds share one, shape `[n]`.
        bounds: where each type begins, and `n`, shape `[types + 1]`.
    """

    number: Int64s
    local: Int64s
    tree: Int64s
    bounds: Int64s


@dataclass(frozen=True)
class Edges:
    """Edges that one hop adds, relation after relation, in each sorted by destination.

    Attributes:
        source: position of the source among the sampled nodes of its type, shape `[e]`.
        destination: the same for the destination, shape `[e]`.
        edge: position in the relation's `edge_index`, shape `[e]`.
        bounds: where each relation begins, and `e`, shape `[relations + 1]`.
    """

    source: Int64s
    destination: Int64s
    edge: Int64s
    bounds: Int64s


def place_seeds(layout: Layout, seeds: Mapping[str, Int64s], disjoint: bool) -> Nodes:
    """Turn seeds, given by type and node index, into the nodes that the walk starts from; duplicates stay.

    Trees are numbered over all types in the order of `seeds`.
    """
    size = {name: len(seeds.get(name, ())) for name in layout.node_types}
    first_tree = dict(zip(seeds, np.cumsum([0, *map(len, seeds.values())]), strict=False))
    begin = dict(zip(layout.node_types, layout.first_node, strict=False))
    empty = [np.empty(0, np.int64)]
    here = [name for name in layout.node_types if size[name]]
    tree = np.concatenate(empty + [first_tree[name] + np.arange(size[name]) for name in here])
    return Nodes(
        number=np.concatenate(empty + [begin[name] + seeds[name] for name in here]),
        local=np.concatenate(empty + [np.arange(size[name]) for name in here]),
        tree=tree if disjoint else np.zeros_like(tree),
        bounds=np.cumsum([0, *size.values()]),
    )


def walk(
    layout: Layout, rules: Rules, seeds: Nodes, seed_time: Times | None, rng: np.random.Generator
) -> tuple[list[Nodes], list[Edges]]:
    """Sample around `seeds`.

    Args:
        layout: the graph.
        rules: how to sample.
        seeds: where to start.
        seed_time: time of each tree, shape `[trees]`; None unless the layout has a clock.
        rng: where randomness comes from.

    Returns:
        The nodes that the seeds and each hop add (`hops + 1` entries) and the edges that each hop adds (`hops`).
    """
    horizon = None
    if layout.clock is not None and seed_time is not None:
        horizon = layout.clock.horizon(seed_time, rules.strictly_before)
    numbering = _Numbering(layout, seeds)
    nodes, edges = [seeds], []
    for take in rules.fanout:
        frontier = nodes[-1]
        owner, row, relation = _rows_into(layout, frontier, take)
        row_horizon = None if horizon is None else horizon[frontier.tree[owner]]
        start, available = _visible(layout, rules, row, relation, take, row_horizon)
        position, count = choose_positions(rng, start, available, take[relation], rules.replace)
        target = np.repeat(owner, count)
        source, added = numbering.add(layout.source[position].astype(np.int64), frontier.tree[target])
        first_row = np.searchsorted(relation, np.arange(len(take) + 1))
        bounds = np.append(0, np.cumsum(count))[first_row]
        edges.append(Edges(source, frontier.local[target], layout.edge[position].astype(np.int64), bounds))
        nodes.append(added)
    return nodes, edges


def _rows_into(layout: Layout, frontier: Nodes, take: Int64s) -> tuple[Int64s, Int64s, npt.NDArray[np.int16]]:
    """The rows to follow from the frontier, sorted by relation: (position in the frontier, row, relation)."""
    first = layout.node_rows[frontier.number]
    count = layout.node_rows[frontier.number + 1] - first
    row = concat_ranges(first, count)
    owner = np.repeat(np.arange(len(first)), count)
    relation = layout.row_relation[row]
    order = np.argsort(relation, kind="stable")
    if not take.all():
        order = order[take[relation[order]] != 0]
    return owner[order], row[order], relation[order]


def _visible(
    layout: Layout,
    rules: Rules,
    row: Int64s,
    relation: npt.NDArray[np.int16],
    take: Int64s,
    horizon: Int64s | None,
) -> tuple[Int64s, Int64s]:
    """Where the edges to choose from begin in each row, and how many they are."""
    start, end = layout.row_edges[row].astype(np.int64), layout.row_edges[row + 1].astype(np.int64)
    if layout.clock is None or horizon is None:
        return start, end - start
    timed = np.flatnonzero(layout.clock.relation_is_timed[relation])
    end[timed] = layout.clock.visible_end(row[timed], horizon[timed])
    if rules.strategy == "last":
        last = take[relation[timed]]
        start[timed] = np.where(last < 0, start[timed], np.maximum(start[timed], end[timed] - last))
    return start, end - start


class _Numbering:
    """Which nodes the batch has, and the position of each among the sampled nodes of its type.

    A node in a tree is one integer, `node << bits | tree`. To find duplicates, the known keys and the new ones are
    sorted together with their positions: a known key comes before its new occurrences. Nothing here is as large as
    the graph, and nothing survives the batch.
    """

    def __init__(self, layout: Layout, seeds: Nodes) -> None:
        self._first_node = layout.first_node
        self._tree_bits = int(seeds.tree.max()).bit_length() if seeds.tree.size else 0
        self._key_bits = layout.num_nodes.bit_length() + self._tree_bits
        self._known = self._key(seeds.number, seeds.tree)
        self._local = seeds.local
        self._count = np.diff(seeds.bounds)

    def _key(self, number: Int64s, tree: Int64s) -> Int64s:
        return number << self._tree_bits | tree

    def add(self, number: Int64s, tree: Int64s) -> tuple[Int64s, Nodes]:
        """Return the position of each given node among the sampled nodes of its type, and the nodes that are new."""
        known = len(self._known)
        keys, order = sort_with_places(np.concatenate([self._known, self._key(number, tree)]), self._key_bits)
        is_first = np.diff(keys, prepend=keys[:1] - 1) != 0
        first = np.flatnonzero(is_first)
        is_new = order[first] >= known
        new_key = keys[first[is_new]]
        new = self._place(new_key)
        local = np.empty(len(first), np.int64)
        local[is_new] = new.local
        local[~is_new] = self._local[order[first[~is_new]]]
        result = np.empty(len(keys), np.int64)
        result[order] = np.repeat(local, np.diff(np.append(first, len(keys))))
        self._known = np.concatenate([self._known, new_key])
        self._local = np.concatenate([self._local, new.local])
        self._count = self._count + np.diff(new.bounds)
        return result[known:], new

    def _place(self, key: Int64s) -> Nodes:
        """Give new nodes, sorted by key and so by type, the next positions of their types."""
        number = key >> self._tree_bits
        bounds = np.searchsorted(number, self._first_node)
        local = np.arange(len(key)) + np.repeat(self._count - bounds[:-1], np.diff(bounds))
        return Nodes(number, local, key & ((1 << self._tree_bits) - 1), bounds)
