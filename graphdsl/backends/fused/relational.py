"""`RGCNConv`: a matrix per relation, from bases or blocks or as it is, and an aggregation of each relation's neighbours."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graphdsl.backends.fused.aggregating import lay_out_reduction, reduce_linear
from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.fused.linear import lay_out_linear, sum_linear
from graphdsl.backends.graph import Values
from graphdsl.kernels.constants import constant
from graphdsl.plan.reducing import is_sum


def send_relational(module: nn.Module, joint: JointEdges) -> Values:
    """Messages [num_nodes, width] into each destination.

    Args:
        module: PyG's layer.
        joint: the relations.
    """
    layer: Any = module
    weight = relation_matrices(layer)
    if joint.numbers != tuple(range(weight.size(0))):
        weight = weight.index_select(0, constant(joint.numbers, weight.device))
    width_out, width_in = weight.shape[1:]
    x = [joint.values[name] for name in joint.sources]
    if is_sum(layer.aggr):
        kind = "mean" if layer.aggr == "mean" else None
        layout = joint.keep(
            ("relational", kind, width_in, width_out),
            lambda: lay_out_linear(joint.union(), [kind] * len(joint.edges), (width_in, width_out)),
        )
        total = sum_linear(layout, x, weight)
    else:
        reduction = joint.keep(("reduction",), lambda: lay_out_reduction(joint.union(), every=False))
        total = reduce_linear(reduction, layer.aggr_module, x[0] if len(x) == 1 else torch.cat(x), weight)
    made: Values = {}
    for name, message in zip(joint.targets, total.split(joint.target_rows), strict=True):
        if layer.root is not None:
            message = message + functional.linear(joint.made[name], layer.root.t(), layer.bias)
        elif layer.bias is not None:
            message = message + layer.bias
        made[name] = message
    return made


def relation_matrices(layer: Any) -> Tensor:
    """The matrix of each relation [relations, width_out, width_in]."""
    weight: Tensor = layer.weight
    if layer.num_bases is not None:
        flat = layer.comp @ weight.view(layer.num_bases, -1)
        return flat.view(layer.num_relations, *weight.shape[1:]).transpose(1, 2)
    if layer.num_blocks is not None:
        weight = block_diagonal(weight)
    return weight.transpose(1, 2)


def block_diagonal(blocks: Tensor) -> Tensor:
    """Matrices of blocks [matrices, blocks, rows, columns], as one each: [matrices, blocks * rows, blocks * columns].

    >>> block_diagonal(torch.tensor([[[[1.0]], [[2.0]]]])).tolist()
    [[[1.0, 0.0], [0.0, 2.0]]]
    """
    matrices, count, rows, columns = blocks.shape
    apart = torch.eye(count, dtype=blocks.dtype, device=blocks.device)
    return torch.einsum("rbio,bc->rbico", blocks, apart).reshape(matrices, count * rows, count * columns)
