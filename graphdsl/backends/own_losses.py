"""Losses that layers have of their own, such as the attention loss of `SuperGATConv`: kept at each pass through them."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from graphdsl.catalog import find


class OwnLoss:
    """Forward hook that keeps the loss a layer has of its own, once for each pass through it; copies are empty.

    Args:
        name: of the layer in specs.
        method: the method that gives the loss behind a forward pass.
    """

    def __init__(self, name: str, method: str) -> None:
        self.name, self.method = name, method
        self.values: list[Tensor] = []

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.name, self.method)

    def __call__(self, module: nn.Module, _inputs: Any, _output: Any) -> None:
        """Keep the loss of this pass."""
        self.values.append(getattr(module, self.method)())


def watch(module: nn.Module, name: str) -> nn.Module:
    """Keep the losses that a layer has of its own, if it has any; the layer itself."""
    entry = find(name)
    if entry is not None and entry.loss:
        module.register_forward_hook(OwnLoss(name, entry.loss))
    return module


def own_losses(root: nn.Module) -> list[OwnLoss]:
    """The hooks of all layers in a module."""
    hooks = [hook for module in root.modules() for hook in module._forward_hooks.values()]
    return [hook for hook in hooks if isinstance(hook, OwnLoss)]


def take_losses(hooks: Sequence[OwnLoss]) -> dict[str, Tensor]:
    """What layers have kept, added up by class; they forget it."""
    found: dict[str, Tensor] = {}
    for hook in hooks:
        for value in hook.values:
            found[hook.name] = found[hook.name] + value.sum() if hook.name in found else value.sum()
        hook.values = []
    return found
