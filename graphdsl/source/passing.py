"""The forward pass of a stage: the lines that make the next state."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from graphdsl.plan import (
    DropStage,
    Ids,
    JoinStage,
    JointStep,
    ModuleSpec,
    NodeStage,
    NodeStep,
    RelationStage,
    SequenceStage,
    Stage,
)
from graphdsl.source.activations import apply_function
from graphdsl.source.attributes import apply_encoder, joint_values, read, tables_by_edge
from graphdsl.source.block import Block
from graphdsl.source.context import Context, place
from graphdsl.source.expressions import Expression, call, each, flat, listing, mapping, quote
from graphdsl.source.labels import carried, shown
from graphdsl.source.making import as_list, attended, has_modules, is_module, pipe_steps, unary
from graphdsl.text import EdgeKey

_REDUCED = {"sum": "torch.sum", "add": "torch.sum", "mean": "torch.mean", "max": "torch.max", "min": "torch.min"}


def write_stage(index: int, stage: Stage, context: Context, block: Block) -> None:
    """Compute one state; its variable is added to `context.states`."""
    if isinstance(stage, DropStage):
        context.states.append(context.states[stage.reads])
        return
    assert not isinstance(stage, SequenceStage)
    result = context.names.variable(f"{stage.key}_dict")
    context.states.append(result)
    needed = context.needed[index + 1]
    if not needed:
        return
    block.blank()
    block.comment(f"{stage.key}: {place(stage.span)}")
    if not needed.intersection(stage.produced):
        block.write(f"{result} = {context.states[stage.reads]}")
        return
    if has_modules(stage, context):
        owner = context.plan.stages[stage.shares] if stage.shares is not None else stage
        block.write(f"stage = self.stages[{context.name(owner.key)}]")
    if isinstance(stage, NodeStage):
        made = _write_nodes(stage, result, context, block)
    elif isinstance(stage, RelationStage):
        made = _write_relations(stage, result, context, block)
    else:
        made = _write_join(stage, result, needed, context, block)
    _write_pipe(stage, made, result, context, block)
    carried = sorted(needed.difference(made))
    if carried:
        block.write(f"{result} = {context.states[stage.reads]} | {result}")


def _write_nodes(stage: NodeStage, result: str, context: Context, block: Block) -> list[str]:
    before = context.states[stage.reads]
    made = [step.type for step in stage.steps if step.live]
    if any(step.inputs or step.labels for step in stage.steps):
        values = {context.name(step.type): _node_value(step, before, context) for step in stage.steps if step.live}
        block.assign(result, mapping(values))
    elif len(made) == 1:
        key = context.name(made[0])
        block.assign(result, mapping({key: f'stage["nodes"][{key}]({before}[{key}])'}))
    elif len(made) == len(stage.steps):
        block.assign(result, each("name", f"module({before}[name])", "name, module", 'stage["nodes"].items()'))
    else:
        block.assign(result, each("name", f'stage["nodes"][name]({before}[name])', "name", context.types(made)))
    return made


def _node_value(step: NodeStep, before: str, context: Context) -> Expression:
    """What a module makes of the value of a type, or of its attributes."""
    key = context.name(step.type)
    module = f'stage["nodes"][{key}]'
    if step.labels is not None:
        return shown(step, step.labels, before, context)
    if not step.inputs:
        return f"{module}({before}[{key}])"
    own = f"{before}[{key}]"
    values = [own if item.source == "state" else read(item, step.type, context) for item in step.inputs]
    return apply_encoder(step.module, module, values)


def _write_join(stage: JoinStage, result: str, needed: frozenset[str], context: Context, block: Block) -> list[str]:
    made = [name for name in stage.produced if name in needed]
    states = [context.states[state] for state in stage.states]
    if len(made) > 1:
        value = _joined(stage, [f"{state}[name]" for state in states], "name")
        block.assign(result, each("name", value, "name", context.types(made)))
    else:
        key = context.name(made[0])
        block.assign(result, mapping({key: _joined(stage, [f"{state}[{key}]" for state in states], key)}))
    return made


def _joined(stage: JoinStage, values: Sequence[str], key: str) -> Expression:
    if stage.kind == "same":
        return values[0]
    if stage.kind == "jump":
        return call(f'stage["jump"][{key}]', listing(values))
    if stage.kind == "stack":
        return call("torch.stack", listing(values), dim="1")
    return _reduce(stage.kind, list(values))


def _reduce(kind: str, values: Sequence[Expression]) -> Expression:
    """Several values of one shape as one, as PyG's `HeteroConv` does it."""
    if len(values) == 1 and not flat(values[0]).startswith("*"):
        return values[0]
    if kind == "mul":
        return " * ".join(map(flat, values))
    if kind == "cat":
        return call("torch.cat", listing(values), dim="-1")
    reduced = call(_REDUCED[kind], call("torch.stack", listing(values)), dim="0")
    return replace(reduced, closing=").values") if kind in ("max", "min") else reduced


