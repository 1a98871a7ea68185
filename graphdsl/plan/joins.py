"""Lowering of joins of several states."""

from graphdsl.model import JoinedStage
from graphdsl.plan.ir import Ids, JoinStage, ModuleSpec, NodeStep, Width
from graphdsl.plan.state import Flow
from graphdsl.plan.typewise import lower_pipe
from graphdsl.text import report

_JUMP = "torch_geometric.nn.JumpingKnowledge"


def _joined(name: str, stage: JoinedStage, flow: Flow) -> Width:
    """Width of one type after the join."""
    widths = [flow.states[state][name] for state in stage.states]
    if stage.kind == "same":
        return widths[0]
    known = [width for width in widths if isinstance(width, int)]
    if len(known) < len(widths):
        return None
    if stage.kind == "cat" or (stage.kind == "jump" and stage.mode == "cat"):
        return sum(known)
    if len(set(known)) > 1:
        parts = ", ".join(str(width) for width in known)
        verb = "needs" if stage.kind == "jump" else "joins"
        message = f"`{stage.kind}` {verb} equally wide states, `{name}` is {parts} wide"
        places = [(flow.stages[s - 1].span, f"{w} wide") for s, w in zip(stage.states, known, strict=True) if s > 0]
        flow.unequal(message, stage.span, "joined here", places, ("`cat` takes states of any width",))
    return known[0]


def _jump(name: str, stage: JoinedStage, flow: Flow) -> NodeStep:
    widths = [flow.states[state][name] for state in stage.states]
    width = widths[0] if isinstance(widths[0], int) else None
    arguments: dict[str, object] = {"mode": stage.mode}
    if stage.mode == "lstm":
        arguments |= {"channels": width, "num_layers": len(stage.states)}
    out = _joined(name, stage, flow)
    module = ModuleSpec("jump", _JUMP, arguments, out if isinstance(out, int) else None, stage.span)
    return NodeStep(name, module, width, out, stage.span)


def lower_join(stage: JoinedStage, flow: Flow) -> JoinStage:
    """Lower a join; types without features (node numbers) are carried through."""
    states = [flow.states[state] for state in stage.states]
    names = [name for name in states[0] if all(name in state for state in states)]
    for name in {name for state in states for name in state} - set(names):
        helps = ("`drop` the type in all of them, or join before it is dropped",)
        flow.found.append(report("GNN510", f"`{name}` is missing in one of the joined states", stage.span, helps=helps))
    ids = [name for name in names if any(isinstance(state[name], Ids) for state in states)]
    made: dict[str, Width] = {name: _joined(name, stage, flow) for name in names if name not in ids}
    modules = tuple(_jump(name, stage, flow) for name in sorted(made)) if stage.kind == "jump" else ()
    pipe, after = lower_pipe(stage.pipe, made, states[0], flow)
    widths = {name: after.get(name, states[0][name]) for name in names}
    produced = tuple(sorted(made))
    return JoinStage(
        stage.key, stage.reads, stage.shares, pipe, produced, widths, stage.span, stage.kind, stage.states, modules
    )
