"""Losses beside those of the predictions: kept at each forward pass, added up by a method `penalty`."""

from collections.abc import Iterator

from graphdsl.catalog import find
from graphdsl.plan import (
    ModuleSpec,
    NodeStage,
    Penalty,
    Plan,
    RelationStage,
    Stage,
)
from graphdsl.source.block import Block
from graphdsl.source.constructors import write_value
from graphdsl.source.context import Context, encoded, place
from graphdsl.source.expressions import Expression, Group, call, flat, listing, quote
from graphdsl.source.making import pipe_steps
from graphdsl.text import Diagnostic, report

ATTRIBUTE = "self.penalties"


def unwritten_penalties(plan: Plan) -> Iterator[Diagnostic]:
    """Penalties that a program cannot say: PyG's layers keep the loss of their latest pass alone."""
    for item in plan.penalties:
        for index in item.stages:
            stage = plan.stages[index]
            if not isinstance(stage, RelationStage):
                continue
            uses = [step.instance for step in stage.steps if step.live and step.module.name == item.own]
            if len(set(uses)) < len(uses):
                message = (
                    f"a program cannot say `penalty {item.name}`: `share` runs one `{item.own}` on several relations"
                )
                helps = ("each layer keeps the loss of its latest pass alone: leave out `share`",)
                yield report("GNN370", message, item.span, helps=helps)
            modules = [step.module for step in (*stage.steps, *stage.joints)]
            if any(_holds(module, item.own) for module in modules):
                message = f"a program cannot say `penalty {item.name}`: a `{item.own}` is inside of another layer"
                yield report("GNN370", message, item.span)


def _holds(module: ModuleSpec, own: str) -> bool:
    inner = [value for value in module.arguments.values() if isinstance(value, ModuleSpec)]
    return any(value.name == own or _holds(value, own) for value in inner)


def keep(name: str, value: Expression, context: Context, block: Block) -> None:
    """`self.penalties["cut"] = value`, or what is there already and the value."""
    target = f"{ATTRIBUTE}[{quote(name)}]"
    if name in context.penalized:
        block.statement(value, f"{target} += ")
    else:
        block.assign(target, value)
    context.penalized.add(name)


def write_losses_of_stage(index: int, stage: Stage, context: Context, block: Block) -> None:
    """What the layers of a stage have as losses of their own, behind its forward pass."""
    for item in context.plan.penalties:
        if index not in item.stages:
            continue
        for owner in _owners(stage, item.own, context):
            block.assign("layer", owner)
            keep(item.name, own_loss("layer", item.own), context, block)


def own_loss(owner: str, own: str) -> str:
    """The loss that a layer has of its own, as a scalar."""
    entry = find(own)
    assert entry is not None, "a plan names entries of the catalogue"
    return f"{owner}.{entry.loss}().sum()"


def _owners(stage: Stage, own: str, context: Context) -> Iterator[Expression]:
    """Modules of a class, as expressions."""
    if isinstance(stage, NodeStage):
        steps = [step for step in stage.steps if step.live and step.module.name == own]
        yield from (f'stage["nodes"][{context.name(step.type)}]' for step in steps)
    elif isinstance(stage, RelationStage):
        found = [step for step in stage.steps if step.live and step.module.name == own]
        for step in found:
            key = tuple(("", quote(part)) for part in encoded(step.edge))
            yield Group('stage["conv"].convs[', key, "]")
    for name in stage.produced:
        for number, module in enumerate(pipe_steps(stage, name)):
            if module is not None and module.name == own:
                yield f'stage["pipe"][{context.name(name)}]["module_{number}"]'


def write_losses_of_values(context: Context, block: Block) -> None:
    """Functions of values: at the end of the forward pass, before the predictions."""
    for item in context.plan.penalties:
        if item.module is not None:
            block.blank()
            block.comment(f"penalty {item.name}: {place(item.span)}")
            keep(item.name, _of_values(item, item.module, context), context, block)


def _of_values(item: Penalty, module: ModuleSpec, context: Context) -> Expression:
    values, key = context.states[item.state], context.name(item.type)
    given = {name: write_value(value, context.imports) for name, value in module.arguments.items()}
    entry = find(module.name)
    inputs = [f"{values}[{key}]"]
    if entry is not None and any(slot.kinds == ("batch",) for slot in entry.takes):
        none = f"{inputs[0]}.new_zeros({inputs[0]}.size(0), dtype=torch.long)"
        inputs.append(f"(batch_dict or {{}}).get({key}, {none})" if context.plan.graph_heads else none)
    return call(context.imports.use(module.path), *inputs, **given)


def write_method(context: Context, block: Block) -> None:
    """The method `penalty`, at the end of the class."""
    if not context.plan.penalties:
        return
    block.write("")
    block.write("def penalty(self) -> Tensor:", 4)
    said = '"""What training adds to the loss: the penalties of the latest forward pass, weighted."""'
    block.write(said, 8)
    parts = [_weighted(item) for item in context.plan.penalties]
    inner = Block(8)
    if len(parts) == 1:
        inner.give(parts[0])
    else:
        stacked = call("torch.stack", listing(parts))
        inner.give(Group(stacked.opening, stacked.items, ").sum()"))
    block.extend(inner.lines)


def _weighted(item: Penalty) -> str:
    value = f"{ATTRIBUTE}[{quote(item.name)}]"
    return value if item.weight == 1 else f"{flat(repr(item.weight))} * {value}"


__all__ = [
    "ATTRIBUTE",
    "keep",
    "own_loss",
    "unwritten_penalties",
    "write_losses_of_stage",
    "write_losses_of_values",
    "write_method",
]
