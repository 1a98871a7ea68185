"""Visiting everything that a plan instantiates."""

from collections.abc import Iterator
from typing import Any, cast

from graphdsl.plan.head_types import GraphHead, Head
from graphdsl.plan.ir import JoinStage, NodeStage, Plan, RelationStage, SequenceStage, Stage
from graphdsl.plan.module_spec import ModuleSpec


def stage_modules(stage: Stage) -> Iterator[ModuleSpec]:
    """Modules of one stage, in order, those of its pipe included."""
    if isinstance(stage, NodeStage):
        yield from (step.module for step in stage.steps)
    elif isinstance(stage, RelationStage):
        yield from (step.module for step in stage.steps)
        yield from (joint.module for joint in stage.joints)
        for step in (*stage.steps, *stage.joints):
            yield from (item.encoder for item in step.inputs if item.encoder is not None)
    elif isinstance(stage, JoinStage):
        yield from (step.module for step in stage.modules)
    elif isinstance(stage, SequenceStage):
        yield from (step.module for step in stage.steps)
    for item in stage.pipe:
        yield from (step.module for step in item.steps)


def nested(module: ModuleSpec) -> Iterator[ModuleSpec]:
    """A module and those among its arguments."""
    yield module
    for value in module.arguments.values():
        for item in cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(item, ModuleSpec):
                yield from nested(item)


def modules(plan: Plan) -> Iterator[ModuleSpec]:
    """Every module of a plan, heads last."""
    for stage in plan.stages:
        yield from stage_modules(stage)
    for head in plan.heads:
        if isinstance(head, GraphHead):
            yield from (item.module for item in head.readouts)
        yield head.module
        if isinstance(head, Head) and head.spread is not None and not head.spread.alone:
            yield head.spread.module


def tells_graphs_apart(plan: Plan) -> bool:
    """Whether a layer of relations must be told which nodes make a graph, such as the attention of `GPSConv`."""
    steps = (step for _, stage in plan.relation_stages() for step in stage.steps)
    return any(item.source == "batch" for step in steps for item in step.inputs)