def _write_relations(stage: RelationStage, result: str, context: Context, block: Block) -> list[str]:
    """Messages of single relations and of joint layers, combined at each destination."""
    steps = [step for step in stage.steps if step.live]
    joints = [(number, step) for number, step in enumerate(stage.joints) if step.live]
    arriving: dict[str, list[str]] = {}
    if any(item.encoder is not None for step in (*stage.steps, *stage.joints) if step.live for item in step.inputs):
        block.write('encoders = stage["encoders"]')
    alone = not joints and not attended(stage) and unary(stage) is not None
    sent = result if alone else "sent"
    if steps:
        _write_conv(stage, sent, context, block)
        for name in dict.fromkeys(step.edge[2] for step in steps):
            several = sum(step.edge[2] == name for step in steps) > 1
            value = f"sent[{context.name(name)}]"
            if unary(stage) is not None:
                arriving[name] = [value]
            else:
                arriving[name] = [f"*{value}.unbind(1)" if several else f"{value}.squeeze(1)"]
    if len(joints) == 1 and not steps and not attended(stage):
        _write_joint(joints[0][0], joints[0][1], stage, result, context, block)
        return list(made_by(joints[0][1]))
    for number, step in joints:
        variable = context.names.variable(f"joint{number}")
        _write_joint(number, step, stage, variable, context, block)
        for name in made_by(step):
            arriving.setdefault(name, []).append(f"{variable}[{context.name(name)}]")
    if not alone:
        special = attended(stage)
        made: dict[str, Expression] = {}
        for name, values in arriving.items():
            key = context.name(name)
            weighed = call(f'stage["attention"][{key}]', listing(values))
            made[key] = weighed if name in special else _reduce(stage.combine.kind, values)
        block.assign(result, mapping(made))
    return list(arriving)


def _write_conv(stage: RelationStage, result: str, context: Context, block: Block) -> None:
    read = context.states[stage.reads]
    steps = [step for step in stage.steps if step.live]
    edges: Expression = "edge_index_dict"
    if len(steps) < len(stage.steps):
        block.comment("The other relations serve no prediction.")
        block.assign("edges", _chosen([step.edge for step in steps], stage.key, context))
        edges = "edges"
    tables = tables_by_edge(stage, context)
    if not tables:
        block.assign(result, call('stage["conv"]', read, edges))
        return
    named: dict[str, Expression] = {"edge_index_dict": edges, **tables}
    block.assign(result, call('stage["conv"]', read, **named))


def _chosen(edges: Sequence[EdgeKey], key: str, context: Context) -> Expression:
    if len(edges) == 1:
        return mapping({context.edge(edges[0]): f"edge_index_dict[{context.index(edges[0])}]"})
    return each("edge_type", "edge_index_dict[edge_type]", "edge_type", context.relations(edges, key))


def _write_joint(
    number: int, step: JointStep, stage: RelationStage, result: str, context: Context, block: Block
) -> None:
    """A layer that sees several relations at once; only what it made anew is kept."""
    if step.scope == "typed":
        _write_typed(number, step, stage, result, context, block)
        return
    read = context.states[stage.reads]
    # Made in this order: what HGTConv gives depends on it.
    values = each("name", f"{read}[name]", "name", context.types(step.types))
    arguments: list[Expression] = [values, _chosen(step.relations, f"{stage.key}_{number}", context)]
    named: dict[str, Expression] = {
        item.argument: mapping(joint_values(item, step, number, context)) for item in step.inputs
    }
    targets = made_by(step)
    if step.partial:
        named["targets"] = as_list(context.types(targets))
    if step.labels is not None:
        named["labels"] = carried(step, targets, context)
    if step.scope == "walk":
        known = "x_dict" if read == "x_dict" else f"(x_dict | {read})"
        named["num_nodes"] = each("name", "x.size(0)", "name, x", f"{known}.items()")
    block.assign(result, call(f'stage["joints"][{number}]', *arguments, **named))
    if set(targets) != set(step.types) and not step.partial:
        block.assign(result, each("name", f"{result}[name]", "name", context.types(targets)))


def made_by(step: JointStep) -> tuple[str, ...]:
    """Types that a joint layer makes: those that predictions need, where it can be told."""
    return step.wanted if step.partial else step.targets


