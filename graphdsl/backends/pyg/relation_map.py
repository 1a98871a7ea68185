"""Relation maps: a `HeteroConv` for layers of single relations, joint layers beside it, and how messages meet."""

import warnings
from dataclasses import replace
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import HeteroConv
from torch_geometric.nn.conv.hetero_conv import group

from graphdsl.backends.encoders import build_encoders, encoders_of
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.modules import build_module
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.backends.own_losses import own_losses, take_losses
from graphdsl.backends.places import located
from graphdsl.backends.pyg.attention import SemanticAttention
from graphdsl.backends.pyg.joint import build_joint, run_joint
from graphdsl.backends.pyg.pipe import build_pipe, run_pipe
from graphdsl.plan import InputBinding, JointStep, RelationStage, RelationStep
from graphdsl.text import show_edge


class RelationMap(nn.Module):
    """The modules of an `edges { … }` stage.

    `HeteroConv` combines messages itself unless joint layers or attention need them one by one.

    Args:
        stage: the stage whose modules these are.
    """

    def __init__(self, stage: RelationStage) -> None:
        super().__init__()
        kind = stage.combine.kind
        self.aggr = kind
        alone = not stage.joints and kind != "attention"
        self.conv = _build_conv(stage, kind if alone or kind == "cat" else None) if stage.steps else None
        self.joints = nn.ModuleList([build_joint(step) for step in stage.joints])
        self.encoders = build_encoders(stage)
        self.attention = nn.ModuleDict(_build_attention(stage))
        self.pipe = build_pipe(stage)
        self._own = own_losses(self)

    def forward(self, stage: RelationStage, states: list[Values], graph: Graph, live: bool) -> Values:
        """Values [num_nodes, width] of the types that receive messages.

        Args:
            stage: what to compute.
            states: states so far.
            graph: edges and attributes.
            live: leave out what no prediction depends on.
        """
        take_losses(self._own)
        if len(self.encoders):
            graph = replace(graph, encoders=encoders_of(stage, self.encoders))
        steps = [step for step in stage.steps if step.live or not live]
        messages = self._send(steps, stage, states, graph) if steps else {}
        for module, step in zip(self.joints, stage.joints, strict=True):
            if step.live or not live:
                with located(f"`{step.module.name}`", step.rule):
                    made = made_rows(self._send_joint(module, step, states, stage.reads, graph, live), graph)
                for name, message in made.items():
                    messages.setdefault(name, []).append(message)
        with located(f"`combine {stage.combine.kind}`", stage.combine.span or stage.span):
            combined = {name: self._combine(name, arrived) for name, arrived in messages.items()}
        return run_pipe(self.pipe, combined, made_rows(states[stage.reads], graph))

    def penalties(self) -> dict[str, Tensor]:
        """Losses that layers have of their own, of the latest forward pass: by class, those of all relations added up."""
        return take_losses(self._own)

    def _send_joint(
        self, module: nn.Module, step: JointStep, states: list[Values], reads: int, graph: Graph, live: bool
    ) -> Values:
        """Messages of a joint layer by destination."""
        return run_joint(module, step, states, reads, graph, live)

    def _send(
        self, steps: list[RelationStep], stage: RelationStage, states: list[Values], graph: Graph
    ) -> dict[str, list[Tensor]]:
        """Messages of single relations by destination, already combined where `HeteroConv` could do it."""
        assert self.conv is not None
        graph = graph.composed(step.edge for step in steps)
        values = states[stage.reads]
        names = sorted({name for step in steps for name in (step.edge[0], step.edge[2])})
        x_dict: dict[Any, Any] = {module_key(name): values[name] for name in names}
        x_dict |= {edge_key(step.edge): _cut(step, values, graph) for step in steps if _is_cut(step, graph)}
        edges = {edge_key(step.edge): graph.edge_index[step.edge] for step in steps}
        inputs: dict[str, dict[Any, Any]] = {}
        for step in steps:
            for item in step.inputs:
                value = bound_input(item, step, states, values, graph)
                inputs.setdefault(f"{item.argument}_dict", {})[edge_key(step.edge)] = value
        try:
            # By keyword: `PointNetConv` and `GCN2Conv` take another argument before `edge_index`.
            made = self.conv(x_dict, edge_index_dict=edges, **inputs)
        except Exception as error:
            _blame(error, steps)
            raise
        originals = {module_key(name): name for name in names}
        return {
            originals[key]: [value] if self.conv.aggr is not None else list(value.unbind(1))
            for key, value in made.items()
        }

    def _combine(self, name: str, messages: list[Tensor]) -> Tensor:
        key = module_key(name)
        if key in self.attention:
            return self.attention[key](messages)
        combined = messages[0] if len(messages) == 1 else group(messages, self.aggr)
        assert isinstance(combined, torch.Tensor)
        return combined


