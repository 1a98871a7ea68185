"""From a graph to the arguments of a compiled model's forward pass."""

from typing import Any

import torch
from torch import Tensor

from graphdsl.data.derivation import along_hops, hops_of, materialize, with_derived
from graphdsl.data.needs import Needs, find_needs
from graphdsl.data.places import Place
from graphdsl.data.view import GraphView, open_data
from graphdsl.plan import LinkHead, Plan, SequenceStage, forecast_head
from graphdsl.text import EdgeKey


def batch_inputs(data: Any, plan: Plan, *, composed: bool = False) -> dict[str, Any]:
    """Prepare what a compiled model takes, from the whole graph or from a sampled batch: `model(**batch_inputs(…))`.

    What an optional type or relation would bring is left out where the data lacks it, and so is anything else that is
    missing: the model says which of its layers wanted it.

    Args:
        data: a `HeteroData`, a batch of `seed_loader`, or a `(FeatureStore, GraphStore)` pair, read as a whole.
        plan: the model's plan.
        composed: make all metapaths, also one that the model goes along hop by hop (`gnn plan --passes --data` says
            which), as `torch.compile(…, fullgraph=True)` needs them; else the relations on its way are given instead.

    Returns:
        Keyword arguments, tensors by node type or relation in sorted order:

        - `x_dict`: features [num_nodes, width] of the types that have some;
        - `edge_index_dict`: [2, E] int64 of every relation that the plan reads, inverses and metapaths included;
        - `n_id_dict`: numbers [num_nodes] of the nodes of types without features, in the whole graph;
        - `num_sampled_nodes_dict` and `num_sampled_edges_dict` of a sampled batch that counts them: the model then computes
          what its seeds need, and gives their rows alone (leave these two out to have all rows);
        - `batch_dict` and `num_graphs` of a batch of graphs, where whole graphs are predicted;
        - `y_dict` (by the label's name) and `train_mask_dict` where labels of training nodes spread;
        - `<attribute>_dict` for each attribute that a layer is given by keyword: of relations or node types, [rows,
          width], or [rows] where it is passed as one number each;

        of a `sequential` block: the names of its header.

    Raises:
        SpecError: GNN611 for data of another kind, GNN402 for a metapath above its budget.

    >>> import graphdsl
    >>> from torch_geometric.data import HeteroData
    >>> spec = graphdsl.loads("schema s { node a { x: float[3], y: class[2] } edge a -[r]-> a }"
    ...                       " model m on s { edges { *: SAGEConv(4) } predict a.y }")
    >>> data = HeteroData()
    >>> data["a"].x, data["a", "r", "a"].edge_index = torch.zeros(2, 3), torch.tensor([[0], [1]])
    >>> sorted(batch_inputs(data, spec.plan("m")))
    ['edge_index_dict', 'x_dict']
    """
    if plan.sequence is not None:
        return _sequence_inputs(open_data(data), plan.sequence)
    given = open_data(data)
    view = with_derived(given, plan)
    if (head := forecast_head(plan)) is not None:
        return _events(view, head)
    needs = find_needs(plan)
    left: frozenset[EdgeKey] = frozenset() if composed else along_hops(given, plan)
    edges = materialize(view, tuple(sorted({*plan.relations, *hops_of(plan, left)} - left)))
    inputs: dict[str, dict[Any, Tensor]] = {
        "x_dict": {name: _as_columns(view.read(name, "x")) for name in needs.features if "x" in view.keys(name)},
        "edge_index_dict": edges,
    }
    numbers = {name: _number(view, name, edges) for name in needs.numbered}
    if numbers:  # Even if nothing is in it: an optional type that is absent has no nodes, rather than all.
        inputs["n_id_dict"] = {name: ids for name, ids in numbers.items() if ids is not None}
    for name, table in _attributes(view, needs, left).items():
        inputs.setdefault(name, {}).update(table)
    return {**inputs, **(_grouping(view, plan) if plan.graph_heads else _counts(given))}


