"""Lowering of joins of several states."""

from collections.abc import Mapping, Sequence

from graphdsl.model import JoinedStage
from graphdsl.plan.ir import JoinStage, NodeStep
from graphdsl.plan.module_spec import Ids, ModuleSpec, Stacked, Width
from graphdsl.plan.modules import show_width
from graphdsl.plan.origin import origin, origin_modules, side_by_side
from graphdsl.plan.state import Flow, listed
from graphdsl.plan.typewise import lower_pipe
from graphdsl.text import report

_JUMP = "torch_geometric.nn.JumpingKnowledge"


def _joined(stage: JoinedStage, widths: Sequence[Width]) -> Width:
    """Width of one type after the join, None where it is unknown or cannot be told."""
    if stage.kind == "same":
        return widths[0]
    if stage.kind == "stack":
        columns = {width for width in widths if isinstance(width, int)}
        return Stacked(len(widths), columns.pop() if len(columns) == 1 else None)
    known = [width for width in widths if isinstance(width, int)]
    if len(known) < len(widths):
        return None
    if _side_by_side(stage):
        return sum(known)
    return known[0] if len(set(known)) == 1 else None


def _side_by_side(stage: JoinedStage) -> bool:
    return stage.kind == "cat" or (stage.kind == "jump" and stage.mode == "cat")


def _check_equal(stage: JoinedStage, states: Sequence[Mapping[str, Width]], names: Sequence[str], flow: Flow) -> None:
    """All but concatenation need equal widths; one finding for all types."""
    if stage.kind == "same" or _side_by_side(stage):
        return
    widths = {name: [width for state in states if isinstance(width := state[name], int)] for name in names}
    unequal = [name for name, known in widths.items() if len(set(known)) > 1]
    if not unequal:
        return
    verb = "differs" if len(unequal) == 1 else "differ"
    name = unequal[0]
    also = [place for state in dict.fromkeys(stage.states) for place in origin(flow, state, name)]
    modules = [module for state in stage.states for module in origin_modules(flow, state, name)]
    sizes = " and ".join(show_width(flow.states[state][name]) for state in dict.fromkeys(stage.states))
    message = f"`{stage.kind}` joins states of equal width, but {listed(unequal)} {verb}: `{name}` is {sizes} wide"
    helps = (*side_by_side(modules, min(widths[name])), "`cat` takes states of any width")
    flow.unequal(message, stage.span, "joined here", also, helps)


def _check_stacks(stage: JoinedStage, values: Mapping[str, Sequence[Width]], flow: Flow) -> None:
    """A stack is read by `DNAConv` only: no join takes one, and no pipe works on one."""
    if stage.kind != "same":
        for name, widths in values.items():
            for width in widths:
                if isinstance(width, Stacked):
                    flow.columns(name, width, stage.span)
    if stage.kind == "stack" and stage.pipe:
        helps = ("put it behind the states that are stacked, or behind the layer that reads the stack",)
        flow.found.append(report("GNN510", "a pipe does not work on a stack", stage.pipe[0].span, helps=helps))


def _jump(name: str, stage: JoinedStage, widths: Sequence[Width], out: Width) -> NodeStep:
    arguments: dict[str, object] = {"mode": stage.mode}
    if stage.mode == "lstm":
        arguments |= {"channels": widths[0], "num_layers": len(widths)}
    module = ModuleSpec("jump", _JUMP, arguments, out if isinstance(out, int) else None, stage.span)
    return NodeStep(name, module, widths[0], out, stage.span)


def lower_join(stage: JoinedStage, flow: Flow) -> JoinStage:
    """Lower a join; types without features (node numbers) in all states are carried through."""
    states = [flow.states[state] for state in stage.states]
    names = [name for name in states[0] if all(name in state for state in states)]
    missing = sorted({name for state in states for name in state} - set(names))
    if missing:
        helps = ("`drop` the type in all of them, or join before it is dropped",)
        message = f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing in one of the joined states"
        also = [(flow.stages[n - 1].span, "here") for n in stage.states if n > 0 and missing[0] not in flow.states[n]]
        flow.found.append(report("GNN510", message, stage.span, also=also, helps=helps))
    carried: list[str] = []
    for name in names:
        ids = [isinstance(state[name], Ids) for state in states]
        if all(ids):
            carried.append(name)
        elif any(ids):  # a value beside node numbers
            flow.columns(name, states[ids.index(True)][name], stage.span)
    values = {name: [state[name] for state in states] for name in names if name not in carried}
    _check_stacks(stage, values, flow)
    _check_equal(stage, states, list(values), flow)
    made = {name: _joined(stage, widths) for name, widths in values.items()}
    modules = (
        tuple(_jump(name, stage, values[name], made[name]) for name in sorted(made)) if stage.kind == "jump" else ()
    )
    worked = () if stage.kind == "stack" else stage.pipe
    pipe, after = lower_pipe(worked, made, stage.reads, flow, {})
    widths = {name: after.get(name, states[0][name]) for name in names}
    produced = tuple(sorted(made))
    return JoinStage(
        stage.key, stage.reads, stage.shares, pipe, produced, widths, stage.span, stage.kind, stage.states, modules
    )
