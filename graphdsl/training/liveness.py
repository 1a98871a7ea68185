"""Parameters that no prediction depends on."""

from torch import nn

from graphdsl.plan import Plan


def freeze_dead_parameters(model: nn.Module, plan: Plan) -> None:
    """x"""
