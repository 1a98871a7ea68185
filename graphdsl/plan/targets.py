"""Which labels of nodes a model predicts, and along which relations its layers bring messages to them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from graphdsl.catalog import find, only_along_edges
from graphdsl.plan.head_types import Head
from graphdsl.plan.ir import JointStep, Plan, RelationStage, RelationStep, SequenceStage, Stage
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.passes.mark_live import mark_live
from graphdsl.text import EdgeKey, Span

_ALONE = frozenset({"node", "norm", "activation", "dropout", "label"})
"""Kinds of modules that give each node a row of its own."""
_LAYERS = frozenset({"conv", "model"})


@dataclass(frozen=True, slots=True)
class PredictedLabel:
    """A predicted label of the nodes of a type.

    Attributes:
        type: the node type.
        attribute: the label.
        along: relations and metapaths that end in the type and whose messages the prediction depends on.
        span: where it is predicted.
    """

    type: str
    attribute: str
    along: frozenset[EdgeKey]
    span: Span


def predicted_labels(plan: Plan) -> tuple[PredictedLabel, ...]:
    """The labels of nodes that a model predicts, and the last edge of every way that leads to them in its layers.

    From the prediction back through the stages, relations are kept whose messages it depends on. A message from any
    node that is one edge away is one, whatever that node has heard itself, so further edges need not be followed.

    Predictions are left out of which that cannot be told: a layer on the way looks at all nodes, or against edges.
    """
    found = [(head, _along(plan, head)) for head in plan.node_heads]
    return tuple(
        PredictedLabel(head.type, head.attribute, along, head.span) for head, along in found if along is not None
    )


def _along(plan: Plan, head: Head) -> frozenset[EdgeKey] | None:
    live = mark_live(replace(plan, heads=(head,)))
    along = {head.spread.edge} if head.spread is not None else set[EdgeKey]()
    for stage in live.stages:
        modules = [step.module for step in _live_steps(stage)]
        if isinstance(stage, SequenceStage):
            modules += [step.module for step in stage.steps if step.call != "join"]
            along |= {stage.edge for step in stage.steps if _is_layer(step.module)}
        if not all(_along_edges(module) for module in modules):
            return None
        for step in _live_steps(stage):
            edges = step.edges if isinstance(step, JointStep) else (step.edge,)
            along |= {edge for edge in edges if edge[2] == head.type}
    return frozenset(along)


def _live_steps(stage: Stage) -> Iterator[RelationStep | JointStep]:
    if isinstance(stage, RelationStage):
        yield from (step for step in (*stage.steps, *stage.joints) if step.live)


def _along_edges(module: ModuleSpec) -> bool:
    """Whether a module tells a node of others along edges that end in it, or not at all."""
    entry = find(module.name)
    if entry is None or entry.kind not in _LAYERS:
        return entry is not None and entry.kind in _ALONE
    return all(only_along_edges(spec.name) for spec in module.walk() if _is_layer(spec))


def _is_layer(module: ModuleSpec) -> bool:
    entry = find(module.name)
    return entry is not None and entry.kind in _LAYERS
