"""Pipes: what follows a stage, as one PyG `Sequential` per node type."""

from typing import Any

from torch import Tensor, nn
from torch_geometric.nn import Sequential

from graphdsl.backends.graph import Values
from graphdsl.backends.modules import build_module, run_module
from graphdsl.backends.naming import module_key
from graphdsl.backends.places import located
from graphdsl.plan import Stage, Width
from graphdsl.text import Span, show_name

Link = tuple[nn.Module, Width, Span]


class Residual(nn.Module):
    """Adds what the stage read."""

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Sum of two tensors of one shape."""
        return x + before


class Chain(Sequential):
    """PyG's `Sequential("x, before", [(module, "x -> x"), …, (Residual(), "x, before -> x")])`.

    The forward pass is written out here: PyG renders one from a template for each instance, keeps it under a random
    number as its name, and so gives two chains made after the same `random.seed` the forward pass of the first.

    Args:
        name: node type that it serves.
        modules: modules in order, each with the columns that it makes and the place in the spec that asked for it.
    """

    def __init__(self, name: str, modules: list[Link]) -> None:
        headed: list[Any] = [(module, _header(module)) for module, _, _ in modules]
        super().__init__("x, before", headed)
        self.name = name
        self.widths = tuple(width for _, width, _ in modules)
        self.places = tuple(span for _, _, span in modules)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Run the modules in order.

        Args:
            x: what the stage made, [num_nodes, width].
            before: what the stage read of the same type.
        """
        for index, span in enumerate(self.places):
            module = self[index]
            with located(f"`{type(module).__name__}` on `{show_name(self.name)}`", span):
                x = module(x, before) if isinstance(module, Residual) else run_module(module, x, self.widths[index])
        return x


def _header(module: nn.Module) -> str:
    return "x, before -> x" if isinstance(module, Residual) else "x -> x"


def build_pipe(stage: Stage) -> nn.ModuleDict:
    """The chains of a stage by type; types that no step of the pipe works on have none."""
    chains = nn.ModuleDict()
    for name in stage.produced:
        modules = _modules(stage, name)
        if modules:
            chains[module_key(name)] = Chain(name, modules)
    return chains


def _modules(stage: Stage, name: str) -> list[Link]:
    found: list[Link] = []
    for item in stage.pipe:
        if item.kind == "residual":
            found.append((Residual(), None, item.span))
        found += [(build_module(step.module), step.width_out, step.rule) for step in item.steps if step.type == name]
    return found


def run_pipe(chains: nn.ModuleDict, made: Values, before: Values) -> Values:
    """Run each type's chain on what the stage made.

    Args:
        chains: from `build_pipe`.
        made: values that the stage made.
        before: values that the stage read.
    """
    result = dict(made)
    for name, value in made.items():
        key = module_key(name)
        if key in chains:
            result[name] = chains[key](value, before.get(name, value))
    return result
