"""Attention whose score is how similar source and destination are: `AGNNConv`, all relations at once."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.attention_layout import with_loops
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.graph import Graph, Values
from graphdsl.kernels.gathering import edge_dot, gather_sum
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import segment_softmax
from graphdsl.plan import RelationStage


@dataclass(frozen=True, slots=True)
class SimilarLayout:
    """A graph as `AGNNConv` reads it.

    Attributes:
        edges: from sources to pairs of a relation and a destination.
        row: destination of each pair.
        sizes: pairs of each relation.
        join: from pairs to destinations.
    """

    edges: Layout
    row: Tensor
    sizes: Tensor
    join: Layout


def send_similar(bucket: Bucket, stage: RelationStage, states: list[Values], graph: Graph) -> dict[int, Tensor]:
    """Messages by slot, of a bucket of `AGNNConv`."""
    layers: list[Any] = list(bucket.modules)
    index = [graph.edge_index[step.edge] for step in bucket.steps]
    loops = tuple(bool(layer.add_self_loops) for layer in layers)
    layout = bucket.keep(("similar", loops), index, lambda: _lay_out(bucket, index, loops))
    x = torch.cat([bucket.values[name] for name in bucket.sources])
    target = functional.normalize(torch.cat(bucket.target_values), dim=-1)
    beta = torch.cat([layer.beta for layer in layers]).repeat_interleave(layout.sizes, output_size=layout.edges.rows)
    query = target.index_select(0, layout.row) * beta.unsqueeze(1)
    share = segment_softmax(layout.edges, edge_dot(layout.edges, query, functional.normalize(x, dim=-1)))
    total = gather_sum(layout.join, gather_sum(layout.edges, x, share))
    return dict(zip(bucket.slots, total.split(bucket.rows), strict=True))


def _lay_out(bucket: Bucket, index: list[Tensor], loops: tuple[bool, ...]) -> SimilarLayout:
    union = bucket.union(with_loops(bucket, index, loops))
    sizes = torch.tensor(union.pair_bounds, device=union.device).diff()
    return SimilarLayout(union.by_pair, union.pair_row, sizes, union.join)
