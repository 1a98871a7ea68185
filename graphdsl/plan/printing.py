"""A plan as a table for people, and as JSON for programs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphdsl.plan.ir import (
    DropStage,
    Head,
    JoinStage,
    JointStep,
    ModuleSpec,
    NodeStage,
    NodeStep,
    Plan,
    RelationStage,
    RelationStep,
    Stage,
    Width,
)
from graphdsl.plan.modules import show_width
from graphdsl.text import EdgeKey, show_edge, show_name

_HEADER = ("stage", "type or relation", "layer", "width", "line")
Row = tuple[str, str, str, str, str]


def _layer(module: ModuleSpec) -> str:
    """A module without what follows from the widths beside it."""
    hidden = ("in_channels", "metadata", "num_relations", "num_embeddings")
    shown = [f"{name}={_value(value)}" for name, value in module.arguments.items() if name not in hidden]
    return f"{module.name}({', '.join(shown)})" if shown else module.name


def _value(value: Any) -> str:
    if isinstance(value, ModuleSpec):
        return _layer(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value, cast(tuple[Any, ...], value))) + "]"
    return str(value).lower() if isinstance(value, bool) else "?" if value is None else str(value)


def _arrow(before: str, after: Width) -> str:
    return f"{before} → {show_width(after)}"


def _dead(step: NodeStep | RelationStep | JointStep) -> str:
    return "" if step.live else "  (dead)"


def _node_rows(steps: Iterable[NodeStep], key: str) -> list[Row]:
    return [
        (
            key,
            show_name(step.type),
            _layer(step.module) + _dead(step),
            _arrow(show_width(step.width_in), step.width_out),
            str(step.rule.line),
        )
        for step in steps
    ]


def _relation_rows(stage: RelationStage) -> list[Row]:
    rows: list[Row] = []
    for step in stage.steps:
        before = f"{show_width(step.width_in[0])}, {show_width(step.width_in[1])}"
        layer = _layer(step.module) + _dead(step)
        rows.append((stage.key, show_edge(step.edge), layer, _arrow(before, step.width_out), str(step.rule.line)))
    for joint in stage.joints:
        widths = sorted({show_width(width) for width in joint.width_in.values()})
        for number, edge in enumerate(joint.edges):
            layer = _layer(joint.module) + _dead(joint) if number == 0 else '  "'
            width = _arrow(", ".join(widths), joint.width_out) if number == 0 else ""
            rows.append((stage.key, show_edge(edge), layer, width, str(joint.rule.line)))
    if stage.steps or stage.joints:
        into = ", ".join(f"{show_name(name)} {show_width(width)}" for name, width in sorted(stage.combined.items()))
        line = str(stage.combine.span.line) if stage.combine.span else str(stage.span.line)
        rows.append((stage.key, "", f"combine {stage.combine.kind}", f"→ {into}", line))
    return rows


def _stage_rows(stage: Stage) -> list[Row]:
    line = str(stage.span.line)
    if isinstance(stage, NodeStage):
        rows = _node_rows(stage.steps, stage.key)
    elif isinstance(stage, RelationStage):
        rows = _relation_rows(stage)
    elif isinstance(stage, JoinStage):
        widths = sorted({show_width(stage.widths[name]) for name in stage.produced})
        rows = [
            (stage.key, ", ".join(stage.produced), f"{stage.kind} of states {stage.states}", ", ".join(widths), line)
        ]
    else:
        assert isinstance(stage, DropStage)
        rows = [(stage.key, ", ".join(stage.types), "drop", "", line)]
    for item in stage.pipe:
        rows += _pipe_rows(item.kind, item.steps, stage, str(item.span.line))
    if stage.carried:
        rows.append((stage.key, ", ".join(stage.carried), "carried unchanged", "", ""))
    return rows


def _pipe_rows(kind: str, steps: tuple[NodeStep, ...], stage: Stage, line: str) -> list[Row]:
    if kind == "residual":
        return [(stage.key, ", ".join(stage.produced), "| residual", "", line)]
    same = {(_layer(step.module), show_width(step.width_in), show_width(step.width_out)) for step in steps}
    if len(same) == 1:
        layer, before, after = next(iter(same))
        names = ", ".join(show_name(step.type) for step in steps)
        return [(stage.key, names, f"| {layer}", f"{before} → {after}", line)]
    return [(key, name, f"| {layer}", width, at) for key, name, layer, width, at in _node_rows(steps, stage.key)]


def _head_row(head: Head) -> Row:
    size = f"{head.kind}[{show_width(head.size)}]"
    return ("predict", head.name, _layer(head.module), f"→ {size}", str(head.span.line))


def _input_rows(plan: Plan) -> list[Row]:
    return [("input", show_name(name), "x" if isinstance(width, int) else "", show_width(width), "")
            for name, width in plan.inputs.items()]  # fmt: skip


def _align(rows: list[Row]) -> str:
    table = [_HEADER, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def render_plan(plan: Plan) -> str:
    """The resolved model as a table: stage, type or relation, layer, width in → out, and the line that decided."""
    given = ", ".join(f"{name} = {value}" for name, value in plan.parameters.items())
    rows = _input_rows(plan)
    for stage in plan.stages:
        rows += _stage_rows(stage)
    rows += [_head_row(head) for head in plan.heads]
    previous = ""
    shown: list[Row] = []
    for row in rows:
        shown.append(("" if row[0] == previous else row[0], *row[1:]))
        previous = row[0]
    return f"model {plan.model} on {plan.schema}({given})\n\n{_align(shown)}"


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _json(item) for key, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, tuple | list | frozenset):
        parts = list(cast(Iterable[Any], value))
        return [_json(item) for item in (sorted(parts) if isinstance(value, frozenset) else parts)]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if hasattr(value, "__dataclass_fields__"):
        kind = {"kind_of": type(value).__name__} if type(value).__name__.endswith("Stage") else {}
        return kind | {field: _json(getattr(value, field)) for field in value.__dataclass_fields__}
    return str(value)


def _key(key: Any) -> str:
    return show_edge(cast(EdgeKey, key)) if isinstance(key, tuple) else str(key)


def plan_to_json(plan: Plan) -> str:
    """The whole plan as JSON; edge types as keys are written `a -[r]-> b`, as values `["a", "r", "b"]`."""
    return json.dumps(_json(plan), indent=2, ensure_ascii=False)
