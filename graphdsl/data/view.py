"""One way to look at both containers of PyG: a `HeteroData` and a `(FeatureStore, GraphStore)` pair.

Everything that reads a whole graph (inspection, validation, loading) goes through a `GraphView`. It never creates a
type by asking for it, as `HeteroData` does, and never makes PyG guess a number of nodes, which warns.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data, FeatureStore, GraphStore, HeteroData
from torch_geometric.data.storage import BaseStorage

from graphdsl.data.places import BOOKKEEPING, CONNECTIVITY, Place, UnreadableTensorError, show_place
from graphdsl.model import TensorInfo
from graphdsl.text import EdgeKey, SpecError, report

_LONG = 40
_NUMBERS = (int, float, complex, np.number, np.bool_, list, tuple, np.ndarray)
"""What a list may hold that becomes a tensor."""
_FROM_TABLES = "`graphdsl.data.from_tables(tables, keys, links)`"

GraphData: TypeAlias = HeteroData | tuple[FeatureStore, GraphStore]


class GraphView(ABC):
    """A graph to be read: types, tensors, counts, connectivity.

    Attributes:
        node_types: those that are stored, then those that are only the end of a relation.
        edge_types: triples.
    """

    node_types: tuple[str, ...]
    edge_types: tuple[EdgeKey, ...]

    @abstractmethod
    def keys(self, place: Place) -> tuple[str, ...]:
        """Keys of the attributes of a type, without connectivity; empty for an unknown type."""

    @abstractmethod
    def read(self, place: Place, key: str, index: Tensor | None = None) -> Any:
        """The stored value, or its rows `index`.

        Raises:
            UnreadableTensorError: the store fails.
        """

    @abstractmethod
    def describe(self, place: Place, key: str) -> TensorInfo | None:
        """Shape and dtype of an attribute; None for what is no tensor or array."""

    @abstractmethod
    def count(self, place: Place) -> int | None:
        """Number of nodes or edges; None where it cannot be told, or where a store fails to say it."""

    @abstractmethod
    def connectivity(self, edge: EdgeKey) -> Any:
        """The `edge_index`, [2, E] if it is as it should be; None where there is none.

        Raises:
            UnreadableTensorError: the store fails.
        """

    def carried(self, key: str) -> Any:
        """What the whole graph carries under a key; None where it carries no such thing."""
        return None

    def misstated_count(self, node_type: str) -> str:
        """What a type's `num_nodes` is, where it is no whole number of nodes; else nothing."""
        return ""

    def has_matrix(self, edge: EdgeKey, key: str) -> bool:
        """Whether a relation is stored as a matrix, `adj` or `adj_t`."""
        return False

    def form(self, place: Place, key: str) -> str:
        """What an attribute is stored as: "tensor", or one of the other words of `form_of`.

        Raises:
            UnreadableTensorError: the store fails.
        """
        return form_of(self.read(place, key))

    def needed_count(self, node_type: str) -> int:
        """Number of nodes that the relations point at: the largest id + 1; 0 where no relation tells."""
        least = 0
        for edge in self.edge_types:
            ends = [row for row, end in enumerate((edge[0], edge[2])) if end == node_type]
            try:
                index = self.connectivity(edge) if ends else None
            except UnreadableTensorError:
                continue
            if has_form(index) and index.numel():
                least = max([least, *(int(index[row].max()) + 1 for row in ends)])
        return least

    def _order_types(self, stored: list[str]) -> tuple[str, ...]:
        ends = [end for source, _, target in self.edge_types for end in (source, target)]
        return tuple(dict.fromkeys([*stored, *ends]))


