"""A `sequential` block as a class: a numbered module for each step, one line for each step in the forward pass.

PyG's `Sequential` would give the same keys. It is not used, because it cannot pass `None` where its template cannot be
rendered, and keeps rendered templates under random numbers, so that two of them can end up with one forward pass.
"""

from collections.abc import Container

from graphdsl.catalog import find
from graphdsl.plan import LinkHead, ObjectiveHead, SequenceStage, SequenceStep
from graphdsl.source.activations import apply_function
from graphdsl.source.block import Block
from graphdsl.source.constructors import construct, write_value
from graphdsl.source.context import Context, place
from graphdsl.source.definitions import HELPERS, OWN
from graphdsl.source.expressions import LINE, Expression, call, listing, mapping, quote
from graphdsl.source.making import write_heads
from graphdsl.source.naming import class_name, identifier
from graphdsl.source.penalizing import ATTRIBUTE, keep, own_loss, write_method
from graphdsl.source.predicting import score
from graphdsl.source.searching import POINTS, write_search

_REDUCED = {"add": "sum", "mean": "mean", "max": "amax"}


def write_sequence(stage: SequenceStage, context: Context) -> Block:
    """The class of a block."""
    made = _write_modules(stage, context)
    names = _variables(stage, context)
    context.variables = {item.name: names[item.name] for item in stage.inputs}
    forward = _write_steps(stage, names, context)
    context.imports.use("torch.nn.Module")
    context.imports.tensors = True
    block = Block()
    context.named = class_name(context.plan.model, context.imports.names | set(HELPERS))
    block.write(f"class {context.named}(Module):")
    block.write(f'"""Model `{context.plan.model}`: {place(stage.span)}."""', 4)
    block.write("")
    block.write("def __init__(self) -> None:", 4)
    block.write("super().__init__()", 8)
    write_heads(made, context)
    block.extend(made.lines)
    if context.plan.penalties:
        block.write(f"{ATTRIBUTE}: dict[str, Tensor] = {{}}", 8)
    block.write("")
    block.extend(_signature(stage, names, context))
    if context.like:
        block.write("like = next(self.parameters())  # tells the dtype", 8)
    block.extend(forward.lines)
    write_method(context, block)
    return block


def _write_modules(stage: SequenceStage, context: Context) -> Block:
    block = Block(8)
    for number, step in enumerate(stage.steps):
        if step.shares is None and _is_module(step, context):
            block.assign(f"self.module_{number}", construct(step.module, context.imports), place(step.rule))
    return block


def _is_module(step: SequenceStep, context: Context) -> bool:
    if step.call == "join":
        return step.module.name == "jump"
    return step.call == "module" and not (len(step.inputs) == 1 and apply_function(step.module, "x", context.imports))


def _variables(stage: SequenceStage, context: Context) -> dict[str | None, str]:
    """A variable for each name of the block."""
    for step in stage.steps:
        if step.call == "function" and step.kind != "loss" and not step.module.path.startswith(POINTS):
            _function(step, context)
    taken = {*context.imports.names, *HELPERS, "self", "torch", "F", "like"}
    if context.plan.link_heads:
        taken |= {"source", "target", "scores", "edge_label_index", *(identifier(it.key) for it in context.plan.heads)}
    names: dict[str | None, str] = {None: "None"}
    for name in [*(item.name for item in stage.inputs), *(name for step in stage.steps for name in step.outputs)]:
        if name is not None and name not in names:
            found = identifier(name)
            while found in taken:
                found += "_"
            taken.add(found)
            names[name] = found
    return names


def _signature(stage: SequenceStage, names: dict[str | None, str], context: Context) -> list[str]:
    optional = {"batch": "Tensor | None", "batch_size": "int | None"}
    items: list[str] = []
    for number, item in enumerate(stage.inputs):
        late = all(other.source in optional for other in stage.inputs[number:])
        items.append(f"{names[item.name]}: {optional.get(item.source, 'Tensor')}" + (" = None" if late else ""))
    links = context.plan.link_heads
    if links:
        items += ["*", "edge_label_index: " + ("dict[str, Tensor]" if len(links) > 1 else "Tensor")]
    result = "Tensor" if len(context.plan.heads) == 1 else "dict[str, Tensor]"
    line = f"    def forward(self, {', '.join(items)}) -> {result}:"
    if len(line) <= LINE:
        return [line]
    return ["    def forward(", "        self,", *(f"        {item}," for item in items), f"    ) -> {result}:"]


def _write_steps(stage: SequenceStage, names: dict[str | None, str], context: Context) -> Block:
    block = Block(8)
    rows = next((names[item.name] for item in stage.inputs if item.source == "node"), None)
    for item in stage.inputs:
        if item.source == "batch" and rows is not None:
            name = names[item.name]
            block.write(f"if {name} is None:  # one graph")
            block.write(f"{name} = {rows}.new_zeros({rows}.size(0), dtype=torch.long)", 4)
    last = "out"
    heads = context.plan.heads
    wanted = {place: item.name for item in context.plan.penalties for place in item.outputs}
    read = _read_later(stage, {head.value for head in heads if head.value}, wanted)
    is_read = any(not head.value for head in heads)
    final = max(number for number, step in enumerate(stage.steps) if step.kind != "loss")
    for number, step in enumerate(stage.steps):
        if step.kind == "loss" and not any(read[number]):
            continue
        outputs = [names[name] if kept else "_" for name, kept in zip(step.outputs, read[number], strict=True)]
        if number == final and is_read:
            first = step.outputs[0]
            last = outputs[0] = "out" if first is None else names[first]
        block.assign(", ".join(outputs), _applied(number, step, names, context), place(step.rule))
        for position, output in enumerate(outputs):
            if (number, position) in wanted:
                keep(wanted[number, position], output, context, block)
        _keep_own(number, step, context, block)
    _write_predictions({**names, "": last}, context, block)
    return block


