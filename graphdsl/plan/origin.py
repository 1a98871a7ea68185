"""Where a width comes from: the rule that made a type as wide as it is, and why."""

from collections.abc import Mapping, Sequence

from graphdsl.catalog import find
from graphdsl.plan.ir import DropStage, JoinStage, NodeStage, RelationStage, Stage, StageBase
from graphdsl.plan.module_spec import Ids, ModuleSpec
from graphdsl.plan.state import Flow
from graphdsl.text import Span, show_name

Maker = tuple[Span, ModuleSpec]
"""The rule that made a type, and the module that it asks for."""


def _heads(module: ModuleSpec) -> tuple[int, int] | None:
    """Heads and the width of each, of a layer that puts several side by side."""
    entry = find(module.name)
    if entry is None:
        return None
    arguments = entry.with_defaults(module.arguments)
    heads, columns = arguments.get("heads"), arguments.get("out_channels")
    if not isinstance(heads, int) or not isinstance(columns, int) or arguments.get("concat") is not True:
        return None
    return None if heads == 1 or module.width_out == columns else (heads, columns)


def explain_width(module: ModuleSpec) -> str:
    """Why a module's output is as wide as it is: `GATConv: 8 heads × 64 = 512`.

    >>> explain_width(ModuleSpec("GATConv", "", {"out_channels": 64, "heads": 8}, 512, Span("a", 1, 1, 1, 2)))
    '`GATConv` gives 512: 8 heads × 64'
    """
    heads = _heads(module)
    why = f": {heads[0]} heads × {heads[1]}" if heads else ""
    return f"`{module.name}` gives {module.width_out}{why}"


def side_by_side(modules: Sequence[ModuleSpec], wanted: int | None = None) -> tuple[str, ...]:
    """How to get the width that was probably meant, where heads stand side by side.

    Args:
        modules: what made the values that meet.
        wanted: the width of the others, if there is one; otherwise that of one head is taken for it.
    """
    for module in modules:
        heads = _heads(module)
        if heads is None or wanted not in (None, heads[1]):
            continue
        count, columns = heads
        name = module.name
        average = f"average the heads: `{name}({columns}, heads = {count}, concat = false)`"
        if columns % count:
            return (average,)
        share = f"share the width among the heads: `{name}({columns // count}, heads = {count})`"
        return (f"{share}, with parameters `hidden / heads`", f"or {average}")
    return ()


def makers(stage: Stage) -> Mapping[str, tuple[Maker, ...]]:
    """What a stage made each of its types with, before its pipe."""
    made: dict[str, tuple[Maker, ...]] = {}
    if isinstance(stage, NodeStage):
        made = {step.type: ((step.rule, step.module),) for step in stage.steps}
    elif isinstance(stage, RelationStage):
        for step in stage.steps:
            made[step.edge[2]] = (*made.get(step.edge[2], ()), (step.rule, step.module))
        for joint in stage.joints:
            for name in joint.targets:
                made[name] = (*made.get(name, ()), (joint.rule, joint.module))
    return made


def _of_pipe(stage: StageBase, name: str) -> Maker | None:
    """The last layer of a stage's pipe that changed the width of a type."""
    for item in reversed(stage.pipe):
        for step in item.steps:
            if step.type == name and step.width_in != step.width_out:
                return step.rule, step.module
    return None


def origin(flow: Flow, state: int, name: str) -> tuple[tuple[Span, str], ...]:
    """The place where a type became as wide as it is in a state, and why; nothing where that cannot be told."""
    while state > 0 and name not in flow.stages[state - 1].produced:
        state = flow.stages[state - 1].reads
    if state == 0:
        return _declared(flow, name)
    stage = flow.stages[state - 1]
    shown = show_name(name)
    if changed := _of_pipe(stage, name):
        return ((changed[0], f"`{shown}`: {explain_width(changed[1])}"),)
    made: tuple[Maker, ...] = makers(stage).get(name, ())
    if isinstance(stage, JoinStage | DropStage) or not made:
        return ((stage.span, f"`{shown}` is {stage.widths.get(name)} wide here"),)
    if isinstance(stage, RelationStage) and stage.combine.kind == "cat" and len(made) > 1:
        total = " + ".join(str(module.width_out) for _, module in made)
        return ((stage.combine.span or stage.span, f"`{shown}`: side by side {total}"),)
    rule, module = next(iter(made))
    return ((rule, f"`{shown}`: {explain_width(module)}"),)


def _declared(flow: Flow, name: str) -> tuple[tuple[Span, str], ...]:
    features = flow.schema.nodes[name].features
    if features is None or isinstance(flow.states[0].get(name), Ids):
        return ()
    return ((features.span, f"`{show_name(name)}` has {flow.states[0].get(name)} columns"),)


def origin_modules(flow: Flow, state: int, name: str) -> tuple[ModuleSpec, ...]:
    """The modules that made a type as wide as it is in a state."""
    while state > 0 and name not in flow.stages[state - 1].produced:
        state = flow.stages[state - 1].reads
    if state == 0:
        return ()
    changed = _of_pipe(flow.stages[state - 1], name)
    return (changed[1],) if changed else tuple(module for _, module in makers(flow.stages[state - 1]).get(name, ()))
