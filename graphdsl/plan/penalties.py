"""Lowering of penalties, and whether what they penalise is computed at all."""

from graphdsl.model import Penalty as Penalised
from graphdsl.plan.ir import JointStep, NodeStage, NodeStep, Plan, RelationStage, RelationStep
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.passes.mark_live import needed_types
from graphdsl.plan.penalty import Penalty
from graphdsl.plan.state import Flow
from graphdsl.plan.walk import nested
from graphdsl.text import Diagnostic, report, show_name


def lower_penalty(penalty: Penalised, flow: Flow) -> Penalty:
    """Lower one penalty."""
    module: ModuleSpec | None = None
    if penalty.layer is not None:
        width = flow.states[penalty.state].get(penalty.type)
        columns = flow.columns(penalty.type, width, penalty.span)
        module = build_module(penalty.layer, Surroundings(width=columns), flow.found)
    return Penalty(
        penalty.name,
        penalty.kind,
        penalty.weight,
        penalty.outputs,
        penalty.own,
        penalty.stages,
        module,
        penalty.state,
        penalty.type,
        penalty.span,
    )


def unreached_penalties(plan: Plan) -> list[Diagnostic]:
    """Penalties on what no prediction depends on: it is not computed, and training it would help nobody."""
    needed = needed_types(plan)
    found: list[Diagnostic] = []
    for item in plan.penalties:
        if item.kind == "function" and item.type not in needed[item.state]:
            message = f"no prediction depends on the value of `{show_name(item.type)}` that this penalises"
            helps = ("penalise an earlier state, or a type that a prediction reads",)
        elif item.kind == "layer" and plan.sequence is None and not _is_alive(item, plan):
            message = f"no prediction depends on the `{item.own}` whose loss this is"
            helps = ("leave the layer and its penalty out",)
        else:
            continue
        found.append(report("GNN322", message, item.span, helps=helps))
    return found


def _is_alive(penalty: Penalty, plan: Plan) -> bool:
    """Whether some layer with this loss is computed."""
    for number in penalty.stages:
        stage = plan.stages[number]
        steps: list[RelationStep | JointStep | NodeStep] = [step for item in stage.pipe for step in item.steps]
        if isinstance(stage, RelationStage | NodeStage):
            steps += stage.steps
        if isinstance(stage, RelationStage):
            steps += stage.joints
        if any(step.live and penalty.own in {module.name for module in nested(step.module)} for step in steps):
            return True
    return False
