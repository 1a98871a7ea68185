"""What holds for every plan without errors: a check of the compiler, not of specs. Tests run it after each pass."""

from collections.abc import Iterator, Mapping

from graphdsl.plan.head_types import AnyHead, GraphHead
from graphdsl.plan.ir import (
    DropStage,
    InputBinding,
    JoinStage,
    JointStep,
    NodeStage,
    NodeStep,
    Plan,
    RelationStage,
    SequenceStage,
    Stage,
)
from graphdsl.plan.module_spec import ModuleSpec, Stacked, Width
from graphdsl.plan.verify_sequences import readout_problems, sequence_problems, value_problems
from graphdsl.plan.walk import stage_modules


class BrokenPlan(Exception):
    """A plan contradicts itself: a defect of lowering or of a pass."""


def verify(plan: Plan) -> Plan:
    """Check that a plan is consistent.

    Reads refer to earlier states, widths follow from the steps, produced types are types of the state, shared stages
    have the modules of their owner, relations that are read are listed, instances have one module.

    Returns:
        The plan, so that `verify` stands in a pipeline like a pass.

    Raises:
        BrokenPlan: it names the stage and what is wrong.
    """
    for index, stage in enumerate(plan.stages):
        for problem in _problems(plan, index, stage):
            raise BrokenPlan(f"stage {index} `{stage.key}`: {problem}")
    keys = [stage.key for stage in plan.stages]
    if len(set(keys)) < len(keys):
        raise BrokenPlan(f"two stages have the same key: {keys}")
    for head in plan.heads:
        for problem in _head_problems(plan, head):
            raise BrokenPlan(f"prediction `{head.name}`: {problem}")
    return plan


def _problems(plan: Plan, index: int, stage: Stage) -> Iterator[str]:
    if not 0 <= stage.reads <= index:
        yield f"reads state {stage.reads}"
        return
    yield from _type_problems(plan, stage)
    if stage.shares is not None:
        yield from _share_problems(plan, index, stage)
    if isinstance(stage, NodeStage):
        yield from _node_problems(plan, stage)
    elif isinstance(stage, RelationStage):
        yield from _relation_problems(plan, index, stage)
    elif isinstance(stage, JoinStage):
        yield from _join_problems(index, stage)
    elif isinstance(stage, SequenceStage):
        yield from sequence_problems(stage)


def _type_problems(plan: Plan, stage: Stage) -> Iterator[str]:
    """Types: made ones are in the state, the others have the width that they had."""
    before = plan.widths(stage.reads)
    if list(stage.produced) != sorted(set(stage.produced)):
        yield "produced types are not sorted, or not distinct"
    if not set(stage.produced) <= set(stage.widths):
        yield f"produces {set(stage.produced) - set(stage.widths)} without a width"
    ended = set(stage.types) if isinstance(stage, DropStage) else set[str]()
    lost = set(before) - set(stage.widths) - ended
    if lost and not isinstance(stage, JoinStage):
        yield f"loses {lost}"
    for name in stage.carried:
        if stage.widths[name] != before.get(name):
            yield f"carries `{name}` but changes its width"
    yield from _pipe_problems(plan, stage)


def _pipe_problems(plan: Plan, stage: Stage) -> Iterator[str]:
    """Each step of a pipe takes over the widths of the one before it; the last gives those of the state."""
    widths: dict[str, Width] = dict(_made(plan, stage))
    if set(widths) != set(stage.produced):
        yield f"makes {sorted(widths)} but says {stage.produced}"
        return
    for item in stage.pipe:
        for step in item.steps:
            if step.type not in widths:
                yield f"a pipe works on `{step.type}`, which the stage does not make"
                return
            if step.width_in != widths[step.type]:
                yield f"a pipe reads `{step.type}` as {step.width_in}, it is {widths[step.type]} wide"
            widths[step.type] = step.width_out
    for name, width in widths.items():
        if stage.widths[name] != width:
            yield f"`{name}` is {width} wide after the pipe, the state says {stage.widths[name]}"


