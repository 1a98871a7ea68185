"""In which order the kernels compute each relation of a layer that sums: its matrix first, or the sum along its edges."""

from dataclasses import dataclass
from typing import Any, Literal

import torch

from graphdsl.data.derivation import with_derived
from graphdsl.data.graph_set import GraphSet
from graphdsl.data.view import open_data
from graphdsl.kernels.ordering import transforms_first
from graphdsl.plan import Plan
from graphdsl.plan.fusing import adds_up, divide, fused_family
from graphdsl.plan.grouping import group_steps, width_pair
from graphdsl.plan.ir import RelationStage
from graphdsl.plan.reducing import is_sum
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class Order:
    """What comes first along a relation.

    Attributes:
        stage: key of the stage.
        edge: the relation.
        first: "matrix": all sources are transformed, then summed along edges; "sum": the other way round.
        edges: how many it has.
        sources: nodes that would be transformed first.
        pairs: destinations with an edge, which would be transformed afterwards.
        widths: columns before and behind the matrix.
    """

    stage: str
    edge: EdgeKey
    first: Literal["matrix", "sum"]
    edges: int
    sources: int
    pairs: int
    widths: tuple[int, int]


def list_orders(plan: Plan, data: Any) -> tuple[Order, ...]:
    """The order of each relation that the data has; metapaths are left out: their pairs are known once they are composed.

    Args:
        plan: the model.
        data: as of `estimate_relations`.
    """
    if isinstance(data, GraphSet):
        data = data.batch(range(len(data)))
    view = with_derived(open_data(data), plan)
    composed = {item.edge for item in plan.derived if item.metapath is not None}
    found: list[Order] = []
    counted: dict[EdgeKey, tuple[int, int, int]] = {}
    for key, edge, widths in _summed(plan):
        if edge in composed or edge not in view.edge_types:
            continue
        if edge not in counted:
            index = torch.as_tensor(view.connectivity(edge))
            counted[edge] = (index.size(1), view.count(edge[0]) or 0, index[1].unique().numel())
        sizes = counted[edge]
        found.append(Order(key, edge, "matrix" if transforms_first(*sizes, *widths) else "sum", *sizes, widths))
    return tuple(found)


def _summed(plan: Plan) -> list[tuple[str, EdgeKey, tuple[int, int]]]:
    """Stage, relation and widths of what sums behind a matrix."""
    return [item for _, stage in plan.relation_stages() for item in _of_stage(stage)]


def _of_stage(stage: RelationStage) -> list[tuple[str, EdgeKey, tuple[int, int]]]:
    found: list[tuple[str, EdgeKey, tuple[int, int]]] = []
    steps, _ = divide([step for step in stage.steps if step.live], adds_up(stage))
    for group in group_steps(steps):
        for step in (steps[number] for number in group.members):
            width = width_pair(step)[0]
            if group.family == "linear" and isinstance(width, int) and step.width_out is not None:
                found.append((stage.key, step.edge, (width, step.width_out)))
    for joint in stage.joints:
        width = joint.module.arguments.get("in_channels")
        summed = fused_family(joint)[0] == "relational" and is_sum(joint.module.arguments.get("aggr", "mean"))
        if joint.live and summed and isinstance(width, int):
            out = joint.module.arguments["out_channels"]
            found += [(stage.key, edge, (width, out)) for edge in joint.edges if edge[2] in joint.wanted]
    return found
