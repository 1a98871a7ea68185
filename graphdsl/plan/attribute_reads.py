"""The attributes of nodes and edges that a plan reads, wherever it reads them."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphdsl.plan.ir import InputBinding, JointStep, NodeStage, Plan, RelationStage
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class AttributeRead:
    """An attribute that a step reads.

    Attributes:
        item: the attribute, and how it is passed.
        places: the relations, or the node types, whose attribute it is.
        live: whether some prediction depends on the step.
    """

    item: InputBinding
    places: tuple[str | EdgeKey, ...]
    live: bool


def attribute_reads(plan: Plan) -> Iterator[AttributeRead]:
    """All of them, stage by stage; what layers read by way of an encoder included."""
    for stage in plan.stages:
        if isinstance(stage, NodeStage):
            for step in stage.steps:
                yield from (
                    AttributeRead(item, (step.type,), step.live) for item in step.inputs if item.source == "node"
                )
        for step in (*stage.steps, *stage.joints) if isinstance(stage, RelationStage) else ():
            edges = step.edges if isinstance(step, JointStep) else (step.edge,)
            types = step.types if isinstance(step, JointStep) else tuple(dict.fromkeys((step.edge[0], step.edge[2])))
            for item in (read for bound in step.inputs for read in bound.read):
                if item.source in ("edge", "node"):
                    yield AttributeRead(item, edges if item.source == "edge" else types, step.live)
