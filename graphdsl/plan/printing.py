"""A plan as a table for people, and as JSON for programs."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, cast

from graphdsl.catalog import find
from graphdsl.model.values import show
from graphdsl.plan.head_types import AnyHead, GraphHead, Head, LinkHead, ObjectiveHead
from graphdsl.plan.ir import (
    DropStage,
    InputBinding,
    JoinStage,
    JointStep,
    NodeStage,
    NodeStep,
    Plan,
    RelationStage,
    RelationStep,
    SequenceStage,
    Stage,
)
from graphdsl.plan.module_spec import Ids, ModuleSpec, Width
from graphdsl.plan.modules import show_width
from graphdsl.plan.penalty import Penalty
from graphdsl.plan.table import align
from graphdsl.text import EdgeKey, Span, clean, show_edge, show_name

FORMAT = 1
"""Version of a plan's JSON: a later one with the same number may have more fields, none less."""
_HEADER = ("stage", "type or relation", "layer", "width", "line")
Row = tuple[str, str, str, str, Span | None]
"""A row of the table; the last cell is the place that decided."""
_MOST_WIDTHS = 3


def _layer(module: ModuleSpec) -> str:
    """A module without what follows from the widths beside it."""
    hidden = (
        "in_channels", "metadata", "paths", "budgets", "relation_groups", "inverse_of", "num_relations", "num_embeddings",
        "num_node_types", "num_edge_types", "label_sizes",
    )  # fmt: skip
    if module.name == "cat" and "modules" in module.arguments:
        return f"cat{_value(module.arguments['modules'])}"
    shown = [
        f"{name}={'none' if value is None and _may_be_none(module.name, name) else _value(value)}"
        for name, value in module.arguments.items()
        if name not in hidden
    ]
    return f"{module.name}({', '.join(shown)})" if shown else module.name


def _may_be_none(layer: str, name: str) -> bool:
    """Whether `none` is a value of an argument, and not one that is unknown yet."""
    entry = find(layer)
    known = () if entry is None or name in entry.derived else entry.parameters
    return any(item.name == name and "none" in item.type.split("|") for item in known)


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


def _row(key: str, names: str, layer: str, width: str, place: Span | None) -> Row:
    return (key, names, layer, width, place)


def _labels(step: NodeStep) -> str:
    if step.inputs:
        return f"; x = {_read(step.inputs)}"
    return "" if step.labels is None else f"; y = {show_name(step.labels.attribute)}, ratio = {step.labels.ratio:g}"


def _read(items: Iterable[InputBinding]) -> str:
    """Attributes that an encoder reads; a dot stands for the value of the type."""
    return ", ".join("·" if item.source == "state" else show_name(item.attribute) for item in items)


def _node_rows(steps: Iterable[NodeStep], key: str, sign: str = "") -> list[Row]:
    """One row for all types that have the same layer, widths and fate."""
    groups: dict[tuple[str, str, str, int], list[NodeStep]] = {}
    for step in steps:
        width = _arrow(show_width(step.width_in), step.width_out)
        cell = (sign + _layer(step.module) + _labels(step) + _dead(step), width, step.rule.file, step.rule.line)
        groups.setdefault(cell, []).append(step)
    return [
        (key, _names(step.type for step in same), layer, width, same[0].rule)
        for (layer, width, _, _), same in groups.items()
    ]


def _bound(inputs: Iterable[InputBinding], plan: Plan) -> str:
    """Forward inputs bound by keyword, behind a layer."""
    said = [f"{item.argument} = {_bound_to(item, plan)}" for item in inputs if item.source != "batch"]
    return "".join(f"; {text}" for text in said)


def _bound_to(item: InputBinding, plan: Plan) -> str:
    if item.encoder is not None:
        return f"{_layer(item.encoder)} of {_read(item.parts)}"
    return _state(item.state, plan) if item.source == "state" else show_name(item.attribute)


def _state(number: int, plan: Plan) -> str:
    return plan.stages[number - 1].key if number > 0 else "input"


