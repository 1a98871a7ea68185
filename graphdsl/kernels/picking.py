"""Numbers picked from a table, none of them twice."""

from typing import Any

import torch
from torch import Tensor


def pick(table: Tensor, place: Tensor) -> Tensor:
    """Some numbers of a table, each at most once, so that its gradient is written where it belongs and nothing is added up.

    Args:
        table: [size].
        place: of each that is picked [count], all different.

    Returns:
        [count].

    >>> pick(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2, 0]))
    tensor([3., 1.])
    """
    made = _Pick.apply(table, place)
    assert isinstance(made, Tensor)
    return made


class _Pick(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, place: Tensor) -> Tensor:
        ctx.place, ctx.size = place, table.size(0)
        return table.index_select(0, place)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:  # type: ignore[override]
        arrived = gradients[0]
        whole = ctx.size == arrived.size(0)
        made = arrived.new_empty(ctx.size) if whole else arrived.new_zeros(ctx.size)
        return made.scatter_(0, ctx.place.long(), arrived), None
