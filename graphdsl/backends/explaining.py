"""One prediction as a module that PyG's explainers take."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from graphdsl.backends.compiled import CompiledModel
from graphdsl.backends.derivation import with_pairs
from graphdsl.backends.masking import JointMasks
from graphdsl.backends.naming import edge_key, module_key
from graphdsl.backends.pyg.relation_map import RelationMap
from graphdsl.plan import RelationStage, RelationStep
from graphdsl.plan.requirements import find_requirements, running
from graphdsl.text import EdgeKey


class Explainable(nn.Module):
    """A prediction of a compiled model, for `torch_geometric.explain`.

    PyG's explainers mask features by node type and edges by relation, want a gradient for every mask, and call the model
    with both dictionaries and nothing else. So the attributes that layers read are held here, and what no mask could
    change is, too: types and relations that the prediction does not depend on, and relations that are only seen by layers
    without messages along edges (`FastGTNConv`, `GTNConv`, `MAGNNConv`, `NARSConv`, `SeHGNNConv`, which multiply by sparse
    matrices).

    PyG's masks are per module, and so PyG masks no edges of `HANConv`, `HGTConv` or `RGCNConv`, which send all relations
    through one module. Here the messages of such layers are multiplied by the masks of their relations, one by one, as PyG
    multiplies those of a layer of one relation. Attention is computed before, so that it does not see the masks, as in
    PyG's `GATConv`; self-loops that a layer adds have no mask.

    Attributes:
        x_dict: features [num_nodes, width] to explain, by node type.
        edge_index_dict: relations [2, num_edges] whose edges can be explained; inverses and metapaths stand for themselves.

    Args:
        model: a compiled model; a `sequential` block needs no such view, explainers take it as it is.
        inputs: what it is called with, as `graphdsl.data.batch_inputs(data, model.plan)` gives it.
        prediction: name of the prediction, such as `paper.y`; may be left out where there is one.

    Raises:
        KeyError: if there is no such prediction.

    >>> import graphdsl, torch
    >>> spec = graphdsl.loads("schema s { node a { x: float[3], y: class[2] } edge a -[r]-> a }"
    ...                       " model m on s { edges { *: SAGEConv(4) } predict a.y }")
    >>> inputs = {"x_dict": {"a": torch.zeros(2, 3)}, "edge_index_dict": {("a", "r", "a"): torch.tensor([[0], [1]])}}
    >>> view = Explainable(spec.compile(), inputs)
    >>> view(view.x_dict, view.edge_index_dict).shape
    torch.Size([2, 2])
    """

    def __init__(self, model: CompiledModel, inputs: Mapping[str, Any], prediction: str | None = None) -> None:
        super().__init__()
        plan = model.plan
        known = [head.name for head in plan.heads]
        name = prediction or known[0]
        if name not in known or (prediction is None and len(known) > 1):
            raise KeyError(f"name one of the predictions of model '{plan.model}': {', '.join(known)}")
        self.model = model
        self.prediction = name
        inputs = with_pairs(plan, inputs, model.input_names)
        self._inputs: dict[str, Any] = {}
        self._masks = _joint_masks(model)
        self.ports = nn.ModuleList([port for masks in self._masks for port in masks.ports.values()])
        # Masks are of all edges, so a sampled batch is not trimmed.
        self._inputs = {name: value for name, value in inputs.items() if not name.startswith("num_sampled_")}
        self.relations = _Relations(_layers(model, self._reached()))
        read = find_requirements(plan, live=True).types
        features: Mapping[str, Tensor] = inputs["x_dict"]
        edges: Mapping[EdgeKey, Tensor] = inputs["edge_index_dict"]
        self.x_dict = {name: x for name, x in features.items() if name in read and x.is_floating_point()}
        self.edge_index_dict = {edge: index for edge, index in edges.items() if edge in self.relations.layers}

    def forward(self, x_dict: Mapping[str, Tensor], edge_index_dict: Mapping[EdgeKey, Tensor]) -> Tensor:
        """The prediction with other features and edges; what is not given stays as it was."""
        given = {
            **self._inputs,
            "x_dict": {**self._inputs["x_dict"], **x_dict},
            "edge_index_dict": {**self._inputs["edge_index_dict"], **edge_index_dict},
        }
        with ExitStack() as stack:
            for masks in self._masks:
                masks.watch(stack)
            made = self.model(**given)
        return made[self.prediction] if isinstance(made, dict) else made

    def _reached(self) -> dict[EdgeKey, list[nn.Module]]:
        """Ports whose masks change the prediction, by relation: explainers want a gradient for each."""
        edges: Mapping[EdgeKey, Tensor] = self._inputs["edge_index_dict"]
        ports = [port for masks in self._masks for port in masks.ports.values() if port.edge in edges]
        if not ports:
            return {}
        modes = {module: module.training for module in self.model.modules()}
        ones = [torch.ones(edges[port.edge].size(1), requires_grad=True) for port in ports]
        for port, mask in zip(ports, ones, strict=True):
            set_masks(port, mask.to(edges[port.edge].device), edges[port.edge], apply_sigmoid=False)
        with torch.enable_grad():
            made = self.eval()({}, {}).sum()
        clear_masks(self)
        for module, mode in modes.items():
            module.training = mode
        gradients = torch.autograd.grad(made, ones, allow_unused=True) if made.requires_grad else [None] * len(ones)
        found: dict[EdgeKey, list[nn.Module]] = {}
        for port, gradient in zip(ports, gradients, strict=True):
            if gradient is not None:
                found.setdefault(port.edge, []).append(port)
        return found


class _Relations(nn.ModuleDict):
    """Layers by relation, under the relations' own names: containers hold them under encoded ones, and PyG looks there.

    It owns none of them: the model does.
    """

    def __init__(self, layers: Mapping[EdgeKey, list[nn.Module]]) -> None:
        super().__init__()
        self.layers = layers

    def __contains__(self, key: object) -> bool:
        return key in self.layers

    def __getitem__(self, key: Any) -> nn.Module:
        return nn.ModuleList(self.layers[key])


def _layers(model: CompiledModel, ports: Mapping[EdgeKey, list[nn.Module]]) -> dict[EdgeKey, list[nn.Module]]:
    """The layers of single relations that the predictions depend on, and the ports of joint layers."""
    found = {edge: list(modules) for edge, modules in ports.items()}
    for stage, owner in _running(model):
        for step in running(stage, live=True):
            if isinstance(step, RelationStep):
                assert owner.conv is not None
                found.setdefault(step.edge, []).append(cast(Any, owner.conv.convs)[edge_key(step.edge)])
    return found


def _joint_masks(model: CompiledModel) -> list[JointMasks]:
    """Ports of the joint layers that the predictions depend on; a layer that several stages share has one set."""
    found: dict[nn.Module, JointMasks] = {}
    for stage, owner in _running(model):
        for module, step in zip(owner.joints, stage.joints, strict=True):
            if step.live and module not in found:
                found[module] = JointMasks(owner, module, step)
    return list(found.values())


def _running(model: CompiledModel) -> Iterator[tuple[RelationStage, RelationMap]]:
    """Message passing stages, each with the module that runs it."""
    for _, stage in model.plan.relation_stages():
        owner = stage
        while owner.shares is not None:
            owner = cast(Any, model.plan.stages[owner.shares])
        yield stage, cast(Any, model.stages[module_key(owner.key)])
