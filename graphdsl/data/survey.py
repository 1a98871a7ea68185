"""A graph that is examined: what was measured once is kept, so that no two checks sweep over the same tensor for it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphdsl.data.places import Place, UnreadableTensorError
from graphdsl.data.view import GraphView, form_of, has_form
from graphdsl.kernels.sweeping import column_ends, count_repeated
from graphdsl.model import TensorInfo
from graphdsl.text import EdgeKey

_MASKS = (torch.bool, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
_SAMPLED = frozenset({"n_id", "e_id", "input_id", "batch_size", "num_sampled_nodes", "num_sampled_edges", "ptr"})


@dataclass(frozen=True, slots=True)
class EdgeEnds:
    """Smallest and largest id of each row of an `edge_index`; (0, -1) where there are no edges."""

    sources: tuple[int, int]
    targets: tuple[int, int]

    def fit(self, sizes: tuple[int, int]) -> bool:
        """Whether all ids lie within numbers of nodes."""
        ends = (self.sources, self.targets)
        return all(low >= 0 and high < size for (low, high), size in zip(ends, sizes, strict=True))


class Survey(GraphView):
    """A view of a graph that remembers what was measured.

    Args:
        view: the graph.
        part: whether it is one of several graphs, so that numbers of nodes and edges say nothing about the whole.

    Attributes:
        is_part: whether it is one of several graphs or a batch that a sampler drew.
    """

    def __init__(self, view: GraphView, part: bool = False) -> None:
        self._view = view
        self.node_types, self.edge_types = view.node_types, view.edge_types
        places: tuple[Place, ...] = (*view.node_types, *view.edge_types)
        self.is_part = part or any(not _SAMPLED.isdisjoint(view.keys(place)) for place in places)
        self._forms: dict[tuple[Place, str], str] = {}
        self._infos: dict[tuple[Place, str], TensorInfo | None] = {}
        self._edges: dict[EdgeKey, Any] = {}
        self._tracked: set[tuple[Place, str]] = set()
        self._columns: dict[tuple[Place, str], tuple[Tensor, Tensor] | None] = {}
        self._ends: dict[EdgeKey, EdgeEnds | None] = {}
        self._degrees: dict[tuple[EdgeKey, int], Tensor] = {}
        self._repeated: dict[EdgeKey, int] = {}

    def keys(self, place: Place) -> tuple[str, ...]:
        """Keys of the attributes of a type."""
        return self._view.keys(place)

    def read(self, place: Place, key: str, index: Tensor | None = None) -> Any:
        """The stored value, or some of its rows; without the gradient that it may belong to."""
        value = self._view.read(place, key, index)
        if not isinstance(value, Tensor) or not value.requires_grad:
            return value
        self._tracked.add((place, key))
        return value.detach()

    def is_tracked(self, place: Place, key: str) -> bool:
        """Whether a value that was read belongs to a gradient."""
        return (place, key) in self._tracked

    def form(self, place: Place, key: str) -> str:
        """What an attribute is stored as."""
        if (place, key) not in self._forms:
            self._forms[place, key] = self._view.form(place, key)
        return self._forms[place, key]

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        """Shape and dtype of an attribute."""
        if (place, key) not in self._infos:
            self._infos[place, key] = self._view.describe(place, key)
        return self._infos[place, key]

    def count(self, place: Place) -> int | None:
        """Number of nodes or edges."""
        return self._view.count(place)

    def misstated_count(self, node_type: str) -> str:
        """What `num_nodes` is, where it is no whole number."""
        return self._view.misstated_count(node_type)

    def has_matrix(self, edge: EdgeKey, key: str) -> bool:
        """Whether a relation is stored as a matrix."""
        return self._view.has_matrix(edge, key)

    def connectivity(self, edge: EdgeKey) -> Any:
        """The `edge_index`; a store puts it together anew each time it is asked."""
        if edge not in self._edges:
            self._edges[edge] = self._view.connectivity(edge)
        return self._edges[edge]

    def carried(self, key: str) -> Any:
        """What the whole graph carries under a key."""
        return self._view.carried(key)

    def columns(self, place: Place, key: str) -> tuple[Tensor, Tensor] | None:
        """Smallest and largest value of each column of a dense tensor, NaN where a column has one; None without rows.

        Raises:
            UnreadableTensorError: the store fails.
        """
        if (place, key) not in self._columns:
            value = self.read(place, key)
            self._columns[place, key] = column_ends(value) if value.numel() else None
        return self._columns[place, key]

    def split(self, place: Place, key: str) -> Tensor | None:
        """A mask as booleans, shape [rows]; None if it is absent or no mask."""
        if key not in self.keys(place):
            return None
        try:
            mask = self.read(place, key)
        except UnreadableTensorError:
            return None
        if not isinstance(mask, Tensor) or form_of(mask) != "tensor" or mask.dim() != 1 or mask.dtype not in _MASKS:
            return None
        return mask if mask.dtype == torch.bool else mask == 1

    def ends(self, edge: EdgeKey) -> EdgeEnds | None:
        """The ids at both ends; None where there is no `edge_index` of the right form (see `has_form`)."""
        if edge not in self._ends:
            try:
                index = self.connectivity(edge)
            except UnreadableTensorError:
                index = None
            self._ends[edge] = edge_ends(index) if index is not None and has_form(index) else None
        return self._ends[edge]

    def edges(self, edge: EdgeKey) -> Tensor | None:
        """The `edge_index` of a relation, shape [2, E], if its form is right and all ids are nodes; else None."""
        sizes = self.sizes(edge)
        found = self.ends(edge)
        return self.connectivity(edge) if sizes is not None and found is not None and found.fit(sizes) else None

    def sizes(self, edge: EdgeKey) -> tuple[int, int] | None:
        """Numbers of nodes at both ends; None where one cannot be told."""
        sources, targets = self.count(edge[0]), self.count(edge[2])
        return None if sources is None or targets is None else (sources, targets)

    def degrees(self, edge: EdgeKey, row: int) -> Tensor | None:
        """How many edges each source (row 0) or target (row 1) has, shape [nodes]; None for unsound edges."""
        index, sizes = self.edges(edge), self.sizes(edge)
        if index is None or sizes is None:
            return None
        if (edge, row) not in self._degrees:
            self._degrees[edge, row] = torch.bincount(index[row], minlength=sizes[row])
        return self._degrees[edge, row]

    def repeated(self, edge: EdgeKey) -> int:
        """Edges that repeat the pair of another; 0 for unsound edges."""
        index, sizes = self.edges(edge), self.sizes(edge)
        if index is None or sizes is None:
            return 0
        if edge not in self._repeated:
            self._repeated[edge] = count_repeated(index, *sizes)
        return self._repeated[edge]


def edge_ends(index: Tensor) -> EdgeEnds:
    """Smallest and largest ids of both rows.

    >>> edge_ends(torch.tensor([[0, 4], [2, 1]]))
    EdgeEnds(sources=(0, 4), targets=(1, 2))
    """
    if not index.size(1):
        return EdgeEnds((0, -1), (0, -1))
    (first, last), (low, high) = (row.aminmax() for row in index)
    return EdgeEnds((int(first), int(last)), (int(low), int(high)))
