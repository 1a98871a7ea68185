"""Attention whose score reads source and destination together: `GATv2Conv`, all relations at once."""

from typing import Any

import torch
from torch import Tensor

from graphdsl.backends.fused.attention_layout import attention_layout
from graphdsl.backends.fused.edge_scores import attribute_table
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.graph import Graph, Values
from graphdsl.kernels.dynamic_attention import Scoring, dynamic_attention
from graphdsl.kernels.gathering import gather_sum
from graphdsl.plan import RelationStage


def send_dynamic(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `GATv2Conv` with one slope and one rate of dropout."""
    layers: list[Any] = list(bucket.modules)
    first = layers[0]
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    loops = tuple(layer.add_self_loops for layer in layers)
    layout = attention_layout(bucket, index, 1, loops)
    x = [bucket.values[name] for name in bucket.sources]
    left, right = [layer.lin_l for layer in layers], [layer.lin_r for layer in layers]
    biased = left[0].bias is not None
    table = layout.projection.table(
        x, torch.stack([item.weight for item in left]), torch.stack([item.bias for item in left]) if biased else None
    )
    query = layout.ask(bucket, [item.weight for item in right], [item.bias for item in right] if biased else None)
    vector = torch.cat([layer.att for layer in layers]).flatten(1)
    rate = first.dropout if first.training else 0.0
    scoring = Scoring(first.heads, first.negative_slope, rate, layout.bounds)
    added = None
    if any(layer.lin_edge is not None for layer in layers):
        weights = [None if layer.lin_edge is None else layer.lin_edge.weight for layer in layers]
        added = attribute_table(bucket, index, layout, weights, 1, stage, states, graph)
    made = dynamic_attention(layout.edges, table, query, vector, scoring, added)
    if not first.concat:
        made = made.view(-1, first.heads, first.out_channels).mean(1)
    roots = [None if layer.res is None else layer.res.weight for layer in layers]
    return with_roots(bucket, gather_sum(layout.join, made), roots, [layer.bias for layer in layers])