def _made(plan: Plan, stage: Stage) -> Mapping[str, Width]:
    """Widths of the types that a stage makes, before its pipe."""
    if isinstance(stage, NodeStage):
        return {step.type: step.width_out for step in stage.steps}
    if isinstance(stage, RelationStage):
        return stage.combined
    if isinstance(stage, JoinStage):
        return {name: _joined(plan, stage, name) for name in stage.produced}
    if isinstance(stage, SequenceStage):
        last = next(step for step in reversed(stage.steps) if step.kind != "loss")
        return dict.fromkeys(stage.produced, last.width_out)
    return {}


def _joined(plan: Plan, stage: JoinStage, name: str) -> Width:
    widths = [plan.widths(state)[name] for state in stage.states]
    modes = {step.module.arguments.get("mode") for step in stage.modules}
    if stage.kind == "same":
        return widths[0]
    known = [width for width in widths if isinstance(width, int)]
    if len(known) < len(widths):
        return None
    if stage.kind == "stack":
        return Stacked(len(known), known[0])
    return sum(known) if stage.kind == "cat" or modes == {"cat"} else known[0]


def _share_problems(plan: Plan, index: int, stage: Stage) -> Iterator[str]:
    shares = stage.shares
    if shares is None or not 0 <= shares < index:
        yield f"shares the weights of stage {shares}"
        return
    owner = plan.stages[shares]
    if owner.shares is not None:
        yield f"shares the weights of `{owner.key}`, which has none of its own"
    if type(owner) is not type(stage) or [str(m) for m in stage_modules(owner)] != [
        str(m) for m in stage_modules(stage)
    ]:
        yield f"has other modules than `{owner.key}`, whose weights it uses"


def _step_problems(step: NodeStep, before: Mapping[str, Width]) -> Iterator[str]:
    if step.width_in != before.get(step.type):
        yield f"reads `{step.type}` as {step.width_in}, it is {before.get(step.type)} wide"
    if step.width_out != step.module.width_out:
        yield f"`{step.module}` is {step.module.width_out} wide, the step says {step.width_out}"
    if not step.inputs:
        yield from _reading_problems(step.module, (step.width_in,))


def _node_problems(plan: Plan, stage: NodeStage) -> Iterator[str]:
    for step in stage.steps:
        yield from _step_problems(step, plan.widths(stage.reads))


def _binding_problems(inputs: tuple[InputBinding, ...], index: int) -> Iterator[str]:
    for item in inputs:
        if item.source == "state" and not 0 <= item.state <= index:
            yield f"`{item.argument}` reads state {item.state}"
        if item.source in ("edge", "node") and not all(part.attribute for part in item.read):
            yield f"`{item.argument}` is bound to nothing"


def _relation_problems(plan: Plan, index: int, stage: RelationStage) -> Iterator[str]:
    before = plan.widths(stage.reads)
    edges = [step.edge for step in stage.steps]
    if edges != sorted(set(edges)):
        yield "relations are not in canonical order, or served twice"
    served = [*edges, *(edge for joint in stage.joints for edge in joint.edges)]
    if len(set(served)) < len(served):
        yield "a relation is served twice"
    read = {*edges, *(edge for joint in stage.joints for edge in joint.relations)}
    if not read <= set(plan.relations):
        yield f"reads {read - set(plan.relations)}, which the plan does not list"
    into = {edge[2] for edge in served}
    if set(stage.combined) != into:
        yield f"combines {set(stage.combined)}, messages go into {into}"
    yield from _instance_problems(stage, before)
    for step in (*stage.steps, *stage.joints):
        yield from _binding_problems(step.inputs, index)
    for joint in stage.joints:
        yield from _joint_problems(joint, before)
    for name, width in stage.combined.items():
        yield from _combine_problems(stage, name, width)


def _instance_problems(stage: RelationStage, before: Mapping[str, Width]) -> Iterator[str]:
    instances: dict[int, str] = {}
    for step in stage.steps:
        if instances.setdefault(step.instance, str(step.module)) != str(step.module):
            yield f"instance {step.instance} is two different modules"
        if step.width_in != (before.get(step.edge[0]), before.get(step.edge[2])):
            yield f"{step.edge} reads {step.width_in}"
        yield from _reading_problems(step.module, step.width_in)


