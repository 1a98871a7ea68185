"""Whole numbers that a step of a block reads, against how many it was told that there are."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from graphdsl.catalog import find
from graphdsl.plan import SequenceStep
from graphdsl.text import SpecError, report


def check_numbers(step: SequenceStep, given: Sequence[Any]) -> None:
    """A number that nothing is kept for is the data's mistake; `RGCNConv` would leave such edges out in silence.

    Args:
        step: the step.
        given: its inputs, in order.

    Raises:
        SpecError: GNN542.
    """
    if torch.compiler.is_compiling():
        return
    for place, argument, count in _limits(step):
        numbers, name = given[place], step.inputs[place]
        if numbers.is_floating_point() or not numbers.numel():
            continue
        low, high = int(numbers.min()), int(numbers.max())
        if low >= 0 and high < count:
            continue
        layer = step.module.name
        kept = (
            f"there are vectors for 0 to {count - 1}" if layer == "Embedding" else f"`{layer}` knows 0 to {count - 1}"
        )
        way = f"{argument} = {high + 1}" if layer != "Embedding" else f"{high + 1}"
        helps = (f"write `{layer}({way}, …)`",) if low >= 0 else ("count from 0",)
        message = f"`{name}` holds numbers from {low} to {high}, and {kept}"
        raise SpecError([report("GNN542", message, step.rule, "looked up here", helps=helps)])


def _limits(step: SequenceStep) -> Iterator[tuple[int, str, int]]:
    """Place among the inputs, argument and value of each limit."""
    entry = find(step.module.name) if step.call == "module" else None
    if entry is None:
        return
    for place, (slot, _) in enumerate(zip((entry.as_step or entry).takes, step.inputs, strict=False)):
        if slot.limit:
            yield place, slot.limit, step.module.arguments[slot.limit]