def _build_conv(stage: RelationStage, aggr: str | None) -> HeteroConv:
    """PyG's container over the modules of single relations; steps of one instance share one module."""
    instances: dict[int, nn.Module] = {}
    for step in stage.steps:
        if step.instance not in instances:
            instances[step.instance] = build_module(step.module)
    with warnings.catch_warnings():
        # Types that receive nothing are carried through, so what PyG warns of cannot happen.
        warnings.filterwarnings("ignore", "There exist node types", UserWarning)
        return HeteroConv({edge_key(step.edge): instances[step.instance] for step in stage.steps}, aggr)  # type: ignore[arg-type]


def _build_attention(stage: RelationStage) -> dict[str, nn.Module]:
    """Semantic attention for every type into which several relations or joint layers send."""
    if stage.combine.kind != "attention":
        return {}
    senders = [step.edge[2] for step in stage.steps] + [name for step in stage.joints for name in step.targets]
    several = sorted({name for name in senders if senders.count(name) > 1})
    found: dict[str, nn.Module] = {}
    for name in several:
        width = stage.combined[name]
        assert width is not None, "a plan without unknown widths"
        found[module_key(name)] = SemanticAttention(width, **stage.combine.arguments)
    return found


def bound_input(item: InputBinding, step: RelationStep, states: list[Values], values: Values, graph: Graph) -> Any:
    """A forward argument of one relation: per edge, or per node of its type, or of its two types."""
    source, _, target = step.edge
    like = values[source]
    if item.source == "edge":
        return graph.attribute(item, step.edge, graph.edge_index[step.edge].size(1), step.rule, like)
    if item.source == "batch":
        batch = graph.batch.get(source)
        # Attention over a graph without a node of this type would be over nothing, and its gradient NaN.
        return None if batch is None else batch.unique(return_inverse=True)[1]
    if item.source == "state":
        found = [states[item.state][name] for name in (source, target)]
    else:
        found = [graph.attribute(item, name, values[name].size(0), step.rule, like) for name in (source, target)]
    if source == target:
        return found[0]
    return found[0], found[1][: graph.makes.get(target, found[1].size(0))]


def _is_cut(step: RelationStep, graph: Graph) -> bool:
    """Whether fewer rows of the target are made than a trimmed batch has."""
    source, _, target = step.edge
    return source != target and target in graph.makes


def _cut(step: RelationStep, values: Values, graph: Graph) -> tuple[Tensor, Tensor]:
    """Values of source and target, of the target only the rows that are made."""
    source, _, target = step.edge
    return values[source], values[target][: graph.makes[target]]


def made_rows(values: Values, graph: Graph) -> Values:
    """Of a trimmed batch, the rows that the stage makes; types that nobody asked for as they are."""
    return {name: value[: graph.makes.get(name, value.size(0))] for name, value in values.items()}


def _blame(error: Exception, steps: list[RelationStep]) -> None:
    """Note which relation's layer failed: `HeteroConv` knows it while it is on the stack."""
    by_key = {edge_key(step.edge): step for step in steps}
    place: TracebackType | None = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code is HeteroConv.forward.__code__:
            step = by_key.get(place.tb_frame.f_locals.get("edge_type", ("", "", "")))
            if step is not None:
                error.add_note(f"in `{step.module.name}` on `{show_edge(step.edge)}` ({step.rule})")
        place = place.tb_next
