"""What a layer that sums its neighbours behind a linear map adds to a destination, read from PyG's module."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from graphdsl.backends.fused.normalization import gcn_kind
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import bound_input
from graphdsl.plan import RelationStage, RelationStep


@dataclass(frozen=True, slots=True)
class LinearTerm:
    """One relation's part.

    Attributes:
        kind: how the sum over edges is normalized: "mean", what `gcn_kind` gives, or None.
        weight: matrix behind the sum [width_out, width_in].
        root: matrix of the destination itself [width_out, width of the destination].
        bias: of the destinations [width_out].
        given: factors of the edges in this call [edges].
    """

    kind: Hashable
    weight: Tensor
    root: Tensor | None = None
    bias: Tensor | None = None
    given: Tensor | None = None


def linear_term(
    step: RelationStep, module: nn.Module, stage: RelationStage, states: list[Values], graph: Graph
) -> LinearTerm:
    """Read a layer of the linear family."""
    layer: Any = module
    values = states[stage.reads]
    given = next((bound_input(item, step, states, values, graph) for item in step.inputs), None)
    if step.module.name == "GCNConv":
        weighted = given is not None
        kind = gcn_kind(layer.improved, layer.add_self_loops, weighted) if layer.normalize else None
        return LinearTerm(kind, layer.lin.weight, None, layer.bias, given)
    kind = "mean" if layer.aggr == "mean" else None
    if step.module.name == "SAGEConv":
        root = layer.lin_r.weight if layer.root_weight else None
        return LinearTerm(kind, layer.lin_l.weight, root, layer.lin_l.bias)
    return LinearTerm(kind, layer.lin_rel.weight, layer.lin_root.weight, layer.lin_rel.bias, given)