def _relation_rows(stage: RelationStage, plan: Plan) -> list[Row]:
    rows: list[Row] = []
    users = Counter(step.instance for step in stage.steps)
    for step in stage.steps:
        before = f"{show_width(step.width_in[0])}, {show_width(step.width_in[1])}"
        shared = f"  (shared {step.instance + 1})" if users[step.instance] > 1 else ""
        layer = _layer(step.module) + _bound(step.inputs, plan) + shared + _dead(step)
        rows.append((stage.key, show_edge(step.edge), layer, _arrow(before, step.width_out), step.rule))
    for joint in stage.joints:
        widths = sorted({show_width(width) for width in joint.width_in.values()})
        for number, edge in enumerate(joint.edges):
            layer = (
                _layer(joint.module) + _bound(joint.inputs, plan) + _carried(joint) + _dead(joint)
                if number == 0
                else '  "'
            )
            before = ", ".join(widths) if len(widths) <= _MOST_WIDTHS else f"{len(widths)} widths"
            width = _arrow(before, joint.width_out) if number == 0 else ""
            rows.append((stage.key, show_edge(edge), layer, width, joint.rule))
    if stage.steps or stage.joints:
        into = ", ".join(f"{show_name(name)} {show_width(width)}" for name, width in sorted(stage.combined.items()))
        line = stage.combine.span or stage.span
        rows.append((stage.key, "", f"combine {stage.combine.kind}{_scoring(stage)}", f"→ {into}", line))
    return rows


def _carried(step: JointStep) -> str:
    """The labels that a walk carries, too."""
    return "" if step.labels is None else f"; labels = {show_name(step.labels.attribute)}"


def _scoring(stage: RelationStage) -> str:
    given = ", ".join(f"{name}={_value(value)}" for name, value in stage.combine.arguments.items())
    return f"({given})" if given else ""


def _join_row(stage: JoinStage, plan: Plan) -> Row:
    widths = sorted({show_width(stage.widths[name]) for name in stage.produced})
    mode = f" {stage.modules[0].module.arguments['mode']}" if stage.modules else ""
    states = ", ".join(_state(number, plan) for number in stage.states)
    said = f"{stage.kind}{mode} of {states}" if stage.kind != "same" else states
    return (stage.key, _names(stage.produced), said, ", ".join(widths), stage.span)


def _stage_rows(stage: Stage, plan: Plan) -> list[Row]:
    if isinstance(stage, NodeStage):
        rows = _node_rows(stage.steps, stage.key)
    elif isinstance(stage, RelationStage):
        rows = _relation_rows(stage, plan)
    elif isinstance(stage, JoinStage):
        rows = [_join_row(stage, plan)]
    elif isinstance(stage, SequenceStage):
        rows = _sequence_rows(stage)
    else:
        assert isinstance(stage, DropStage)
        rows = [_row(stage.key, _names(stage.types), "drop", "", stage.span)]
    for item in stage.pipe:
        if item.kind == "residual":
            rows.append((stage.key, _names(stage.produced), "| residual", "", item.span))
        else:
            rows += _node_rows(item.steps, stage.key, "| ")
    if stage.carried and not isinstance(stage, DropStage | SequenceStage):
        rows.append((stage.key, _names(sorted(stage.carried)), "carried unchanged", "", None))
    if stage.shares is not None and not isinstance(stage, DropStage):
        rows.append((stage.key, "", f"weights of {plan.stages[stage.shares].key}", "", None))
    return rows


def _sequence_rows(stage: SequenceStage) -> list[Row]:
    """One row for each step, behind one for the names that the block reads."""
    names = ", ".join(item.name for item in stage.inputs)
    rows: list[Row] = [(stage.key, names, "", "", stage.span)]
    for place, step in enumerate(stage.steps):
        header = f"{_slots(step.inputs, 'none')} → {_slots(step.outputs, '_')}"
        shared = f"  (weights of step {step.shares + 1})" if step.shares is not None else ""
        width = (
            ""
            if step.kind == "loss" or (step.width_out is None and step.width_in is None)
            else _arrow(show_width(step.width_in), step.width_out)
        )
        rows.append((f"step {place + 1}", header, _layer(step.module) + shared, width, step.rule))
    return rows


def _slots(names: Iterable[str | None], absent: str) -> str:
    return ", ".join(name or absent for name in names)


def _head_rows(head: AnyHead, plan: Plan) -> list[Row]:
    line = head.span
    size = f"→ {head.kind}[{show_width(head.size)}]"
    if plan.sequence is not None and not isinstance(head, ObjectiveHead):
        return [_block_head_row(head)]
    if isinstance(head, ObjectiveHead):
        return [("learn", head.name, _layer(head.module), f"→ vectors[{show_width(head.size)}]", line)]
    if not isinstance(head, GraphHead):
        return [_head_row(head), *_spread_rows(head)]
    rows: list[Row] = []
    for item in head.readouts:
        width = _arrow(show_width(item.width_in), item.width_out)
        rows.append(("predict", show_name(item.type), f"readout {_layer(item.module)}", width, line))
    return [*rows, ("predict", head.name, _layer(head.module), size, line)]