def open_data(data: Any) -> GraphView:
    """Look at a graph.

    Args:
        data: a `HeteroData`, or a pair of a `FeatureStore` and a `GraphStore`.

    Raises:
        SpecError: GNN611: it is neither.

    >>> data = HeteroData()
    >>> data["author", "writes", "paper"].edge_index = torch.tensor([[0, 1], [0, 0]])
    >>> open_data(data).node_types
    ('author', 'paper')
    """
    if isinstance(data, GraphView):
        return data
    if isinstance(data, HeteroData):
        return _HeteroDataView(data)
    from graphdsl.data.graph_set import GraphSet

    if isinstance(data, GraphSet):
        if len(data) == 1:
            return open_data(data[0])
        message = f"one graph is needed, and here are {len(data)}"
        helps = ("links, and labels that spread, are predicted on one graph; other labels on several, too",)
        raise SpecError([report("GNN611", message, where="data", helps=helps)])
    if isinstance(data, tuple | list) and len(data) == 2:
        features, graph = data
        if isinstance(features, FeatureStore) and isinstance(graph, GraphStore):
            return _StorePairView(features, graph)
    found = type(data).__name__
    message = f"a graph is a `HeteroData` or a pair of a `FeatureStore` and a `GraphStore`, not a `{found}`"
    helps = ()
    if isinstance(data, Data):
        message = "a heterogeneous graph is needed, and this `Data` is homogeneous: its nodes and edges have no types"
        helps = ('`data.to_heterogeneous(node_type_names=["node"], edge_type_names=[("node", "to", "node")])`',)
    elif isinstance(data, Mapping):
        helps = ("what `to_dict()` gave: `HeteroData.from_dict(data)`", f"data frames: {_FROM_TABLES}")
    elif found == "DataFrame":
        helps = (f"rows of tables are nodes, columns that refer to rows relations: {_FROM_TABLES}",)
    raise SpecError([report("GNN611", message, where="data", helps=helps)])


def describe_tensor(value: Any) -> TensorInfo | None:
    """Shape and dtype of a tensor or array; None for anything else, nested tensors too.

    >>> describe_tensor(torch.zeros(3, 2))
    TensorInfo(shape=(3, 2), dtype='float32', classes=None)
    """
    if isinstance(value, Tensor):
        if value.is_nested:  # Rows of different lengths have no shape.
            return None
        return TensorInfo(tuple(value.shape), str(value.dtype).removeprefix("torch."))
    if isinstance(value, np.ndarray):
        return TensorInfo(value.shape, value.dtype.name)
    return None


INDEX_DTYPES = (torch.int64, torch.int32)


def has_form(index: Any) -> TypeGuard[Tensor]:
    """Whether something is an `edge_index` as far as form goes: a dense tensor of integers, shape [2, E]."""
    is_dense = isinstance(index, Tensor) and form_of(index) == "tensor"
    return is_dense and index.dim() == 2 and index.size(0) == 2 and index.dtype in INDEX_DTYPES


def form_of(value: Any) -> str:
    """The form of a stored value, as `GraphView.form` says it: "tensor", or why it is none that can be read as it is.

    >>> form_of(torch.zeros(2)), form_of(np.zeros(2)), form_of(torch.eye(2).to_sparse()), form_of([1]), form_of(["a"])
    ('tensor', 'array', 'sparse', 'list', 'list of texts')
    """
    if isinstance(value, Tensor):
        return _form_of_tensor(value)
    if isinstance(value, np.ndarray):
        return "array"
    if isinstance(value, list | tuple):
        return _form_of_list(value)
    if type(value).__module__.startswith("scipy.sparse"):
        return "scipy matrix"
    return "sparse" if hasattr(value, "to_dense") else type(value).__name__


def _form_of_tensor(value: Tensor) -> str:
    name = type(value).__name__
    if value.is_nested:
        return "nested tensor"
    if value.is_meta or name == "FakeTensor":
        return "meta tensor"
    if value.is_quantized:
        return "quantized tensor"
    if value.layout != torch.strided:
        return "mkldnn tensor" if value.is_mkldnn else "sparse"
    # A class with operators of its own holds no plain memory; those of PyG do, and check it.
    own, plain = (getattr(kind, "__torch_dispatch__", None) for kind in (type(value), Tensor))
    is_plain = own is plain or type(value).__module__.startswith("torch_geometric")
    return "tensor" if is_plain else "masked tensor" if name == "MaskedTensor" else name


