"""Several graphs of one schema: made alike, so that a mini-batch of them has every type and relation.

PyG's `Batch.from_data_list` keeps only the types of the first graph; a type that is optional, or a relation that one
graph lacks, would vanish or not with the order of the graphs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data, Dataset, HeteroData, TemporalData

from graphdsl.data.foreign import from_foreign
from graphdsl.data.homogeneous import as_hetero, only_types
from graphdsl.data.temporal import event_relation, from_events
from graphdsl.data.view import describe_tensor, form_of, has_form, whole_count
from graphdsl.model import LABEL_KINDS, Attribute, Schema
from graphdsl.text import EdgeKey, SpecError, report, show_edge, show_name

Place = str | EdgeKey


class GraphSet(Sequence[HeteroData]):
    """Graphs of one schema.

    Args:
        graphs: as they came; a homogeneous `Data` gets the types of a schema that has one of each.
        schema: says which types and attributes there are.
        is_list: whether they came as several graphs, and not as one.

    Raises:
        SpecError: GNN611: there is no graph, or one is something else.

    Example:
        >>> import graphdsl
        >>> spec = graphdsl.loads("schema s { node a { x: float[1] } optional node b { x: float[2] } graph { y: real } }")
        >>> first, second = HeteroData(), HeteroData()
        >>> first["a"].x, second["a"].x, second["b"].x = torch.zeros(3, 1), torch.zeros(2, 1), torch.zeros(4, 2)
        >>> batch = GraphSet([first, second], spec.schema()).batch([0, 1])
        >>> batch["b"].batch, batch["a"].batch
        (tensor([1, 1, 1, 1]), tensor([0, 0, 0, 1, 1]))
    """

    def __init__(self, graphs: Sequence[Any], schema: Schema, is_list: bool = True) -> None:
        if not len(graphs):
            raise SpecError([report("GNN611", "there is no graph in the list", where="data")])
        self.schema, self.is_list = schema, is_list
        self.graphs = tuple(_graph(item, number, schema) for number, item in enumerate(graphs))
        self._keys = self._common_keys()
        self._widths = self._known_widths()
        self._alike: dict[int, HeteroData] = {}
        names = [name for name, item in schema.graph.items() if item.type.kind not in (*LABEL_KINDS, "mask")]
        self._inputs = {name: rows for name in names if (rows := self.values(name)) is not None}

    def __len__(self) -> int:
        return len(self.graphs)

    def __getitem__(self, number: Any) -> Any:
        return self.graphs[number]

    def __iter__(self) -> Iterator[HeteroData]:
        return iter(self.graphs)

    def batch(self, numbers: Sequence[int]) -> HeteroData:
        """Some of the graphs as one: every type of the schema is there, and `batch` says whose each node is.

        Args:
            numbers: of the graphs, in order.

        Returns:
            A `HeteroDataBatch`; types without features have their node numbers as `n_id`.
        """
        alike = [self.alike(number) for number in numbers]
        return Batch.from_data_list(alike)  # type: ignore[return-value]

    def values(self, name: str) -> Tensor | None:
        """What the graphs carry under a name, a row for each graph; None where one lacks it.

        Raises:
            SpecError: GNN607: graphs carry different numbers of values.
        """
        found: list[Tensor] = []
        attribute = self.schema.graph.get(name)
        flat = attribute is None or attribute.type.kind == "class" or attribute.type.size is None
        for number, graph in enumerate(self.graphs):
            given = graph._global_store.get(name)
            if given is None:
                return None
            value = given if isinstance(given, Tensor) else torch.as_tensor(given)
            found.append(value.detach().cpu().reshape(-1))
            if found[0].numel() != found[-1].numel() or (flat and found[-1].numel() != 1):
                wanted = 1 if flat else found[0].numel()
                message = f"graph {number} carries {found[-1].numel()} values in `{name}`, not {wanted}"
                span = attribute.span if attribute else None
                raise SpecError([report("GNN607", message, span, "declared here", where=f"graph.{show_name(name)}")])
        rows = torch.stack(found)
        return rows.reshape(-1) if flat else rows

    def empty(self, node_type: str) -> list[int]:
        """Numbers of the graphs that have no node of a type."""
        return [number for number, size in enumerate(self.sizes(node_type)) if not size]

    def sizes(self, node_type: str) -> list[int]:
        """How many nodes of a type each graph has."""
        return [_count(graph, node_type) for graph in self.graphs]

    # --- made alike ---

    def _places(self) -> dict[Place, Mapping[str, Attribute]]:
        nodes: dict[Place, Mapping[str, Attribute]] = {
            name: node.attributes for name, node in self.schema.nodes.items()
        }
        # A declared inverse that no graph holds is made at run time.
        held = {edge for graph in self.graphs for edge in graph.edge_types}
        return nodes | {
            key: edge.attributes for key, edge in self.schema.edges.items() if not edge.derived or key in held
        }

    def _common_keys(self) -> dict[Place, tuple[str, ...]]:
        """Declared attributes that every graph has that has the type."""
        found: dict[Place, tuple[str, ...]] = {}
        for place, attributes in self._places().items():
            stores = [graph[place] for graph in self.graphs if _has(graph, place)]
            found[place] = tuple(key for key in attributes if all(_has_rows(store.get(key)) for store in stores))
        return found

    def _known_widths(self) -> dict[tuple[Place, str], Tensor]:
        """No rows of each attribute, in the dtype and width that the data has."""
        found: dict[tuple[Place, str], Tensor] = {}
        for place, keys in self._keys.items():
            first = next((graph[place] for graph in self.graphs if _has(graph, place)), None)
            for key in keys:
                kind = self._places()[place][key].type
                empty = torch.zeros(0) if kind.size is None else torch.zeros(0, kind.width or 0)
                found[place, key] = empty if first is None else first[key][:0]
        return found

    def alike(self, number: int) -> HeteroData:
        """A graph with every type, relation and common attribute of the schema, and its number as `graph_number`."""
        if number not in self._alike:
            graph, made = self.graphs[number], HeteroData()
            for place, keys in self._keys.items():
                _fill(made, graph, place, {key: self._widths[place, key] for key in keys}, self._origin(place))
            for name, rows in self._inputs.items():
                made[name] = rows[number : number + 1]
            made["graph_number"] = torch.tensor([number])
            self._alike[number] = made
        return self._alike[number]

    def _origin(self, place: Place) -> EdgeKey | None:
        """The relation that an inverse is made from."""
        return self.schema.edges[place].inverse if isinstance(place, tuple) else None


def _fill(
    made: HeteroData, graph: HeteroData, place: Place, empty: Mapping[str, Tensor], origin: EdgeKey | None
) -> None:
    """Copy a type or relation; one that a graph lacks has no rows, an inverse comes from its original."""
    there = _has(graph, place)
    flipped = not there and origin is not None and origin in graph.edge_types
    source = graph[place] if there else graph[origin] if flipped and origin is not None else None
    store = made[place]
    for key, nothing in empty.items():
        store[key] = nothing if source is None or key not in source else source[key]
    if isinstance(place, str):
        store.num_nodes = _count(graph, place)
        if "x" not in empty:
            store.n_id = torch.arange(store.num_nodes)
        return
    index = torch.zeros(2, 0, dtype=torch.long) if source is None else source.get("edge_index")
    if not has_form(index):
        message = f"a graph has no `edge_index` of shape [2, E] with whole numbers in `{show_edge(place)}`"
        helps = ("`gnn validate` says in which, and how to mend it",)
        raise SpecError([report("GNN611", message, where=show_edge(place), helps=helps)])
    index = index.as_subclass(Tensor)
    store.edge_index = index.flip(0) if flipped else index


def _has_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and form_of(value) == "tensor" and value.dim() > 0


def _has(graph: HeteroData, place: Place) -> bool:
    return place in graph.node_types if isinstance(place, str) else place in graph.edge_types


def _count(graph: HeteroData, name: str) -> int:
    """Number of nodes of a type, without PyG's guess from the edges."""
    if name not in graph.node_types:
        return 0
    store = graph[name]
    given = whole_count(store.get("num_nodes"))
    if given is not None:
        return given
    shapes = (describe_tensor(value) for value in store.values())
    return next((item.shape[0] for item in shapes if item is not None and item.shape), 0)


