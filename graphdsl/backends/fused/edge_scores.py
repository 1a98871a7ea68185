"""What attributes of edges add to the scores of `GATConv`, self-loops that the layers add among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch_geometric.utils import scatter

from graphdsl.backends.fused.attention_layout import AttentionLayout
from graphdsl.backends.fused.relations import Bucket
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import bound_input
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.picking import pick
from graphdsl.plan import RelationStage

_LINEAR = ("mean", "add")
"""Ways to fill loops that may as well be taken of scores as of attributes."""


@dataclass(frozen=True, slots=True)
class LoopedEdges:
    """Where the scores of edges stand.

    Attributes:
        place: of each edge of the layout in a table of the given edges, relation by relation, those of a relation followed
            by its loops [edges].
        arriving: of each relation with loops, edges that are none by destination; None for others.
    """

    place: Tensor
    arriving: tuple[Layout | None, ...]


def attribute_scores(
    bucket: Bucket,
    index: Sequence[Tensor],
    layout: AttentionLayout,
    stage: RelationStage,
    states: list[Values],
    graph: Graph,
) -> Tensor:
    """What the attribute of each edge adds to its score, in the order of the layout [edges].

    Args:
        bucket: of `GATConv`, of which some read attributes.
        index: edges [2, edges] of each step.
        layout: the edges.
        stage: the stage.
        states: states so far.
        graph: edges and attributes.
    """
    layers: list[Any] = list(bucket.modules)
    loops = tuple(bool(layer.add_self_loops) for layer in layers)
    heads = layers[0].heads
    looped = bucket.keep(("looped", heads, loops), index, lambda: _lay_out(bucket, index, layout, loops, heads))
    parts: list[Tensor] = []
    for number, (step, layer) in enumerate(zip(bucket.steps, layers, strict=True)):
        rows = bucket.rows[bucket.target[number]] if loops[number] else 0
        if layer.lin_edge is None or not step.inputs:
            parts.append(layer.att_src.new_zeros(index[number].size(1) + rows, heads))
            continue
        given = bound_input(step.inputs[0], step, states, states[stage.reads], graph)
        given = given.view(-1, 1) if given.dim() == 1 else given
        weight = (layer.lin_edge.weight.view(heads, layer.out_channels, -1) * layer.att_edge.view(heads, -1, 1)).sum(1)
        parts.append(functional.linear(given, weight))
        if rows:
            arriving = looped.arriving[number]
            assert arriving is not None
            parts.append(_loop_scores(layer.fill_value, given, parts[-1], weight, arriving))
    return pick(torch.cat(parts).reshape(-1), looped.place)


def _lay_out(
    bucket: Bucket, index: Sequence[Tensor], layout: AttentionLayout, loops: Sequence[bool], heads: int
) -> LoopedEdges:
    kept: list[Tensor] = []
    arriving: list[Layout | None] = []
    start = 0
    for number, item in enumerate(index):
        count = item.size(1)
        if not loops[number]:
            kept.append(torch.arange(start, start + count, device=item.device))
            arriving.append(None)
            start += count
            continue
        rows = bucket.rows[bucket.target[number]]
        real = (item[0] != item[1]).nonzero().squeeze(1)
        kept += [real + start, torch.arange(start + count, start + count + rows, device=item.device)]
        arriving.append(Layout.of(item[1].index_select(0, real), real, rows, count))
        start += count + rows
    order = layout.edges.order.long()
    edge = torch.div(order, heads, rounding_mode="floor")
    return LoopedEdges(torch.cat(kept).index_select(0, edge) * heads + order - edge * heads, tuple(arriving))


def _loop_scores(fill: float | str, given: Tensor, score: Tensor, weight: Tensor, arriving: Layout) -> Tensor:
    """Scores [nodes, heads] of self-loops, whose attributes follow from those of the other edges into a node.

    Args:
        fill: how, or a number.
        given: attributes of the edges [edges, width].
        score: what they add to scores [edges, heads].
        weight: from attributes to scores [heads, width].
        arriving: the other edges by node.
    """
    if not isinstance(fill, str):
        return (fill * weight.sum(1)).expand(arriving.rows, -1)
    if fill in _LINEAR:
        total = gather_sum(arriving, score)
        return total / arriving.degree.clamp(min=1).unsqueeze(1) if fill == "mean" else total
    chosen = given.index_select(0, arriving.column)
    return functional.linear(scatter(chosen, arriving.row.long(), 0, arriving.rows, reduce=fill), weight)
