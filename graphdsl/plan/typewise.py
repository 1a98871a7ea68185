"""Lowering of node maps and pipes: each type on its own."""

from collections.abc import Mapping

from graphdsl.model import LayerUse, NodesStage, Pipe
from graphdsl.plan.encoders import lower_encoded
from graphdsl.plan.ir import NodeStage, NodeStep, PipeStep
from graphdsl.plan.masked_labels import lower_masked
from graphdsl.plan.module_spec import Ids, ModuleSpec, Width
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.origin import Maker, explain_width, origin, origin_modules, side_by_side
from graphdsl.plan.state import Flow, listed
from graphdsl.text import Span, report


def lower_step(name: str, layer: LayerUse, width: Width, rule: Span, flow: Flow, reads: int = 0) -> NodeStep:
    """One layer on one type, whose value is that of the state `reads`."""
    columns = None
    if layer.entry.kind == "label":
        bare = NodeStep(name, ModuleSpec("", "", {}, None, rule), flow.columns(name, width, rule), None, rule)
        return lower_masked(name, layer, bare, flow)
    if layer.inputs:
        return lower_encoded(name, layer, width, rule, reads, flow)
    if not layer.entry.accepts_ids:
        columns = flow.columns(name, width, rule)
    elif not isinstance(width, Ids):
        flow.late.setdefault(rule, []).append(name)
    count = width.count if isinstance(width, Ids) else flow.count(name)
    module = build_module(layer, Surroundings(width=columns, count=count), flow.found)
    return NodeStep(name, module, width, module.width_out, rule)


def lower_nodes(stage: NodesStage, flow: Flow) -> NodeStage:
    """Lower a node map; types that no rule matches are carried through."""
    before = flow.states[stage.reads]
    rules = sorted(stage.rules, key=lambda rule: rule.type)
    steps = tuple(
        lower_step(rule.type, rule.layer, before.get(rule.type), rule.span, flow, stage.reads) for rule in rules
    )
    made: dict[str, Width] = {step.type: step.width_out for step in steps}
    pipe, after = lower_pipe(stage.pipe, made, stage.reads, flow, {s.type: ((s.rule, s.module),) for s in steps})
    widths = {name: after.get(name, width) for name, width in before.items()}
    return NodeStage(stage.key, stage.reads, stage.shares, pipe, tuple(sorted(made)), widths, stage.span, steps)


def lower_pipe(
    pipe: tuple[Pipe, ...],
    made: Mapping[str, Width],
    reads: int,
    flow: Flow,
    makers: Mapping[str, tuple[Maker, ...]],
) -> tuple[tuple[PipeStep, ...], dict[str, Width]]:
    """Lower what follows a stage, on the types that the stage made.

    Args:
        pipe: the steps as written.
        made: widths of the types that the stage made.
        reads: number of the state that the stage read (for `residual`).
        flow: where counts come from and problems go.
        makers: what made each type.

    Returns:
        The steps, and the widths behind them.
    """
    widths, made_by = dict(made), dict(makers)
    steps: list[PipeStep] = []
    for item in pipe:
        if item.kind == "residual":
            widths |= dict.fromkeys(_check_residual(item, widths, reads, flow, made_by))
            steps.append(PipeStep("residual", (), item.span))
            continue
        layers = _layers(item, widths, flow)
        lowered = tuple(lower_step(name, layer, widths[name], rule, flow) for name, (layer, rule) in layers.items())
        widths |= {step.type: step.width_out for step in lowered}
        made_by |= {s.type: ((s.rule, s.module),) for s in lowered if s.width_in != s.width_out}
        steps.append(PipeStep("apply", lowered, item.span))
    return tuple(steps), widths


def _layers(item: Pipe, widths: Mapping[str, Width], flow: Flow) -> dict[str, tuple[LayerUse, Span]]:
    if item.layer is not None:
        return dict.fromkeys(sorted(widths), (item.layer, item.span))
    idle: dict[Span, list[str]] = {}
    for rule in item.rules:
        if rule.named and rule.type not in widths:
            idle.setdefault(rule.span, []).append(rule.type)
    for span, names in idle.items():
        helps = ("a pipe works on the types that its stage makes; others are carried through",)
        flow.found.append(report("GNN106", f"this stage does not make {listed(names)}", span, helps=helps))
    layers = {rule.type: (rule.layer, rule.span) for rule in item.rules if rule.type in widths}
    return dict(sorted(layers.items()))


def _check_residual(
    item: Pipe, widths: Mapping[str, Width], reads: int, flow: Flow, makers: Mapping[str, tuple[Maker, ...]]
) -> list[str]:
    """Types whose value is not as wide as the one that is added: their widths behind it are unknown."""
    unequal: list[str] = []
    for name, width in widths.items():
        old = flow.states[reads].get(name)
        if isinstance(old, Ids):
            flow.columns(name, old, item.span)
        elif old is not None and width is not None and old != width:
            unequal.append(name)
    if not unequal:
        return []
    name, others = unequal[0], len(unequal) - 1
    old, new = flow.states[reads][name], widths[name]
    more = f", and likewise for {others} more type{'s' if others > 1 else ''}" if others else ""
    made = makers.get(name, ())
    modules: list[ModuleSpec] = [*(module for _, module in made), *origin_modules(flow, reads, name)]
    general = "make both equally wide, for example with `nodes { *: Linear(…) }` before this stage"
    helps = side_by_side(modules, min(old, new) if isinstance(old, int) and isinstance(new, int) else None)
    also = [(rule, f"`{name}`: {explain_width(module)}") for rule, module in made[:1]]
    also += [place for place in origin(flow, reads, name) if place[0] not in [span for span, _ in also]]
    message = f"`residual` adds {old} columns of `{name}` to {new}{more}"
    flow.unequal(message, item.span, "not equally wide", also, helps or (general,))
    return unequal