def _block_head_row(head: Head | LinkHead | GraphHead) -> Row:
    """A prediction behind a block: what it reads, and the layer on it."""
    _, name, layer, size, line = _head_row(head)
    read = f"`{head.value}`" if head.value else "the last step"
    if head.module.name == "identity":
        return ("predict", name, read, size, line)
    first, *options = layer.split("; ")
    return ("predict", name, "; ".join([f"{first} of {read}", *options]), size, line)


def _penalty_row(penalty: Penalty) -> Row:
    return ("penalty", penalty.name, f"weight {penalty.weight:g}", "", penalty.span)


def _head_row(head: Head | LinkHead | GraphHead) -> Row:
    size = f"{head.kind}[{show_width(head.size)}]"
    if isinstance(head, LinkHead):
        negatives = f"; negatives = {head.negatives}" if head.negatives else ""
        negatives += (
            f"; {'rel' if head.kind == 'event' else 'msg'} = {show_name(head.events.message)}"
            if head.events and head.events.message
            else ""
        )
        negatives += f"; negative = {show_name(head.negative[1])}" if head.negative is not None else ""
        layer = _layer(head.module) + negatives + ("; keep_target" if head.keep_target else "")
        return ("predict", head.name, layer, "→ link" if head.kind == "link" else f"→ {size}", head.span)
    return ("predict", head.name, _layer(head.module), f"→ {size}", head.span)


def _spread_rows(head: Head | LinkHead) -> list[Row]:
    """What labels of training nodes do to a prediction, and along what."""
    if isinstance(head, LinkHead) or head.spread is None:
        return []
    rows: list[Row] = []
    if not head.spread.alone:
        rows.append(("predict", head.name, f"then {_layer(head.spread.module)}", "", head.spread.span))
    return [*rows, ("predict", show_edge(head.spread.edge), "labels spread along this", "", head.spread.span)]


def _input_rows(plan: Plan) -> list[Row]:
    return [
        ("input", show_name(name), "" if isinstance(width, Ids) else "x", show_width(width), None)
        for name, width in plan.inputs.items()
    ]


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(show_name, names))


def render_plan(plan: Plan, most: int | None = None) -> str:
    """The resolved model as a table: stage, type or relation, layer, width in → out, and the line that decided.

    Args:
        plan: the model.
        most: columns of the terminal, where wider cells are folded; None = no cell is folded.
    """
    given = ", ".join(f"{name} = {show(value)}" for name, value in plan.parameters.items())
    rows = _input_rows(plan)
    for stage in plan.stages:
        rows += _stage_rows(stage, plan)
    rows += [row for head in plan.heads for row in _head_rows(head, plan)]
    rows += map(_penalty_row, plan.penalties)
    several = len({row[-1].file for row in rows if row[-1]}) > 1
    previous = ""
    shown: list[tuple[str, ...]] = []
    for *cells, place in rows:
        cells = ["" if cells[0] == previous else cells[0], *cells[1:], _place(place, several)]
        previous = cells[0] or previous
        shown.append(tuple(map(clean, cells)))
    return (
        clean(f"model {show_name(plan.model)} on {show_name(plan.schema)}({given})")
        + f"\n\n{align(_HEADER, shown, most)}"
    )


def _place(span: Span | None, several: bool) -> str:
    """The line, behind the name of its file where a model comes from several."""
    if span is None:
        return ""
    return f"{PurePath(span.file).name}:{span.line}" if several else str(span.line)


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _json(item) for key, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, tuple | list | frozenset):
        parts = list(cast(Iterable[Any], value))
        return [_json(item) for item in (sorted(parts) if isinstance(value, frozenset) else parts)]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if hasattr(value, "__dataclass_fields__"):
        kind = {"kind_of": type(value).__name__} if type(value).__name__.endswith(("Stage", "Head")) else {}
        return kind | {field: _json(getattr(value, field)) for field in value.__dataclass_fields__}
    return str(value)


def _key(key: Any) -> str:
    return show_edge(cast(EdgeKey, key)) if isinstance(key, tuple) else str(key)


def plan_to_json(plan: Plan) -> str:
    """The whole plan as JSON, as `README.md` beside this module says."""
    return json.dumps({"format": FORMAT} | _json(plan), indent=2, ensure_ascii=False)
