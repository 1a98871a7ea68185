"""What layers do to the messages of one relation when they are summed: then those of several relations stay apart."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from graphdsl.plan import RelationStep


def finish(step: RelationStep, module: nn.Module, message: Tensor) -> Tensor:
    """The message of a layer that stays apart.

    Args:
        step: the step.
        module: its layer.
        message: what its neighbours and the destination give [rows, width].
    """
    layer: Any = module
    return functional.normalize(message, p=2.0, dim=-1) if layer.normalize else message
