"""`__init__`: the modules of each stage and head, under the keys that the compiled module has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, cast

from graphdsl.model import MetapathHop
from graphdsl.plan import (
    AnyHead,
    GraphHead,
    Head,
    InputBinding,
    JoinStage,
    JointStep,
    LinkHead,
    ModuleSpec,
    NodeStage,
    ObjectiveHead,
    RelationStage,
    Stage,
)
from graphdsl.source.activations import apply_function
from graphdsl.source.block import Block
from graphdsl.source.constructors import construct
from graphdsl.source.context import Context, encoded, place
from graphdsl.source.expressions import Expression, Group, call, each, flat, listing, literal, mapping, pair, quote
from graphdsl.source.imports import Imports
from graphdsl.source.labels import write_spreads

_MANY = 2


def write_modules(context: Context) -> Block:
    """The body of `__init__`, behind `super().__init__()`."""
    block = Block(8)
    owners = [stage for stage in context.plan.stages if stage.shares is None]
    written = [(stage, _write_stage(stage, context).lines) for stage in owners]
    for lines, group in groupby(((stage, lines) for stage, lines in written if lines), key=lambda item: item[1]):
        _write_group([stage for stage, _ in group], lines, context, block)
    if block.lines:
        block.lines.insert(0, "        self.stages = ModuleDict()")
        block.lines.insert(1, "")
    write_heads(block, context)
    return block


def _write_stage(stage: Stage, context: Context) -> Block:
    """The modules of a stage that is called `stage`."""
    block = Block(8)
    made = _modules_of(stage, context)
    for name, value in _shared(stage, context).items():
        block.assign(name, value)
    for key, value in made.items():
        block.assign(f'stage["{key}"]', value)
    return block


def _write_group(stages: Sequence[Stage], lines: Sequence[str], context: Context, block: Block) -> None:
    """Stages one after the other that have the same modules."""
    context.imports.use("torch.nn.ModuleDict")
    block.blank()
    places = list(dict.fromkeys(place(stage.span) for stage in stages))
    if len(stages) == 1:
        block.comment(f"{stages[0].key}: {places[0]}")
        block.write(f"stage = self.stages[{context.name(stages[0].key)}] = ModuleDict()")
        block.extend(lines)
        return
    block.comment(f"{stages[0].key} to {stages[-1].key}: {', '.join(places)}")
    block.loop("key", pair(context.name(stage.key) for stage in stages))
    block.write("stage = self.stages[key] = ModuleDict()", 4)
    for name, value in _shared(stages[0], context).items():
        block.statement(value, f"{name} = ", deeper=4)
    for key, value in _modules_of(stages[0], context).items():
        block.statement(value, f'stage["{key}"] = ', deeper=4)


def has_modules(stage: Stage, context: Context) -> bool:
    """Whether a stage has modules of its own (or of the stage that it shares them with)."""
    return bool(_modules_of(stage, context))


def _modules_of(stage: Stage, context: Context) -> dict[str, Expression]:
    made: dict[str, Expression] = {}
    if isinstance(stage, NodeStage):
        made["nodes"] = by_type({step.type: construct(step.module, context.imports) for step in stage.steps}, context)
    elif isinstance(stage, RelationStage):
        if stage.steps:
            made["conv"] = _conv(stage, context)
        if stage.joints:
            made["joints"] = _list([_joint(step, context) for step in stage.joints], context)
        if encoders := _encoders(stage, context):
            made["encoders"] = call("ModuleDict", mapping(encoders))
        if attention := attended(stage):
            made["attention"] = _attention(stage, attention, context)
    elif isinstance(stage, JoinStage) and stage.modules:
        made["jump"] = by_type({step.type: construct(step.module, context.imports) for step in stage.modules}, context)
    if chains := _chains(stage, context):
        made["pipe"] = by_type(chains, context)
    return {
        key: value for key, value in made.items() if not (isinstance(value, Group) and flat(value) == "ModuleDict({})")
    }


def _encoders(stage: RelationStage, context: Context) -> dict[str, Expression]:
    """Encoders of attributes by relation or joint layer; relations that share a layer share its encoders."""
    shared = shared_encoders(stage, context)
    made: dict[str, Expression] = {}
    for step in stage.steps:
        if (found := _by_argument(step.inputs, context)) is not None:
            made[quote("__".join(encoded(step.edge)))] = (
                f"encoders[{[*shared].index(step.instance)}]" if shared else found
            )
    for number, joint in enumerate(stage.joints):
        if (found := _by_argument(joint.inputs, context)) is not None:
            made[quote(f"joint_{number}")] = found
    return made


def shared_encoders(stage: RelationStage, context: Context) -> dict[int, Expression]:
    """The encoders of each layer by its instance, where some relations share one; nothing otherwise."""
    steps = [step for step in stage.steps if any(item.encoder is not None for item in step.inputs)]
    if len({step.instance for step in steps}) == len(steps):
        return {}
    found = {step.instance: _by_argument(step.inputs, context) for step in reversed(steps)}
    return {step.instance: made for step in steps if (made := found[step.instance]) is not None}


def _by_argument(inputs: Sequence[InputBinding], context: Context) -> Expression | None:
    made: dict[str, Expression] = {
        quote(item.argument): construct(item.encoder, context.imports) for item in inputs if item.encoder is not None
    }
    return call("ModuleDict", mapping(made)) if made else None


def by_type(modules: Mapping[str, Expression], context: Context) -> Expression:
    """`ModuleDict` of a module for each node type; equal ones are written once."""
    names = list(modules)
    context.imports.use("torch.nn.ModuleDict")
    if len(names) > _MANY and len({flat(value) for value in modules.values()}) == 1:
        return call("ModuleDict", each("name", modules[names[0]], "name", context.types(names)))
    return call("ModuleDict", mapping({context.name(name): modules[name] for name in names}))


def _shared(stage: Stage, context: Context) -> dict[str, Expression]:
    """Variables of what several relations of a stage share."""
    found: dict[str, Expression] = {}
    if isinstance(stage, RelationStage):
        if (several := shared_modules(stage, context)) is not None:
            found["convs"] = several
        if encoders := shared_encoders(stage, context):
            found["encoders"] = listing(encoders.values())
    return found


def _list(items: Sequence[Expression], context: Context) -> Expression:
    return call(context.imports.use("torch.nn.ModuleList"), listing(items))


def unary(stage: RelationStage) -> str | None:
    """`aggr` of the stage's `HeteroConv`: None where messages are needed one by one."""
    kind = stage.combine.kind
    return kind if kind == "cat" or (not stage.joints and kind != "attention") else None


