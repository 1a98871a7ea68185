"""Lowering of forecasts: which of all nodes an event of a kind joins next, given the other end, told by histories."""

from graphdsl.model import LinkPrediction, ScorerUse, Training
from graphdsl.plan.events import refuse_neighbours, refused_settings, time_of_events
from graphdsl.plan.head_types import EventAttributes, LinkHead
from graphdsl.plan.ir import Plan
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.state import Flow
from graphdsl.text import Diagnostic, did_you_mean, encode, listing, report, show_edge


def lower_forecast(use: ScorerUse, prediction: LinkPrediction, flow: Flow) -> LinkHead:
    """Lower a forecast: outputs are as wide as there are nodes."""
    edge, name = prediction.edge, use.scorer.name
    arguments = {item.name: item.default for item in use.scorer.parameters if not item.required} | dict(use.arguments)
    kind = str(arguments.pop("rel"))
    time = time_of_events(name, prediction, flow)
    refuse_neighbours(name, prediction, flow)
    _refuse_pairs(prediction, flow)
    count = flow.count(edge[0])
    derived = {"num_nodes": count, "num_rels": _kinds(kind, prediction, flow)}
    return LinkHead(
        name=show_edge(edge),
        key="__".join(map(encode, edge)),
        edge=edge,
        attribute=None,
        kind="event",
        size=count,
        state=prediction.state,
        scorer=name,
        module=ModuleSpec(name, use.scorer.path, {**derived, **arguments}, count, prediction.place),
        negatives=0,
        keep_target=False,
        weight=prediction.weight,
        span=prediction.span,
        events=EventAttributes(time, kind),
    )


def _refuse_pairs(prediction: LinkPrediction, flow: Flow) -> None:
    """Every node is compared with all others, and nodes have one numbering."""
    edge = prediction.edge
    if edge[0] != edge[2]:
        message = f"`renet` asks which of all nodes an event joins, and `{show_edge(edge)}` joins two types"
        helps = ("give both ends one node type, or use `tgn(…)`",)
        also = ((flow.schema.place(edge), "declared here"),)
        flow.found.append(report("GNN641", message, prediction.place, also=also, helps=helps))
    if prediction.negatives > 1:
        message = "`renet` compares each node with all others, so `negatives` has no meaning"
        flow.found.append(report("GNN641", message, prediction.place, helps=("leave `negatives` out",)))


def _kinds(name: str, prediction: LinkPrediction, flow: Flow) -> int | None:
    """How many kinds of events there are; None while unknown."""
    declared = flow.schema.edges[prediction.edge]
    known = [key for key, item in declared.attributes.items() if item.type.kind == "class"]
    if name not in known:
        message = f"`rel` names the class that says of which kind an event is, and `{show_edge(prediction.edge)}` "
        message += f"has no class `{name}`"
        helps = did_you_mean(name, known) or tuple(f'write `rel = "{key}"`' for key in known[:1])
        helps = helps or (f"declare it: `edge {show_edge(prediction.edge)} {{ {name}: class[*] }}`",)
        notes = listing("its classes", known)
        also = ((declared.span, "declared here"),)
        flow.found.append(report("GNN643", message, prediction.place, also=also, helps=helps, notes=notes))
        return 1
    if isinstance(size := declared.attributes[name].type.size, int):
        return size
    stores = flow.metadata.edges if flow.metadata else None
    store = None if stores is None else stores.get(prediction.edge) or stores.get(declared.inverse or prediction.edge)
    tensor = store.tensors.get(name) if store else None
    return tensor.classes if tensor else None


def forecast_head(plan: Plan) -> LinkHead | None:
    """The forecast of a model that learns from histories of events, which has nothing else."""
    return next((head for head in plan.link_heads if head.kind == "event"), None)


def unforeseen_settings(plan: Plan, training: Training) -> list[Diagnostic]:
    """Settings that a forecast cannot follow."""
    head = forecast_head(plan)
    if head is None:
        return []
    return refused_settings(
        head,
        training,
        "`renet` scores all nodes for each event, and without `batch_size` a step asks for all events",
        "set `batch_size: 1024`, as PyG's example does",
        {
            "disjoint": "sets training edges apart, and what happened before an event is always its history",
            "workers": "sample ahead, and `renet` looks its histories up, which takes less time than to send them",
        },
    )
