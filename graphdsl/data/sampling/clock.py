"""When an edge becomes visible to a seed.

An edge is visible from the later of its own time and the time of its source node; a relation of which neither carries
times is visible always. Edges lie sorted by time within their row, so what a seed may see is a prefix of the row, and
its end is found by binary search over one array of all rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphdsl.data.sampling.graph import GraphArrays
from graphdsl.data.sampling.times import Times


@dataclass(frozen=True)
class Ranks:
    """The times of a graph as ranks.

    Attributes:
        distinct: all times that occur, sorted.
        of_edge: rank of the time from which each edge is visible, relation after relation; 0 without times.
        relation_is_timed: whether the relation's edges have times, shape `[relations]`.
    """

    distinct: Times
    of_edge: npt.NDArray[np.int64]
    relation_is_timed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Clock:
    """Finds the visible prefix of rows.

    Attributes:
        distinct: all times that occur, sorted, shape `[times]`.
        key: `row * (times + 1) + rank` of each edge of the layout: sorted over the whole graph, shape `[edges]`.
        relation_is_timed: whether the relation's edges have times, shape `[relations]`.
    """

    distinct: Times
    key: npt.NDArray[np.int64]
    relation_is_timed: npt.NDArray[np.bool_]

    def horizon(self, seed_time: Times, strictly_before: bool) -> npt.NDArray[np.int64]:
        """Number of distinct times that a seed of each time may see, shape `[seeds]`."""
        return np.searchsorted(self.distinct, seed_time, side="left" if strictly_before else "right")

    def visible_end(self, row: npt.NDArray[np.int64], horizon: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Position in the layout at which each row's visible edges end, given its seed's `horizon`."""
        return np.searchsorted(self.key, row * (len(self.distinct) + 1) + horizon, side="left")


def rank_times(graph: GraphArrays) -> Ranks | None:
    """Rank the times of all edges; None where the graph has no times."""
    times = [*graph.node_time.values(), *graph.edge_time.values()]
    if not times:
        return None
    distinct = np.unique(np.concatenate(times))
    parts = [np.empty(0, np.int64)]
    timed = []
    for relation, (source, _) in graph.edges.items():
        rank = np.zeros(len(source), np.int64)
        node_time, edge_time = graph.node_time.get(relation[0]), graph.edge_time.get(relation)
        if node_time is not None:
            rank = np.searchsorted(distinct, node_time)[source]
        if edge_time is not None:
            rank = np.maximum(rank, np.searchsorted(distinct, edge_time))
        parts.append(rank)
        timed.append(node_time is not None or edge_time is not None)
    return Ranks(distinct, np.concatenate(parts), np.array(timed, dtype=np.bool_))
