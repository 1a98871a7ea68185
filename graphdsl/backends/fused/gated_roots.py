"""`TransformerConv(beta = true)`: each node weighs what arrives against itself, for each relation anew."""

from typing import Any

import torch
from torch import Tensor

from graphdsl.backends.fused.attention_layout import AttentionLayout
from graphdsl.backends.fused.relations import Bucket
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.grouped import grouped_linear
from graphdsl.kernels.projecting import lay_out_targets


def with_gates(bucket: Bucket, layout: AttentionLayout, index: list[Tensor], made: Tensor) -> dict[int, Tensor]:
    """Messages by slot, weighed against the destinations.

    The weight is a sigmoid of a linear map of the message, the node, and the difference of the two; it is split into what the
    message says, for pairs alone, and what the node says, right from its features.

    Args:
        bucket: of `TransformerConv`.
        layout: the edges.
        index: edges [2, edges] of each step.
        made: what arrives at each pair of a relation and a destination [pairs, width].
    """
    layers: list[Any] = list(bucket.modules)
    nodes = bucket.keep(("gates",), index, lambda: lay_out_targets(bucket.union(index, shared=False), pick=False))
    x = bucket.target_values
    matrices = [layer.lin_skip.weight for layer in layers]
    shifts = None if layers[0].lin_skip.bias is None else [layer.lin_skip.bias for layer in layers]
    vectors = [layer.lin_beta.weight.view(3, -1) for layer in layers]
    of_node = [vector[1:2] - vector[2:] for vector in vectors]
    folded = [vector @ matrix for vector, matrix in zip(of_node, matrices, strict=True)]
    moved = None if shifts is None else [v @ shift for v, shift in zip(of_node, shifts, strict=True)]
    said = grouped_linear(made, torch.stack([vector[:1] + vector[2:] for vector in vectors]), layout.bounds)
    beta = nodes.table(x, folded, moved).index_add(0, nodes.column, said).sigmoid()
    total = gather_sum(layout.join, made * (1 - beta.index_select(0, nodes.column)))
    own = nodes.table(x, matrices, shifts)
    many = [len(group) for group in nodes.groups]
    sizes = [rows * count for rows, count in zip(bucket.rows, many, strict=True)]
    parts = zip(bucket.slots, total.split(bucket.rows), beta.split(sizes), own.split(sizes), many, strict=True)
    return {
        slot: message + torch.bmm(weight.view(-1, 1, count), value.view(-1, count, value.size(1))).squeeze(1)
        for slot, message, weight, value, count in parts
    }
