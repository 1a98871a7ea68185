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

ATTRIBUTE = "self.penalties"


def kept_layers(plan: Plan) -> list[tuple[int, str]]:
    """Stages and classes of layers whose losses hooks keep: layers that run several times, or inside of others.

    PyG's layers have the loss of their latest pass alone, and only a layer of one relation can be named.
    """
    found: list[tuple[int, str]] = []
    for item in plan.penalties:
        for index in item.stages:
            if _needs_hooks(plan.stages[index], item.own):
                found.append((index, item.own))
    return list(dict.fromkeys(found))


def _needs_hooks(stage: Stage, own: str) -> bool:
    if not isinstance(stage, RelationStage):
        return False
    uses = [step.instance for step in stage.steps if step.live and step.module.name == own]
    modules = [step.module for step in (*stage.steps, *stage.joints)]
    return len(set(uses)) < len(uses) or any(_holds(module, own) for module in modules)


def write_hooks(context: Context, block: Block) -> None:
    """Behind the modules in `__init__`: layers keep the loss of each pass."""
    kept = kept_layers(context.plan)
    stages = {(_owner_key(index, context.plan), own) for index, own in kept}
    for key, own in sorted(stages):
        block.blank()
        block.write(f"for layer in layers_of(self.stages[{context.name(key)}], {_class_of(own, context)}):")
        block.write("layer.losses = []", 4)
        block.write("layer.register_forward_hook(keep_loss)", 4)
    if kept:
        context.helpers |= {"layers_of", "keep_loss", "take_losses"}


def _owner_key(index: int, plan: Plan) -> str:
    """The stage that has the modules."""
    stage = plan.stages[index]
    return stage.key if stage.shares is None else plan.stages[stage.shares].key


def _class_of(own: str, context: Context) -> str:
    entry = find(own)
    assert entry is not None, "a plan names entries of the catalogue"
    return context.imports.use(entry.path)


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
        if _needs_hooks(stage, item.own):
            taken = f"take_losses(layers_of(stage, {_class_of(item.own, context)}))"
            keep(item.name, taken, context, block)
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
    "kept_layers",
    "own_loss",
    "write_hooks",
    "write_losses_of_stage",
    "write_losses_of_values",
    "write_method",
]
