"""Features of kinds that no layer can multiply: classes, masks, times and whole numbers."""

from graphdsl.model import Schema
from graphdsl.plan.ir import Plan
from graphdsl.plan.module_spec import Ids
from graphdsl.plan.passes.mark_live import read_inputs
from graphdsl.text import Diagnostic, report, show_name

_NUMBERS = ("float", "real", "multilabel")


def unreadable_features(plan: Plan, schema: Schema) -> list[Diagnostic]:
    """Types of which a layer reads an `x` that does not hold decimal numbers."""
    found: list[Diagnostic] = []
    read = read_inputs(plan)
    for name, node in schema.nodes.items():
        features = node.features
        if features is None or name not in read or isinstance(plan.inputs.get(name), Ids):
            continue
        kind = features.type.kind
        if kind not in _NUMBERS and not _is_looked_up(plan):
            message = f"layers multiply decimal numbers, but `{show_name(name)}.x` is `{features.type}`"
            helps = (_instead(kind, name),)
            if plan.sequence is not None and kind == "int":
                helps = ("look the numbers up first: `Embedding(28, 64): x -> x`, for numbers from 0 to 27",)
            found.append(report("GNN541", message, features.span, helps=helps))
    return found


def _is_looked_up(plan: Plan) -> bool:
    """Whether the steps of a block read `x` as whole numbers only, such as those that an `Embedding` looks up."""
    if plan.sequence is None or all(item.name != "x" or item.kind != "numbers" for item in plan.sequence.inputs):
        return False
    for step in plan.sequence.steps:
        if any(name == "x" and shape != "numbers" for name, shape in zip(step.inputs, step.shapes, strict=True)):
            return False
        if "x" in step.outputs:
            break
    return True


def _instead(kind: str, name: str) -> str:
    if kind in ("class", "int"):
        return (
            f"declare it as `float[…]` and convert the data (one-hot for classes), or leave it out and learn a vector "
            f"per node: `{show_name(name)}: Embedding(64)`"
        )
    if kind == "bool":
        return "declare it as `float` and convert the data with `.float()`"
    return f"give it its own key: `x` holds features, a `{kind}` is none"
