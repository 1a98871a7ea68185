"""Labels of training nodes as inputs of a walk: they go along its metapaths from the type that has them to itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphdsl.model import TRAIN_MASK, Attribute, BoundInput, LayerUse, Schema
from graphdsl.plan.head_types import AnyHead, Head, WalkedLabels
from graphdsl.plan.heads import label_size
from graphdsl.plan.ir import JoinStage, JointStep, Plan, RelationStage, RelationStep, Stage
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, EdgeKey, Span, did_you_mean, listing, report, show_name

Label = tuple[str, str]
"""A type and its label."""


def lower_walked(layer: LayerUse, edges: Sequence[EdgeKey], flow: Flow) -> WalkedLabels | None:
    """The labels that go along the paths of a rule, if its layer reads some.

    Args:
        layer: the layer of the rule.
        edges: relations and metapaths of the rule.
        flow: where problems go.
    """
    bound = next((item for item in layer.inputs if item.input.source == "label"), None)
    if bound is None:
        return None
    kinds: dict[str, str] = {}
    sizes: dict[str, int | None] = {}
    ends = sorted({edge[2] for edge in edges})
    having = [name for name in ends if bound.attribute in flow.schema.nodes[name].attributes]
    if not having:
        _report_missing(bound, ends, flow)
    for name in having:
        label = flow.schema.nodes[name].attributes[bound.attribute]
        if not _check(layer, name, label, bound, flow):
            continue
        if all((edge[0], edge[2]) != (name, name) for edge in edges):
            shown = show_name(name)
            message = f"labels of `{name}` go from `{name}` to `{name}`, and no path of this rule does"
            helps = (f"serve a metapath there and back, too: `metapath NAME = {shown} -[r]-> t <-[r]- {shown}`",)
            flow.found.append(report("GNN345", message, bound.span, also=((layer.span, "this rule"),), helps=helps))
            continue
        store = flow.metadata.nodes.get(name) if flow.metadata else None
        kinds[name] = label.type.kind
        sizes[name] = label_size(label, store.tensors.get(bound.attribute) if store else None)
    return WalkedLabels(bound.attribute, kinds, sizes, bound.span)


def _check(layer: LayerUse, name: str, label: Attribute, bound: BoundInput, flow: Flow) -> bool:
    """Labels that are shares of classes, and a mask that tells whose are known."""
    called, node = layer.entry.name, flow.schema.nodes[name]
    if label.type.kind not in ("class", "multilabel"):
        message = f"`{called}` averages shares of classes, and `{label.name}` is `{label.type}`"
        helps = ("read a label of the kind `class` or `multilabel`",)
        also = ((label.span, "declared here"),)
        flow.found.append(report("GNN347", message, bound.span, also=also, helps=helps))
        return False
    if TRAIN_MASK not in node.attributes:
        message = f"`{called}` reads the labels of training nodes, and `{name}` declares no `{TRAIN_MASK}`"
        helps = (f"declare it: `node {show_name(name)} {{ …, {TRAIN_MASK}: mask }}`",)
        also = ((node.span, "declared here"),)
        flow.found.append(report("GNN346", message, bound.span, also=also, helps=helps))
        return False
    return True


def _report_missing(bound: BoundInput, ends: Sequence[str], flow: Flow) -> None:
    nodes = [flow.schema.nodes[name] for name in ends]
    known = sorted(
        {key for node in nodes for key, item in node.attributes.items() if item.type.kind in ("class", "multilabel")}
    )
    said = f"`{show_name(ends[0])}` has" if len(ends) == 1 else f"none of {', '.join(f'`{name}`' for name in ends)} has"
    message = f"{said} {'no' if len(ends) == 1 else 'a'} label `{bound.attribute}`"
    helps, notes = did_you_mean(bound.attribute, known), listing("labels of these types", known)
    also = tuple((node.span, "declared here") for node in nodes[:3])
    flow.found.append(report("GNN304", message, bound.span, also=also, helps=helps, notes=notes))


def walked_labels(plan: Plan) -> tuple[Label, ...]:
    """Labels that go along metapaths, by type and attribute, sorted."""
    steps = [joint for _, stage in plan.relation_stages() for joint in stage.joints]
    return tuple(
        sorted(
            {(name, step.labels.attribute) for step in steps if step.labels is not None for name in step.labels.kinds}
        )
    )


@dataclass(frozen=True, slots=True)
class _Trace:
    """How far a label has come.

    Attributes:
        entered: where a layer read it.
        sent: the rule that sent it on, to whoever.
    """

    entered: Span
    sent: Span | None = None


_Traces = Mapping[str, Mapping[Label, _Trace]]
"""By node type, the labels of other nodes that its values have seen."""


def returning_labels(plan: Plan, _schema: Schema) -> list[Diagnostic]:
    """Labels that a walk gives to other nodes, and that a later layer brings back to where they are predicted.

    The walk itself gives no node its own label. A neighbour that was given it may send it back.
    """
    states: list[_Traces] = [{}]
    for stage in plan.stages:
        states.append({name: dict(_seen(stage, name, states)) for name in stage.widths})
    found: list[Diagnostic] = []
    for head in plan.heads:
        trace = _of_itself(head, states)
        if trace is not None and trace.sent is not None:
            message = f"a node may be sent its own label back, and `{head.name}` is predicted"
            also = ((trace.entered, "its neighbours are given it here"), (head.span, "predicted here"))
            helps = ("put the layer that reads labels last: behind it, transform nodes, and send nothing",)
            found.append(report("GNN648", message, trace.sent, "this sends it on", also=also, helps=helps))
    return found


def _of_itself(head: AnyHead, states: Sequence[_Traces]) -> _Trace | None:
    """The trace of a predicted label in the values that predict it."""
    if not isinstance(head, Head) or not head.types:
        return None
    return states[head.state].get(head.type, {}).get((head.type, head.attribute))


def _seen(stage: Stage, name: str, states: Sequence[_Traces]) -> Iterator[tuple[Label, _Trace]]:
    """The labels that a stage's value of a type has seen; of two traces, the one that came further is last."""
    reads = stage.states if isinstance(stage, JoinStage) else (stage.reads,)
    had = [item for state in reads for item in states[state].get(name, {}).items()]
    yield from (item for item in had if item[1].sent is None)
    if isinstance(stage, RelationStage):
        yield from _given(stage, name)
    yield from (item for item in had if item[1].sent is not None)
    if isinstance(stage, RelationStage):
        yield from _sent(stage, name, states)


def _given(stage: RelationStage, name: str) -> Iterator[tuple[Label, _Trace]]:
    for step in stage.joints:
        if step.live and step.labels is not None and name in step.labels.kinds:
            yield (name, step.labels.attribute), _Trace(step.labels.span)


def _sent(stage: RelationStage, name: str, states: Sequence[_Traces]) -> Iterator[tuple[Label, _Trace]]:
    for step in (*stage.steps, *stage.joints):
        if not step.live or name not in _ends(step):
            continue
        for state in {stage.reads, *(item.state for item in step.inputs if item.source == "state")}:
            for source in sorted(_sources(step)):
                for label, trace in states[state].get(source, {}).items():
                    yield label, _Trace(trace.entered, trace.sent or step.rule)


def _ends(step: RelationStep | JointStep) -> tuple[str, ...]:
    return (step.edge[2],) if isinstance(step, RelationStep) else step.targets


def _sources(step: RelationStep | JointStep) -> set[str]:
    """Types whose values a step sends to other nodes."""
    if isinstance(step, RelationStep):
        return {step.edge[0]}
    return {edge[0] for edge in step.edges} | {*step.types}.difference(step.targets)
