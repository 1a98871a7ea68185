"""`HANConv`: attention over the edges of each relation, then over the relations."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.graph import Values
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.kernels.attending import additive_attention
from graphdsl.kernels.constants import constant
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.layouts import Layout


@dataclass(frozen=True, slots=True)
class SemanticLayout:
    """A graph as `HANConv` reads it.

    Attributes:
        edges: from nodes, once for each relation that they send along, to pairs of a relation and a destination, each row
            once a head.
        sources: row of each of those nodes among the nodes of all blocks of sources.
        column: row of each of those nodes in the table of scores of sources.
        place: row of each pair in the table of scores of destinations.
        join: from pairs to destinations.
        bounds: where the pairs of each relation begin.
        rows: destinations of each relation.
        into: relations into each destination type.
    """

    edges: Layout
    sources: Layout
    column: Tensor
    place: Tensor
    join: Layout
    bounds: tuple[int, ...]
    rows: tuple[int, ...]
    into: tuple[int, ...]


def send_semantic(module: nn.Module, joint: JointEdges) -> Values:
    """Messages [num_nodes, width] into each destination.

    Args:
        module: PyG's layer.
        joint: the relations.
    """
    layer: Any = module
    heads, width = layer.heads, layer.out_channels
    layout = joint.keep(("semantic", heads), lambda: _lay_out(joint, heads))
    types = sorted({*joint.sources, *joint.targets})
    nodes = {name: layer.proj[module_key(name)](joint.values[name]) for name in types}
    keys = ["__".join(edge_key(edge)) for edge in joint.edges]
    of_target = _scores(nodes, [edge[2] for edge in joint.edges], [layer.lin_dst[key] for key in keys], heads)
    of_source = _scores(nodes, [edge[0] for edge in joint.edges], [layer.lin_src[key] for key in keys], heads)
    sources = [nodes[name] for name in joint.sources]
    table = gather_sum(layout.sources, sources[0] if len(sources) == 1 else torch.cat(sources))
    made = additive_attention(
        layout.edges,
        table.view(-1, width // heads),
        of_target.index_select(0, layout.place).reshape(-1),
        of_source.index_select(0, layout.column).reshape(-1),
        layer.negative_slope,
        layer.dropout if layer.training else 0.0,
    )
    return _grouped(made.view(-1, width).relu(), layer, layout, joint)


def _lay_out(joint: JointEdges, heads: int) -> SemanticLayout:
    union = joint.union()
    used, column = union.source_pairs
    sources = Layout.of(
        torch.arange(used.numel(), device=union.device), union.source_of(used), used.numel(), union.source_at[-1]
    )
    edges = Layout.of(union.pair_of_edge, column, union.pairs, used.numel()).heads(heads)
    rows = tuple(union.target_rows[block] for block in union.target)
    into = tuple(union.target.count(block) for block in range(len(joint.targets)))
    return SemanticLayout(edges, sources, used, union.pair_numbers, union.join, tuple(union.pair_bounds), rows, into)


def _scores(nodes: Values, names: list[str], vectors: list[Tensor], heads: int) -> Tensor:
    """Scores of the nodes at one end of each relation, relation by relation [nodes of all, heads]."""
    made: dict[int, Tensor] = {}
    for name in dict.fromkeys(names):
        places = [place for place, other in enumerate(names) if other == name]
        vector = torch.cat([vectors[place] for place in places])
        found = torch.einsum("nhd,rhd->rnh", nodes[name].view(-1, *vector.shape[1:]), vector)
        for place, item in zip(places, found.unbind(0), strict=True):
            made[place] = item
    return torch.cat([made[place] for place in range(len(names))])


def _grouped(messages: Tensor, layer: Any, layout: SemanticLayout, joint: JointEdges) -> Values:
    """Messages of pairs, weighed by the attention of their relations, added up by destination.

    A relation's score is a mean over all nodes that it may lead to; those that it does not lead to all have the same, which is
    computed once.
    """
    sizes = constant(layout.bounds, messages.device).diff()
    rows = constant(layout.rows, messages.device)
    score = torch.tanh(layer.k_lin(messages)) @ layer.q.squeeze(0)
    relation = torch.arange(len(rows), device=messages.device).repeat_interleave(sizes, output_size=layout.bounds[-1])
    total = score.new_zeros(len(rows)).index_add(0, relation, score)
    nothing = torch.tanh(layer.k_lin.bias) @ layer.q.squeeze(0)
    mean = (total + (rows - sizes) * nothing) / rows.clamp(min=1)
    weight = torch.cat([part.softmax(0) for part in mean.split(layout.into)]).index_select(0, relation)
    made = gather_sum(layout.join, messages, weight.index_select(0, layout.join.order))
    return dict(zip(joint.targets, made.split(joint.target_rows), strict=True))
