"""Random data that fits a schema, and what a model is called with."""

import re
from typing import Any

import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.api import Spec
from graphdsl.model import Attribute, EdgeType, Schema
from graphdsl.plan import attribute_reads
from graphdsl.source.labels import label_inputs, spread_weights

ROWS, EDGES, OPEN = 12, 40, 5
"""Nodes of a type and edges of a relation; columns where the schema says `*`."""


def small(spec: Spec) -> Spec:
    """The same spec with few nodes of each type."""
    text = re.sub(r"count = ([\d_]+[KMG]?)", f"count = {ROWS}", spec.text)
    return graphdsl.loads(text, spec.name)


def draw(attribute: Attribute, rows: int) -> torch.Tensor:
    """Random values of an attribute."""
    kind, size = attribute.type.kind, attribute.type.size
    width = size if isinstance(size, int) else OPEN if size is not None else None
    if kind in ("class", "time", "mask", "bool"):
        high = width or 7 if kind == "class" else 7 if kind == "time" else 2
        values = torch.arange(rows) % high
        return values.bool() if kind in ("mask", "bool") else values
    shape = (rows,) if width is None else (rows, width)
    if kind == "multilabel":
        return torch.randint(2, shape).float()
    return torch.randint(4, shape) if kind == "int" else torch.rand(shape)  # as few as golden specs look up


def draw_graph(schema: Schema, seed: int = 0) -> HeteroData:
    """A random graph with everything that the schema declares; the last node of each type is isolated."""
    torch.manual_seed(seed)
    data = HeteroData()
    for name, node in schema.nodes.items():
        data[name].num_nodes = ROWS
        for key, attribute in node.attributes.items():
            data[name][key] = draw(attribute, ROWS)
    for key, edge in schema.edges.items():
        if not edge.derived:
            _draw_edges(data, key, edge)
    for key, attribute in schema.graph.items():
        data[key] = draw(attribute, 1)
    return data


def _draw_edges(data: HeteroData, key: tuple[str, str, str], edge: EdgeType) -> None:
    data[key].edge_index = torch.randint(ROWS - 1, (2, EDGES))
    for name, attribute in edge.attributes.items():
        data[key][name] = draw(attribute, EDGES)


def keywords(plan: Any, data: HeteroData) -> dict[str, Any]:
    """Further inputs of a compiled model: attributes, graphs, pairs."""
    inputs: dict[str, Any] = {}
    names = {found.item.attribute for found in attribute_reads(plan)}
    names |= {*label_inputs(plan), *spread_weights(plan)}
    for name in names - {"x"}:
        inputs[f"{name}_dict"] = {
            **{edge: data[edge][name] for edge in data.edge_types if name in data[edge]},
            **{node: data[node][name] for node in data.node_types if name in data[node]},
        }
    if plan.graph_heads:
        inputs["batch_dict"] = {name: torch.arange(ROWS) * 3 // ROWS for name in data.node_types}
        inputs["num_graphs"] = 4
    return inputs | _pairs(plan)


def _pairs(plan: Any) -> dict[str, Any]:
    """Pairs for each link prediction."""
    pairs = {head.name: torch.randint(ROWS, (2, 7)) for head in plan.link_heads}
    return {"edge_label_index": pairs if len(pairs) > 1 else next(iter(pairs.values()))} if pairs else {}


def sequence_inputs(plan: Any, data: HeteroData) -> dict[str, Any]:
    """Inputs of a model in the sequential form, by name."""
    stage = plan.sequence
    node, edge = data[stage.type], data[stage.edge]
    read = {
        "node": lambda name: node[name],
        "edge": lambda name: edge[name],
        "edge_index": lambda _: edge.edge_index,
        "batch": lambda _: torch.arange(ROWS) * 3 // ROWS,
        "batch_size": lambda _: 3,
        "graph": lambda name: data[name].expand(3, *data[name].shape[1:]),
    }
    return {item.name: read[item.source](item.name) for item in stage.inputs} | _pairs(plan)


__all__ = ["draw_graph", "keywords", "sequence_inputs", "small"]
