"""A relation map whose layers are the reference's, and whose messages are computed for all relations at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import Aggregation, HeteroDictLinear, HeteroLinear, Linear, MessagePassing, ResGatedGraphConv
from torch_geometric.nn.parameter_dict import ParameterDict

from graphdsl.backends.fused.choosing import Choice, pays
from graphdsl.backends.fused.hopwise import send_hopwise
from graphdsl.backends.fused.joint_edges import JointEdges
from graphdsl.backends.fused.relational import send_relational
from graphdsl.backends.fused.relational_attention import send_relational_attention
from graphdsl.backends.fused.residual_attention import send_residual
from graphdsl.backends.fused.semantic import send_semantic
from graphdsl.backends.fused.single import Served, fits, serve_steps
from graphdsl.backends.fused.tracing import may_break
from graphdsl.backends.fused.transformer import send_transformer
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.naming import edge_key
from graphdsl.backends.pyg.relation_map import RelationMap
from graphdsl.plan import JointStep, RelationStage, RelationStep
from graphdsl.plan.fusing import Family, adds_up, divide, fused_family
from graphdsl.plan.grouping import Group, group_steps
from graphdsl.text import EdgeKey


class FusedRelationMap(RelationMap):
    """The modules of an `edges { … }` stage, run on kernels of ours where those serve a layer.

    Modules, parameters and their names are the reference's. What has no kernel, what an explainer or a hook wants to
    look into, and what torch traces is computed by the reference.

    Args:
        stage: the stage whose modules these are.
        choice: decides for each graph whether kernels are worth it; without it they always are.
    """

    def __init__(self, stage: RelationStage, choice: Choice | None = None) -> None:
        super().__init__(stage)
        self._choice = choice
        self._families: dict[EdgeKey, Family] = {}
        for step in stage.steps:
            family, _ = fused_family(step)
            if family is not None:
                self._families[step.edge] = family
        self._known: dict[tuple[EdgeKey, ...], tuple[list[RelationStep], list[RelationStep], tuple[Group, ...]]] = {}
        inner = [item for item in self.modules() if item is not self]
        self._layers = [item for item in inner if isinstance(item, MessagePassing)]
        self._hooks = [hooks for item in inner for hooks in _hooks_of(item)]

    def _send(
        self, steps: list[RelationStep], stage: RelationStage, states: list[Values], graph: Graph
    ) -> dict[str, list[Tensor]]:
        pending = [step for step in steps if step.edge in graph.pending]
        if not pending or self._is_watched():
            return self._send_pairs(steps, stage, states, graph)
        if not torch.compiler.is_compiling():
            return self._send_hops(steps, stage, states, graph)
        if may_break():
            return _untraced(self._send_hops, steps, stage, states, graph)
        return self._send_pairs(steps, stage, states, graph)

    def _send_hops(
        self, steps: list[RelationStep], stage: RelationStage, states: list[Values], graph: Graph
    ) -> dict[str, list[Tensor]]:
        """Messages where some relations are pending metapaths: along their hops where that is cheaper."""
        chosen = [step for step in steps if step.edge in graph.pending and self._goes_by_hops(step, graph)]
        found = Served(self._modules_of(chosen), chosen, stage, states, graph, False, ())
        if not chosen or not fits(found) or not all(map(is_plain, found.modules)):
            return self._send_pairs(steps, stage, states, graph)
        messages = {step.edge: message for step, message in zip(chosen, send_hopwise(found), strict=True)}
        left = [step for step in steps if step.edge not in messages]
        made: dict[str, list[Tensor]] = {}
        if stage.combine.kind == "cat":  # Messages must stay in order.
            for step in steps:
                one = messages.get(step.edge)
                sent = [one] if one is not None else self._send_pairs([step], stage, states, graph)[step.edge[2]]
                made.setdefault(step.edge[2], []).extend(sent)
            return made
        for edge, message in messages.items():
            made.setdefault(edge[2], []).append(message)
        rest = self._send_pairs(left, stage, states, graph) if left else {}
        if stage.combine.kind == "mean" and not stage.joints:
            return _averages(made, rest, steps, left)
        for name, others in rest.items():
            made.setdefault(name, []).extend(others)
        return made

    def _goes_by_hops(self, step: RelationStep, graph: Graph) -> bool:
        """Whether going along the hops is cheaper; "auto" does it on a CPU, where it has been measured."""
        pending = graph.pending[step.edge]
        return (self._choice is None or pending.device.type == "cpu") and pending.cost().pays

    def _send_pairs(
        self, steps: list[RelationStep], stage: RelationStage, states: list[Values], graph: Graph
    ) -> dict[str, list[Tensor]]:
        """Messages along edges, and along pairs of metapaths."""
        graph = graph.composed(step.edge for step in steps)
        families: list[Family] = [self._families[step.edge] for step in steps if step.edge in self._families]
        if not families or self._is_referred([step.edge for step in steps], graph, families):
            return super()._send(steps, stage, states, graph)
        if torch.compiler.is_compiling():
            return _untraced(self._send_pairs, steps, stage, states, graph)
        assert self.conv is not None
        together = adds_up(stage)
        served, left, groups = self._divided(steps, together)
        found = Served(self._modules_of(served), served, stage, states, graph, together, groups)
        # A layer that does not fit its input is named by the reference.
        if not served or not fits(found) or not all(map(is_plain, found.modules)):
            return super()._send(steps, stage, states, graph)
        made = serve_steps(found)
        rest = super()._send(left, stage, states, graph) if left else {}
        if together and stage.combine.kind == "mean":
            return _averages(made, rest, steps, left)
        for name, messages in rest.items():
            made.setdefault(name, []).extend(messages)
        return made

    def _send_joint(
        self, module: nn.Module, step: JointStep, states: list[Values], reads: int, graph: Graph, live: bool
    ) -> Values:
        family, _ = fused_family(step)
        if family is None or self._is_referred(step.edges, graph, (family,)):
            return super()._send_joint(module, step, states, reads, graph, live)
        if torch.compiler.is_compiling():
            return _untraced(self._send_joint, module, step, states, reads, graph, live)
        if not is_plain(module):
            return super()._send_joint(module, step, states, reads, graph, live)
        joint = JointEdges.of(step, states[reads], graph, live, early=family in _EARLY)
        return _JOINTS[family](module, joint) if joint.edges else {}

    def _divided(
        self, steps: list[RelationStep], together: bool
    ) -> tuple[list[RelationStep], list[RelationStep], tuple[Group, ...]]:
        """Steps that kernels serve, the others, and which are served at once: found once for the same relations."""
        key = tuple(step.edge for step in steps)
        if key not in self._known:
            served, reasons = divide(steps, together)
            left = [step for step in steps if id(step) in reasons]
            self._known[key] = served, left, group_steps(served)
        return self._known[key]

    def _modules_of(self, steps: Sequence[RelationStep]) -> list[nn.Module]:
        assert self.conv is not None
        return [self.conv.convs[edge_key(step.edge)] for step in steps]  # type: ignore[index]

    def _is_referred(self, edges: Sequence[EdgeKey], graph: Graph, families: Iterable[Family]) -> bool:
        """Whether the reference computes messages along these relations and not these kernels: see the class."""
        if self._is_watched():
            return True
        index = [graph.edge_index[edge] for edge in edges]
        if torch.compiler.is_compiling():
            return not (may_break() and (self._choice is None or pays(index, families)))
        return self._choice is not None and not self._choice.takes_kernels(index, families)

    def _is_watched(self) -> bool:
        """Whether somebody looks into the layers: an explainer or a hook."""
        if any(self._hooks):
            return True
        return any(layer.__dict__["_explain"] for layer in self._layers)


def _run(send: Callable[..., Any], *given: Any) -> Any:
    return send(*given)


_untraced: Callable[..., Any] = torch.compiler.disable(_run)
"""Calls a function with arguments; torch's compiler leaves it as it is."""