def _form_of_list(value: list[Any] | tuple[Any, ...]) -> str:
    if not value:
        return type(value).__name__
    if any(item is None for item in value):
        return "list with gaps"
    if all(isinstance(item, str) for item in value):
        return "list of texts"
    if all(isinstance(item, Tensor) for item in value):
        return "list of tensors" if len({item.shape for item in value}) == 1 else "ragged list"
    other = next((item for item in value if not isinstance(item, _NUMBERS)), None)
    if other is not None:
        return f"list of {type(other).__name__}"
    lengths = {len(item) if isinstance(item, list | tuple | np.ndarray) else -1 for item in value}
    return type(value).__name__ if len(lengths) == 1 else "ragged list"


def whole_count(given: Any) -> int | None:
    """A number of nodes as PyG and others store it; None for what is none.

    >>> whole_count(3), whole_count(torch.tensor([3])), whole_count(-1), whole_count("3"), whole_count(True)
    (3, 3, None, None, None)
    """
    if isinstance(given, Tensor):
        is_one = form_of(given) == "tensor" and given.numel() == 1 and not given.is_floating_point()
        given = given.item() if is_one else None
    is_whole = isinstance(given, int | np.integer) and not isinstance(given, bool) and given >= 0
    return int(given) if is_whole else None


def _shown(value: Any) -> str:
    """A value that is no number of nodes, or what it is where it is long."""
    said = f"a `{type(value).__name__}`" if isinstance(value, Tensor | np.ndarray) else f"`{value!r}`"
    return said if len(said) < _LONG else f"a `{type(value).__name__}`"


def _unreadable(place: Place, key: str, error: Exception) -> UnreadableTensorError:
    said = " ".join(str(error).split())
    return UnreadableTensorError(f"`{show_place(place, key)}` cannot be read: {type(error).__name__}: {said}")


class _HeteroDataView(GraphView):
    def __init__(self, data: HeteroData) -> None:
        self._stores: dict[Place, BaseStorage] = dict(zip(data.node_types, data.node_stores, strict=True))
        self._stores.update(zip(data.edge_types, data.edge_stores, strict=True))
        self._carried = data._global_store
        self.edge_types = tuple(data.edge_types)
        self.node_types = self._order_types(list(data.node_types))

    def carried(self, key: str) -> Any:
        """What the whole graph carries under a key."""
        return self._carried.get(key)

    def keys(self, place: Place) -> tuple[str, ...]:
        store = self._stores.get(place, {})
        return tuple(str(key) for key in store if key not in CONNECTIVITY and key != "num_nodes")

    def read(self, place: Place, key: str, index: Tensor | None = None) -> Any:
        value = self._stores[place][key]
        if index is None:
            return value
        return value.index_select(0, index.to(value.device)) if isinstance(value, Tensor) else value[index.cpu()]

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        return describe_tensor(self._stores[place][key])

    def count(self, place: Place) -> int | None:
        if not isinstance(place, str):
            return self._count_edges(place)
        given = whole_count(self._stores.get(place, {}).get("num_nodes"))
        if given is not None:
            return given
        keys = self.keys(place)
        likely = [key for key in ("x", "y") if key in keys]
        rest = [key for key in keys if key not in BOOKKEEPING]
        return (
            self._common_rows(place, [*likely, *rest]) if rest else self._common_rows(place, ["n_id"][: "n_id" in keys])
        )

    def misstated_count(self, node_type: str) -> str:
        given = self._stores.get(node_type, {}).get("num_nodes")
        if given is None or whole_count(given) is not None:
            return ""
        return _shown(given)

    def has_matrix(self, edge: EdgeKey, key: str) -> bool:
        return self._stores.get(edge, {}).get(key) is not None

    def _count_edges(self, edge: EdgeKey) -> int | None:
        index = self.connectivity(edge)
        found = describe_tensor(index) if form_of(index) in ("tensor", "array") else None
        if found is not None and len(found.shape) == 2 and found.shape[0] == 2:
            return found.shape[1]
        return self._common_rows(edge, [key for key in self.keys(edge) if key not in BOOKKEEPING])

    def _common_rows(self, place: Place, keys: list[str]) -> int | None:
        """How many rows most attributes have, so that the odd one is found to be wrong; of the first where it is a draw."""
        found = (self.describe(place, key) for key in dict.fromkeys(keys))
        rows = Counter(item.shape[0] for item in found if item is not None and item.shape)
        return rows.most_common(1)[0][0] if rows else None

    def connectivity(self, edge: EdgeKey) -> Any:
        found = self._stores[edge].get("edge_index") if edge in self._stores else None
        # `EdgeIndex` checks invariants in every operator; plain memory is wanted here.
        return found.as_subclass(Tensor) if isinstance(found, Tensor) and form_of(found) == "tensor" else found


