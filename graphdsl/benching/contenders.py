"""A model made ready to run in several ways: with the same weights, on the same graph."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

Names = Callable[[str], str]


def same_name(name: str) -> str:
    """The name of a parameter where it bears that of the compiled model."""
    return name


class NothingLearned(Exception):
    """No output depends on a parameter."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to run a model.

    Attributes:
        name: of the backend or baseline.
        module: with its weights.
        inputs: keywords of its forward pass.
        own_name: the name of a parameter in the compiled model; `*` in it is the only name that fits.
        watched: whether its memory can be watched on a CPU, where an operator mode sees every operator.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Any]
    own_name: Names = same_name
    watched: bool = True

    def forward(self) -> dict[str, Tensor]:
        """Predict without gradients; predictions by name."""
        self.module.eval()
        with torch.no_grad():
            return as_dict(self.module(**self.inputs))

    def step(self, probes: Mapping[str, Tensor], training: bool = True) -> None:
        """Forward and backward, from a loss that weighs each output with a number of its own; gradients are left behind.

        Args:
            probes: the weights, of the outputs' shapes.
            training: whether dropout is on.
        """
        self.module.train(training)
        for parameter in self.module.parameters():
            parameter.grad = None
        outputs = as_dict(self.module(**self.inputs))
        loss = sum((outputs[name] * probe).sum() for name, probe in probes.items())
        if not isinstance(loss, Tensor) or not loss.requires_grad:
            raise NothingLearned
        loss.backward()

    def take_gradients(self) -> dict[str, Tensor]:
        """The gradients of the latest step by the compiled model's names; they are gone from the module."""
        found: dict[str, Tensor] = {}
        for name, parameter in self.module.named_parameters():
            if parameter.grad is not None:
                found[self.own_name(name)] = parameter.grad
                parameter.grad = None
        return found

    def on_new_graph(self) -> "Contender":
        """The same on a copy of the graph, which no cache knows."""
        return Contender(self.name, self.module, tree_map(_copied, dict(self.inputs)), self.own_name, self.watched)


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def as_dict(outputs: Any) -> dict[str, Tensor]:
    """What a model gave, by name: of one prediction, several, or a tuple."""
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if isinstance(outputs, tuple | list):
        return {str(place): item for place, item in enumerate(outputs) if isinstance(item, Tensor)}
    return {"": outputs}


def draw_probes(outputs: Mapping[str, Tensor], seed: int = 0) -> dict[str, Tensor]:
    """Random numbers of the outputs' shapes; their products with the outputs add up to a loss of about 1."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (torch.randn(item.shape, generator=generator) / max(item.numel(), 1) ** 0.5).to(item)
        for name, item in outputs.items()
        if item.is_floating_point()
    }


def load_weights(module: nn.Module, own_name: Names, weights: Mapping[str, Tensor]) -> None:
    """Give a module the weights of the compiled model.

    Args:
        module: the module.
        own_name: see `Contender`.
        weights: the compiled model's state dict.

    Raises:
        ValueError: they are not the same parameters.
    """
    taken = {name: find_name(own_name(name), weights) for name in module.state_dict()}
    if left := set(weights) - set(taken.values()):
        raise ValueError(f"nothing takes {', '.join(sorted(left))}")
    module.load_state_dict({name: weights[found] for name, found in taken.items()})


def find_name(name: str, known: Mapping[str, Any]) -> str:
    """A name; with `*` in it, the only known one that fits.

    >>> find_name("heads.*.bias", {"heads.a__y.bias": 1})
    'heads.a__y.bias'
    """
    begin, star, end = name.partition("*")
    if not star:
        return name
    (found,) = (item for item in known if item.startswith(begin) and item.endswith(end))
    return found


def compiled_by_torch(contender: Contender, name: str) -> Contender:
    """The same module behind `torch.compile`."""
    module: Any = torch.compile(copy.deepcopy(contender.module))
    return Contender(name, module, contender.inputs, _without_wrapper(contender.own_name), watched=False)


def _without_wrapper(own_name: Names) -> Names:
    def named(name: str) -> str:
        return own_name(name.removeprefix("_orig_mod."))

    return named


__all__ = [
    "Contender", "Names", "as_dict", "compiled_by_torch", "draw_probes", "find_name", "load_weights", "same_name",
]  # fmt: skip
