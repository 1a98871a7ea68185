"""`graphdsl/plan/README.md` from the docstrings of the plan's records: `python tests/docs/plan_records.py` rewrites it."""

import dataclasses
import inspect
import re
from pathlib import Path

from graphdsl.plan import head_types, ir, module_spec, penalty

PAGE = Path(__file__).parent.parent.parent / "graphdsl" / "plan" / "README.md"
RECORDS: tuple[type, ...] = (
    ir.Plan, ir.Derived, ir.NodeStage, ir.RelationStage, ir.JoinStage, ir.DropStage, ir.SequenceStage, ir.NodeStep,
    ir.RelationStep, ir.JointStep, ir.SequenceStep, ir.SequenceInput, ir.PipeStep, ir.InputBinding, ir.Combine,
    head_types.Head, head_types.LinkHead, head_types.GraphHead, head_types.Readout, head_types.Spread, head_types.ShownLabels, penalty.Penalty,
    module_spec.ModuleSpec,
)  # fmt: skip
COMMON = {
    "width_in": "width of what it reads; of several, by type or in order",
    "width_out": "columns of what it gives, if they are known",
    "rule": "place of the rule that decided",
    "span": "place in the spec",
    "module": "the module",
    "type": "the node type",
    "types": "the node types",
    "steps": "what it does, step by step",
    "live": "whether some prediction depends on it",
    "inputs": "forward arguments bound by keyword",
    "name": "the name",
    "kind": "the kind of value",
}
"""Fields that several records have and whose names say nearly all."""
START = """# The plan

A plan says what a model computes, in order, every width known and every decision with its place. `lowering.py` makes it from a
program and what is known of the data, `passes/` finish it, a backend builds it. `str(plan)` is the table of `gnn plan`.

## As JSON

`plan.to_json()` and `gnn plan --json` give an object with `format` (1) and the fields of `Plan`. Fields may be added under the
same number; those named here stay, with their meaning. Edge types are written `["a", "r", "b"]`, as keys `a -[r]-> b`. A width
is a number; `{"count": n}` for a type that is read by its node numbers; `{"layers": n, "columns": k}` for a stack; `null` while
it is unknown. A place is an object with `file`, `line`, `column`, `end_line`, `end_column`. Stages and predictions have a field
`kind_of` with the name of their record. `gnn plan --data --json` adds `relation_sizes` (objects with `edge`, `origin`, `edges`,
`paths`, `budget`), `modules` (by place in the state dict: `parameters`, `dead`), `parameter_count` and `dead_parameter_count`.
"""


def attributes(record: type) -> dict[str, str]:
    """What the docstrings of a record and its bases say of its fields."""
    said: dict[str, str] = {}
    for base in reversed(record.__mro__):
        section = (inspect.getdoc(base) or "").partition("Attributes:\n")[2]
        name = None
        for line in section.split("\n"):
            if found := re.match(r" {4}(\w+): (.*)", line):
                name = found.group(1)
                said[name] = found.group(2)
            elif name and line.startswith("        "):
                said[name] += " " + line.strip()
            else:
                name = None
    return said


def page() -> str:
    """The whole page."""
    parts = [START]
    for record in RECORDS:
        said = COMMON | attributes(record)
        first = (inspect.getdoc(record) or "").split("\n")[0]
        rows = [f"| `{item.name}` | {said[item.name].rstrip('.')} |" for item in dataclasses.fields(record)]
        parts.append(
            "\n".join([f"### {record.__name__}", "", first, "", "| field | what |", "|---|---|", *rows]) + "\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
