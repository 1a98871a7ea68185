"""Products of rows along edges and their sums, without a tensor with a row for each edge.

What is made for each edge is used once and thrown away. On a CPU memory for large tensors comes in fresh pages, which
costs more than the arithmetic: so edges are worked through in chunks whose rows stay in memory that is used again, and the
backward pass makes the rows anew. Gradients of gradients are not computed here.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

_CHUNK = 1 << 20
"""Numbers in the rows of a chunk: 4 MB in single precision."""
_SMALL = 1 << 22
"""Fewer numbers than this are made all at once."""


def is_large(x: Tensor, edges: int) -> bool:
    """Whether rows of `x` for so many edges should be made in chunks: on a CPU, outside `torch.compile` and `torch.export`."""
    numbers = edges * (x.numel() // max(x.size(0), 1))
    return x.device.type == "cpu" and numbers > _SMALL and not torch.compiler.is_compiling()


def sum_products(x: Tensor, y: Tensor, source: Tensor, kind: Tensor, target: Tensor, rows: int) -> Tensor:
    """Sums of `x[source] * y[kind]` for each target.

    Args:
        x: [nodes, width].
        y: [kinds, width].
        source: row of `x` of each edge [num_edges].
        kind: row of `y`.
        target: row of the result.
        rows: how many the result has.

    Returns:
        [rows, width].

    >>> x, y, at = torch.ones(2, 3), torch.full((1, 3), 2.0), torch.tensor([0, 1, 1])
    >>> sum_products(x, y, at, at * 0, at, 2)[:, 0]
    tensor([2., 4.])
    """
    made = _SumPairs.apply(x, y, source, kind, target, rows, True)
    assert isinstance(made, Tensor)
    return made


def sum_differences(x: Tensor, y: Tensor, source: Tensor, kind: Tensor, target: Tensor, rows: int) -> Tensor:
    """Sums of `x[source] - y[kind]` for each target; arguments and result as those of `sum_products`."""
    made = _SumPairs.apply(x, y, source, kind, target, rows, False)
    assert isinstance(made, Tensor)
    return made


def weighted_sums(x: Tensor, weight: Tensor, source: Tensor, target: Tensor, rows: int) -> Tensor:
    """Sums of `weight * x[source]` for each target.

    Args:
        x: [nodes, heads, width].
        weight: [num_edges, heads].
        source: row of `x` of each edge [num_edges].
        target: row of the result.
        rows: how many the result has.

    Returns:
        [rows, heads, width].
    """
    made = _WeightedSums.apply(x, weight, source, target, rows)
    assert isinstance(made, Tensor)
    return made


def row_products(x: Tensor, y: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Scalar products of `x[left]` and `y[right]`.

    Args:
        x: [rows, heads, width].
        y: [rows, heads, width].
        left: row of `x` of each edge [num_edges].
        right: row of `y`.

    Returns:
        [num_edges, heads].
    """
    made = _RowProducts.apply(x, y, left, right)
    assert isinstance(made, Tensor)
    return made


def _chunks(edges: int, x: Tensor) -> Iterator[slice]:
    step = max(1, _CHUNK // max(x.numel() // max(x.size(0), 1), 1))
    return (slice(at, at + step) for at in range(0, edges, step))


def _add(out: Tensor, index: Tensor, rows: Tensor) -> None:
    out.scatter_add_(0, index.view(-1, *[1] * (rows.dim() - 1)).expand_as(rows), rows)


class _SumPairs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, source: Tensor, kind: Tensor, target: Tensor, rows: int, product: bool
    ) -> Tensor:
        ctx.save_for_backward(x, y, source, kind, target)
        ctx.product = product
        out = x.new_zeros(rows, x.size(1))
        for part in _chunks(source.numel(), x):
            sent, other = x.index_select(0, source[part]), y.index_select(0, kind[part])
            _add(out, target[part], sent.mul_(other) if product else sent.sub_(other))
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        x, y, source, kind, target = ctx.saved_tensors
        of_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        of_y = torch.zeros_like(y) if ctx.needs_input_grad[1] else None
        for part in _chunks(source.numel(), x):
            arrived = gradients[0].index_select(0, target[part])
            if of_y is not None:
                _add(of_y, kind[part], arrived * x.index_select(0, source[part]) if ctx.product else -arrived)
            if of_x is not None:
                _add(of_x, source[part], arrived.mul_(y.index_select(0, kind[part])) if ctx.product else arrived)
        return of_x, of_y, None, None, None, None, None


class _WeightedSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, source: Tensor, target: Tensor, rows: int) -> Tensor:
        ctx.save_for_backward(x, weight, source, target)
        out = x.new_zeros(rows, *x.shape[1:])
        for part in _chunks(source.numel(), x):
            _add(out, target[part], x.index_select(0, source[part]).mul_(weight[part].unsqueeze(-1)))
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        x, weight, source, target = ctx.saved_tensors
        of_x, of_weight = torch.zeros_like(x), torch.empty_like(weight)
        for part in _chunks(source.numel(), x):
            arrived = gradients[0].index_select(0, target[part])
            of_weight[part] = (arrived * x.index_select(0, source[part])).sum(-1)
            _add(of_x, source[part], arrived.mul_(weight[part].unsqueeze(-1)))
        return of_x, of_weight, None, None, None


class _RowProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, left: Tensor, right: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, left, right)
        out = x.new_empty(left.numel(), x.size(1))
        for part in _chunks(left.numel(), x):
            out[part] = x.index_select(0, left[part]).mul_(y.index_select(0, right[part])).sum(-1)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        x, y, left, right = ctx.saved_tensors
        of_x, of_y = torch.zeros_like(x), torch.zeros_like(y)
        for part in _chunks(left.numel(), x):
            given = gradients[0][part].unsqueeze(-1)
            _add(of_x, left[part], y.index_select(0, right[part]).mul_(given))
            _add(of_y, right[part], x.index_select(0, left[part]).mul_(given))
        return of_x, of_y, None, None
