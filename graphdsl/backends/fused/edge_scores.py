"""What attributes of edges add to what `GATConv` and `GATv2Conv` score, self-loops that the layers add among them."""

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
"""Ways to fill loops that may as well be taken behind the matrix."""


@dataclass(frozen=True, slots=True)
class LoopedEdges:
    """Where the rows of edges stand.

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
    heads = layers[0].heads
    weights = [
        None
        if layer.lin_edge is None
        else (layer.lin_edge.weight.view(heads, layer.out_channels, -1) * layer.att_edge.view(heads, -1, 1)).sum(1)
        for layer in layers
    ]
    table, place = attribute_table(bucket, index, layout, weights, heads, stage, states, graph)
    return pick(table.reshape(-1), place)


def attribute_table(
    bucket: Bucket,
    index: Sequence[Tensor],
    layout: AttentionLayout,
    weights: Sequence[Tensor | None],
    heads: int,
    stage: RelationStage,
    states: list[Values],
    graph: Graph,
) -> tuple[Tensor, Tensor]:
    """Attributes behind matrices, and where those of each edge of a layout stand.

    Args:
        bucket: of layers with `add_self_loops` and `fill_value`, of which some read attributes.
        index: edges [2, edges] of each step.
        layout: the edges.
        weights: of each step a matrix [columns, width of the attribute], or None where none is read.
        heads: rows that each node has in the layout: a number of each row of the table.
        stage: the stage.
        states: states so far.
        graph: edges and attributes.

    Returns:
        A row for each given edge and each loop [given edges, columns], zeros where no attribute is read; and the place of
        each edge of the layout in the flattened table: with one head, its row.
    """
    layers: list[Any] = list(bucket.modules)
    loops = tuple(bool(layer.add_self_loops) for layer in layers)
    looped = bucket.keep(("looped", heads, loops), index, lambda: _lay_out(bucket, index, layout, loops, heads))
    columns = next(weight.size(0) for weight in weights if weight is not None)
    parts: list[Tensor] = []
    for number, (step, layer) in enumerate(zip(bucket.steps, layers, strict=True)):
        rows = bucket.rows[bucket.target[number]] if loops[number] else 0
        weight = weights[number]
        if weight is None or not step.inputs:
            like = bucket.values[step.edge[0]]
            parts.append(like.new_zeros(index[number].size(1) + rows, columns))
            continue
        given = bound_input(step.inputs[0], step, states, states[stage.reads], graph)
        given = given.view(-1, 1) if given.dim() == 1 else given
        parts.append(functional.linear(given, weight))
        if rows:
            arriving = looped.arriving[number]
            assert arriving is not None
            parts.append(_loop_rows(layer.fill_value, given, parts[-1], weight, arriving))
    return torch.cat(parts), looped.place


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


def _loop_rows(fill: float | str, given: Tensor, made: Tensor, weight: Tensor, arriving: Layout) -> Tensor:
    """Rows [nodes, columns] of self-loops, whose attributes follow from those of the other edges into a node.

    Args:
        fill: how, or a number.
        given: attributes of the edges [edges, width].
        made: attributes behind the matrix [edges, columns].
        weight: the matrix [columns, width].
        arriving: the other edges by node.
    """
    if not isinstance(fill, str):
        return (fill * weight.sum(1)).expand(arriving.rows, -1)
    if fill in _LINEAR:
        total = gather_sum(arriving, made)
        return total / arriving.degree.clamp(min=1).unsqueeze(1) if fill == "mean" else total
    chosen = given.index_select(0, arriving.column)
    return functional.linear(scatter(chosen, arriving.row.long(), 0, arriving.rows, reduce=fill), weight)
