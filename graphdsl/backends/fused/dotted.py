"""Attention whose score is a scalar product of source and destination: `TransformerConv`, all relations at once."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.attention_layout import attention_layout
from graphdsl.backends.fused.dotted_attributes import read_attributes
from graphdsl.backends.fused.gated_roots import with_gates
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import bound_input
from graphdsl.kernels.gathering import edge_dot, gather_sum
from graphdsl.kernels.normalizing import segment_softmax
from graphdsl.plan import RelationStage


def send_dotted(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `TransformerConv` with one rate of dropout."""
    layers: list[Any] = list(bucket.modules)
    heads, width = layers[0].heads, layers[0].out_channels
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    layout = attention_layout(bucket, index, heads)
    x = [bucket.values[name] for name in bucket.sources]
    maps = [_stacked([getattr(layer, name) for layer in layers]) for name in ("lin_key", "lin_value")]
    keys, values = (table.view(-1, width) for table in layout.projection.tables(x, maps))
    asked = [layer.lin_query for layer in layers]
    shifts = None if asked[0].bias is None else [item.bias for item in asked]
    query = layout.ask(bucket, [item.weight for item in asked], shifts).view(-1, width) / math.sqrt(width)
    score = edge_dot(layout.edges, query, keys)
    attributes = None
    if layers[0].lin_edge is not None:
        given = [bound_input(step.inputs[0], step, states, states[stage.reads], graph) for step in bucket.steps]
        attributes = read_attributes(bucket, layout, index, given, query)
        score = score + edge_dot(attributes.edges, attributes.query, attributes.table)
    rate = layers[0].dropout if layers[0].training else 0.0
    share = functional.dropout(segment_softmax(layout.edges, score), rate, rate > 0)
    made = gather_sum(layout.edges, values, share)
    if attributes is not None:
        made = made + attributes.values(gather_sum(attributes.edges, attributes.table, share))
    made = made.view(-1, heads, width)
    made = made.flatten(1) if layers[0].concat else made.mean(1)
    if layers[0].beta:
        return with_gates(bucket, layout, index, made)
    roots = [layer.lin_skip if layer.root_weight else None for layer in layers]
    matrices = [None if item is None else item.weight for item in roots]
    return with_roots(
        bucket, gather_sum(layout.join, made), matrices, [None if item is None else item.bias for item in roots]
    )


def _stacked(maps: list[Any]) -> tuple[Tensor, Tensor | None]:
    """Matrices and shifts of linear maps."""
    weight = torch.stack([item.weight for item in maps])
    return weight, None if maps[0].bias is None else torch.stack([item.bias for item in maps])
