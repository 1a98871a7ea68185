"""Attributes of edges in `TransformerConv`, which are part of keys and of values.

Both are linear in them. So where an attribute has few columns, queries go through the map of attributes and meet attributes
themselves, and sums of attributes go through it once a pair: nothing is as large as the edges times the width. Where it has
many, each edge's is mapped, as the layer does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.attention_layout import AttentionLayout
from graphdsl.backends.fused.relational import block_diagonal
from graphdsl.backends.fused.relations import Bucket
from graphdsl.kernels.attributes import own_rows
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.layouts import Layout


@dataclass(frozen=True, slots=True)
class Attributes:
    """What attributes add.

    Attributes:
        table: attributes, or what the layers make of them [rows, columns].
        edges: from there to pairs, each row once a head.
        query: what pairs ask of the table [pairs * heads, columns].
        matrices: of each relation, from sums of the table to values [relations, heads * width, heads * columns]; None where
            they are values.
        bounds: where the pairs of each relation begin.
    """

    table: Tensor
    edges: Layout
    query: Tensor
    matrices: Tensor | None
    bounds: tuple[int, ...]

    def values(self, summed: Tensor) -> Tensor:
        """Values [pairs * heads, width] of sums of the table [pairs * heads, columns]."""
        if self.matrices is None:
            return summed
        made = grouped_linear(summed.view(-1, self.matrices.size(2)), self.matrices, self.bounds)
        heads = self.matrices.size(2) // self.table.size(1)
        return made.view(-1, self.matrices.size(1) // heads)


def read_attributes(
    bucket: Bucket, layout: AttentionLayout, index: Sequence[Tensor], given: Sequence[Tensor], query: Tensor
) -> Attributes:
    """What the attributes of a bucket add.

    Args:
        bucket: of `TransformerConv`, all with attributes of the same width.
        layout: the edges.
        index: edges [2, edges] of each step.
        given: attributes [edges, columns] of each.
        query: what pairs ask of keys [pairs * heads, width].
    """
    layers: list[Any] = list(bucket.modules)
    heads, width = layers[0].heads, layers[0].out_channels
    wide = given[0].size(1) > width
    edges = bucket.keep(("own rows", heads, wide), index, lambda: own_rows(layout.edges, 1 if wide else heads))
    if wide:
        maps = [layer.lin_edge.weight for layer in layers]
        table = torch.cat([functional.linear(item, weight) for item, weight in zip(given, maps, strict=True)])
        return Attributes(table.view(-1, width), edges, query, None, layout.bounds)
    matrices = torch.stack([layer.lin_edge.weight.view(heads, width, -1) for layer in layers])
    asked = _asked(bucket, layout, matrices / math.sqrt(width))
    return Attributes(torch.cat(list(given)), edges, asked, block_diagonal(matrices), layout.bounds)


def _asked(bucket: Bucket, layout: AttentionLayout, maps: Tensor) -> Tensor:
    """Queries behind the maps of attributes, right from the features [pairs * heads, columns].

    Args:
        bucket: the steps.
        layout: the edges.
        maps: of each relation [relations, heads, width, columns].
    """
    asked: list[Any] = [layer.lin_query for layer in bucket.modules]
    heads, width, columns = maps.shape[1:]
    weight = [
        torch.einsum("hca,hci->hai", own, item.weight.view(heads, width, -1)).flatten(0, 1)
        for own, item in zip(maps, asked, strict=True)
    ]
    shift = None
    if asked[0].bias is not None:
        bias = torch.stack([item.bias for item in asked]).view(-1, heads, width)
        shift = list(torch.einsum("rhca,rhc->rha", maps, bias).flatten(1))
    return layout.ask(bucket, weight, shift).view(-1, columns)
