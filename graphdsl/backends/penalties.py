"""Losses beside those of the predictions: kept from one forward pass, connected to its graph."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from graphdsl.backends.graph import Values
from graphdsl.backends.places import located
from graphdsl.backends.readouts import Grouping
from graphdsl.catalog import find
from graphdsl.plan import ModuleSpec, Penalty

Given = Mapping[str, Tensor]
"""What `penalties()` of a stage's module gives behind its forward pass: scalars by name, such as the class of the layer
whose loss it is. Any module that a backend builds for a stage may have such a method."""


class Kept:
    """Losses of the latest forward pass. A copy is empty: what is connected to a graph cannot be copied."""

    def __init__(self) -> None:
        self.values: dict[str, Tensor] = {}

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()


def function_of(spec: ModuleSpec) -> Callable[..., Any]:
    """A function of the catalogue with its arguments."""
    module, _, name = spec.path.rpartition(".")
    function = getattr(import_module(module), name)
    return partial(function, **spec.arguments) if spec.arguments else function


def compute(
    penalties: Sequence[Penalty], states: Sequence[Values], given: Sequence[Given], grouping: Grouping
) -> dict[str, Tensor]:
    """Penalties of a forward pass by name, without their weights.

    Args:
        penalties: those of the plan.
        states: all states.
        given: what the module of each stage gave by itself.
        grouping: the graph of each node.
    """
    found: dict[str, Tensor] = {}
    for item in penalties:
        with located(f"penalty `{item.name}`", item.span):
            if item.module is not None:
                found[item.name] = _of_values(item, item.module, states[item.state][item.type], grouping)
            else:
                values = [given[stage][item.own] for stage in item.stages if item.own in given[stage]]
                found[item.name] = torch.stack(values).sum()
    return found


def _of_values(item: Penalty, spec: ModuleSpec, x: Tensor, grouping: Grouping) -> Tensor:
    entry = find(spec.name)
    grouped = entry is not None and any(slot.kinds == ("batch",) for slot in entry.takes)
    if not grouped:
        return function_of(spec)(x)
    batch = grouping.batch.get(item.type)
    return function_of(spec)(x, torch.zeros(x.size(0), dtype=torch.long, device=x.device) if batch is None else batch)
