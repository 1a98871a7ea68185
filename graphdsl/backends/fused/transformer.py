"""`HGTConv`: a relation's matrices are folded into the keys and values of its sources, once a node instead of once an edge."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.graph import Values
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.kernels.constants import constant
from graphdsl.kernels.gathering import edge_dot, gather_sum
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import segment_softmax
from graphdsl.kernels.projecting import Projection, lay_out_projection


@dataclass(frozen=True, slots=True)
class TransformerLayout:
    """Rows of the tables of keys and values, and the edges from there to destinations, each row once a head."""

    projection: Projection
    edges: Layout


def send_transformer(module: nn.Module, joint: JointEdges) -> Values:
    """Messages [num_nodes, width] into each destination.

    Args:
        module: PyG's layer.
        joint: the relations.
    """
    layer: Any = module
    heads, width = layer.heads, layer.out_channels
    widths = {joint.values[name].size(1) for name in joint.sources}
    layout = joint.keep(("transformer", heads, len(widths)), lambda: _lay_out(joint, heads, pick=len(widths) == 1))
    x = [joint.values[name] for name in joint.sources]
    key, value = (_folded(layer, joint, part) for part in (0, 2))
    keys, values = (table.view(-1, width // heads) for table in layout.projection.tables(x, [key, value]))
    queries = [
        functional.linear(joint.made[name], *(part[width : 2 * width] for part in _kqv(layer, name)))
        for name in joint.targets
    ]
    query = (queries[0] if len(queries) == 1 else torch.cat(queries)).view(-1, width // heads)
    share = segment_softmax(layout.edges, edge_dot(layout.edges, query, keys))
    total = functional.gelu(gather_sum(layout.edges, values, share).view(-1, width))
    made: Values = {}
    for name, message in zip(joint.targets, total.split(joint.target_rows), strict=True):
        out = layer.out_lin.lins[module_key(name)](message)
        own = joint.made[name]
        if out.size(-1) == own.size(-1):
            alpha = layer.skip[module_key(name)].sigmoid()
            out = alpha * out + (1 - alpha) * own
        made[name] = out
    return made


def _lay_out(joint: JointEdges, heads: int, pick: bool) -> TransformerLayout:
    union = joint.union()
    projection = lay_out_projection(union, pick)
    return TransformerLayout(projection, union.wide(projection.column, projection.rows).heads(heads))


def _kqv(layer: Any, name: str) -> tuple[Tensor, Tensor]:
    lin = layer.kqv_lin.lins[module_key(name)]
    return lin.weight, lin.bias


def _folded(layer: Any, joint: JointEdges, part: int) -> tuple[list[Tensor], list[Tensor]]:
    """Matrix and shift of each relation for keys (part 0) or values (part 2), the relation's own matrix folded in."""
    heads, width = layer.heads, layer.out_channels
    size = width // heads
    own = (layer.k_rel if part == 0 else layer.v_rel).weight.view(heads, len(layer.edge_types), size, size)
    matrices: dict[int, Tensor] = {}
    shifts: dict[int, Tensor] = {}
    for name in joint.sources:
        places = [place for place, edge in enumerate(joint.edges) if edge[0] == name]
        numbers = tuple(layer.edge_types_map[edge_key(joint.edges[place])] for place in places)
        maps = own[:, constant(numbers, own.device)]
        if part == 0:
            prior = torch.cat([layer.p_rel["__".join(edge_key(joint.edges[place]))] for place in places])
            maps = maps * (prior.t() / math.sqrt(size)).view(heads, -1, 1, 1)
        weight, bias = (item[part * width : (part + 1) * width].view(heads, size, -1) for item in _kqv(layer, name))
        both = torch.cat([weight, bias], 2)
        folded = torch.einsum("hrdo,hdi->rhoi", maps, both).reshape(len(places), width, -1)
        for place, item in zip(places, folded.unbind(0), strict=True):
            matrices[place], shifts[place] = item[:, :-1], item[:, -1]
    order = range(len(joint.edges))
    return [matrices[place] for place in order], [shifts[place] for place in order]