def _conv(stage: RelationStage, context: Context) -> Expression:
    aggr = unary(stage)
    shown = {step.edge: construct(step.module, context.imports) for step in stage.steps}
    uses = [step.instance for step in stage.steps]
    conv = context.imports.use("torch_geometric.nn.HeteroConv")
    same = len({flat(value) for value in shown.values()}) == 1
    edges = tuple(shown)
    if len(set(uses)) == 1 and len(uses) > 1:
        # One module for all relations, made once.
        keys = call("dict.fromkeys", context.relations(edges, stage.key), shown[edges[0]])
        return call(conv, keys, aggr=_quoted(aggr))
    if same and len(set(uses)) == len(uses) and len(uses) > _MANY:
        over = context.relations(edges, stage.key)
        return call(conv, each("edge_type", shown[edges[0]], "edge_type", over), aggr=_quoted(aggr))
    distinct = list(dict.fromkeys(uses))
    items: dict[str, Expression] = {}
    for step in stage.steps:
        alone = len(distinct) == len(uses)
        items[context.edge(step.edge)] = shown[step.edge] if alone else f"convs[{distinct.index(step.instance)}]"
    return call(conv, mapping(items), aggr=_quoted(aggr))


def shared_modules(stage: RelationStage, context: Context) -> Expression | None:
    """The modules of a stage where some, but not all of its relations share one."""
    uses = [step.instance for step in stage.steps]
    if len(set(uses)) in (1, len(uses)):
        return None
    modules = {step.instance: step.module for step in reversed(stage.steps)}
    return listing(construct(modules[use], context.imports) for use in dict.fromkeys(uses))


def _quoted(text: str | None) -> str:
    return "None" if text is None else quote(text)


def _joint(step: JointStep, context: Context) -> Expression:
    """A joint module; names of types and relations become keys that PyG's containers take."""
    known, given = step.module.arguments, dict[str, Expression]()
    if "metadata" in known:
        given["metadata"] = pair([as_list(context.types(step.types)), context.relations(step.edges, "joint")])
    if "paths" in known:
        given["paths"] = mapping({context.edge(edge): _hops(hops, context) for edge, hops in step.paths.items()})
    for argument, value in known.items():
        if isinstance(value, Mapping) and argument not in given:
            given[argument] = _by_place(cast(Mapping[Any, Any], value), step, context)
    return construct(step.module, context.imports, given)


def _hops(hops: Sequence[MetapathHop], context: Context) -> Expression:
    """A walk: each relation, and whether it is walked backwards."""
    return pair(pair((context.edge(hop.edge), str(hop.backward))) for hop in hops)


def _by_place(values: Mapping[Any, Any], step: JointStep, context: Context) -> Expression:
    """An argument by relation, or by node type."""
    if not values or any(isinstance(key, tuple) for key in values):
        return mapping({context.edge(edge): repr(value) for edge, value in values.items()})
    pyg = step.module.path.startswith("torch_geometric.")
    if pyg and len({values[name] for name in step.types}) == 1:  # PyG takes one width for all types
        return repr(values[step.types[0]])
    return mapping({context.name(name): repr(values[name]) for name in step.types if name in values})


