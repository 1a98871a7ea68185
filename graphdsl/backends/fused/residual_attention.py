"""`SimpleHGNConv`: one softmax over all relations into a node, handed on from layer to layer."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.fused.relations import keep_layout
from graphdsl.backends.graph import Values
from graphdsl.kernels.competing import PairedLayout, from_columns, from_rows, lay_out_pairs
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.normalizing import segment_softmax
from graphdsl.kernels.unions import Union


@dataclass(frozen=True, slots=True)
class HandedLayout:
    """The edges of a layer.

    Attributes:
        edges: between the nodes of all types, each once a head.
        target: of each pair, its place in a table of scores of destinations.
        relation: of each pair, its place in a table of scores of relations.
    """

    edges: PairedLayout
    target: Tensor
    relation: Tensor


def send_residual(module: nn.Module, joint: JointEdges) -> Values:
    """Messages [num_nodes, width] into each destination.

    The last layer is computed for the destinations alone; those before for all nodes, from whom values come.

    Args:
        module: the layers.
        joint: the relations.
    """
    layer: Any = module
    heads = layer.layers[0].heads
    types = (*joint.targets, *(name for name in joint.step.types if name not in joint.targets))
    x = torch.cat([joint.values[name] for name in types])
    rows = sum(joint.target_rows)
    sizes = [joint.values[name].size(0) for name in types]
    index = [joint.graph.edge_index[edge] for edge in joint.step.edges]
    whole, last = keep_layout(
        ("residual-attention", heads, layer.add_self_loops, joint.step.edges, types, rows),
        [(edge, joint.step.rule) for edge in joint.step.edges],
        index,
        sizes,
        lambda: _lay_out(joint, types, sizes, heads, layer.add_self_loops),
    )
    attention: Tensor | None = None
    for number, inner in enumerate(layer.layers):
        if number and layer.act is not None:
            x = layer.act(x)
        ends = number == len(layer.layers) - 1
        if ends and attention is not None:
            attention = attention[: last.edges.edges.edges]
        x, attention = _attend(inner, last if ends else whole, x, attention)
    if not layer.concat:
        x = x.view(rows, heads, -1).mean(1)
    made = functional.normalize(x, dim=-1) if layer.normalize else x
    return dict(zip(joint.targets, made.split(joint.target_rows), strict=True))


def _lay_out(
    joint: JointEdges, types: tuple[str, ...], sizes: list[int], heads: int, loops: bool
) -> tuple[HandedLayout, HandedLayout]:
    """The edges into all nodes, and those into destinations, which come first."""
    ends = [(types.index(edge[0]), types.index(edge[2])) for edge in joint.step.edges]
    index = [joint.graph.edge_index[edge] for edge in joint.step.edges]
    kinds = list(range(len(index)))
    if loops:
        index = [
            item if source != target else item[:, item[0] != item[1]]
            for item, (source, target) in zip(index, ends, strict=True)
        ]
        index += [torch.arange(size, device=index[0].device).expand(2, -1) for size in sizes]
        ends += [(block, block) for block in range(len(sizes))]
        kinds += [len(kinds)] * len(sizes)
    union = Union(index, [end[0] for end in ends], [end[1] for end in ends], sizes, sizes)
    edges = lay_out_pairs(union, union.column, union.source_at[-1], heads)
    pair = torch.div(edges.place, heads, rounding_mode="floor")
    head = edges.place - pair * heads
    pairs = torch.tensor(union.pair_bounds, device=union.device).diff()
    kind = torch.tensor(kinds, device=union.device).repeat_interleave(pairs, output_size=union.pairs)
    target = union.pair_row.index_select(0, pair) * heads + head
    relation = kind.index_select(0, pair) * heads + head
    last = edges.first(sum(joint.target_rows) * heads)
    some = last.pairs.rows
    return HandedLayout(edges, target, relation), HandedLayout(last, target[:some], relation[:some])


def _attend(layer: Any, layout: HandedLayout, x: Tensor, attention: Tensor | None) -> tuple[Tensor, Tensor]:
    """Values [rows, heads * width] and attention [edges] in the order of the layout."""
    edges, heads = layout.edges.edges, layer.heads
    x = functional.dropout(x, layer.dropout, layer.training)
    weight = layer.lin.weight.view(heads, layer.out_channels, -1)
    folded = [(weight * vector.view(heads, -1, 1)).sum(1) for vector in (layer.att_target, layer.att_source)]
    of_target, of_source = functional.linear(x, torch.cat(folded)).split(heads, 1)
    relation = layer.lin_relation(layer.relation.weight).view(-1, heads, layer.relation.embedding_dim)
    of_relation = (relation * layer.att_relation).sum(-1)
    of_pair = of_target.reshape(-1).index_select(0, layout.target)
    of_pair = of_pair + of_relation.view(-1).index_select(0, layout.relation)
    score = from_rows(layout.edges.pairs, of_pair) + from_columns(edges, of_source.reshape(-1))
    share = segment_softmax(edges, functional.leaky_relu(score, layer.negative_slope))
    share = functional.dropout(share, layer.dropout, layer.training)
    if attention is not None:
        share = (1 - layer.beta) * share + layer.beta * attention
    made = gather_sum(edges, layer.lin(x).view(-1, layer.out_channels), share).view(-1, heads * layer.out_channels)
    if layer.res is not None:
        made = made + layer.res(x[: made.size(0)])
    return made, share.detach()
