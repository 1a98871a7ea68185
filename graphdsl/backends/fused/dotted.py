"""Attention whose score is a scalar product of source and destination: `TransformerConv`, all relations at once."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.attention_layout import AttentionLayout, lay_out_attention
from graphdsl.backends.fused.gated_roots import with_gates
from graphdsl.backends.fused.relational import block_diagonal
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import bound_input
from graphdsl.kernels.attributes import own_rows
from graphdsl.kernels.gathering import edge_dot, gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import segment_softmax
from graphdsl.plan import RelationStage


def send_dotted(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `TransformerConv` with one rate of dropout."""
    layers: list[Any] = list(bucket.modules)
    heads, width = layers[0].heads, layers[0].out_channels
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    loops = (False,) * len(layers)
    layout = bucket.keep(("attention", heads, loops), index, lambda: lay_out_attention(bucket, index, loops, heads))
    x = [bucket.values[name] for name in bucket.sources]
    maps = [_stacked([getattr(layer, name) for layer in layers]) for name in ("lin_key", "lin_value")]
    keys, values = (table.view(-1, width) for table in layout.projection.tables(x, maps))
    asked = [layer.lin_query for layer in layers]
    shifts = None if asked[0].bias is None else [item.bias for item in asked]
    query = layout.ask(bucket, [item.weight for item in asked], shifts).view(-1, width) / math.sqrt(width)
    score = edge_dot(layout.edges, query, keys)
    attributes = None
    if layers[0].lin_edge is not None:
        attributes = _attributes(bucket, layout, heads, index, (stage, states, graph))
        score = score + edge_dot(attributes.layout, _attribute_queries(bucket, layout, layers), attributes.table)
    rate = layers[0].dropout if layers[0].training else 0.0
    share = functional.dropout(segment_softmax(layout.edges, score), rate, rate > 0)
    made = gather_sum(layout.edges, values, share)
    if attributes is not None:
        summed = gather_sum(attributes.layout, attributes.table, share)
        made = made + _attribute_values(summed, layout, layers)
    made = made.view(-1, heads, width)
    made = made.flatten(1) if layers[0].concat else made.mean(1)
    if layers[0].beta:
        return with_gates(bucket, layout, index, made)
    roots = [layer.lin_skip if layer.root_weight else None for layer in layers]
    matrices = [None if item is None else item.weight for item in roots]
    return with_roots(
        bucket, gather_sum(layout.join, made), matrices, [None if item is None else item.bias for item in roots]
    )


@dataclass(frozen=True, slots=True)
class _Attributes:
    """Attributes [edges, width], and the edges from there to pairs, each row once a head."""

    table: Tensor
    layout: Layout


def _attributes(
    bucket: Bucket,
    layout: AttentionLayout,
    heads: int,
    index: list[Tensor],
    source: tuple[RelationStage, list[Values], Graph],
) -> _Attributes:
    stage, states, graph = source
    given = [bound_input(step.inputs[0], step, states, states[stage.reads], graph) for step in bucket.steps]
    edges = bucket.keep(("own rows", heads), index, lambda: own_rows(layout.edges, heads))
    return _Attributes(torch.cat(given), edges)


def _edge_matrices(layers: list[Any]) -> Tensor:
    """From attributes to keys and values [relations, heads, width, columns of an attribute]."""
    first = layers[0]
    return torch.stack([layer.lin_edge.weight.view(first.heads, first.out_channels, -1) for layer in layers])


def _attribute_queries(bucket: Bucket, layout: AttentionLayout, layers: list[Any]) -> Tensor:
    """What destinations ask attributes for [pairs * heads, columns of an attribute]: queries behind the map of attributes."""
    heads, width = layers[0].heads, layers[0].out_channels
    asked = [layer.lin_query for layer in layers]
    maps = _edge_matrices(layers) / math.sqrt(width)
    weight = [
        torch.einsum("hca,hci->hai", own, item.weight.view(heads, width, -1)).flatten(0, 1)
        for own, item in zip(maps, asked, strict=True)
    ]
    shift = None
    if asked[0].bias is not None:
        bias = torch.stack([item.bias for item in asked]).view(-1, heads, width)
        shift = list(torch.einsum("rhca,rhc->rha", maps, bias).flatten(1))
    return layout.ask(bucket, weight, shift).view(-1, maps.size(3))


def _attribute_values(summed: Tensor, layout: AttentionLayout, layers: list[Any]) -> Tensor:
    """Values [pairs * heads, width] of sums of attributes [pairs * heads, columns]: a matrix for each head."""
    matrices = _edge_matrices(layers)
    _, heads, width, columns = matrices.shape
    whole = block_diagonal(matrices)
    return grouped_linear(summed.view(-1, heads * columns), whole, layout.bounds).view(-1, width)


def _stacked(maps: list[Any]) -> tuple[Tensor, Tensor | None]:
    """Matrices and shifts of linear maps."""
    weight = torch.stack([item.weight for item in maps])
    return weight, None if maps[0].bias is None else torch.stack([item.bias for item in maps])