class _StorePairView(GraphView):
    def __init__(self, features: FeatureStore, graph: GraphStore) -> None:
        self._features, self._graph = features, graph
        self._attributes: dict[Place, list[str]] = {}
        for attribute in features.get_all_tensor_attrs():
            if attribute.group_name is None:  # The store of a homogeneous graph.
                continue
            self._attributes.setdefault(attribute.group_name, []).append(str(attribute.attr_name))
        self._sizes = {item.edge_type: item.size for item in graph.get_all_edge_attrs()}
        self.edge_types = tuple(edge for edge in self._sizes if isinstance(edge, tuple))
        self.node_types = self._order_types([name for name in self._attributes if isinstance(name, str)])

    def keys(self, place: Place) -> tuple[str, ...]:
        return tuple(self._attributes.get(place, ()))

    def read(self, place: Place, key: str, index: Tensor | None = None) -> Any:
        try:
            return self._features.get_tensor(group_name=place, attr_name=key, index=index)
        except Exception as error:  # A store is foreign code: whatever it raises, the tensor cannot be had.
            raise _unreadable(place, key, error) from error

    def describe(self, place: Place, key: str) -> TensorInfo | None:
        size = self._size(place, key)
        if size is None:
            return None
        sample = describe_tensor(self._sample(place, key, size))
        return None if sample is None else TensorInfo(tuple(size), sample.dtype)

    def form(self, place: Place, key: str) -> str:
        size = self._size(place, key)
        return form_of(self.read(place, key) if size is None else self._sample(place, key, size))

    def _sample(self, place: Place, key: str, size: tuple[int, ...]) -> Any:
        """One row, which tells dtype and form; the tensor may be large and remote."""
        if not size or not size[0]:
            return self.read(place, key)
        try:
            return self.read(place, key, torch.tensor([0]))
        except UnreadableTensorError:  # A sparse one has no single rows.
            return self.read(place, key)

    def count(self, place: Place) -> int | None:
        try:
            return self._count_nodes(place) if isinstance(place, str) else self.connectivity(place).size(1)
        except UnreadableTensorError:
            return None

    def _given_counts(self, node_type: str) -> Iterator[Any]:
        """What the sizes of relations say of a type's number of nodes."""
        for (source, _, target), size in self._sizes.items():
            if isinstance(size, tuple | list) and len(size) == 2:
                yield from [given for given, end in zip(size, (source, target), strict=True) if end == node_type]

    def misstated_count(self, node_type: str) -> str:
        given = [item for item in self._given_counts(node_type) if item is not None]
        return next((_shown(item) for item in given if whole_count(item) is None), "")

    def _count_nodes(self, place: str) -> int | None:
        for given in self._given_counts(place):
            if (count := whole_count(given)) is not None:
                return count
        sizes = (self._size(place, key) for key in self.keys(place))
        return next((int(size[0]) for size in sizes if size), None)

    def _size(self, place: Place, key: str) -> tuple[int, ...] | None:
        try:
            return self._features.get_tensor_size(group_name=place, attr_name=key)
        except Exception as error:
            raise _unreadable(place, key, error) from error

    def connectivity(self, edge: EdgeKey) -> Any:
        if edge not in self._sizes:
            return None
        try:
            rows, columns, _ = self._graph.coo([edge])
            return torch.stack([ends[edge].as_subclass(Tensor) for ends in (rows, columns)])
        except Exception as error:
            raise _unreadable(edge, "", error) from error
