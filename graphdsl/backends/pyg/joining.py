"""Joins: several states become one, type by type."""

from functools import reduce

import torch
from torch import Tensor, nn
from torch_geometric.nn.conv.hetero_conv import group

from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.modules import build_module
from graphdsl.backends.naming import module_key
from graphdsl.backends.own_losses import own_losses, take_losses
from graphdsl.backends.places import located
from graphdsl.backends.pyg.pipe import build_pipe, run_pipe
from graphdsl.plan import JoinStage
from graphdsl.text import show_name


class StateJoin(nn.Module):
    """The modules of a join: a `JumpingKnowledge` per type for `jump`, and the pipe.

    Args:
        stage: the stage whose modules these are.
    """

    def __init__(self, stage: JoinStage) -> None:
        super().__init__()
        self.jump = nn.ModuleDict({module_key(step.type): build_module(step.module) for step in stage.modules})
        self.pipe = build_pipe(stage)
        self._own = own_losses(self)

    def forward(self, stage: JoinStage, states: list[Values], graph: Graph, live: bool) -> Values:
        """Values [num_nodes, width] of the joined types.

        Args:
            stage: what to compute.
            states: states so far; types that one of them lacks, because nothing depends on them, are left out.
            graph: not read; all stages are called alike.
            live: not read; what is there is joined.
        """
        take_losses(self._own)
        made: Values = {}
        for name in stage.produced:
            if all(name in states[state] for state in stage.states):
                with located(f"`{stage.kind}` of `{show_name(name)}`", stage.span):
                    made[name] = self._join(stage, name, [states[state][name] for state in stage.states])
        return run_pipe(self.pipe, made, states[stage.reads])

    def penalties(self) -> dict[str, Tensor]:
        """Losses that layers of the pipe have of their own, of the latest forward pass, by class."""
        return take_losses(self._own)

    def _join(self, stage: JoinStage, name: str, values: list[Tensor]) -> Tensor:
        if stage.kind == "same":
            return values[0]
        if stage.kind == "jump":
            return self.jump[module_key(name)](values)
        if stage.kind == "stack":
            return torch.stack(values, dim=1)
        if stage.kind == "mul":
            return reduce(torch.mul, values)
        joined = group(values, "sum" if stage.kind == "add" else stage.kind)
        assert isinstance(joined, torch.Tensor)
        return joined
