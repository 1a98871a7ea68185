"""From a module in a plan to an instance of its class."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import torch
from torch import Tensor, nn

from graphdsl.backends.own_losses import watch
from graphdsl.backends.places import located
from graphdsl.catalog import provider_of
from graphdsl.model import Degrees
from graphdsl.plan import ModuleSpec, Width
from graphdsl.text import SpecError, report

_TUPLES: Final = frozenset({"in_channels", "metadata"})
"""Arguments of which PyG tells a pair by its being a tuple; all other sequences are lists there."""


def build_module(spec: ModuleSpec, **arguments: Any) -> nn.Module:
    """Instantiate a module.

    Args:
        spec: class and arguments; modules among the arguments are built too, tuples become the lists that PyG takes.
        **arguments: take the place of those in `spec`, as they are.

    >>> from graphdsl.text import Span
    >>> arguments = {"in_features": 3, "out_features": 2}
    >>> build_module(ModuleSpec("Linear", "torch.nn.Linear", arguments, 2, Span("a.gnn", 1, 1, 1, 7)))
    Linear(in_features=3, out_features=2, bias=True)
    """
    given = {key: _build_value(value, key in _TUPLES) for key, value in spec.arguments.items() if key not in arguments}
    with located(f"`{spec}`", spec.span):
        made = _class_of(spec)
        try:
            return watch(_filled(made(**given, **arguments), spec.name), spec.name)
        except Exception as error:
            if provider_of(spec.name) is None:
                raise
            said = f"{type(error).__name__}: {error}"
            message = f"`{spec.path}`, the class of the plug-in's layer `{spec.name}`, cannot be constructed: {said}"
            raise SpecError([report("GNN113", message, spec.span)]) from error


def _filled(module: Any, name: str) -> nn.Module:
    """A module whose parameters all have values: PyG drops those of `RGATConv.l2`, which begins as memory happens to be."""
    if name == "RGATConv":
        nn.init.constant_(module.l2, 1 / module.out_channels)
    return module


def _class_of(spec: ModuleSpec) -> type[nn.Module]:
    module, _, name = spec.path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        if provider_of(spec.name) is None:
            raise
        message = f"`{spec.path}`, the class of the plug-in's layer `{spec.name}`, cannot be imported: {error}"
        raise SpecError([report("GNN112", message, spec.span)]) from error


def run_module(module: nn.Module, x: Tensor, width: Width) -> Tensor:
    """Run a module on node values [num_nodes, …], also where there are no nodes.

    Batches lack rare types. Norms refuse to average over nothing, so no rows in are no rows out here; parameters still
    get a gradient (of zeros), which distributed training counts on.

    Args:
        module: works on each type by itself.
        x: values, or node numbers.
        width: columns of the result, if they are known.
    """
    if not isinstance(width, int) or _has_rows(x):
        return module(x)
    touched = sum((parameter.sum() for parameter in module.parameters()), x.sum())
    return torch.zeros(0, width, dtype=touched.dtype, device=x.device) + touched


def _has_rows(x: Tensor) -> bool:
    """Whether there are rows; while torch traces a model whose rows only values tell, there are."""
    if not torch.compiler.is_compiling():
        return x.size(0) > 0
    from torch.fx.experimental.symbolic_shapes import guard_or_true

    return guard_or_true(x.size(0) > 0)


def _build_value(value: Any, keep: bool) -> Any:
    if isinstance(value, ModuleSpec):
        return build_module(value)
    if isinstance(value, Degrees):
        return torch.tensor(value.histogram)
    if isinstance(value, Mapping):
        return {key: _build_value(item, keep) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [_build_value(item, keep) for item in value]
        return tuple(items) if keep else items
    return value
