"""Lowering of predictions behind a `sequential` block: what they read, and the layer on it."""

from graphdsl.model import Attribute, GraphPrediction, LinkPrediction, Prediction
from graphdsl.plan.head_types import Head
from graphdsl.plan.heads import as_head, label_size
from graphdsl.plan.ir import SequenceStage
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.text import report

_IDENTITY = "torch.nn.Identity"


def block_columns(prediction: Prediction | GraphPrediction | LinkPrediction, flow: Flow) -> int | None:
    """Columns of the value that a prediction behind a block reads."""
    stage = flow.stages[prediction.state - 1]
    assert isinstance(stage, SequenceStage)
    if prediction.value:
        return stage.columns.get(prediction.value)
    last = next((step for step in reversed(stage.steps) if step.kind != "loss"), None)
    return last.width_out if last else None


def block_module(
    prediction: Prediction | GraphPrediction, label: Attribute, size: int | None, flow: Flow
) -> ModuleSpec:
    """The layer on a value; without one the value is the prediction itself, and must be as wide as the label asks."""
    width = block_columns(prediction, flow)
    if prediction.head is not None:
        module = build_module(prediction.head, Surroundings(width=width), flow.found)
        if size is not None and module.width_out is not None and module.width_out != size:
            message = f"the head gives {module.width_out} columns, `{label.type}` needs {size}"
            also = ((label.span, f"`{label.type}`"),)
            helps = (f"let it end in {size}",)
            flow.found.append(report("GNN502", message, prediction.head.span, also=also, helps=helps))
        return module
    if size is not None and width is not None and width != size:
        _report_width(prediction, label, width, size, flow)
    return ModuleSpec("identity", _IDENTITY, {}, width, prediction.span)


def _report_width(
    prediction: Prediction | GraphPrediction, label: Attribute, width: int, size: int, flow: Flow
) -> None:
    stage = flow.stages[prediction.state - 1]
    assert isinstance(stage, SequenceStage)
    also = [(label.span, f"`{label.type}`")]
    if prediction.value:
        message = f"`{prediction.value}` is {width} columns wide, `{label.type}` needs {size}"
        helps = (f"put a head on it: `predict {prediction.label} from {prediction.value}: Linear({size})`",)
        flow.found.append(report("GNN502", message, prediction.span, also=also, helps=helps))
        return
    message = f"the block ends {width} columns wide, `{label.type}` needs {size}"
    helps = (f"end it with `Linear({size})`",)
    flow.found.append(report("GNN502", message, stage.steps[-1].rule, "the last step", also=also, helps=helps))


def lower_block_label(prediction: Prediction, flow: Flow) -> Head:
    """Lower the prediction of a label of nodes behind a block."""
    label = flow.schema.nodes[prediction.type].attributes[prediction.attribute]
    store = flow.metadata.nodes.get(prediction.type) if flow.metadata else None
    size = label_size(label, store.tensors.get(prediction.attribute) if store else None)
    return as_head(prediction, label, size, block_module(prediction, label, size, flow))
