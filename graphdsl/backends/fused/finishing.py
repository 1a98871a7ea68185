"""What layers do to the messages of one relation when they are summed: then those of several relations stay apart."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from graphdsl.plan import RelationStep


def finish(step: RelationStep, module: nn.Module, message: Tensor, own: Tensor) -> Tensor:
    """The message of a layer that stays apart.

    Args:
        step: the step.
        module: its layer.
        message: what its neighbours give, and what a linear map makes of the destination [rows, width].
        own: the destination [rows, width].
    """
    layer: Any = module
    if step.module.name == "GINConv":
        return layer.nn(message + (1 + layer.eps) * own)
    return functional.normalize(message, p=2.0, dim=-1) if layer.normalize else message