_JOINTS: Mapping[str, Callable[[nn.Module, JointEdges], Values]] = {
    "relational": send_relational,
    "transformer": send_transformer,
    "semantic": send_semantic,
    "relational-attention": send_relational_attention,
    "residual-attention": send_residual,
}


_EARLY = ("relational", "transformer", "relational-attention")
"""Joint layers whose kernels tell the nodes that get a value from those that are read."""
_LISTS = (nn.ModuleDict, nn.ModuleList, nn.ParameterDict, ParameterDict)
_INSIDE = (Linear, HeteroDictLinear, HeteroLinear, nn.Linear, nn.Embedding, nn.ReLU, nn.Sigmoid, *_LISTS)
"""What layers that kernels serve are made of."""
_OURS = "graphdsl.layers."


def is_plain(layer: nn.Module) -> bool:
    """Whether a layer is PyG's or ours, and holds what it was given, so that its parameters alone say what it computes.

    An activation `act` and a network `nn` may be any module: they are called. The gate of `ResGatedGraphConv` is not.

    >>> from torch_geometric.nn import SAGEConv
    >>> layer, adapted = SAGEConv(2, 2), SAGEConv(2, 2)
    >>> adapted.lin_l = nn.Sequential(adapted.lin_l)
    >>> is_plain(layer), is_plain(adapted)
    (True, False)
    """
    own = type(layer).__module__.startswith(("torch_geometric.nn.", _OURS))
    called = ("nn",) if isinstance(layer, ResGatedGraphConv) else ("act", "nn")
    inner = (item for name, item in layer._modules.items() if name not in called)
    return own and all(_is_inside(item) for item in inner if item is not None)


def _is_inside(module: nn.Module) -> bool:
    known = type(module) in _INSIDE or isinstance(module, Aggregation) or type(module).__module__.startswith(_OURS)
    return known and all(_is_inside(item) for item in module._modules.values() if item is not None)


def _hooks_of(module: nn.Module) -> Iterator[dict[int, Any]]:
    """The dictionaries that hold the hooks of a module; they stay the same while it lives, and are copied with it."""
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    for name, value in module.__dict__.items():
        if name in names or (
            isinstance(module, MessagePassing) and name.startswith(_SENDING) and name.endswith("_hooks")
        ):
            yield value


_SENDING = ("_propagate", "_message", "_aggregate", "_edge_update")


def _averages(
    made: dict[str, list[Tensor]], rest: dict[str, list[Tensor]], steps: list[RelationStep], left: list[RelationStep]
) -> dict[str, list[Tensor]]:
    """Averages over all relations into a type, from sums of some of them and the average of the others."""
    count: dict[str, int] = defaultdict(int)
    others: dict[str, int] = defaultdict(int)
    for step in steps:
        count[step.edge[2]] += 1
    for step in left:
        others[step.edge[2]] += 1
    found: dict[str, list[Tensor]] = {}
    for name in {**made, **rest}:
        parts = list(made.get(name, ()))
        parts += [message * others[name] for message in rest.get(name, ())]
        found[name] = [sum(parts[1:], parts[0]) / count[name]]
    return found
