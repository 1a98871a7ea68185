"""Lowering of what is learned without labels: widths of states, numbers of nodes, and what walks follow."""

from dataclasses import replace

from graphdsl.model import MetapathHop, Objective, Schema
from graphdsl.plan.head_types import ObjectiveHead
from graphdsl.plan.ir import RelationStage
from graphdsl.plan.modules import Surroundings, build_module
from graphdsl.plan.state import Flow
from graphdsl.text import EdgeKey, encode, report, show_name


def lower_objective(objective: Objective, flow: Flow) -> ObjectiveHead:
    """Lower one objective: walks need the numbers of nodes, a contrast the width of the state that it reads."""
    return _lower_walks(objective, flow) if objective.path else _lower_contrast(objective, flow)


def _lower_contrast(objective: Objective, flow: Flow) -> ObjectiveHead:
    name = objective.type
    width = flow.columns(name, flow.states[objective.state].get(name), objective.span)
    maps = [stage for stage in flow.stages[: objective.state] if isinstance(stage, RelationStage)]
    if width is not None and not any(name in stage.produced for stage in maps):
        message = (
            f"`{show_name(name)}` receives no message, so its nodes look alike in the graph and in the permuted one"
        )
        helps = ("serve a relation that ends in it before `learn`: `edges { … }`",)
        flow.found.append(report("GNN343", message, objective.span, "learned here", helps=helps))
    module = build_module(objective.layer, Surroundings(width=width), flow.found)
    return ObjectiveHead(
        name=objective.name,
        key=encode(name),
        kind="infomax",
        type=name,
        along=None,
        path=(),
        embedded=(name,),
        size=width,
        state=objective.state,
        module=replace(module, width_out=width),
        weight=objective.weight,
        span=objective.span,
    )


def _lower_walks(objective: Objective, flow: Flow) -> ObjectiveHead:
    path, use = objective.path, objective.layer
    triples = tuple(_triple(hop, flow.schema) for hop in path)
    types = tuple(sorted({end for triple in triples for end in (triple[0], triple[2])}))
    found = len(flow.found)
    module = build_module(use, Surroundings(), flow.found)
    length = module.arguments.get("walk_length")
    if triples[0][0] != triples[-1][2] and isinstance(length, int) and length > len(path) and len(flow.found) == found:
        first, last = show_name(triples[0][0]), show_name(triples[-1][2])
        message = f"`{objective.name}` leads from `{first}` to `{last}`, so a walk cannot follow it again"
        also = ((flow.schema.metapaths[objective.along[1]].span, "declared here"),) if objective.along else ()
        helps = (f"declare a metapath that comes back to `{first}`, or let `walk_length` be at most {len(path)}",)
        span = use.places.get("walk_length", use.span)
        flow.found.append(report("GNN341", message, span, also=also, helps=helps))
    counts = {name: flow.count(name) for name in types}
    within = "num_nodes" in module.arguments
    derived = {"num_nodes": counts[types[0]]} if within else {"metapath": triples, "num_nodes_dict": counts}
    along = objective.along or ("", "", "")
    return ObjectiveHead(
        name=objective.name,
        key="__".join(map(encode, along)) if within else encode(along[1]),
        kind="walks",
        type=objective.type,
        along=along,
        path=path,
        embedded=types,
        size=module.width_out,
        state=objective.state,
        module=replace(module, arguments={**module.arguments, **derived}),
        weight=objective.weight,
        span=objective.span,
        opposites=tuple(hop.edge if hop.backward else flow.schema.edges[hop.edge].inverse for hop in path),
    )


def _triple(hop: MetapathHop, schema: Schema) -> EdgeKey:
    """The relation that a hop follows, the inverse's name where it goes backwards."""
    source, relation, target = hop.edge
    if not hop.backward:
        return hop.edge
    inverse = schema.edges[hop.edge].inverse
    return inverse or (target, f"rev_{relation}", source)
