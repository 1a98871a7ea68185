"""Lowering: a program and what is known of the data become a plan, every width inferred and checked on the way."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphdsl.model import (
    AnyPrediction,
    DroppedStage,
    EdgesStage,
    GraphPrediction,
    JoinedStage,
    LinkPrediction,
    Metadata,
    NodesStage,
    Objective,
    Program,
    Schema,
    find_leaks,
)
from graphdsl.model import SequenceStage as Block
from graphdsl.plan.block_heads import lower_block_label
from graphdsl.plan.checks import CHECKS
from graphdsl.plan.checks.dead_rules import dead_rules
from graphdsl.plan.events import lonely_events
from graphdsl.plan.graph_heads import lower_graph, mixed_graphs
from graphdsl.plan.head_types import AnyHead, Head, LinkHead
from graphdsl.plan.heads import lower_prediction
from graphdsl.plan.ir import Derived, DropStage, Plan, RelationStage, SequenceStage, Stage
from graphdsl.plan.joins import lower_join
from graphdsl.plan.link_heads import lower_link
from graphdsl.plan.masked_labels import uneven_shares
from graphdsl.plan.module_spec import Ids, ModuleSpec, Width
from graphdsl.plan.modules import unresolved
from graphdsl.plan.objectives import lower_objective
from graphdsl.plan.passes import PASSES
from graphdsl.plan.penalties import lower_penalty, unreached_penalties
from graphdsl.plan.penalty import Penalty
from graphdsl.plan.relations import lower_edges
from graphdsl.plan.sequences import lower_sequence
from graphdsl.plan.spreading import leaking_spreads
from graphdsl.plan.state import Flow
from graphdsl.plan.typewise import lower_nodes
from graphdsl.plan.walk import stage_modules
from graphdsl.text import Diagnostic, EdgeKey, report, show_edge


def _embedded(program: Program) -> set[str]:
    """Types whose first own layer is an embedding: they are read by number, whatever features they have."""
    embedded: set[str] = set()
    touched: set[str] = set()
    for stage in program.stages:
        if isinstance(stage, NodesStage):
            first = [rule for rule in stage.rules if rule.type not in touched]
            embedded |= {rule.type for rule in first if rule.layer.entry.accepts_ids}
            touched |= {rule.type for rule in first}
        elif isinstance(stage, EdgesStage):
            read = [edge for rule in stage.rules if rule.layer.entry.embeds for edge in rule.edges]
            embedded |= {end for edge in read for end in (edge[0], edge[2])} - touched
            touched |= {edge[2] for rule in stage.rules for edge in rule.edges}
    return embedded


def _inputs(program: Program, metadata: Metadata | None) -> dict[str, Width]:
    """Width of each node type's `x`: from the schema, or from the data where the schema says `*`."""
    widths: dict[str, Width] = {}
    embedded = _embedded(program)
    for name, node in program.schema.nodes.items():
        store = metadata.nodes.get(name) if metadata else None
        tensor = store.tensors.get("x") if store else None
        absent = node.features is not None and node.features.type.optional and metadata is not None and tensor is None
        if node.features is None or absent or name in embedded:
            count = node.count if node.count is not None else store.count if store else None
            widths[name] = Ids(count)
        elif node.features.type.width is not None:
            widths[name] = node.features.type.width
        else:
            widths[name] = tensor.width if tensor else None
    return widths


def _lower_stage(stage: Any, flow: Flow) -> Stage:
    if isinstance(stage, NodesStage):
        return lower_nodes(stage, flow)
    if isinstance(stage, EdgesStage):
        return lower_edges(stage, flow)
    if isinstance(stage, JoinedStage):
        return lower_join(stage, flow)
    if isinstance(stage, Block):
        return lower_sequence(stage, flow)
    assert isinstance(stage, DroppedStage)
    widths = {name: width for name, width in flow.states[stage.reads].items() if name not in stage.types}
    return DropStage(stage.key, stage.reads, stage.shares, (), (), widths, stage.span, stage.types)


