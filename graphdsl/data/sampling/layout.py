"""The whole heterogeneous graph in one compressed layout, so that a hop needs no loop over relations.

Nodes of all types share one numbering: type after type, in the order of the types. Edges are sorted by (destination,
relation, time) and grouped into *rows*, one for each (destination, relation) pair that really occurs: `E` edges have at
most `E` rows, however many relations there are. Three arrays of pointers then answer everything a hop asks:

    node --node_rows--> rows into it --row_edges--> edges of the row --source--> node
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from graphdsl.data.sampling.clock import Clock, Ranks, rank_times
from graphdsl.data.sampling.graph import EdgeType, GraphArrays

Ints: TypeAlias = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Layout:
    """A graph ready for sampling; immutable and shared by all samplers over the graph.

    Attributes:
        node_types: names of the node types.
        relations: names of the relations.
        first_node: number of the first node of each type, and the number of nodes, shape `[types + 1]`.
        node_rows: where the rows of each node begin, shape `[nodes + 1]`.
        row_edges: where the edges of each row begin, shape `[rows + 1]`.
        row_relation: relation index of each row, 16 bits so that sorting rows by it is a radix sort, shape `[rows]`.
        source: source of each edge, in the common numbering, shape `[edges]`.
        edge: position of each edge in its relation's `edge_index`, shape `[edges]`.
        clock: when edges become visible; None where nothing carries a time.
    """

    node_types: tuple[str, ...]
    relations: tuple[EdgeType, ...]
    first_node: npt.NDArray[np.int64]
    node_rows: Ints
    row_edges: Ints
    row_relation: npt.NDArray[np.int16]
    source: Ints
    edge: Ints
    clock: Clock | None

    @property
    def num_nodes(self) -> int:
        """Number of nodes of all types."""
        return int(self.first_node[-1])


def build_layout(graph: GraphArrays) -> Layout:
    """Sort the edges of all relations into one layout, O(E log E).

    Raises:
        ValueError: more than 32,767 relations.
    """
    if len(graph.edges) > np.iinfo(np.int16).max:
        raise ValueError(f"the graph has {len(graph.edges)} relations; accepted: at most {np.iinfo(np.int16).max}")
    first = np.concatenate([[0], np.cumsum(list(graph.num_nodes.values()), dtype=np.int64)]).astype(np.int64)
    start = dict(zip(graph.num_nodes, first, strict=False))
    sizes = [len(source) for source, _ in graph.edges.values()]
    source = _joined([src + start[relation[0]] for relation, (src, _) in graph.edges.items()])
    destination = _joined([dst + start[relation[2]] for relation, (_, dst) in graph.edges.items()])
    relation = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    row_key = destination * max(len(sizes), 1) + relation
    ranks = rank_times(graph)
    order = np.argsort(row_key, kind="stable") if ranks is None else np.lexsort((ranks.of_edge, row_key))
    row_first = _run_starts(row_key[order])
    first_edge = order[row_first]
    return Layout(
        node_types=tuple(graph.num_nodes),
        relations=tuple(graph.edges),
        first_node=first,
        node_rows=_compact(np.searchsorted(destination[first_edge], np.arange(first[-1] + 1))),
        row_edges=_compact(np.append(row_first, len(order))),
        row_relation=relation[first_edge].astype(np.int16),
        source=_compact(source[order]),
        edge=_compact(_joined([np.arange(size) for size in sizes])[order]),
        clock=_build_clock(ranks, order, row_first),
    )


def _build_clock(ranks: Ranks | None, order: Ints, row_first: Ints) -> Clock | None:
    if ranks is None:
        return None
    row = np.repeat(np.arange(len(row_first)), np.diff(np.append(row_first, len(order))))
    return Clock(ranks.distinct, row * (len(ranks.distinct) + 1) + ranks.of_edge[order], ranks.relation_is_timed)


def _joined(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _run_starts(ordered: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Positions at which a sorted array changes its value, position 0 included."""
    return np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))


def _compact(values: Ints) -> Ints:
    """The same values in 32 bits where they fit: half the memory traffic."""
    fits = values.size == 0 or values.max() <= np.iinfo(np.int32).max
    return values.astype(np.int32 if fits else np.int64)
