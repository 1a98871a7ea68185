"""Node maps: each type through a module of its own."""

import torch
from torch import Tensor, nn

from graphdsl.backends.encoders import encode
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.modules import build_module, run_module
from graphdsl.backends.naming import module_key
from graphdsl.backends.own_losses import own_losses, take_losses
from graphdsl.backends.places import located
from graphdsl.backends.pyg.pipe import build_pipe, run_pipe
from graphdsl.backends.spreading import run_masked
from graphdsl.plan import NodeStage, NodeStep
from graphdsl.text import show_name


class NodeMap(nn.Module):
    """The modules of a `nodes { … }` stage, by type.

    Args:
        stage: the stage whose modules these are.
    """

    def __init__(self, stage: NodeStage) -> None:
        super().__init__()
        self.nodes = nn.ModuleDict({module_key(step.type): build_module(step.module) for step in stage.steps})
        self.pipe = build_pipe(stage)
        self._own = own_losses(self)

    def forward(self, stage: NodeStage, states: list[Values], graph: Graph, live: bool) -> Values:
        """Values [num_nodes, width] of the types that the stage makes.

        Args:
            stage: what to compute.
            states: states so far.
            graph: holds labels, where a layer reads some.
            live: leave out what no prediction depends on.
        """
        read = states[stage.reads]
        take_losses(self._own)
        made: Values = {}
        for step in stage.steps:
            if step.live or not live:
                with located(f"`{step.module.name}` on `{show_name(step.type)}`", step.rule):
                    module = self.nodes[module_key(step.type)]
                    if step.labels is not None:
                        made[step.type] = run_masked(module, step, step.labels, read[step.type], graph)
                    elif step.inputs:
                        made[step.type] = _encoded(module, step, read, graph)
                    else:
                        made[step.type] = run_module(module, read[step.type], step.width_out)
        return run_pipe(self.pipe, made, read)

    def penalties(self) -> dict[str, Tensor]:
        """Losses that layers have of their own, of the latest forward pass: by class, those of all types added up."""
        return take_losses(self._own)


def _encoded(module: nn.Module, step: NodeStep, read: Values, graph: Graph) -> Tensor:
    """What a module makes of attributes of a type, and of its value."""
    own = read.get(step.type)
    rows = own.size(0) if own is not None and step.reads_value else None
    like = own if own is not None else next(iter(read.values()), torch.empty(0))
    like = like if like.is_floating_point() else torch.empty(0, device=like.device)
    values = [
        read[step.type] if item.source == "state" else graph.attribute(item, step.type, rows, step.rule, like)
        for item in step.inputs
    ]
    return encode(module, step.module, values, step.rule)
