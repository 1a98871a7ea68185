"""Sums along edges whose columns pass a gate that reads both ends: residual gated graph networks.

Gates are as wide as the rows, so they are made for as many edges at once as stay in the cache of a core, and made again for
the gradients; nothing of the size of the edges times the width is kept.
"""

from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels.extremes import spans
from graphdsl.kernels.gathering import sum_slices
from graphdsl.kernels.layouts import Layout


def gated_sum(layout: Layout, key: Tensor, query: Tensor, value: Tensor) -> Tensor:
    """Sums of `sigmoid(key of the destination + query of the source) * value of the source`.

    Args:
        layout: the edges.
        key: [rows, width].
        query: [columns, width].
        value: [columns, width].

    Returns:
        [rows, width]; rows without an edge are zero.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> gated_sum(layout, torch.zeros(2, 1), torch.zeros(2, 1), torch.tensor([[2.0], [4.0]]))
    tensor([[0.],
            [3.]])
    """
    made = _GatedSum.apply(key, query, value, layout)
    assert isinstance(made, Tensor)
    return made


class _GatedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, key: Tensor, query: Tensor, value: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        ctx.save_for_backward(key, query, value)
        made = torch.zeros_like(key)
        for rows, edges, pointer in spans(layout, key.size(1)):
            row, column = layout.row[edges], layout.column[edges]
            gate = key.index_select(0, row).add_(query.index_select(0, column)).sigmoid_()
            made[rows] += sum_slices(gate.mul_(value.index_select(0, column)), pointer)
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        key, query, value = ctx.saved_tensors
        layout: Layout = ctx.layout
        back, arrived = layout.back, gradients[0]
        of_key, of_query, of_value = torch.zeros_like(key), torch.zeros_like(query), torch.zeros_like(value)
        for rows, edges, pointer in spans(layout, key.size(1)):
            row, column = layout.row[edges], layout.column[edges]
            gate = key.index_select(0, row).add_(query.index_select(0, column)).sigmoid_()
            # The gradient of a row is one for all its edges: it comes behind the sum.
            of_key[rows] += sum_slices(gate.sub_(gate.square()).mul_(value.index_select(0, column)), pointer)
        of_key.mul_(arrived)
        for columns, edges, pointer in spans(back, key.size(1)):
            row, column = back.column[edges], back.row[edges]
            gate = key.index_select(0, row).add_(query.index_select(0, column)).sigmoid_()
            passed = arrived.index_select(0, row).mul_(gate)
            of_value[columns] += sum_slices(passed, pointer)
            of_query[columns] += sum_slices(passed.sub_(passed * gate), pointer)
        return of_key, of_query.mul_(value), of_value, None
