"""A graph as attention within each relation reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.utils import add_self_loops, remove_self_loops

from graphdsl.backends.fused.relations import Bucket
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.projecting import Projection, lay_out_projection


@dataclass(frozen=True, slots=True)
class AttentionLayout:
    """A graph as attention reads it.

    Attributes:
        counts: edges of each relation.
        projection: rows of the table of projected sources.
        edges: from the table to pairs of a relation and a destination, each row once a head.
        join: from pairs to destinations.
        targets: by node type of destinations, the relations into it.
        place: row of each pair in the table of scores of destinations [pairs].
    """

    counts: tuple[int, ...]
    projection: Projection
    edges: Layout
    join: Layout
    targets: tuple[tuple[str, tuple[int, ...]], ...]
    place: Tensor


def lay_out_attention(bucket: Bucket, index: Sequence[Tensor], loops: Sequence[bool], heads: int) -> AttentionLayout:
    """Lay out the edges of a bucket.

    Args:
        bucket: the steps.
        index: edges [2, edges] of each.
        loops: of each, whether its self-loops are replaced by one at each node.
        heads: of each layer.
    """
    edges: list[Tensor] = []
    for number, item in enumerate(index):
        if loops[number]:
            rows = min(bucket.source_rows[bucket.source[number]], bucket.rows[bucket.target[number]])
            item, _ = add_self_loops(remove_self_loops(item)[0], num_nodes=rows)
        edges.append(item)
    union = bucket.union(edges)
    projection = lay_out_projection(union)
    layout = Layout.of(union.pair_of_edge, projection.column, union.pairs, projection.rows).heads(heads)
    names = [step.edge[2] for step in bucket.steps]
    targets = tuple((name, tuple(r for r, other in enumerate(names) if other == name)) for name in dict.fromkeys(names))
    place = torch.empty(union.pairs, dtype=torch.long, device=union.device)
    base = 0
    for name, members in targets:
        for number, r in enumerate(members):
            part = slice(union.pair_bounds[r], union.pair_bounds[r + 1])
            own = union.pair_row[part] - union.target_at[bucket.target[r]]
            place[part] = base + own * len(members) + number
        base += bucket.values[name].size(0) * len(members)
    return AttentionLayout(union.counts, projection, layout, union.join, targets, place)