def _attributes(view: GraphView, needs: Needs, left: frozenset[EdgeKey]) -> dict[str, dict[Any, Tensor]]:
    """What is bound to forward arguments, and labels that spread; nothing of the pairs of metapaths in `left`."""
    found: dict[str, dict[Any, Tensor]] = {}
    for place, attributes in (*needs.nodes.items(), *needs.edges.items()):
        for key in attributes:
            if place not in left and key in view.keys(place):
                found.setdefault(f"{key}_dict", {})[place] = _bound(view, place, key, needs)
    for name, attributes in needs.known.items():
        for key in attributes:
            if key in view.keys(name):
                found.setdefault(f"{key}_dict", {})[name] = view.read(name, key)
    return found


def _events(view: GraphView, head: LinkHead) -> dict[str, Any]:
    """All events, when they happen, and of which kind they are."""
    assert head.events is not None
    inputs: dict[str, Any] = {"x_dict": {}, "edge_index_dict": materialize(view, (head.edge,))}
    for key in (head.events.message, head.events.time):
        if key in view.keys(head.edge):
            inputs[f"{key}_dict"] = {head.edge: view.read(head.edge, key)}
    return inputs


def _counts(view: GraphView) -> dict[str, Any]:
    """How many nodes and edges each hop of a sampled batch added; of relations as they are stored, not of inverses."""
    places = {"num_sampled_nodes": view.node_types, "num_sampled_edges": view.edge_types}
    found = {
        f"{key}_dict": {place: view.read(place, key) for place in known if key in view.keys(place)}
        for key, known in places.items()
    }
    return found if all(found.values()) else {}


def _grouping(view: GraphView, plan: Plan) -> dict[str, Any]:
    """Which nodes make a graph, in a batch of graphs; nothing for a single graph."""
    types = sorted({name for head in plan.graph_heads for name in head.types})
    batch = {name: view.read(name, "batch") for name in types if "batch" in view.keys(name)}
    return {"batch_dict": batch, **_number_of_graphs(view, types)} if batch else {}


def _number_of_graphs(view: GraphView, types: list[str]) -> dict[str, int]:
    """A batch of graphs knows where each begins, also those without nodes."""
    return next(({"num_graphs": len(view.read(name, "ptr")) - 1} for name in types if "ptr" in view.keys(name)), {})


def _sequence_inputs(view: GraphView, block: SequenceStage) -> dict[str, Any]:
    """Arguments of a `sequential` block, by the names of its header."""
    inputs: dict[str, Any] = {}
    for item in block.inputs:
        place: Place = block.edge if item.source == "edge" else block.type
        if item.source == "edge_index":
            inputs[item.name] = view.connectivity(block.edge)
        elif item.source in ("node", "edge") and item.name in view.keys(place):
            inputs[item.name] = view.read(place, item.name)
        elif item.source == "batch" and "batch" in view.keys(block.type):
            inputs[item.name] = view.read(block.type, "batch")
        elif item.source == "batch_size":
            inputs[item.name] = _number_of_graphs(view, [block.type]).get("num_graphs", 1)
        elif item.source == "graph":
            inputs[item.name] = view.carried(item.name)
    return {name: value for name, value in inputs.items() if value is not None}


def _as_columns(value: Tensor) -> Tensor:
    return value.view(-1, 1) if value.dim() == 1 else value


def _bound(view: GraphView, place: Place, key: str, needs: Needs) -> Tensor:
    value = view.read(place, key)
    return value.reshape(-1) if key in needs.scalars else _as_columns(value)


def _number(view: GraphView, node_type: str, edges: dict[EdgeKey, Tensor]) -> Tensor | None:
    """Node numbers in the whole graph: those that a sampled batch brings, else all; None for an absent type."""
    if "n_id" in view.keys(node_type):
        return view.read(node_type, "n_id")
    count = view.count(node_type)
    if count is None:
        return None
    device = next((index.device for index in edges.values()), torch.device("cpu"))
    return torch.arange(count, device=device)
