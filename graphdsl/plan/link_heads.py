"""Lowering of link predictions: a scorer reads the values of both ends."""

from dataclasses import replace
from typing import Any

from graphdsl.catalog import Scorer, find
from graphdsl.model import AttributeType, LayerUse, LinkPrediction, ScorerUse
from graphdsl.plan.block_heads import block_columns
from graphdsl.plan.events import lower_events
from graphdsl.plan.forecasts import lower_forecast
from graphdsl.plan.head_types import LinkHead
from graphdsl.plan.ir import SequenceStage
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.pair_graphs import check_graph_scorer
from graphdsl.plan.signs import SIGN_COLUMNS, negative_relation
from graphdsl.plan.state import Flow
from graphdsl.text import EdgeKey, encode, report, show_edge, show_name


def _label(prediction: LinkPrediction, flow: Flow) -> AttributeType | None:
    if prediction.attribute is None:
        return None
    return flow.schema.edges[prediction.edge].attributes[prediction.attribute].type


def _size(prediction: LinkPrediction, flow: Flow) -> int | None:
    """Numbers for each pair: one for a link; classes, labels or targets for a label."""
    label = _label(prediction, flow)
    if label is None or label.size is None:
        return 1
    if isinstance(label.size, int):
        return label.size
    declared = flow.schema.edges[prediction.edge]
    found = flow.metadata.edges if flow.metadata else None
    store = None if found is None else found.get(prediction.edge) or found.get(declared.inverse or prediction.edge)
    tensor = store.tensors.get(prediction.attribute or "") if store else None
    if tensor is None:
        return None
    return tensor.classes if label.kind == "class" else tensor.width


def _ends(prediction: LinkPrediction, flow: Flow) -> tuple[int | None, int | None]:
    """Columns of source and target."""
    if flow.stages and isinstance(flow.stages[-1], SequenceStage):
        width = block_columns(prediction, flow)
        return width, width
    state = flow.states[prediction.state]
    source, target = (
        flow.columns(name, state.get(name), prediction.span) for name in (prediction.edge[0], prediction.edge[2])
    )
    return source, target


def _score(use: ScorerUse, prediction: LinkPrediction, size: int | None, flow: Flow) -> ModuleSpec:
    """The module of a scorer that takes both ends."""
    scorer = use.scorer
    ends = _ends(prediction, flow)
    if scorer.equal_ends and None not in ends and ends[0] != ends[1]:
        source, _, target = prediction.edge
        reads = "reads both ends alike" if scorer.one_network else "multiplies column by column"
        message = f"`{scorer.name}` {reads}, but `{source}` is {ends[0]} wide and `{target}` {ends[1]}"
        also = [(prediction.span, "predicted here")] if prediction.place != prediction.span else []
        helps = ("bring both ends to one width before, or use `bilinear` or `MLP(…)`, which take any",)
        flow.unequal(message, prediction.place, f"{ends[0]} and {ends[1]} wide", also, helps)
    elif scorer.halves and ends[0] is not None and ends[0] % 2:
        message = f"`{scorer.name}` reads {ends[0]} columns as real and imaginary parts, half of them each"
        helps = ("make both ends an even number of columns wide",)
        flow.found.append(report("GNN204", message, prediction.place, helps=helps))
    if scorer.single and size is not None and size != 1:
        _report_width(1, prediction, size, flow)
    arguments: dict[str, Any] = dict(use.arguments)
    if not scorer.single:
        arguments = {"in_channels": ends[0] if scorer.equal_ends else ends, "out_channels": size, **arguments}
    if scorer.one_network:
        arguments = {"in_channels": ends[0], **arguments}
    return ModuleSpec(scorer.name, scorer.path, arguments, _columns(scorer, size), prediction.place)


def _columns(scorer: Scorer, size: int | None) -> int | None:
    """Numbers that a scorer gives for each pair."""
    return SIGN_COLUMNS if scorer.name == "signed" else 1 if scorer.single else size


def _concatenate(layer: LayerUse | None, prediction: LinkPrediction, size: int | None, flow: Flow) -> ModuleSpec:
    """A layer on the concatenation of both ends; without one, a linear map."""
    source, target = _ends(prediction, flow)
    width = None if source is None or target is None else source + target
    if layer is None:
        linear = find("Linear")
        assert linear is not None
        return ModuleSpec("Linear", linear.path, {"in_channels": width, "out_channels": size}, size, prediction.place)
    module = build_module(layer, Surroundings(width=width), flow.found)
    if size is not None and module.width_out is not None and module.width_out != size:
        _report_width(module.width_out, prediction, size, flow)
    return module


def _report_width(width: int, prediction: LinkPrediction, size: int, flow: Flow) -> None:
    label, declared = _label(prediction, flow), flow.schema.edges[prediction.edge]
    wanted = f"`{label}`" if label is not None else "a link"
    message = f"the head gives {width} column{'s' if width != 1 else ''}, {wanted} needs {size}"
    place = declared.attributes[prediction.attribute].span if prediction.attribute else None
    also = ((place, wanted),) if place is not None else ()
    flow.found.append(report("GNN502", message, prediction.place, also=also))


def lower_link(prediction: LinkPrediction, flow: Flow) -> LinkHead:
    """Lower one link prediction: most scorers need equally wide ends, a layer the label's width."""
    size, label = _size(prediction, flow), _label(prediction, flow)
    written, scorer = prediction.scorer, "module"
    if isinstance(written, ScorerUse) and written.scorer.name == "tgn":
        return lower_events(written, prediction, flow)
    if isinstance(written, ScorerUse) and written.scorer.name == "renet":
        return lower_forecast(written, prediction, flow)
    negative: EdgeKey | None = None
    if isinstance(written, ScorerUse):
        scorer = written.scorer.name
        if scorer == "signed":
            negative, size = negative_relation(written, prediction, flow), SIGN_COLUMNS
            written = replace(written, arguments={k: it for k, it in written.arguments.items() if k != "negative"})
        check_graph_scorer(written, prediction, flow)
        module = _score(written, prediction, 1 if scorer in ("signed", "lpformer") else size, flow)
    else:
        module = _concatenate(None if isinstance(written, str) else written, prediction, size, flow)
    attribute = prediction.attribute
    kind = None if label is None else label.kind
    parts = (*prediction.edge, *(() if attribute is None else (attribute,)))
    return LinkHead(
        name=show_edge(prediction.edge) + (f".{show_name(attribute)}" if attribute is not None else ""),
        key="__".join(map(encode, parts)),
        edge=prediction.edge,
        attribute=attribute,
        kind="signed"
        if scorer == "signed"
        else "link"
        if kind is None
        else "class"
        if kind == "class"
        else "multilabel"
        if kind == "multilabel"
        else "real",
        size=size,
        state=prediction.state,
        scorer=scorer,
        module=module,
        negatives=0 if scorer == "signed" else prediction.negatives,
        keep_target=prediction.keep_target,
        weight=prediction.weight,
        span=prediction.span,
        value=prediction.value,
        negative=negative,
    )
