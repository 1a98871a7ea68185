"""Lowering of predictions: the label's type gives the width of the head."""

from graphdsl.model import Attribute, Prediction, TensorInfo
from graphdsl.plan.head_types import Head, Spread
from graphdsl.plan.module_spec import Ids, ModuleSpec
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.spreading import lower_spread
from graphdsl.plan.state import Flow
from graphdsl.text import encode, report, show_name

_LINEAR = "torch_geometric.nn.Linear"


def label_size(label: Attribute, tensor: TensorInfo | None) -> int | None:
    """Classes, labels or targets: from the schema, or from the data where the schema says `*`."""
    kind = label.type
    if isinstance(kind.size, int):
        return kind.size
    if kind.size is None:
        return 1
    if tensor is None:
        return None
    return tensor.classes if kind.kind == "class" else tensor.width


def lower_prediction(prediction: Prediction, flow: Flow) -> Head:
    """Lower one prediction; a head that is written must be as wide as the label asks."""
    label = flow.schema.nodes[prediction.type].attributes[prediction.attribute]
    store = flow.metadata.nodes.get(prediction.type) if flow.metadata else None
    size = label_size(label, store.tensors.get(prediction.attribute) if store else None)
    width = flow.states[prediction.state].get(prediction.type)
    spread = lower_spread(prediction, flow)
    if spread is not None and spread.alone:
        return as_head(prediction, label, size, spread.module, spread)
    if prediction.head is None or not prediction.head.entry.accepts_ids:
        columns = flow.columns(prediction.type, width, prediction.span)
    else:
        columns = None
    if prediction.head is None:
        arguments = {"in_channels": columns, "out_channels": size}
        module = ModuleSpec("Linear", _LINEAR, arguments, size, prediction.span)
    else:
        count = width.count if isinstance(width, Ids) else flow.count(prediction.type)
        module = build_module(prediction.head, Surroundings(width=columns, count=count), flow.found)
        if size is not None and module.width_out is not None and module.width_out != size:
            columns = "column" if module.width_out == 1 else "columns"
            message = f"the head gives {module.width_out} {columns}, `{label.type}` needs {size}"
            also = ((label.span, f"`{label.type}`"),)
            helps = (f"let it end in {size}, or leave the head out: the default is a `Linear({size})`",)
            flow.found.append(report("GNN502", message, prediction.head.span, also=also, helps=helps))
    return as_head(prediction, label, size, module, spread)


def as_head(
    prediction: Prediction, label: Attribute, size: int | None, module: ModuleSpec, spread: Spread | None = None
) -> Head:
    """The prediction of a label of nodes by a module."""
    kind = label.type.kind
    name = f"{show_name(prediction.type)}.{show_name(prediction.attribute)}"
    return Head(
        name=name,
        key=f"{encode(prediction.type)}__{encode(prediction.attribute)}",
        type=prediction.type,
        attribute=prediction.attribute,
        kind="class" if kind == "class" else "multilabel" if kind == "multilabel" else "real",
        size=size,
        state=prediction.state,
        module=module,
        weight=prediction.weight,
        span=prediction.span,
        spread=spread,
        value=prediction.value,
    )
