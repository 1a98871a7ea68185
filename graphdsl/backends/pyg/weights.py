"""Attention on request: how much each edge, and each relation, counted in one forward pass."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import AGNNConv, HANConv, HGTConv, MessagePassing, SuperGATConv
from torch_geometric.utils import softmax

from graphdsl.backends.graph import Graph
from graphdsl.backends.naming import edge_key
from graphdsl.backends.pyg.attention import SemanticAttention
from graphdsl.backends.pyg.messages import arrange, layers_of, order_of, sends_one_by_one
from graphdsl.backends.pyg.noted import FusedAttention, InstanceAttention, note
from graphdsl.backends.pyg.relation_map import RelationMap
from graphdsl.backends.pyg.sequence import CompiledSequence
from graphdsl.kernels import Noted
from graphdsl.plan import JointStep, RelationStage, RelationStep
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class EdgeAttention:
    """Attention over the edges of a relation.

    Attributes:
        edge_index: [2, num_edges], numbers of sources and targets; self-loops that the layer adds are among them.
        weight: [num_edges, heads].
    """

    edge_index: Tensor
    weight: Tensor


@dataclass(frozen=True)
class AttentionWeights:
    """Attention of one forward pass, by the key of the stage (`edges1`, as `gnn plan` and the state dict name it).

    In a `sequential` block the key is the name of the step in the state dict (`module_2`). A module with several layers has
    one record for each, under `edges1.layers.0`, `edges1.layers.1`, ….

    Attributes:
        edges: of single edges, by stage and relation. Weights into a node sum to 1: over its edges of the relation, for
            layers that see all relations at once (`HGTConv`, `RGATConv`, `SimpleHGNConv`, `HetSANNConv`) over its edges of
            all and its loop. `FAConv`'s are no shares: they lie between -1 and 1.
        loops: of the self-loops that such a layer adds, by stage and node type, [num_nodes, heads].
        relations: of whole relations, by stage and node type: how much `combine attention`, or the semantic attention
            of `HANConv`, took from each relation (from each group that one joint layer combined). They sum to 1; one number
            each, or [num_nodes] where each node decides (`attention(per = "node")`, `IEHGCNConv`, where `()` is the node
            itself), or [num_nodes, heads] (`RHGNNConv`). Of `MAGNNConv`: of whole metapaths, one number each.
        instances: of single instances of a metapath (`MAGNNConv`), by stage and metapath.
        fused: of what came along metapaths among each other (`SeHGNNConv`), by stage and node type.
        hops: of relations at each hop of learned metapaths, by stage and hop, the first one that values travel being 1: of a
            single relation, `()` being no step at all (`FastGTNConv`, `GTNConv`: [channels], of which those of a channel sum
            to 1), or of a subset of relations (`NARSConv`: [columns], which are no shares; hop 0 are the node's own values).
    """

    edges: dict[tuple[str, EdgeKey], EdgeAttention] = field(default_factory=dict[tuple[str, EdgeKey], EdgeAttention])
    loops: dict[tuple[str, str], Tensor] = field(default_factory=dict[tuple[str, str], Tensor])
    relations: dict[tuple[str, str], dict[tuple[EdgeKey, ...], Tensor]] = field(
        default_factory=dict[tuple[str, str], dict[tuple[EdgeKey, ...], Tensor]]
    )
    instances: dict[tuple[str, EdgeKey], InstanceAttention] = field(
        default_factory=dict[tuple[str, EdgeKey], InstanceAttention]
    )
    fused: dict[tuple[str, str], FusedAttention] = field(default_factory=dict[tuple[str, str], FusedAttention])
    hops: dict[tuple[str, int], dict[tuple[EdgeKey, ...], Tensor]] = field(
        default_factory=dict[tuple[str, int], dict[tuple[EdgeKey, ...], Tensor]]
    )


@contextmanager
def recording(model: nn.Module) -> Iterator[AttentionWeights]:
    """Note the attention of the forward passes inside; a later pass replaces what an earlier one gave.

    Layers with attention over edges: `GATConv`, `GATv2Conv`, `TransformerConv`, `SuperGATConv`, `AGNNConv`, `FAConv`,
    `HANConv`, `HGTConv`, `RGATConv`, `SimpleHGNConv`, `HetSANNConv`, `RHGNNConv`, and other people's that hand `alpha` to
    their `message`; also inside `GPSConv` and the like. Layers that weigh metapaths, instances or hops: `MAGNNConv`,
    `SeHGNNConv`, `NARSConv`, `FastGTNConv`, `GTNConv`. In training, dropout has acted on some of them: use `model.eval()`.

    Args:
        model: a compiled model, of stages or of a `sequential` block.

    Yields:
        A record that is filled while the model runs.
    """
    weights = AttentionWeights()
    with ExitStack() as stack:
        for module in model.modules():
            if isinstance(module, RelationMap):
                _Stage(module, weights).watch(stack)
            elif isinstance(module, CompiledSequence):
                _watch_steps(module, weights, stack)
        yield weights


def _watch_steps(model: CompiledSequence, weights: AttentionWeights, stack: ExitStack) -> None:
    """Hooks on the layers of a `sequential` block."""
    sent: dict[nn.Module, Tensor] = {}

    def watch(name: str, module: MessagePassing) -> None:
        def sends(module: nn.Module, arguments: tuple[Any, ...], _: Any) -> None:
            alpha = _alpha_of(module, arguments[0])
            if alpha is not None:
                found = EdgeAttention(sent[module], alpha.detach().reshape(alpha.size(0), math.prod(alpha.shape[1:])))
                weights.edges[name, model.stage.edge] = found

        def propagates(module: nn.Module, arguments: tuple[Any, ...]) -> None:
            sent[module] = arguments[0]

        stack.callback(module.register_propagate_forward_pre_hook(propagates).remove)
        stack.callback(module.register_message_forward_hook(sends).remove)

    for name, module in model.named_modules():
        if isinstance(module, MessagePassing):
            watch(name, module)


Turn = tuple[RelationStep | JointStep, EdgeKey | None]
"""Whose messages a layer sends next; None where it sends those of all its relations at once."""


class _Stage:
    """Hooks on the layers of one relation map.

    Args:
        owner: the map.
        weights: where to note what is seen.
    """

    def __init__(self, owner: RelationMap, weights: AttentionWeights) -> None:
        self.owner = owner
        self.weights = weights
        self.stage: RelationStage | None = None
        self.graph: Graph | None = None
        self.turns: dict[nn.Module, list[Turn]] = {}
        self.sent: dict[nn.Module, Tensor] = {}
        self.names: dict[nn.Module, str] = {}
        self.owners: dict[nn.Module, nn.Module] = {}
        self.types: dict[nn.Module, list[str]] = {}
        self.receiving: dict[nn.Module, list[str]] = {}
        self.nodes: dict[str, int] = {}

    def watch(self, stack: ExitStack) -> None:
        """Set the hooks until the stack is closed."""
        handles: list[Any] = [self.owner.register_forward_pre_hook(self._begin)]
        convs = dict.fromkeys([] if self.owner.conv is None else self.owner.conv.convs.values())
        for module in (*convs, *self.owner.joints):
            for name, layer in layers_of(module).items():
                self.names[layer], self.owners[layer] = name, module
                handles.append(layer.register_propagate_forward_pre_hook(self._propagates))
                handles.append(layer.register_message_forward_hook(self._sends))
            if isinstance(module, HANConv):
                handles.append(module.k_lin.register_forward_hook(self._semantic(module)))
            for part in module.modules():
                if isinstance(part, Noted):
                    handles.append(part.register_forward_hook(self._says(module)))
            shares = getattr(module, "shares", None)
            if isinstance(shares, nn.Identity):
                handles.append(shares.register_forward_hook(self._shares(module)))
        for name, module in self.owner.attention.items():
            assert isinstance(module, SemanticAttention)
            handles.append(module.register_forward_pre_hook(self._combines(name)))
        for handle in handles:
            stack.callback(handle.remove)

    def _begin(self, _: nn.Module, arguments: tuple[Any, ...]) -> None:
        """The map runs a stage: note which layer will send for which relations, in order."""
        stage: RelationStage = arguments[0]
        self.stage, self.graph = stage, arguments[2]
        self.nodes = {name: value.size(0) for name, value in arguments[1][stage.reads].items()}
        self.live = bool(arguments[3])
        turns: dict[nn.Module, list[Turn]] = defaultdict(list)
        for step in self._running(stage.steps):
            assert self.owner.conv is not None
            module = self.owner.conv.convs[edge_key(step.edge)]  # type: ignore[index]
            for layer in layers_of(module).values():
                turns[layer].append((step, step.edge))
        for module, joint in zip(self.owner.joints, stage.joints, strict=True):
            if joint.live or not self.live:
                for layer in layers_of(module).values():
                    single = sends_one_by_one(module)
                    turns[layer] = [(joint, edge) for edge in joint.relations] if single else [(joint, None)]
                receiving = {edge[2] for edge in joint.relations}
                self.types[module] = [name for name in joint.types if name in receiving]
                self.receiving[module] = sorted(receiving, key=_key)
        self.turns = dict(turns)

    def _running(self, steps: tuple[RelationStep, ...]) -> list[RelationStep]:
        return [step for step in steps if step.live or not self.live]

    def _propagates(self, module: nn.Module, arguments: tuple[Any, ...]) -> None:
        self.sent[module] = arguments[0]

    def _sends(self, module: nn.Module, arguments: tuple[Any, ...], _: Any) -> None:
        alpha = _alpha_of(module, arguments[0])
        if alpha is None or not self.turns.get(module):
            return
        step, edge = self.turns[module].pop(0)
        assert self.stage is not None
        assert self.graph is not None
        alpha = alpha.detach().reshape(alpha.size(0), math.prod(alpha.shape[1:]))
        key = ".".join(name for name in (self.stage.key, self.names[module]) if name)
        if edge is not None:
            self.weights.edges[key, edge] = EdgeAttention(self.sent[module], alpha)
            return
        assert isinstance(step, JointStep)
        found = arrange(self.owners[module], step, self.graph.edge_index, self.nodes, alpha.size(0))
        if found is None:  # It added or left out edges: whose the weights are is not known.
            return
        for part in found[0]:
            index = self.graph.edge_index[part.edge]
            index = index if part.kept is None else index[:, part.kept]
            self.weights.edges[key, part.edge] = EdgeAttention(index, alpha[part.rows])
        for item in found[1]:
            self.weights.loops[key, item.type] = alpha[item.rows]

    def _shares(self, module: nn.Module) -> Callable[..., None]:
        """A joint layer says how much each relation into a type counted, type by type in the order of their names there."""

        def hook(_: nn.Module, __: Any, out: Tensor) -> None:
            assert self.stage is not None
            step = self.stage.joints[list(self.owner.joints).index(module)]
            order = order_of(module, step)
            name = self.receiving[module].pop(0)
            groups: list[tuple[EdgeKey, ...]] = [(edge,) for edge in order if edge[2] == name]
            itself: list[tuple[EdgeKey, ...]] = [()] * (out.size(0) - len(groups))
            self._note(name, itself + groups, out)

        return hook

    def _says(self, module: nn.Module) -> Callable[..., None]:
        """A joint layer says how much metapaths, their instances, or hops counted."""

        def hook(_: nn.Module, said: tuple[Any, ...], __: Tensor) -> None:
            assert self.stage is not None
            step = self.stage.joints[list(self.owner.joints).index(module)]
            value, what, *about = said
            note(self.weights, self.stage.key, step, what, value.detach(), about)

        return hook

    def _semantic(self, module: HANConv) -> Callable[..., None]:
        """HAN scores the relations into each type from what `k_lin` gives, type by type."""

        def hook(_: nn.Module, __: Any, out: Tensor) -> None:
            assert self.stage is not None
            step = self.stage.joints[list(self.owner.joints).index(module)]
            name = self.types[module].pop(0)
            score = (module.q * out.tanh().mean(1)).sum(-1).softmax(0)
            edges = [edge for edge in step.relations if edge[2] == name]
            self._note(name, [(edge,) for edge in edges], score)

        return hook

    def _combines(self, key: str) -> Callable[..., None]:
        def hook(module: nn.Module, arguments: tuple[Any, ...]) -> None:
            assert self.stage is not None
            assert isinstance(module, SemanticAttention)
            (name,) = [item for item in self.stage.produced if _key(item) == key]
            groups = [(step.edge,) for step in self._running(self.stage.steps) if step.edge[2] == name]
            groups += [
                tuple(edge for edge in step.relations if edge[2] == name)
                for step in self.stage.joints
                if name in step.targets and (step.live or not self.live)
            ]
            if arguments[0][0].size(0) > 0:
                self._note(name, groups, module.shares(arguments[0]))

        return hook

    def _note(self, name: str, groups: list[tuple[EdgeKey, ...]], shares: Tensor) -> None:
        assert self.stage is not None
        self.weights.relations[self.stage.key, name] = dict(zip(groups, shares.detach().unbind(), strict=True))


def _key(name: str) -> str:
    return edge_key((name, "", ""))[0]


def _alpha_of(module: nn.Module, message: Mapping[str, Any]) -> Tensor | None:
    """Attention of the messages that were just sent: handed to them, noted by the layer, or made inside `message`."""
    found: Any = message.get("alpha")
    if found is None:
        found = getattr(module, "_alpha", None)
    if found is None and type(module) in _INSIDE:
        score = _INSIDE[type(module)](module, message)
        found = softmax(score, message["index"], message["ptr"], message["size_i"])
    if found is None and isinstance(module, SuperGATConv):
        ends = message["edge_index_i"], message["x_i"], message["x_j"]
        found = module.get_attention(*ends, num_nodes=message["size_i"])
    return found if isinstance(found, Tensor) else None


def _han(module: Any, message: Mapping[str, Any]) -> Tensor:
    return functional.leaky_relu(message["alpha_j"] + message["alpha_i"], module.negative_slope)


def _hgt(_: Any, message: Mapping[str, Any]) -> Tensor:
    score = (message["q_i"] * message["k_j"]).sum(-1) * message["edge_attr"]
    return score / math.sqrt(message["q_i"].size(-1))


def _agnn(module: Any, message: Mapping[str, Any]) -> Tensor:
    return module.beta * (message["x_norm_i"] * message["x_norm_j"]).sum(-1)


_INSIDE: dict[type, Callable[[Any, Mapping[str, Any]], Tensor]] = {HANConv: _han, HGTConv: _hgt, AGNNConv: _agnn}
"""Layers that make their attention inside `message` and keep nothing: their scores, as PyG computes them."""