def _write_predictions(names: dict[str | None, str], context: Context, block: Block) -> None:
    """Return what the predictions read, or their layers make of it."""
    found: dict[str, Expression] = {}
    for head in context.plan.heads:
        assert not isinstance(head, ObjectiveHead), "walks and contrasts have no block"
        value, module = names[head.value], f"self.heads[{quote(head.key)}]"
        if isinstance(head, LinkHead):
            found[quote(head.name)] = score(head, len(context.plan.link_heads) > 1, value, value, block)
        else:
            found[quote(head.name)] = value if head.module.name == "identity" else call(module, value)
        if isinstance(head, LinkHead) and len(context.plan.heads) > 1:
            block.assign(variable := identifier(head.key), found[quote(head.name)])
            found[quote(head.name)] = variable
    block.give(mapping(found) if len(found) > 1 else next(iter(found.values())))


def _keep_own(number: int, step: SequenceStep, context: Context, block: Block) -> None:
    """The loss that a layer has of its own, where a penalty adds it."""
    for item in context.plan.penalties:
        if item.kind == "layer" and item.own == step.module.name:
            keep(item.name, own_loss(f"self.module_{_owner(number, step)}", item.own), context, block)


def _read_later(stage: SequenceStage, predicted: set[str], penalized: Container[tuple[int, int]]) -> list[list[bool]]:
    """Which values of each step a later step, a prediction or a penalty reads; others are not computed."""
    wanted: set[str | None] = set(predicted)
    found: list[list[bool]] = []
    for number, step in reversed([*enumerate(stage.steps)]):
        kept = [
            name is not None and (name in wanted or (number, position) in penalized)
            for position, name in enumerate(step.outputs)
        ]
        found.append(kept)
        wanted.difference_update(step.outputs)
        if step.kind != "loss" or any(kept):
            wanted.update(step.inputs)
    return found[::-1]


def _applied(number: int, step: SequenceStep, names: dict[str | None, str], context: Context) -> Expression:
    inputs = [
        _shaped(names[name], shape, _may_be_flat(place, name, step, context), name in _given(context), context)
        for place, (name, shape) in enumerate(zip(step.inputs, step.shapes, strict=True))
    ]
    if step.call == "join":
        if step.module.name == "jump":
            return call(f"self.module_{_owner(number, step)}", listing(inputs))
        if step.module.name == "cat":
            return call("torch.cat", listing(inputs), dim="-1")
        if step.module.name == "stack":
            return call("torch.stack", listing(inputs), dim="1")
        if step.module.name == "mul":
            return " * ".join(inputs)
        return f"torch.stack([{', '.join(inputs)}]).{_REDUCED[step.module.name]}(dim=0)"
    if step.call == "function":
        named = {name: write_value(value, context.imports) for name, value in step.module.arguments.items()}
        entry = find(step.module.name)
        if entry is not None and entry.kind == "search":
            return write_search(step.module, [slot.name for slot in entry.takes], inputs, named, context.imports)
        return call(_function(step, context), *inputs, **named)
    if len(inputs) == 1:
        written = apply_function(step.module, inputs[0], context.imports)
        if written is not None:
            return written
    return call(f"self.module_{_owner(number, step)}", *inputs)


def _owner(number: int, step: SequenceStep) -> int:
    return number if step.shares is None else step.shares


def _function(step: SequenceStep, context: Context) -> str:
    path = step.module.path
    if path in OWN:
        context.helpers.add(OWN[path])
        return OWN[path]
    return context.imports.use(path)


def _given(context: Context) -> set[str | None]:
    """Names that the data brings."""
    stage = context.plan.sequence
    return {item.name for item in stage.inputs} if stage is not None else set()


def _may_be_flat(place: int, name: str | None, step: SequenceStep, context: Context) -> bool:
    """Whether a value may come as [rows] where [rows, width] is read: data of one column."""
    width = step.width_in if place == 0 else step.module.arguments.get("edge_dim")
    return name in _given(context) and width in (None, 1)


def _shaped(name: str, shape: str, may_be_flat: bool, given: bool, context: Context) -> str:
    """A value in the shape that a layer reads; values of edges that a layer makes may be None."""
    if shape == "flat" and name != "None":
        return f"{name}.flatten()" if given else f"None if {name} is None else {name}.flatten()"
    if shape == "numbers":
        return f"{name}.flatten()"
    if shape != "columns" or not may_be_flat or name == "None":
        return name
    context.helpers.add("columns")
    return f"columns({name}, {context.known()})"
