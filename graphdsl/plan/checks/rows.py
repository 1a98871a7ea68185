"""Norms over the nodes of a type that has a single one: there is nothing to normalise over."""

from collections.abc import Iterator
from typing import Any, cast

from graphdsl.catalog import find
from graphdsl.model import Schema
from graphdsl.plan.head_types import Head
from graphdsl.plan.ir import NodeStage, Plan, RelationStage
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.text import Diagnostic, Span, report, show_name

_REFUSE = {"BatchNorm", "DiffGroupNorm"}
"""Norms that fail on one row in training."""
_VANISH = {"InstanceNorm"}
"""Norms that make zeros of it: a row minus itself."""
_NORMED = {"batch_norm": "BatchNorm", "instance_norm": "InstanceNorm"}


def _norm(module: ModuleSpec) -> tuple[str, ModuleSpec] | None:
    """The norm over nodes that a module is, or holds between its layers (as `MLP` does)."""
    entry = find(module.name)
    if entry is None:
        return None
    arguments = entry.with_defaults(module.arguments)
    if module.name in _REFUSE | _VANISH:
        return None if arguments.get("allow_single_element") is True else (module.name, module)
    if module.name == "MLP":
        listed = cast("tuple[Any, ...] | int | None", arguments.get("channel_list"))
        layers = len(listed) - 1 if isinstance(listed, tuple) else arguments.get("num_layers") or 1
        hidden = layers > 1 or arguments.get("plain_last") is False
        norm = _NORMED.get(str(arguments.get("norm")))
        return (norm, module) if hidden and norm else None
    inner = (value for value in module.arguments.values() if isinstance(value, ModuleSpec))
    return next((found for value in inner if (found := _norm(value))), None)


def _modules(plan: Plan) -> Iterator[tuple[str, ModuleSpec]]:
    """Every module that sees the nodes of one type, with the type."""
    for stage in plan.stages:
        if isinstance(stage, NodeStage):
            yield from ((step.type, step.module) for step in stage.steps)
        elif isinstance(stage, RelationStage):
            yield from ((step.edge[2], step.module) for step in stage.steps)
        yield from ((step.type, step.module) for item in stage.pipe for step in item.steps)
    yield from ((head.type, head.module) for head in plan.heads if isinstance(head, Head))


def norms_of_one_row(plan: Plan, schema: Schema) -> list[Diagnostic]:
    """Types with `count = 1` under a norm over nodes: PyTorch refuses to train it, or every value becomes zero."""
    found: dict[tuple[Span, str], Diagnostic] = {}
    for name, module in _modules(plan):
        norm = _norm(module) if schema.nodes[name].count == 1 else None
        if norm is None:
            continue
        shown = show_name(name)
        fails = norm[0] in _REFUSE
        effect = "fails in training" if fails else "makes zeros of it"
        message = f"`{norm[0]}` works over the nodes of a type, and `{shown}` has one: it {effect}"
        also = ((schema.nodes[name].span, "`count = 1`"),)
        helps = ('`LayerNorm(mode = "node")` works on each node alone',)
        if module.name == "MLP":
            helps = ('write `MLP(…, norm = none)`, or `norm = "layer_norm"`',)
        found.setdefault((norm[1].span, name), report("GNN540", message, norm[1].span, also=also, helps=helps))
    return list(found.values())
