"""Products of slices of rows, each with a matrix of its own."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels import plain
from graphdsl.kernels.implementations import Implementation, implementation_of


def grouped_linear(x: Tensor, weight: Tensor, bounds: Sequence[int]) -> Tensor:
    """Rows `bounds[g]` to `bounds[g + 1]` times the transpose of matrix `g`.

    Args:
        x: [rows, width_in].
        weight: [groups, width_out, width_in].
        bounds: where each group begins, [groups + 1], from 0 to `rows`.

    Returns:
        [rows, width_out].

    >>> x, weight = torch.ones(3, 2), torch.tensor([[[1.0, 1.0]], [[2.0, 2.0]]])
    >>> grouped_linear(x, weight, [0, 1, 3]).squeeze(1)
    tensor([2., 4., 4.])
    """
    by = implementation_of(x)
    if by == "torch":
        return plain.grouped_linear(x, weight, bounds)
    made = _GroupedLinear.apply(x, weight, tuple(bounds), by)
    assert isinstance(made, Tensor)
    return made


class _GroupedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bounds: tuple[int, ...], by: Implementation) -> Tensor:
        if torch.is_autocast_enabled(x.device.type):
            kind = torch.get_autocast_dtype(x.device.type)
            x, weight = x.to(kind), weight.to(kind)
        ctx.save_for_backward(x, weight)
        ctx.bounds, ctx.kernels = bounds, _kernels(by, x, bounds)
        if ctx.kernels is not None:
            return ctx.kernels.multiplied(x, weight.transpose(1, 2), bounds)
        made = x.new_empty(x.size(0), weight.size(1))
        for group, (low, high) in enumerate(pairwise(bounds)):
            if high > low:
                torch.mm(x[low:high], weight[group].t(), out=made[low:high])
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        arrived = gradients[0].contiguous()
        if ctx.kernels is not None:
            wanted = ctx.needs_input_grad
            of_x = ctx.kernels.multiplied(arrived, weight, ctx.bounds) if wanted[0] else None
            of_weight = ctx.kernels.multiplied_within(arrived, x, ctx.bounds) if wanted[1] else None
            return of_x, of_weight, None, None
        of_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        of_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for group, (low, high) in enumerate(pairwise(ctx.bounds)):
            if high == low:
                continue
            if of_x is not None:
                torch.mm(arrived[low:high], weight[group], out=of_x[low:high])
            if of_weight is not None:
                torch.mm(arrived[low:high].t(), x[low:high], out=of_weight[group])
        return of_x, of_weight, None, None


def _kernels(by: Implementation, x: Tensor, bounds: tuple[int, ...]) -> Any:
    """The module with kernels for these slices, if one launch for all is worth it."""
    if by != "triton":
        return None
    from graphdsl.kernels.triton import grouped as kernels

    return kernels if kernels.serves(x, bounds) else None
