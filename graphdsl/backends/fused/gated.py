"""`ResGatedGraphConv`: neighbours behind gates that read both ends, all relations at once."""

from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.fused.attention_layout import attention_layout
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.fused.roots import with_roots
from graphdsl.backends.graph import Graph, Values
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.gating import gated_sum
from graphdsl.plan import RelationStage


def send_gated(bucket: Bucket, _stage: RelationStage, _states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `ResGatedGraphConv` whose gates are sigmoids."""
    layers: list[Any] = list(bucket.modules)
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    layout = attention_layout(bucket, index, heads=1)
    x = [bucket.values[name] for name in bucket.sources]
    maps = [_stacked([getattr(layer, name) for layer in layers]) for name in ("lin_query", "lin_value")]
    query, value = layout.projection.tables(x, maps)
    keys = [layer.lin_key for layer in layers]
    key = layout.ask(bucket, [item.weight for item in keys], [item.bias for item in keys])
    made = gather_sum(layout.join, gated_sum(layout.edges, key, query, value))
    roots = [layer.lin_skip.weight if layer.root_weight else None for layer in layers]
    return with_roots(bucket, made, roots, [layer.bias for layer in layers])


def _stacked(maps: list[nn.Linear]) -> tuple[Tensor, Tensor]:
    """Matrices and shifts of linear maps."""
    return torch.stack([item.weight for item in maps]), torch.stack([item.bias for item in maps])
