"""Lowering of `MaskLabel`: labels of training nodes as inputs, of a share of them while the others are learned."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from graphdsl.model import TRAIN_MASK, Attribute, BoundInput, LayerUse
from graphdsl.plan.head_types import ShownLabels
from graphdsl.plan.heads import label_size
from graphdsl.plan.ir import NodeStage, NodeStep, Plan, Stage
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.plan.walked_labels import walked_labels
from graphdsl.text import Diagnostic, Span, did_you_mean, listing, report, show_name


def lower_masked(name: str, layer: LayerUse, before: NodeStep, flow: Flow) -> NodeStep:
    """A step that adds what labels say to the values of a type.

    Args:
        name: the type.
        layer: `MaskLabel` as the spec asks for it.
        before: the step without labels: it knows what it reads, and where it stands.
        flow: where problems go.
    """
    (bound,) = layer.inputs
    arguments = dict(layer.arguments)
    ratio = arguments.pop("ratio", 0.65)
    width = before.width_in if isinstance(before.width_in, int) else None
    label = _label(name, bound, flow)
    store = flow.metadata.nodes.get(name) if flow.metadata else None
    size = label_size(label, store.tensors.get(bound.attribute) if store else None) if label is not None else None
    around = Surroundings(width=width, classes=size)
    module = build_module(replace(layer, arguments=arguments), around, flow.found)
    shown = ShownLabels(bound.attribute, ratio)
    return replace(before, module=module, width_out=module.width_out, labels=shown)


def _label(name: str, bound: BoundInput, flow: Flow) -> Attribute | None:
    """The label that is read, if it is one of classes; and there must be a mask."""
    node = flow.schema.nodes[name]
    label = node.attributes.get(bound.attribute)
    also = ((node.span, "declared here"),)
    if label is None:
        known = [key for key, item in node.attributes.items() if item.type.kind == "class"]
        message = f"`{show_name(name)}` has no attribute `{bound.attribute}`"
        helps, notes = did_you_mean(bound.attribute, known), listing(f"classes of `{name}`", known)
        flow.found.append(report("GNN304", message, bound.span, also=also, helps=helps, notes=notes))
        return None
    if label.type.kind != "class":
        message = f"`MaskLabel` learns a vector for each class, and `{label.name}` is `{label.type}`"
        helps = ("read a label of the kind `class`",)
        flow.found.append(report("GNN349", message, bound.span, also=((label.span, "declared here"),), helps=helps))
        return None
    if TRAIN_MASK not in node.attributes:
        message = f"`MaskLabel` shows the labels of training nodes, and `{name}` declares no `{TRAIN_MASK}`"
        helps = (f"declare it: `node {show_name(name)} {{ …, {TRAIN_MASK}: mask }}`",)
        flow.found.append(report("GNN346", message, bound.span, also=also, helps=helps))
    return label


def uneven_shares(stages: Sequence[Stage]) -> list[Diagnostic]:
    """Labels of one type that are shown in different shares: whose are learned would not be known."""
    found: list[Diagnostic] = []
    first: dict[str, tuple[float, Span]] = {}
    for step, shown in _steps(stages):
        ratio, span = first.setdefault(step.type, (shown.ratio, step.module.span))
        if ratio != shown.ratio:
            message = (
                f"`ratio` is {shown.ratio} here and {ratio} before: one share of the labels of `{step.type}` is shown"
            )
            also = ((span, f"{ratio} here"),)
            found.append(report("GNN204", message, step.module.span, also=also, helps=("write the same `ratio`",)))
    return found


def shown_labels(plan: Plan) -> dict[tuple[str, str], float]:
    """Which labels a model is shown, by type and attribute, and the share that is shown while the others are learned."""
    return {(step.type, shown.attribute): shown.ratio for step, shown in _steps(plan.stages)}


def given_labels(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Labels that layers read, by type and attribute, sorted."""
    return tuple(sorted({*shown_labels(plan), *walked_labels(plan)}))


def read_labels(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Labels that a model reads, shown or spread, by type and attribute, sorted; it reads `train_mask` of the types, too."""
    spread = {(head.type, head.attribute) for head in plan.node_heads if head.spread is not None}
    return tuple(sorted({*given_labels(plan), *spread}))


def _steps(stages: Sequence[Stage]) -> Iterator[tuple[NodeStep, ShownLabels]]:
    for stage in stages:
        for step in stage.steps if isinstance(stage, NodeStage) else ():
            if step.labels is not None:
                yield step, step.labels