def _combine_problems(stage: RelationStage, name: str, width: int | None) -> Iterator[str]:
    arriving = [step.width_out for step in stage.steps if step.edge[2] == name]
    arriving += [joint.width_out for joint in stage.joints if name in joint.targets]
    known = [item for item in arriving if item is not None]
    if len(known) < len(arriving):
        expected = None
    elif stage.combine.kind == "cat":
        expected = sum(known)
    else:
        expected = known[0]
        if set(known) != {expected}:
            yield f"`{name}` gets {known} columns, which cannot be combined"
    if width != expected:
        yield f"`{name}` is {width} wide after combining {arriving}"


def _joint_problems(joint: JointStep, before: Mapping[str, Width]) -> Iterator[str]:
    if list(joint.edges) != sorted(set(joint.edges)):
        yield "the relations of a joint module are not in canonical order"
    ends = {end for edge in joint.edges for end in (edge[0], edge[2])}
    stops = {end for edge in joint.relations for end in (edge[0], edge[2])}
    if not ends <= set(joint.types) <= ends | stops or list(joint.types) != sorted(joint.types):
        yield f"a joint module sees {joint.types}, its relations join {ends}"
    if joint.paths and set(joint.paths) != set(joint.edges):
        yield f"a walk along {set(joint.paths)} serves {set(joint.edges)}"
    if dict(joint.width_in) != {name: before.get(name) for name in joint.types}:
        yield "a joint module reads other widths than the state has"


def _join_problems(index: int, stage: JoinStage) -> Iterator[str]:
    if not stage.states or stage.states[0] != stage.reads:
        yield "the first joined state is not the one that is read"
    if any(not 0 <= state <= index for state in stage.states):
        yield f"joins states {stage.states}"


def _head_problems(plan: Plan, head: AnyHead) -> Iterator[str]:
    if not 0 <= head.state <= len(plan.stages):
        yield f"reads state {head.state}"
        return
    for name in head.types:
        if name not in plan.widths(head.state):
            yield f"reads `{name}`, which state {head.state} does not have"
    if head.size is not None and head.module.width_out not in (None, head.size):
        yield f"gives {head.module.width_out} columns for a label of {head.size}"
    if isinstance(head, GraphHead):
        yield from readout_problems(plan, head)
    if plan.sequence is not None:
        yield from value_problems(plan.sequence, head)


def _reading_problems(module: ModuleSpec, widths: tuple[Width, ...]) -> Iterator[str]:
    """What a module is told about its input is what it gets."""
    told = module.arguments.get("in_channels")
    if isinstance(told, int) and any(isinstance(width, int) and width != told for width in widths):
        yield f"`{module}` reads {widths}"
    if isinstance(told, tuple) and told != widths:
        yield f"`{module}` reads {widths}"
    if "in_channels" in module.arguments and told is None and all(isinstance(width, int) for width in widths):
        yield f"`{module}` lacks its input width, although it is known"


def verify_live(plan: Plan) -> Plan:
    """Check that everything that makes a predicted value is marked as live.

    Raises:
        BrokenPlan: it names the stage and the type.
    """
    for state, predicted in ((head.state, name) for head in plan.heads for name in head.types):
        while state > 0 and predicted not in plan.stages[state - 1].produced:
            state = plan.stages[state - 1].reads
        stage = plan.stages[state - 1] if state > 0 else None
        for name, live in _makers(stage) if stage is not None else ():
            if name == predicted and not live:
                raise BrokenPlan(
                    f"stage `{plan.stages[state - 1].key}` makes `{name}`, which is predicted, but is dead"
                )
    return plan


def _makers(stage: Stage) -> Iterator[tuple[str, bool]]:
    """Types that the steps of a stage make, and whether each step is live."""
    steps = stage.steps if isinstance(stage, NodeStage) else stage.modules if isinstance(stage, JoinStage) else ()
    yield from ((step.type, step.live) for step in steps)
    yield from ((step.type, step.live) for item in stage.pipe for step in item.steps)
    if isinstance(stage, RelationStage):
        yield from ((step.edge[2], step.live) for step in stage.steps)
        yield from ((name, joint.live) for joint in stage.joints for name in joint.targets if joint.live)