def _lower_prediction(prediction: AnyPrediction, flow: Flow) -> AnyHead:
    if isinstance(prediction, LinkPrediction):
        return lower_link(prediction, flow)
    if isinstance(prediction, GraphPrediction):
        return lower_graph(prediction, flow)
    if isinstance(prediction, Objective):
        return lower_objective(prediction, flow)
    if flow.stages and isinstance(flow.stages[-1], SequenceStage):
        return lower_block_label(prediction, flow)
    return lower_prediction(prediction, flow)


def _check_shared(owner: Stage, stage: Stage, found: list[Diagnostic]) -> None:
    """Every turn of a shared repeat must build the same modules: their weights are those of the first turn."""
    for first, again in zip(stage_modules(owner), stage_modules(stage), strict=False):
        if first != again and not unresolved(first) and not unresolved(again):
            message = f"one set of weights cannot serve every turn: `{first.name}` {_differing(first, again)}"
            helps = ("bring the types to one width before the repeat, or leave `share` out",)
            found.append(report("GNN502", message, again.span, "not the same in every turn", helps=helps))
            return


def _differing(first: ModuleSpec, again: ModuleSpec) -> str:
    """How a module of a later turn differs from that of the first one."""
    keys = [key for key in again.arguments if first.arguments.get(key) != again.arguments[key]]
    if keys == ["in_channels"]:
        return f"reads {_columns(first)} in the first, {_columns(again)} in a later one"
    return f"is `{first}` in the first, `{again}` in a later one"


def _columns(module: ModuleSpec) -> str:
    widths = module.arguments["in_channels"]
    both = cast("tuple[Any, ...]", widths) if isinstance(widths, tuple) else (widths,)
    return " and ".join(map(str, both)) + " columns"


def _used_relations(stages: Iterable[Stage]) -> set[EdgeKey]:
    used: set[EdgeKey] = set()
    for stage in stages:
        if isinstance(stage, RelationStage):
            used |= {step.edge for step in stage.steps}
            used |= {edge for joint in stage.joints for edge in joint.relations}
        elif isinstance(stage, SequenceStage) and any(item.source in ("edge", "edge_index") for item in stage.inputs):
            used.add(stage.edge)
    return used


def _derived(schema: Schema, used: set[EdgeKey], predicted: set[EdgeKey]) -> tuple[Derived, ...]:
    """How to make inverses and metapaths, inverses first: metapaths may run over them."""
    by_key = {path.key: path for path in schema.metapaths.values()}
    paths = [by_key[key] for key in sorted(used) if key in by_key]
    needed = used | predicted | {hop.edge for path in paths for hop in path.hops}
    inverses = [key for key in sorted(needed) if key in schema.edges and schema.edges[key].derived]
    return (
        *(Derived(key, inverse_of=schema.edges[key].inverse) for key in inverses),
        *(Derived(path.key, metapath=path) for path in paths),
    )


def _optional(schema: Schema, used: set[EdgeKey]) -> frozenset[EdgeKey]:
    return frozenset(key for key in used if key in schema.edges and schema.edges[key].optional)


def _unread_states(program: Program, found: list[Diagnostic]) -> None:
    """Named states that nothing reads."""
    read = {item.state for item in (*program.predictions, *program.penalties)}
    for stage in program.stages:
        read.add(stage.reads)
        if isinstance(stage, JoinedStage):
            read |= set(stage.states)
        rules = [rule.layer for rule in stage.rules] if isinstance(stage, NodesStage | EdgesStage) else []
        read |= {item.state for layer in rules for item in layer.inputs}
    for index, stage in enumerate(program.stages):
        if stage.name is not None and index + 1 not in read:
            helps = ("read it, or leave it out",)
            found.append(report("GNN109", f"state `{stage.name}` is never read", stage.span, helps=helps))


