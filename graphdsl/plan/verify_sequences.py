"""What holds for every `sequential` block and every readout of a plan without errors."""

from collections.abc import Iterator

from graphdsl.plan.head_types import AnyHead, GraphHead, LinkHead
from graphdsl.plan.ir import Plan, SequenceStage


def sequence_problems(stage: SequenceStage) -> Iterator[str]:
    """Names are made before they are read, and widths are those that were made; shared steps are alike."""
    known = {item.name for item in stage.inputs}
    widths: dict[str, int | None] = {}
    for place, step in enumerate(stage.steps):
        unknown = {name for name in step.inputs if name is not None} - known
        if unknown:
            yield f"step {place} reads {sorted(unknown)}, which nothing has made"
        if len(step.shapes) != len(step.inputs):
            yield f"step {place} has {len(step.inputs)} inputs and shapes for {len(step.shapes)}"
        first = step.inputs[0] if step.inputs else None
        if first in widths and step.width_in != widths[first]:
            yield f"step {place} reads `{first}` as {step.width_in}, it is {widths[first]} wide"
        if step.shares is not None:
            yield from _shared_problems(stage, place, step.shares)
        known |= {name for name in step.outputs if name is not None}
        for name in step.outputs[1:]:
            widths.pop(name or "", None)
        if step.outputs and step.outputs[0] is not None:
            widths[step.outputs[0]] = step.width_out


def _shared_problems(stage: SequenceStage, place: int, shares: int) -> Iterator[str]:
    if not 0 <= shares < place:
        yield f"step {place} shares the weights of step {shares}"
    elif str(stage.steps[shares].module) != str(stage.steps[place].module):
        yield f"step {place} has another module than step {shares}, whose weights it uses"
    elif stage.steps[shares].shares is not None:
        yield f"step {place} shares the weights of step {shares}, which has none of its own"


def value_problems(stage: SequenceStage, head: AnyHead) -> Iterator[str]:
    """A prediction behind a block reads a value that there is, as wide as its module is told."""
    value = head.value
    if value and value not in stage.columns:
        yield f"reads `{value}`, which no step gives"
    told, width = head.module.arguments.get("in_channels"), stage.columns.get(value)
    each = 2 if isinstance(head, LinkHead) and head.scorer == "module" else 1
    if value and isinstance(told, int) and width is not None and told != width * each:
        yield f"`{head.module}` reads {told} columns, and `{value}` has {width}"


def readout_problems(plan: Plan, head: GraphHead) -> Iterator[str]:
    """Readouts read what the state has, and the head reads all of them side by side."""
    before = plan.widths(head.state)
    if list(head.types) != sorted(set(head.types)):
        yield "readouts are not sorted by type, or not distinct"
    for item in head.readouts:
        if item.width_in != before.get(item.type):
            yield f"reads `{item.type}` as {item.width_in}, it is {before.get(item.type)} wide"
        if item.width_out != item.module.width_out:
            yield f"`{item.module}` is {item.module.width_out} wide, the readout says {item.width_out}"
    told = head.module.arguments.get("in_channels")
    widths = [item.width_out for item in head.readouts]
    if (
        head.readouts
        and isinstance(told, int)
        and None not in widths
        and told != sum(width for width in widths if width)
    ):
        yield f"`{head.module}` reads {widths}"
