"""Attention whose score is a number of the source plus one of the destination: `GATConv`, all relations at once.

Scores of nodes come straight from the features, by weights folded with the attention vectors; edges hold one number a head,
and nothing of the size of the edges times the width is made.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.attention_layout import AttentionLayout, attention_layout
from graphdsl.backends.fused.edge_scores import attribute_scores
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.graph import Graph, Values
from graphdsl.kernels.attending import additive_attention
from graphdsl.kernels.constants import constant
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.normalizing import edge_scores, segment_softmax
from graphdsl.plan import RelationStage


def send_additive(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `GATConv`."""
    layers: list[Any] = list(bucket.modules)
    heads, width = layers[0].heads, layers[0].out_channels
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    loops = tuple(layer.add_self_loops for layer in layers)
    layout = attention_layout(bucket, index, heads, loops)
    x = [bucket.values[name] for name in bucket.sources]
    matrices = torch.stack([_source_matrix(layer) for layer in layers])
    folded = _folded(matrices, torch.cat([layer.att_src for layer in layers]))
    table, of_source = layout.projection.tables(x, [(matrices, None), (folded, None)])
    of_target = _target_scores(bucket, layout, layers)
    slopes = {layer.negative_slope for layer in layers}
    rates = {layer.dropout if layer.training else 0.0 for layer in layers}
    if len(slopes) == len(rates) == 1 and all(layer.lin_edge is None for layer in layers):
        made = additive_attention(
            layout.edges, table.view(-1, width), of_target.reshape(-1), of_source.reshape(-1), slopes.pop(), rates.pop()
        )
    else:
        score = edge_scores(layout.edges, of_target.reshape(-1), of_source.reshape(-1))
        if any(layer.lin_edge is not None for layer in layers):
            score = score + attribute_scores(bucket, index, layout, stage, states, graph)
        share = segment_softmax(layout.edges, _bent(score, layout, layers))
        made = gather_sum(layout.edges, table.view(-1, width), _dropped(share, layout, layers))
    made = made.view(-1, heads, width)
    made = made.flatten(1) if layers[0].concat else made.mean(1)
    total = gather_sum(layout.join, made)
    roots = [None if layer.res is None else layer.res.weight for layer in layers]
    return with_roots(bucket, total, roots, [layer.bias for layer in layers])


def _source_matrix(layer: Any) -> Tensor:
    return (layer.lin if layer.lin is not None else layer.lin_src).weight


def _target_matrix(layer: Any) -> Tensor:
    return (layer.lin if layer.lin is not None else layer.lin_dst).weight


def _folded(matrix: Tensor, vector: Tensor) -> Tensor:
    """What gives the scores right from the features: [relations, heads, width_in], or [heads, width_in].

    Args:
        matrix: [relations, heads * width, width_in], or of one relation [heads * width, width_in].
        vector: [relations, heads, width], or [heads, width].
    """
    return (matrix.view(*vector.shape, -1) * vector.unsqueeze(-1)).sum(-2)


def _target_scores(bucket: Bucket, layout: AttentionLayout, layers: Sequence[Any]) -> Tensor:
    """Scores [pairs, heads] of destinations."""
    matrices = [_target_matrix(layer) for layer in layers]
    vectors = torch.cat([layer.att_dst for layer in layers])
    if len({matrix.size(1) for matrix in matrices}) == 1:
        return layout.ask(bucket, _folded(torch.stack(matrices), vectors))
    return layout.ask(bucket, [_folded(matrix, vector) for matrix, vector in zip(matrices, vectors, strict=True)])


def _bent(score: Tensor, layout: AttentionLayout, layers: Sequence[Any]) -> Tensor:
    slopes = [layer.negative_slope for layer in layers]
    if len(set(slopes)) == 1:
        return functional.leaky_relu(score, slopes[0])
    slope = _per_edge(slopes, score, layout, layers[0].heads)
    return torch.where(score > 0, score, score * slope)


def _dropped(share: Tensor, layout: AttentionLayout, layers: Sequence[Any]) -> Tensor:
    rates = [layer.dropout if layer.training else 0.0 for layer in layers]
    if len(set(rates)) == 1:
        return functional.dropout(share, rates[0], training=rates[0] > 0)
    kept = 1 - _per_edge(rates, share, layout, layers[0].heads)
    return share * torch.bernoulli(kept) / kept.clamp(min=torch.finfo(share.dtype).tiny)


def _per_edge(values: Sequence[float], like: Tensor, layout: AttentionLayout, heads: int) -> Tensor:
    """A number of each relation at each edge and head, in the order of the layout."""
    each = constant(tuple(values), like.device, like.dtype).repeat_interleave(
        constant(tuple(count * heads for count in layout.counts), like.device), output_size=layout.edges.edges
    )
    return each.index_select(0, layout.edges.order)