def _reached(program: Program, prediction: AnyPrediction, stages: tuple[Stage, ...], found: list[Diagnostic]) -> None:
    """A prediction of types that no relation map ever changes sees nothing of the graph."""
    maps = [stage for stage in stages[: prediction.state] if isinstance(stage, RelationStage)]
    unreached = [name for name in prediction.types if not any(name in stage.produced for stage in maps)]
    if not maps or not unreached or isinstance(prediction, Objective):
        return
    schema, name = program.schema, unreached[0]
    arriving = [key for key in schema.relations() if key[2] == name]
    leaving = [edge for edge in schema.edges.values() if edge.source == name and edge.inverse is None]
    helps: tuple[str, ...] = ()
    if arriving:
        helps = (f"serve a relation that ends in it, such as `{show_edge(arriving[0])}`",)
    elif leaving:
        helps = (f"let messages come back: `edge {show_edge(leaving[0].key)} reverse NAME`",)
    also = [(edge.span, f"leaves `{name}`") for edge in leaving[:3]]
    if isinstance(prediction, GraphPrediction) and len(unreached) < len(prediction.types):
        return  # the others know the graph
    if len(unreached) < len(prediction.types):
        message = f"`{name}` receives no message in any layer: this end of the link knows only itself"
        found.append(report("GNN523", message, prediction.span, "predicted here", also=also, helps=helps))
        return
    message = f"`{name}` receives no message in any layer, so the graph cannot help to predict it"
    found.append(report("GNN504", message, prediction.span, "predicted here", also=also, helps=helps))


def lower(program: Program, metadata: Metadata | None = None) -> tuple[Plan, list[Diagnostic]]:
    """Lower a program to a plan.

    Args:
        program: a model with values for its parameters.
        metadata: sizes that the data brings; without it, sizes that the schema leaves open stay unknown.

    Returns:
        The plan, after all passes, and what is wrong with the model. A plan with errors must not be compiled.
    """
    found: list[Diagnostic] = []
    inputs = _inputs(program, metadata)
    flow = Flow(program.schema, metadata, [inputs], [], found)
    for stage in program.stages:
        lowered = _lower_stage(stage, flow)
        if lowered.shares is not None:
            _check_shared(flow.stages[lowered.shares], lowered, found)
        flow.stages.append(lowered)
        flow.states.append(lowered.widths)
    stages = tuple(flow.stages)
    heads = tuple(_lower_prediction(prediction, flow) for prediction in program.predictions)
    penalties = tuple(lower_penalty(item, flow) for item in program.penalties)
    served = all(item.code not in ("GNN301", "GNN642") for item in found)
    for prediction in program.predictions if served else ():
        _reached(program, prediction, stages, found)
    flow.report_types()
    found += find_leaks(program)
    found += [*leaking_spreads(program), *uneven_shares(stages)]
    found += mixed_graphs(stages, heads, flow)
    _unread_states(program, found)
    plan = _assemble(program, inputs, stages, heads, penalties)
    for apply in PASSES:
        plan = apply(plan)
    for check in CHECKS:
        if check is not dead_rules or not {"GNN301", "GNN343", "GNN504", "GNN642"} & {item.code for item in found}:
            found += check(plan, program.schema)
    found += [*unreached_penalties(plan), *lonely_events(plan)]
    return plan, list(dict.fromkeys(found))


def _assemble(
    program: Program,
    inputs: Mapping[str, Width],
    stages: tuple[Stage, ...],
    heads: tuple[AnyHead, ...],
    penalties: tuple[Penalty, ...],
) -> Plan:
    schema = program.schema
    used = _used_relations(stages) | {head.spread.edge for head in heads if isinstance(head, Head) and head.spread}
    used |= {head.edge for head in heads if isinstance(head, LinkHead) and head.reads_graph}
    # The edges that a link prediction learns from may be the inverse of those that the data holds.
    derived = _derived(schema, used, {head.edge for head in heads if isinstance(head, LinkHead)})
    walked = {hop.edge for item in derived if item.metapath for hop in item.metapath.hops}
    return Plan(
        model=program.model,
        schema=schema.name,
        parameters=program.parameters,
        inputs=dict(sorted(inputs.items())),
        relations=tuple(sorted(used)),
        optional_types=frozenset(name for name, node in schema.nodes.items() if node.optional),
        optional_relations=_optional(schema, used | walked | {item.inverse_of for item in derived if item.inverse_of}),
        derived=derived,
        stages=stages,
        heads=heads,
        penalties=penalties,
    )
