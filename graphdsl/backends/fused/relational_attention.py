"""`RGATConv`: a matrix per relation, and attention within or across relations.

Matrices of queries and keys are folded into those of the relations, so that scores are made once for each node and relation
that meet, not once an edge; edges hold one number a head.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.fused.relational import block_diagonal
from graphdsl.backends.graph import Values
from graphdsl.kernels.competing import PairedLayout, from_columns, from_rows, lay_out_pairs
from graphdsl.kernels.constants import constant
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.normalizing import segment_softmax
from graphdsl.kernels.picking import pick
from graphdsl.kernels.projecting import Projection, lay_out_projection, lay_out_targets


@dataclass(frozen=True, slots=True)
class RelationalLayout:
    """A graph as `RGATConv` reads it.

    Attributes:
        sources: rows of the tables of values and keys.
        targets: rows of the table of queries.
        query: row of each pair in that table, once a head.
        edges: from the first tables to destinations and pairs, each row once a head.
    """

    sources: Projection
    targets: Projection
    query: Tensor
    edges: PairedLayout


def send_relational_attention(module: nn.Module, joint: JointEdges) -> Values:
    """Messages [num_nodes, width] into each destination.

    Args:
        module: PyG's layer.
        joint: the relations.
    """
    layer: Any = module
    many = layer.heads * layer.dim
    layout = joint.keep(("relational-attention", many), lambda: _lay_out(joint, many))
    weight = _matrices(layer)
    if joint.numbers != tuple(range(weight.size(0))):
        weight = weight.index_select(0, constant(joint.numbers, weight.device))
    maps = [(weight, None), (layer.k.t() @ weight, None)]
    table, key = layout.sources.tables([joint.values[name] for name in joint.sources], maps)
    query = layout.targets.table([joint.made[name] for name in joint.targets], layer.q.t() @ weight)
    of_pair = query.reshape(-1).index_select(0, layout.query)
    share = _shares(layer, joint, layout.edges, of_pair, key.reshape(-1))
    table = table.view(-1, layer.heads, 1, layer.out_channels).expand(-1, -1, layer.dim, -1)
    made = _summed(layer, layout.edges, table.reshape(-1, layer.out_channels), share)
    made = made.view(-1, layer.heads, layer.dim * layer.out_channels)
    made = made.flatten(1) if layer.concat else made.mean(1)
    made = made if layer.bias is None else made + layer.bias
    return dict(zip(joint.targets, made.split(joint.target_rows), strict=True))


def _lay_out(joint: JointEdges, heads: int) -> RelationalLayout:
    union = joint.union()
    sources, targets = lay_out_projection(union), lay_out_targets(union)
    edges = lay_out_pairs(union, sources.column, sources.rows, heads)
    pair = torch.div(edges.place, heads, rounding_mode="floor")
    query = targets.column.index_select(0, pair) * heads + edges.place - pair * heads
    return RelationalLayout(sources, targets, query, edges)


def _matrices(layer: Any) -> Tensor:
    """The matrix of each relation [relations, heads * width, width_in]."""
    if layer.num_bases is not None:
        flat = layer.att @ layer.basis.view(layer.num_bases, -1)
        return flat.view(layer.num_relations, *layer.basis.shape[1:]).transpose(1, 2)
    return (layer.weight if layer.num_blocks is None else block_diagonal(layer.weight)).transpose(1, 2)


def _shares(layer: Any, joint: JointEdges, layout: PairedLayout, of_pair: Tensor, of_source: Tensor) -> Tensor:
    """Attention [edges], in the order of the layout."""
    query, key = from_rows(layout.pairs, of_pair), from_columns(layout.edges, of_source)
    own: Tensor | None = None
    if layer.lin_edge is not None:
        folded = layer.e.t() @ layer.lin_edge.weight
        parts = [functional.linear(given, folded) for given in joint.edge_inputs(joint.step.inputs[0])]
        own = pick(torch.cat(parts).reshape(-1), layout.edges.order)
    if layer.attention_mode == "additive-self-attention":
        score = query + key if own is None else query + key + own
        score = functional.leaky_relu(score, layer.negative_slope)
    else:
        score = query * key if own is None else query * key * own
    return segment_softmax(layout.pairs if layer.attention_mechanism == "within-relation" else layout.edges, score)


def _summed(layer: Any, layout: PairedLayout, table: Tensor, share: Tensor) -> Tensor:
    """Sums over destinations [rows, width], with what `mod` makes of them so that the number of neighbours counts."""
    edges = layout.edges
    if layer.mod == "additive":
        return gather_sum(edges, table, share) + layer.w * gather_sum(edges, table)
    if layer.mod == "scaled":
        degree = edges.degree.to(table.dtype).unsqueeze(1)
        scale = (degree @ layer.l1 + layer.b1).relu() @ layer.l2 + layer.b2
        return gather_sum(edges, table, share) * scale
    if layer.mod == "f-additive":
        return gather_sum(edges, table, torch.where(share > 0, share + 1, share))
    if layer.mod == "f-scaled":
        return gather_sum(edges, table, share) * edges.degree.to(table.dtype).unsqueeze(1)
    return gather_sum(edges, table, functional.dropout(share, layer.dropout, layer.training))
