"""Lowering of predicted events: edges in the order of time, a memory of nodes, and what is read of each event."""

from collections.abc import Mapping

from graphdsl.model import LinkPrediction, ScorerUse, Training
from graphdsl.plan.head_types import EventAttributes, LinkHead
from graphdsl.plan.ir import Plan
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, did_you_mean, encode, listing, report, show_edge

_WIDE = ("float", "int", "bool")
"""Kinds of attributes that a message can be."""


def lower_events(use: ScorerUse, prediction: LinkPrediction, flow: Flow) -> LinkHead:
    """Lower a prediction of the next events: the memory has a row for each node of both ends."""
    edge = prediction.edge
    arguments = {item.name: item.default for item in use.scorer.parameters if not item.required} | dict(use.arguments)
    written = arguments.pop("msg")
    message = "" if written is None else str(written)
    time = time_of_events("tgn", prediction, flow)
    refuse_neighbours("tgn", prediction, flow)
    size, heads = arguments["embedding_dim"], arguments["heads"]
    if isinstance(size, int) and isinstance(heads, int) and size % heads:
        said = f"`embedding_dim` is {size}, which {heads} heads cannot share equally"
        helps = (f"let it be {size // heads * heads + heads}",)
        flow.found.append(report("GNN204", said, prediction.place, helps=helps))
    counts = [flow.count(name) for name in (edge[0], edge[2])]
    within = edge[0] == edge[2]
    total = counts[0] if within else None if None in counts else sum(item or 0 for item in counts)
    derived = {"num_nodes": total, "offset": 0 if within else counts[0], "msg_dim": _width(message, prediction, flow)}
    return LinkHead(
        name=show_edge(edge),
        key="__".join(map(encode, edge)),
        edge=edge,
        attribute=None,
        kind="link",
        size=1,
        state=prediction.state,
        scorer="tgn",
        module=ModuleSpec("tgn", use.scorer.path, {**derived, **arguments}, 1, prediction.place),
        negatives=prediction.negatives,
        keep_target=False,
        weight=prediction.weight,
        span=prediction.span,
        events=EventAttributes(time, message),
    )


def time_of_events(name: str, prediction: LinkPrediction, flow: Flow) -> str:
    """The attribute that orders events for a scorer of this name, or nothing after a report."""
    declared = flow.schema.edges[prediction.edge]
    times = [name for name, item in declared.attributes.items() if item.type.kind == "time"]
    if prediction.attribute is not None:
        message = f"`{name}` predicts the next events, not what they carry: `{prediction.label}` is a label"
        helps = (f"write `predict {show_edge(prediction.edge)}: {name}(…)`",)
        flow.found.append(report("GNN641", message, prediction.place, helps=helps))
    elif not times:
        message = f"`{name}` goes over events in the order of time, and `{show_edge(prediction.edge)}` has no `time`"
        helps = (f"declare when: `edge {show_edge(prediction.edge)} {{ at: time }}`",)
        also = ((declared.span, "declared here"),)
        flow.found.append(report("GNN640", message, prediction.place, also=also, helps=helps))
    return times[0] if times else ""


def refuse_neighbours(name: str, prediction: LinkPrediction, flow: Flow) -> None:
    """Stages would need batches of their own; what is known of events is the whole of a model."""
    if flow.stages:
        known = "a memory" if name == "tgn" else "a history of each event"
        message = f"`{name}` has {known} of its own, which no stage reads and which reads no stage"
        also = ((flow.stages[0].span, "this shares nothing with it"),)
        helps = ("give it a model of its own, without `nodes { … }` and `edges { … }`",)
        flow.found.append(report("GNN642", message, prediction.place, also=also, helps=helps))
    if prediction.keep_target:
        message = f"`keep_target` has no meaning for `{name}`: earlier events are always known, later ones never"
        flow.found.append(report("GNN641", message, prediction.place, helps=("leave `keep_target` out",)))


def _width(message: str, prediction: LinkPrediction, flow: Flow) -> int | None:
    """Columns of what events carry; one column of ones where they carry nothing."""
    if not message:
        return 1
    declared = flow.schema.edges[prediction.edge]
    known = [name for name, item in declared.attributes.items() if item.type.kind in _WIDE]
    if message not in known:
        has = f"`{show_edge(prediction.edge)}` has no numbers `{message}`"
        helps = did_you_mean(message, known) or tuple(f'write `msg = "{name}"`' for name in known[:1])
        notes = listing("its attributes that are numbers", known)
        also = ((declared.span, "declared here"),)
        said = f"`msg` names what events carry, and {has}"
        flow.found.append(report("GNN643", said, prediction.place, also=also, helps=helps, notes=notes))
        return 1
    if declared.attributes[message].type.width is not None:
        return declared.attributes[message].type.width
    stores = flow.metadata.edges if flow.metadata else None
    store = None if stores is None else stores.get(prediction.edge) or stores.get(declared.inverse or prediction.edge)
    tensor = store.tensors.get(message) if store else None
    return tensor.width if tensor else None


def event_head(plan: Plan) -> LinkHead | None:
    """The prediction of the next events of a model with a memory, which has nothing else."""
    return next((head for head in plan.link_heads if head.scorer == "tgn"), None)


def lonely_events(plan: Plan) -> list[Diagnostic]:
    """Other predictions would need batches of their own."""
    head = next((item for item in plan.link_heads if item.events is not None), None)
    others = [item for item in plan.heads if item is not head]
    if head is None or not others:
        return []
    message = f"`{head.scorer}` goes over events alone, so nothing else is predicted beside it"
    also = ((others[0].span, "predicted here"),)
    return [report("GNN642", message, head.span, also=also, helps=("give each a model of its own",))]


def unordered_events(plan: Plan, training: Training) -> list[Diagnostic]:
    """Settings that would take events out of the order of time, or all at once."""
    head = event_head(plan)
    if head is None:
        return []
    return refused_settings(
        head,
        training,
        "`tgn` learns of events batch by batch: those of one batch know nothing of each other",
        "set `batch_size: 200`, as PyG's example does",
        {
            "disjoint": "sets training edges apart, and `tgn` learns of all events in the order of time",
            "workers": "make batches ahead, and each batch of `tgn` needs the memory that the one before it left",
        },
    )


def refused_settings(
    head: LinkHead, training: Training, whole: str, way_out: str, senseless: Mapping[str, str]
) -> list[Diagnostic]:
    """Settings that a prediction of events cannot follow.

    Args:
        head: the prediction.
        training: the settings.
        whole: why events are not learnt of all at once, without `batch_size`.
        way_out: what to set it to.
        senseless: settings that have no meaning above 0, and what each would do.
    """
    place = training.span or head.module.span
    also = ((head.module.span, "predicted here"),)
    found: list[Diagnostic] = []
    if training.batch_size is None:
        found.append(report("GNN644", whole, place, also=also, helps=(way_out,)))
    for name, said in senseless.items():
        if getattr(training, name) > 0:
            found.append(report("GNN645", f"`{name}` {said}", place, also=also, helps=(f"leave `{name}` out",)))
    return found
