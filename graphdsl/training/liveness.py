"""Parameters that no prediction depends on: they stay in the state dict, but are not trained."""

from collections.abc import Iterator

from torch import nn
from torch.nn import Parameter

from graphdsl.backends.naming import edge_key, module_key
from graphdsl.plan import NodeStage, Plan, RelationStage, Stage


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
        for is_live, module in _modules(stage, _owner(model, plan, stage)):
            used[is_live].update(module.parameters())
    dead = used[False] - used[True]
    return [item for item in model.parameters() if item in dead]


def _owner(model: nn.Module, plan: Plan, stage: Stage) -> nn.Module | None:
    """The module that runs a stage, which may be that of an earlier one; None for a stage without any."""
    while stage.shares is not None:
        stage = plan.stages[stage.shares]
    key = module_key(stage.key)
    stages = model.get_submodule("stages")
    return stages.get_submodule(key) if key in dict(stages.named_children()) else None


def _modules(stage: Stage, owner: nn.Module | None) -> Iterator[tuple[bool, nn.Module]]:
    """The modules of a stage's steps, and whether the step is live."""
    if owner is None:
        return
    if isinstance(stage, NodeStage):
        nodes = owner.get_submodule("nodes")
        yield from ((step.live, nodes.get_submodule(module_key(step.type))) for step in stage.steps)
    elif isinstance(stage, RelationStage):
        if stage.steps:
            convs = owner.get_submodule("conv.convs")
            yield from ((step.live, convs[edge_key(step.edge)]) for step in stage.steps)  # type: ignore[index]
        joints = owner.get_submodule("joints")
        yield from zip((step.live for step in stage.joints), joints.children(), strict=True)
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