def as_list(names: Expression) -> Expression:
    """Node types as a list instead of a tuple."""
    return names if isinstance(names, str) else Group("[", names.items, "]")


def attended(stage: RelationStage) -> list[str]:
    """Types into which several relations or joint layers send, where attention combines them."""
    if stage.combine.kind != "attention":
        return []
    senders = [step.edge[2] for step in stage.steps] + [name for step in stage.joints for name in step.targets]
    return sorted({name for name in senders if senders.count(name) > 1})


def _attention(stage: RelationStage, names: Sequence[str], context: Context) -> Expression:
    context.helpers.add("SemanticAttention")
    made = {
        name: call(
            "SemanticAttention",
            str(stage.combined[name]),
            **{key: literal(value) for key, value in stage.combine.arguments.items()},
        )
        for name in names
    }
    return by_type(made, context)


def pipe_steps(stage: Stage, name: str) -> list[ModuleSpec | None]:
    """What the pipe does to one type, in order; None = adds what the stage read."""
    found: list[ModuleSpec | None] = []
    for item in stage.pipe:
        if item.kind == "residual":
            found.append(None)
        found += [step.module for step in item.steps if step.type == name]
    return found


def is_module(step: ModuleSpec | None) -> bool:
    """Whether a step of a pipe has to be a module of the program."""
    return step is not None and apply_function(step, "x", Imports()) is None


def _chains(stage: Stage, context: Context) -> dict[str, Expression]:
    chains: dict[str, Expression] = {}
    for name in stage.produced:
        modules = {
            quote(f"module_{place}"): construct(step, context.imports)
            for place, step in enumerate(pipe_steps(stage, name))
            if step is not None and is_module(step)
        }
        if modules:
            chains[name] = call("ModuleDict", mapping(dict[str, Expression](modules)))
    return chains


def write_heads(block: Block, context: Context) -> None:
    """The modules of predictions that have some."""
    write_spreads(context, block)
    heads = [head for head in context.plan.heads if not _needs_no_module(head)]
    if context.plan.sequence is not None:
        heads = [head for head in heads if head.module.name != "identity"]
    if not heads:
        return
    context.imports.use("torch.nn.ModuleDict")
    block.blank()
    block.write("self.heads = ModuleDict()")
    for head in heads:
        block.comment(f"{head.name}: {place(head.span)}")
        target = f"self.heads[{quote(head.key)}]"
        block.assign(target, _head(head, context))


def _needs_no_module(head: AnyHead) -> bool:
    """Whether a prediction is made without a module of its own."""
    if isinstance(head, LinkHead):
        return head.scorer == "dot"
    return isinstance(head, Head) and head.spread is not None and head.spread.alone


def _head(head: AnyHead, context: Context) -> Expression:
    if isinstance(head, ObjectiveHead):
        return _objective(head, context)
    if isinstance(head, LinkHead) and head.scorer != "module":
        return _scorer(head, context)
    module = construct(head.module, context.imports)
    if not isinstance(head, GraphHead) or not head.readouts:
        return module
    readouts = {item.type: construct(item.module, context.imports) for item in head.readouts}
    return call("ModuleDict", mapping({'"readouts"': by_type(readouts, context), '"head"': module}))


def _objective(head: ObjectiveHead, context: Context) -> Expression:
    """PyG's module of an objective: walks are told of no edges, the encoder of a contrast is the program itself."""
    given = dict[str, Expression]()
    if head.kind == "infomax":
        context.helpers |= {"summarize", "permute"}
        given = {
            "encoder": call(context.imports.use("torch.nn.Identity")),
            "summary": "summarize",
            "corruption": "permute",
        }
    elif head.module.name == "MetaPath2Vec":
        given = {"edge_index_dict": "{}", "metapath": listing(map(literal, head.module.arguments["metapath"]))}
    return construct(head.module, context.imports, given)


def _scorer(head: LinkHead, context: Context) -> Expression:
    known = head.module.arguments
    if head.scorer == "distmult":
        context.helpers.add("DistMult")
        return call("DistMult", str(known["in_channels"]), str(known["out_channels"]))
    if head.scorer == "signed":
        return call(context.imports.use("torch.nn.Linear"), str(2 * known["in_channels"]), "3")
    if head.scorer == "attract_repel":
        return construct(replace(head.module, path="torch_geometric.nn.ARLinkPredictor"), context.imports)
    if head.reads_graph:
        arguments = {name: value for name, value in known.items() if name not in ("alpha", "eps")}
        module = replace(head.module, path="torch_geometric.nn.LPFormer", arguments=arguments)
        return construct(module, context.imports)
    if head.scorer == "bilinear":
        return call(
            context.imports.use("torch.nn.Bilinear"), *map(str, known["in_channels"]), str(known["out_channels"])
        )
    return construct(head.module, context.imports)
