"""Losses beside those of the predictions, as a plan has them."""

from dataclasses import dataclass
from typing import Literal

from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.text import Span


@dataclass(frozen=True, slots=True)
class Penalty:
    """A loss that training adds to those of the predictions.

    Attributes:
        name: as the spec calls it, its key in `model.penalties`: `mincut_loss`, `SuperGATConv`, `gini(h1.author)`.
        kind: "output": steps of the `sequential` block give it; "layer": layers have it of their own; "function": it is
            computed from a type's value in a state.
        weight: scales it.
        outputs: of "output": [step, place among what it gives] of each value, which are added up.
        own: of "layer": the class of the layers.
        stages: of "layer": indices of the stages whose layers count; their losses are added up.
        module: of "function": the function and its arguments behind the values, and the graph of each node if it takes that.
        state: of "function": number of the state.
        type: of "function": the node type.
        span: place in the spec.
    """

    name: str
    kind: Literal["output", "layer", "function"]
    weight: float
    outputs: tuple[tuple[int, int], ...]
    own: str
    stages: tuple[int, ...]
    module: ModuleSpec | None
    state: int
    type: str
    span: Span