def _graph(item: Any, number: int, schema: Schema) -> HeteroData:
    if isinstance(item, HeteroData):
        return item
    if isinstance(item, Data):
        return as_hetero(item, schema)
    message = f"graph {number} is a `{type(item).__name__}`, not a `HeteroData` or `Data`"
    raise SpecError([report("GNN611", message, where="data")])


def is_graph_list(data: Any) -> bool:
    """Whether something is a list of graphs: a `GraphSet`, a dataset of PyG, or a list or tuple of graphs."""
    if isinstance(data, GraphSet | Dataset):
        return True
    return isinstance(data, list | tuple) and len(data) > 0 and all(isinstance(it, Data | HeteroData) for it in data)


def read_data(data: Any, schema: Schema | None) -> Any:
    """Data in the form that everything else reads: a `HeteroData`, a pair of stores, or a `GraphSet`.

    A homogeneous `Data` gets the types of a schema that has one of each, a `TemporalData` the relation of one with a single
    relation; a dataset or list of graphs becomes a `GraphSet`; graphs of networkx and databases of RelBench are read.

    Args:
        data: whatever a user gave.
        schema: what it is to serve; without one, only what needs none is changed.

    Raises:
        SpecError: GNN611 for an empty list, or a list of something else.
    """
    data = from_foreign(data)
    if schema is None or isinstance(data, GraphSet):
        return data
    if is_graph_list(data):
        return GraphSet(list(data), schema)
    if isinstance(data, Data) and only_types(schema) is not None:
        return as_hetero(data, schema)
    if isinstance(data, TemporalData) and (edge := event_relation(schema)) is not None:
        return from_events(data, edge)
    if schema.graph and isinstance(data, HeteroData):
        return GraphSet([data], schema, is_list=False)
    return data
