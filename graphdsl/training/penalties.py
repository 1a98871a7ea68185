"""Penalties in training: what each step adds to the loss, and their means over an epoch."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from graphdsl.plan import Plan
from graphdsl.text import SpecError, report


def penalty_names(plan: Plan) -> tuple[str, ...]:
    """Names of what `metrics.csv` says of a model's penalties: their weighted sum, and each of several without its weight."""
    names = [item.name for item in plan.penalties]
    each = [f"train_{name}_penalty" for name in names] if len(names) > 1 else []
    return (*(["train_penalty"] if names else []), *each)


def read_penalties(model: nn.Module, plan: Plan) -> Tensor:
    """The penalties of a model's latest forward pass, in the plan's order, shape `[penalties]`; connected to its graph."""
    if not plan.penalties:
        return torch.zeros(0)
    found: Mapping[str, Tensor] = model.penalties  # type: ignore[assignment]
    return torch.stack([found[item.name].float() for item in plan.penalties])


class Penalties:
    """Penalties over one pass: mean of the steps.

    Args:
        plan: which there are.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._weights = torch.tensor([item.weight for item in plan.penalties])
        self._sums = torch.zeros(len(plan.penalties), dtype=torch.float64)
        self._steps = 0

    def weigh(self, found: Sequence[Tensor]) -> Tensor:
        """What a step adds to its loss: of several forward passes, the mean.

        Args:
            found: what `read_penalties` gave behind each pass.
        """
        values = torch.stack(list(found)).mean(0)
        return (values * self._weights.to(values)).sum()

    def add(self, values: Tensor, epoch: int) -> None:
        """Remember the penalties of a step, shape `[penalties]`.

        Raises:
            SpecError: GNN620 for one that is no number, in the epoch that counts from 1.
        """
        finite = values.isfinite().tolist()
        for item, fine, value in zip(self._plan.penalties, finite, values.tolist(), strict=True):
            if not fine:
                message = f"the penalty `{item.name}` became {value} in epoch {epoch}"
                helps = ("a smaller learning rate or weight often helps", "the last good checkpoint is kept")
                raise SpecError([report("GNN620", message, item.span, "penalised here", helps=helps)])
        self._sums += values.detach().double().cpu()
        self._steps += 1

    def compute(self) -> dict[str, float]:
        """Means since the last call, by metric name, the weighted sum first."""
        names = penalty_names(self._plan)
        means = (self._sums / max(self._steps, 1)).tolist()
        self._sums, self._steps = torch.zeros_like(self._sums), 0
        if not names:
            return {}
        total = math.fsum(item.weight * mean for item, mean in zip(self._plan.penalties, means, strict=True))
        return {names[0]: total, **dict(zip(names[1:], means, strict=False))}
