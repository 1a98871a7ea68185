"""Liveness: which steps some prediction depends on.

Walks backwards from the heads. A type's value in a state is needed when a head, a later live step or a residual reads
it. What feeds no needed value is dead: a backend need not compute it, a sampler need not fetch it.
"""

from collections import defaultdict
from dataclasses import replace
from typing import TypeVar

from graphdsl.plan.ir import (
    DropStage,
    InputBinding,
    JoinStage,
    JointStep,
    NodeStage,
    NodeStep,
    PipeStep,
    Plan,
    RelationStage,
    RelationStep,
    SequenceStage,
    Stage,
)

Needed = defaultdict[int, set[str]]
"""Types whose values are needed, by state."""
_Step = TypeVar("_Step", RelationStep, JointStep)


def _bound(inputs: tuple[InputBinding, ...], types: tuple[str, ...], needed: Needed) -> None:
    for item in inputs:
        if item.source == "state":
            needed[item.state].update(types)


def _mark_types(steps: tuple[NodeStep, ...], wanted: set[str]) -> tuple[NodeStep, ...]:
    return tuple(replace(step, live=step.type in wanted) for step in steps)


def _mark_pipe(pipe: tuple[PipeStep, ...], wanted: set[str]) -> tuple[PipeStep, ...]:
    return tuple(replace(item, steps=_mark_types(item.steps, wanted)) for item in pipe)


def _mark_relations(stage: RelationStage, wanted: set[str], needed: Needed) -> RelationStage:
    steps: list[RelationStep] = []
    for step in stage.steps:
        source, _, target = step.edge
        live = target in wanted
        if live:
            needed[stage.reads] |= {source, target}
            _bound(step.inputs, (source, target), needed)
        steps.append(replace(step, live=live))
    joints: list[JointStep] = []
    for joint in stage.joints:
        live = any(name in wanted for name in joint.targets)
        if live:
            needed[stage.reads].update(joint.types)
            _bound(joint.inputs, joint.types, needed)
        joints.append(replace(joint, live=live, wanted=tuple(name for name in joint.targets if name in wanted)))
    return replace(stage, steps=tuple(steps), joints=tuple(joints), pipe=_mark_pipe(stage.pipe, wanted))


def _mark(stage: Stage, wanted: set[str], needed: Needed) -> Stage:
    """Mark one stage of which the types in `wanted` are needed; add what it needs itself."""
    needed[stage.reads] |= wanted.difference(stage.produced)
    made = wanted.intersection(stage.produced)
    if any(item.kind == "residual" for item in stage.pipe):
        needed[stage.reads] |= made
    if isinstance(stage, NodeStage):
        needed[stage.reads] |= {step.type for step in stage.steps if step.type in made and step.reads_value}
        return replace(stage, steps=_mark_types(stage.steps, made), pipe=_mark_pipe(stage.pipe, made))
    if isinstance(stage, RelationStage):
        return _mark_relations(stage, made, needed)
    if isinstance(stage, JoinStage):
        for state in stage.states:
            needed[state] |= wanted
        return replace(stage, modules=_mark_types(stage.modules, made), pipe=_mark_pipe(stage.pipe, made))
    assert isinstance(stage, DropStage | SequenceStage)
    return stage


def _walk(plan: Plan) -> tuple[tuple[Stage, ...], Needed]:
    """The stages with `live` set, and the types that are needed of each state."""
    needed: Needed = defaultdict(set)
    for head in plan.heads:
        needed[head.state].update(head.types)
    stages = list(plan.stages)
    for index in range(len(stages) - 1, -1, -1):
        stages[index] = _mark(stages[index], needed[index + 1], needed)
    return tuple(stages), needed


def mark_live(plan: Plan) -> Plan:
    """Set `live` on every step of the plan."""
    return replace(plan, stages=_walk(plan)[0])


def needed_types(plan: Plan) -> Needed:
    """Types of which some prediction depends on the value, by state."""
    return _walk(plan)[1]


def read_inputs(plan: Plan) -> set[str]:
    """Node types of which a prediction depends on the features or numbers."""
    blocks = {stage.type for stage in plan.stages if isinstance(stage, SequenceStage)}
    return _walk(plan)[1][0] | blocks
