"""Lowering of predictions of whole graphs."""

from collections.abc import Sequence

from graphdsl.catalog import find, is_graphwise
from graphdsl.model import GraphPrediction
from graphdsl.plan.block_heads import block_module
from graphdsl.plan.degrees import known_sizes
from graphdsl.plan.head_types import AnyHead, GraphHead, Readout
from graphdsl.plan.heads import label_size
from graphdsl.plan.ir import SequenceStage, Stage
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.plan.walk import stage_modules
from graphdsl.text import Diagnostic, Span, encode, report, show_name

_LINEAR = "torch_geometric.nn.Linear"


def lower_graph(prediction: GraphPrediction, flow: Flow) -> GraphHead:
    """Lower a prediction of whole graphs: a readout of each type, side by side, and a head behind them."""
    label = flow.schema.graph[prediction.attribute]
    store = flow.metadata.graph if flow.metadata else None
    size = label_size(label, store.tensors.get(prediction.attribute) if store else None)
    readouts = _readouts(prediction, flow)
    widths = [item.width_out for item in readouts]
    known = [width for width in widths if width is not None]
    width = sum(known) if len(known) == len(widths) else None
    if prediction.readout is None:
        module = block_module(prediction, label, size, flow)
    elif prediction.head is None:
        arguments = {"in_channels": width, "out_channels": size}
        module = ModuleSpec("Linear", _LINEAR, arguments, size, prediction.span)
    else:
        module = build_module(prediction.head, Surroundings(width=width), flow.found)
        if size is not None and module.width_out is not None and module.width_out != size:
            message = f"the head gives {module.width_out} columns, `{label.type}` needs {size}"
            also = ((label.span, f"`{label.type}`"),)
            flow.found.append(report("GNN502", message, prediction.head.span, also=also))
    kind = label.type.kind
    return GraphHead(
        name=f"graph.{show_name(prediction.attribute)}",
        key=f"graph__{encode(prediction.attribute)}",
        attribute=prediction.attribute,
        kind="class" if kind == "class" else "multilabel" if kind == "multilabel" else "real",
        size=size,
        state=prediction.state,
        readouts=readouts,
        module=module,
        weight=prediction.weight,
        span=prediction.span,
        value=prediction.value,
    )


def _readouts(prediction: GraphPrediction, flow: Flow) -> tuple[Readout, ...]:
    state = flow.states[prediction.state]
    result: list[Readout] = []
    for name in prediction.sources:
        assert prediction.readout is not None
        width = flow.columns(name, state.get(name), prediction.readout.span)
        around = Surroundings(width=width, degrees=known_sizes(name, flow))
        module = build_module(prediction.readout, around, flow.found)
        result.append(Readout(name, module, width, module.width_out))
    return tuple(result)


def mixed_graphs(stages: Sequence[Stage], heads: Sequence[AnyHead], flow: Flow) -> list[Diagnostic]:
    """Norms over a whole graph, where there are several: they would see a mini-batch as one graph."""
    several = bool(flow.schema.graph) or (flow.metadata is not None and (flow.metadata.graph.count or 0) > 1)
    if not several and not any(isinstance(head, GraphHead) for head in heads):
        return []
    places: dict[Span, str] = {}
    for stage in stages:
        if isinstance(stage, SequenceStage):
            continue
        for module in stage_modules(stage):
            entry = find(module.name)
            if entry is not None and is_graphwise(entry, entry.with_defaults(module.arguments)):
                places.setdefault(module.span, module.name)
    helps = ('use `LayerNorm(mode = "node")` or `BatchNorm`',)
    return [
        report("GNN533", f"`{name}` takes all graphs of a mini-batch for one", span, helps=helps)
        for span, name in places.items()
    ]
