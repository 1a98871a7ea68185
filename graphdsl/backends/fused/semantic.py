"""`HANConv`: attention over the edges of each relation, then over the relations."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.graph import Values
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import edge_scores, segment_softmax
from graphdsl.kernels.unions import Union


@dataclass(frozen=True, slots=True)
class SemanticLayout:
    """Edges into the destinations of each relation in turn, each row once a head.

    Attributes:
        values: from the projected nodes of all types.
        scores: the same edges from the scores of sources, relation by relation.
    """

    values: Layout
    scores: Layout


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
    of_target = _scores(nodes, [edge[2] for edge in joint.edges], [layer.lin_dst[key] for key in keys])
    of_source = _scores(nodes, [edge[0] for edge in joint.edges], [layer.lin_src[key] for key in keys])
    score = functional.leaky_relu(edge_scores(layout.scores, of_target, of_source), layer.negative_slope)
    share = functional.dropout(segment_softmax(layout.scores, score), layer.dropout, layer.training)
    sources = [nodes[name] for name in joint.sources]
    table = (sources[0] if len(sources) == 1 else torch.cat(sources)).view(-1, width // heads)
    total = gather_sum(layout.values, table, share).view(-1, width).relu()
    made: Values = {}
    start = 0
    for name in joint.targets:
        relations = sum(edge[2] == name for edge in joint.edges)
        rows = joint.values[name].size(0)
        messages = total[start : start + relations * rows].view(relations, rows, width)
        start += relations * rows
        made[name] = _grouped(messages, layer)
    return made


def _lay_out(joint: JointEdges, heads: int) -> SemanticLayout:
    index, source, target, source_rows, target_rows = joint.blocks
    union = Union(index, source, target, source_rows, target_rows)
    rows = (0, *accumulate(target_rows[block] for block in target))
    columns = (0, *accumulate(source_rows[block] for block in source))
    row = union.row - union.each([union.target_at[block] for block in target]) + union.each(rows[:-1])
    score = union.column - union.each([union.source_at[block] for block in source]) + union.each(columns[:-1])
    values = Layout.of(row, union.column, rows[-1], union.source_at[-1])
    scores = Layout(rows[-1], columns[-1], values.pointer, score.to(values.column.dtype)[values.order], values.order)
    return SemanticLayout(values.heads(heads), scores.heads(heads))


def _scores(nodes: Values, names: list[str], vectors: list[Tensor]) -> Tensor:
    """Scores of the nodes at one end of each relation, relation by relation, flat [nodes of all, heads]."""
    made: dict[int, Tensor] = {}
    for name in dict.fromkeys(names):
        places = [place for place, other in enumerate(names) if other == name]
        vector = torch.cat([vectors[place] for place in places])
        found = torch.einsum("nhd,rhd->rnh", nodes[name].view(-1, *vector.shape[1:]), vector)
        for place, item in zip(places, found.unbind(0), strict=True):
            made[place] = item.reshape(-1)
    return torch.cat([made[place] for place in range(len(names))])


def _grouped(messages: Tensor, layer: Any) -> Tensor:
    """Messages [relations, num_nodes, width] weighed by the attention of their relations."""
    if messages.numel() == 0:
        return messages.view(0, messages.size(-1))
    score = (layer.q * torch.tanh(layer.k_lin(messages)).mean(1)).sum(-1)
    return (score.softmax(0).unsqueeze(0) @ messages.flatten(1)).view(messages.shape[1:])
