"""Masks of the edges of joint layers, where PyG's explainers put their masks on modules of single relations.

An explainer finds the modules of a relation under its name and gives them a mask. A joint layer has no such module, so a
`MaskPort` stands there for each relation, and the messages of the layer are multiplied by what its ports were given: as PyG
does it for the messages of a layer of one relation.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from graphdsl.backends.pyg.messages import arrange, layers_of, sends_one_by_one
from graphdsl.backends.pyg.relation_map import RelationMap
from graphdsl.plan import JointStep
from graphdsl.text import EdgeKey


class MaskPort(MessagePassing):
    """Takes the mask of one relation of a joint layer; it sends nothing itself.

    Args:
        edge: the relation.
    """

    def __init__(self, edge: EdgeKey) -> None:
        super().__init__()
        self.edge = edge

    def weights(self, like: Tensor, edges: int) -> Tensor:
        """What messages of the relation are multiplied by, [num_edges]: ones without a mask."""
        mask: Any = self._edge_mask if self.explain else None
        if mask is None:
            return like.new_ones(edges)
        return mask.sigmoid() if self._apply_sigmoid else mask


class JointMasks:
    """Ports of the relations of one joint layer, and the multiplying of its messages while a pass is watched.

    Attributes:
        ports: by relation.

    Args:
        owner: the relation map that runs the layer.
        module: the layer.
        step: the step that it runs.
    """

    def __init__(self, owner: RelationMap, module: nn.Module, step: JointStep) -> None:
        self.owner, self.module, self.step = owner, module, step
        self.ports = {edge: MaskPort(edge) for edge in step.relations}
        self._turns: dict[nn.Module, int] = {}
        self._edges: Mapping[EdgeKey, Tensor] = {}
        self._nodes: Mapping[str, int] = {}

    def watch(self, stack: ExitStack) -> None:
        """Multiply messages until the stack is closed, if some port has a mask."""
        if any(port.explain for port in self.ports.values()):
            stack.callback(self.owner.register_forward_pre_hook(self._begin).remove)
            for layer in layers_of(self.module).values():
                stack.callback(layer.register_message_forward_hook(self._masked).remove)

    def _begin(self, _: nn.Module, arguments: tuple[Any, ...]) -> None:
        """A pass begins: note its edges, and how many nodes there are."""
        stage, states, graph = arguments[:3]
        self._edges, self._turns = graph.edge_index, {}
        self._nodes = {name: value.size(0) for name, value in states[stage.reads].items()}

    def _masked(self, layer: nn.Module, _: Any, messages: Tensor) -> Tensor:
        dim = layer.node_dim
        assert isinstance(dim, int)
        weights = self._weights(layer, messages, messages.size(dim))
        if weights is None:
            return messages
        size = [1] * messages.dim()
        size[dim] = -1
        return messages * weights.to(messages.dtype).view(size)

    def _weights(self, layer: nn.Module, messages: Tensor, count: int) -> Tensor | None:
        """One number for each message of a call; None where it is not known whose they are."""
        if sends_one_by_one(self.module):
            turn = self._turns.get(layer, 0)
            self._turns[layer] = turn + 1
            edge = self.step.relations[turn % len(self.step.relations)]
            if self._edges[edge].size(1) == count:
                return self.ports[edge].weights(messages, count)
        found = arrange(self.module, self.step, self._edges, self._nodes, count)
        if found is None:
            return None
        result: list[Tensor] = []
        for part in found[0]:
            weights = self.ports[part.edge].weights(messages, self._edges[part.edge].size(1))
            result.append(weights if part.kept is None else weights[part.kept])
        result += [messages.new_ones(item.rows.stop - item.rows.start) for item in found[1]]
        return torch.cat(result)
