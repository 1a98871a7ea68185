"""Layers that see several relations at once.

They take dictionaries (HAN, HGT), or all types numbered together and an `edge_type` vector (R-GCN).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.modules import build_module
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.backends.spreading import walked_labels
from graphdsl.kernels import TooManyInstances
from graphdsl.plan import Ids, InputBinding, JointStep
from graphdsl.text import Diagnostic, SpecError, decode, report


def build_joint(step: JointStep) -> nn.Module:
    """The module of a joint step; names of types and relations become keys that PyG's containers take."""
    known = step.module.arguments
    named: dict[str, Any] = {}
    if "metadata" in known:
        named["metadata"] = ([module_key(name) for name in step.types], [edge_key(edge) for edge in step.edges])
    if "paths" in known:
        named["paths"] = {
            edge_key(edge): tuple((edge_key(hop.edge), hop.backward) for hop in hops)
            for edge, hops in step.paths.items()
        }
    if "budgets" in known:
        named["budgets"] = {edge_key(edge): most for edge, most in known["budgets"].items()}
    for argument, value in known.items():
        if isinstance(value, Mapping) and argument not in named:
            named[argument] = {module_key(name): value[name] for name in step.types if name in value}
    return build_module(step.module, **named)


def run_joint(
    module: nn.Module, step: JointStep, states: list[Values], reads: int, graph: Graph, live: bool = False
) -> Values:
    """Messages [num_nodes, width] into each destination of a joint step.

    Args:
        module: the step's module.
        step: what to compute.
        states: states so far.
        reads: number of the state that it transforms.
        graph: edges and attributes.
        live: leave out types that no prediction depends on, where the module can.
    """
    if step.scope == "typed":
        return _run_typed(module, step, states, reads, graph)
    values = states[reads]
    # In canonical order: HGTConv's result depends on the order of its dictionaries.
    x_dict = {module_key(name): values[name] for name in step.types}
    edges = {edge_key(edge): graph.edge_index[edge] for edge in step.relations}
    inputs: dict[str, Any] = {item.argument: _dictionary(item, step, states, reads, graph) for item in step.inputs}
    targets = step.wanted if live and step.partial else step.targets
    if step.partial:
        inputs["targets"] = [module_key(name) for name in targets]
    if step.scope == "walk":  # Types on the way need not be read, but they have a size.
        inputs["num_nodes"] = {module_key(name): value.size(0) for name, value in (states[0] | values).items()}
    if step.labels is not None:
        inputs["labels"] = walked_labels(step.labels, values, targets, graph)
    try:
        made = module(x_dict, edges, **inputs)
    except TooManyInstances as refused:
        raise SpecError([_too_many(refused, step)]) from refused
    return {name: made[module_key(name)] for name in targets}


def _too_many(refused: TooManyInstances, step: JointStep) -> Diagnostic:
    """A metapath has more instances than its budget."""
    name = decode(refused.name)
    message = f"metapath `{name}` has {refused.instances:,} instances, more than its budget of {refused.budget:,}"
    helps = (
        f"raise the budget of `{name}`, up to {refused.instances}",
        f"or draw some for each node: `{step.module.name}(…, samples = 100)`",
    )
    return report("GNN402", message, step.module.span, "walks along it", helps=helps)


def _dictionary(
    item: InputBinding, step: JointStep, states: list[Values], reads: int, graph: Graph
) -> dict[Any, Tensor]:
    """A forward argument as a dictionary by type or relation."""
    if item.source == "edge":
        return dict(zip(map(edge_key, step.edges), _edge_inputs(item, step, states, reads, graph), strict=True))
    return dict(zip(map(module_key, step.types), _node_inputs(item, step, states, reads, graph), strict=True))


def _run_typed(module: nn.Module, step: JointStep, states: list[Values], reads: int, graph: Graph) -> Values:
    """Number all types together, in sorted order, and tell relations apart by `edge_type`: the index in `edges`."""
    values = states[reads]
    rows = {name: values[name].size(0) for name in step.types}
    start = _starts(rows.items())
    x = torch.cat([_with_offset(step, name, values[name]) for name in step.types])
    shift = {edge: torch.tensor([[start[edge[0]]], [start[edge[2]]]], device=x.device) for edge in step.edges}
    edge_index = torch.cat([graph.edge_index[edge] + shift[edge] for edge in step.edges], dim=1)
    edge_type = _numbered(graph.edge_index[edge][0] for edge in step.edges)
    inputs = {item.argument: torch.cat(_parts(item, step, states, reads, graph)) for item in step.inputs}
    if step.tells_types:
        inputs["node_type"] = _numbered(values[name] for name in step.types)
    made = module(x, edge_index=edge_index, edge_type=edge_type, **inputs)
    return {name: made[start[name] : start[name] + rows[name]] for name in step.targets}


def _numbered(groups: Iterable[Tensor]) -> Tensor:
    """For each row of several tensors, which of them it is in: [rows of all]; no size in it hangs on values."""
    return torch.cat([group.new_full((group.size(0),), place, dtype=torch.long) for place, group in enumerate(groups)])


def _starts(sizes: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Where each type begins when all are numbered together."""
    starts, total = {}, 0
    for name, size in sizes:
        starts[name] = total
        total += size
    return starts


def _with_offset(step: JointStep, name: str, value: Tensor) -> Tensor:
    """A type's value; node numbers become numbers among the nodes of all types."""
    if not isinstance(step.width_in[name], Ids):
        return value
    widths = [(item, step.width_in[item]) for item in sorted(step.width_in)]
    return value + _starts((item, width.count or 0) for item, width in widths if isinstance(width, Ids))[name]


def _parts(item: InputBinding, step: JointStep, states: list[Values], reads: int, graph: Graph) -> list[Tensor]:
    read = _edge_inputs if item.source == "edge" else _node_inputs
    return read(item, step, states, reads, graph)


def _edge_inputs(item: InputBinding, step: JointStep, states: list[Values], reads: int, graph: Graph) -> list[Tensor]:
    """An attribute of each relation of the step, in order."""
    like = _like(states[reads], step)
    return [graph.attribute(item, edge, graph.edge_index[edge].size(1), step.rule, like) for edge in step.edges]


def _node_inputs(item: InputBinding, step: JointStep, states: list[Values], reads: int, graph: Graph) -> list[Tensor]:
    """An attribute or an earlier value of each type of the step, in order."""
    if item.source == "state":
        return [states[item.state][name] for name in step.types]
    like = _like(states[reads], step)
    return [graph.attribute(item, name, states[reads][name].size(0), step.rule, like) for name in step.types]


def _like(values: Values, step: JointStep) -> Tensor:
    """A tensor of the dtype and device that attributes must have."""
    floats = (values[name] for name in step.types if values[name].is_floating_point())
    return next(floats, torch.empty(0, device=values[step.types[0]].device))
