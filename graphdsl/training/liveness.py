"""Parameters that no prediction depends on: they stay in the state dict, but are not trained."""

from collections.abc import Iterable, Iterator

from torch import nn
from torch.nn import Parameter

from graphdsl.backends.naming import edge_key, module_key
from graphdsl.plan import JointStep, NodeStage, Plan, RelationStage, Stage


def dead_parameters(model: nn.Module, plan: Plan) -> list[Parameter]:
    """Parameters that only steps without a prediction behind them would use.

    On schemas with many types they are half of all; several processes would average their gradients for nothing.

    Args:
        model: what `compile_plan` made of the plan.
        plan: says in `live` which steps predictions depend on.
    """
    if plan.sequence is not None:
        return []
    used: dict[bool, set[Parameter]] = {True: set(), False: set()}
    for stage in plan.stages:
        for is_live, parameters in _parameters(stage, _owner(model, plan, stage)):
            used[is_live].update(parameters)
    dead = used[False] - used[True]
    return [item for item in model.parameters() if item in dead]


def _owner(model: nn.Module, plan: Plan, stage: Stage) -> nn.Module | None:
    """The module that runs a stage, which may be that of an earlier one; None for a stage without any."""
    while stage.shares is not None:
        stage = plan.stages[stage.shares]
    key = module_key(stage.key)
    stages = model.get_submodule("stages")
    return stages.get_submodule(key) if key in dict(stages.named_children()) else None


def _parameters(stage: Stage, owner: nn.Module | None) -> Iterator[tuple[bool, Iterable[Parameter]]]:
    """The parameters of a stage's steps, and whether the step is live."""
    if owner is None:
        return
    if isinstance(stage, RelationStage):
        joints = owner.get_submodule("joints")
        for step, module in zip(stage.joints, joints.children(), strict=True):
            yield from _of_joint(step, module)
    yield from ((is_live, module.parameters()) for is_live, module in _modules(stage, owner))


def _of_joint(step: JointStep, module: nn.Module) -> Iterator[tuple[bool, Iterable[Parameter]]]:
    """The parameters of a joint layer; what HGT does with each type at the end is only live for types that are read."""
    unread = {module_key(name) for name in step.types if step.live and name not in step.wanted}
    named = [(name.split("."), item) for name, item in module.named_parameters()]
    last = step.module.name == "HGTConv" and bool(unread)
    ends = {id(item) for path, item in named if last and path[0] in ("out_lin", "skip") and not unread.isdisjoint(path)}
    yield step.live, [item for _, item in named if id(item) not in ends]
    yield False, [item for _, item in named if id(item) in ends]


def _modules(stage: Stage, owner: nn.Module) -> Iterator[tuple[bool, nn.Module]]:
    """The modules of a stage's steps on single types and relations, and whether the step is live."""
    if isinstance(stage, NodeStage):
        nodes = owner.get_submodule("nodes")
        yield from ((step.live, nodes.get_submodule(module_key(step.type))) for step in stage.steps)
    elif isinstance(stage, RelationStage) and stage.steps:
        convs = owner.get_submodule("conv.convs")
        yield from ((step.live, convs[edge_key(step.edge)]) for step in stage.steps)  # type: ignore[index]
    chains = dict(owner.get_submodule("pipe").named_children())
    for name in stage.produced:
        if module_key(name) in chains:
            yield from zip(_pipe_liveness(stage, name), chains[module_key(name)].children(), strict=True)


def _pipe_liveness(stage: Stage, name: str) -> list[bool]:
    """For each module of a type's chain, whether it is live; residuals have no parameters."""
    found: list[bool] = []
    for item in stage.pipe:
        found += [True] if item.kind == "residual" else [step.live for step in item.steps if step.type == name]
    return found
