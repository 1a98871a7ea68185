"""What a graph holds, as far as shapes and dtypes tell it: of a graph at hand or of stored metadata. Without torch."""

from typing import Protocol

from graphdsl.data.places import BOOKKEEPING, Place
from graphdsl.model import Metadata, StoreInfo, TensorInfo
from graphdsl.text import EdgeKey


class Holdings(Protocol):
    """Types, attributes and counts of a graph.

    Attributes:
        node_types: those that are stored, then those that are only the end of a relation.
        edge_types: triples.
    """

    node_types: tuple[str, ...]
    edge_types: tuple[EdgeKey, ...]

    def keys(self, place: Place) -> tuple[str, ...]:
        """Keys of the attributes of a type, without connectivity; empty for an unknown type."""
        ...

    def misstated_count(self, node_type: str) -> str:
        """What a type's `num_nodes` is, where it is no whole number of nodes; else nothing."""
        ...

    def form(self, place: Place, key: str) -> str:
        """What an attribute is stored as: "tensor", or in which other form."""
        ...

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        """Shape and dtype of an attribute; None for what is no tensor or array."""
        ...

    def count(self, place: Place) -> int | None:
        """Number of nodes or edges; None where it cannot be told."""
        ...

    def needed_count(self, node_type: str) -> int:
        """Number of nodes that the relations point at: the largest id + 1; 0 where that is not known."""
        ...


class StoredHoldings:
    """Metadata as holdings.

    Args:
        metadata: as `graphdsl.data.inspect` makes it, or read from a file.

    >>> nodes = {"a": StoreInfo(3, {"x": TensorInfo((3, 2), "float32")})}
    >>> held = StoredHoldings(Metadata(nodes, {("a", "r", "b"): StoreInfo(4)}))
    >>> held.node_types, held.keys("a"), held.describe("a", "x").width, held.count("b")
    (('a', 'b'), ('x',), 2, None)
    """

    def __init__(self, metadata: Metadata) -> None:
        self._stores: dict[Place, StoreInfo] = {**metadata.nodes, **metadata.edges}
        self.edge_types: tuple[EdgeKey, ...] = tuple(metadata.edges)
        ends = (end for source, _, target in self.edge_types for end in (source, target))
        self.node_types: tuple[str, ...] = tuple(dict.fromkeys([*metadata.nodes, *ends]))

    def keys(self, place: Place) -> tuple[str, ...]:
        """Keys of the tensors of a type."""
        return tuple(self._tensors(place))

    def misstated_count(self, node_type: str) -> str:
        """A number below 0; a metadata file has none."""
        store = self._stores.get(node_type)
        return f"`{store.count}`" if store is not None and store.count is not None and store.count < 0 else ""

    def form(self, place: Place, key: str) -> str:
        """Metadata knows of tensors alone."""
        return "tensor"

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        """Shape and dtype of a tensor."""
        return self._tensors(place).get(key)

    def count(self, place: Place) -> int | None:
        """Number of nodes or edges; told by the rows of a tensor where it is not stored."""
        store = self._stores.get(place)
        if store is None:
            return None
        shapes = [info.shape for key, info in store.tensors.items() if info.shape and key not in BOOKKEEPING]
        stated = store.count is not None and store.count >= 0
        return store.count if stated else next((shape[0] for shape in shapes), None)

    def needed_count(self, node_type: str) -> int:
        """Metadata does not know the ids of edges."""
        return 0

    def _tensors(self, place: Place) -> dict[str, TensorInfo]:
        store = self._stores.get(place)
        return {} if store is None else dict(store.tensors)