def _write_typed(
    number: int, step: JointStep, stage: RelationStage, result: str, context: Context, block: Block
) -> None:
    """All types numbered together, and a number for the relation of each edge."""
    read = context.states[stage.reads]
    context.helpers.add("number_together")
    types, edges = as_list(context.types(step.types)), context.relations(step.edges, stage.key)
    values: Expression = read
    ids = [(name, width.count or 0) for name, width in sorted(step.width_in.items()) if isinstance(width, Ids)]
    if len(ids) > 1:
        start, shifted = 0, dict[str, Expression]()
        for name, count in ids:
            key = context.name(name)
            shifted[key] = f"{read}[{key}] + {start}" if start else f"{read}[{key}]"
            start += count
        block.comment("Nodes without features are numbered one type after the other.")
        block.assign("numbers", mapping(shifted))
        values = "numbers" if len(ids) == len(step.types) else f"{read} | numbers"
    named: dict[str, Expression] = {
        item.argument: call("torch.cat", listing(joint_values(item, step, number, context).values()))
        for item in step.inputs
    }
    kept = "_" if len(step.types) == 1 and not step.tells_types else "sizes"
    block.assign(f"x, edge_index, edge_type, {kept}", call("number_together", values, "edge_index_dict", types, edges))
    if step.tells_types:
        number_of_each = f"torch.arange({len(step.types)}).repeat_interleave(torch.tensor(sizes))"
        block.assign("node_type", f"{number_of_each}.to(x.device)")
        named["node_type"] = "node_type"
    block.assign("x", call(f'stage["joints"][{number}]', "x", edge_index="edge_index", edge_type="edge_type", **named))
    if len(step.types) == 1:
        block.assign(result, mapping({context.name(step.types[0]): "x"}))
        return
    block.assign(result, call("dict", call("zip", types, "x.split(sizes)")))
    if set(step.targets) != set(step.types):
        block.assign(result, each("name", f"{result}[name]", "name", context.types(step.targets)))


def _write_pipe(stage: Stage, made: Sequence[str], result: str, context: Context, block: Block) -> None:
    """What follows the stage, on each type that it made, in the same order as in the compiled module."""
    chains = [(name, _operations(stage, name)) for name in made]
    for steps, group in groupby(chains, key=lambda item: item[1]):
        names = [name for name, _ in group]
        if steps:
            _write_chain(stage, names, len(names) == len(made), result, context, block)


def _operations(stage: Stage, name: str) -> tuple[str, ...]:
    """What makes the lines of two types equal."""
    return tuple(
        "residual" if step is None else f"module {step.path}" if is_module(step) else str(step)
        for step in pipe_steps(stage, name)
    )


def _write_chain(stage: Stage, names: Sequence[str], every: bool, result: str, context: Context, block: Block) -> None:
    steps = pipe_steps(stage, names[0])
    guarded = not context.plan.optional_types.isdisjoint(names)
    single = len(names) == 1
    key = context.name(names[0]) if single else "name"
    read = f"{context.states[stage.reads]}[{key}]"
    expressions = [_applied(step, place, key, read, guarded, context) for place, step in enumerate(steps)]
    if len(steps) == 1 and not single and every and not is_module(steps[0]):
        block.assign(result, each("name", expressions[0], "name, x", f"{result}.items()"))
        return
    inner = block
    if single:
        block.write(f"x = {result}[{key}]")
    elif every:
        block.write(f"for name, x in {result}.items():")
        inner = Block(block.indent + 4)
    else:
        block.loop("name", context.types(names))
        inner = Block(block.indent + 4)
        inner.write(f"x = {result}[name]")
    for step, expression in zip(steps[:-1], expressions[:-1], strict=True):
        _write_step("x", step, expression, inner)
    _write_step(f"{result}[{key}]", steps[-1], expressions[-1], inner)
    if inner is not block:
        block.extend(inner.lines)


def _write_step(target: str, step: ModuleSpec | None, expression: Expression, block: Block) -> None:
    note = step.path.rpartition(".")[2] if step is not None and is_module(step) else ""
    block.assign(target, expression, note)


def _applied(step: ModuleSpec | None, place: int, key: str, read: str, guarded: bool, context: Context) -> Expression:
    if step is None:
        return f"x + {read}"
    written = apply_function(step, "x", context.imports)
    if written is not None:
        return written
    module = f'stage["pipe"][{key}][{quote(f"module_{place}")}](x)'
    # The type may be absent, and norms refuse to average over nothing.
    return f"{module} if x.size(0) > 0 else x" if guarded else module
