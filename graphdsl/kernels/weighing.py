"""Weighted sums over the entries of a fixed sparse pattern, with gradients for weights and summed rows.

As message passing this would gather a row of features for each entry and head. Here a sparse product serves each head,
and the gradient of the weights is computed at the entries only, so that no more than the weights is as large as the
number of entries.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels.csr import csr_matrix
from graphdsl.kernels.propagation import as_wide


@dataclass(frozen=True, slots=True)
class SparsePattern:
    """Where a matrix [rows, columns] has entries; several at one place are added.

    Attributes:
        shape: rows and columns.
        place: number of the place of each entry [entries].
        pointer: where each row's places begin [rows + 1].
        column: of each place [places], sorted within each row.
        turned: the places in the order of columns [places].
        turned_pointer: where each column's places begin, in that order.
        turned_row: their rows, in that order.
    """

    shape: tuple[int, int]
    place: Tensor
    pointer: Tensor
    column: Tensor
    turned: Tensor
    turned_pointer: Tensor
    turned_row: Tensor

    def sums(self, weight: Tensor, x: Tensor) -> Tensor:
        """Weighted sums.

        Args:
            weight: of each entry [entries, heads].
            x: rows [columns, width].

        Returns:
            [rows, heads, width].
        """
        dtype = as_wide(x.dtype)
        merged = weight.new_zeros(self.column.numel(), weight.size(1), dtype=dtype)
        merged = merged.index_add(0, self.place, weight.to(dtype))
        made = [_Sums.apply(column.contiguous(), x.to(dtype), self) for column in merged.unbind(1)]
        return torch.stack([item for item in made if isinstance(item, Tensor)], dim=1).to(x.dtype)

    def matrix(self, value: Tensor) -> Tensor:
        """The matrix with a value at each place, by rows."""
        return csr_matrix(self.pointer, self.column, value, self.shape)

    def transpose(self, value: Tensor) -> Tensor:
        """Its transpose, by rows."""
        return csr_matrix(self.turned_pointer, self.turned_row, value[self.turned], self.shape[::-1])


@dataclass(frozen=True, slots=True)
class ListedPattern:
    """The same by its entries: slower, but a plain graph of operators, which torch can export.

    Attributes:
        row: [entries] whole numbers.
        column: [entries] whole numbers.
        rows: of the matrix.
    """

    row: Tensor
    column: Tensor
    rows: int

    def sums(self, weight: Tensor, x: Tensor) -> Tensor:
        """Weighted sums [rows, heads, width], see `SparsePattern`."""
        dtype = as_wide(x.dtype)
        sent = weight.to(dtype).unsqueeze(-1) * x.to(dtype)[self.column].unsqueeze(1)
        return sent.new_zeros(self.rows, weight.size(1), x.size(1)).index_add(0, self.row, sent).to(x.dtype)


class _Sums(torch.autograd.Function):
    """`pattern.matrix(value) @ x`."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, x: Tensor, pattern: SparsePattern) -> Tensor:
        ctx.save_for_backward(value, x)
        ctx.pattern = pattern
        return pattern.matrix(value) @ x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # type: ignore[override]
        value, x = ctx.saved_tensors
        pattern: SparsePattern = ctx.pattern
        gradient = gradients[0].contiguous()
        for_value = for_x = None
        if ctx.needs_input_grad[0]:
            nothing = pattern.matrix(torch.zeros_like(value))
            for_value = torch.sparse.sampled_addmm(nothing, gradient, x.t(), beta=0.0).values()
        if ctx.needs_input_grad[1]:
            for_x = pattern.transpose(value) @ gradient
        return for_value, for_x, None


def sparse_pattern(row: Tensor, column: Tensor, shape: tuple[int, int]) -> SparsePattern | ListedPattern:
    """The pattern of some entries; while torch traces a model, they stay a list.

    >>> pattern = sparse_pattern(torch.tensor([0, 0, 2]), torch.tensor([1, 1, 0]), (3, 2))
    >>> pattern.sums(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[1.0], [10.0]])).squeeze()
    tensor([30.,  0.,  3.])
    """
    if torch.compiler.is_compiling():
        return ListedPattern(row, column, shape[0])
    width = max(shape[1], 1)
    key, place = torch.unique(row.long() * width + column.long(), return_inverse=True)
    row, column = torch.div(key, width, rounding_mode="floor"), key % width
    turned = torch.argsort(column, stable=True)
    return SparsePattern(shape, place, _pointer(row, shape[0]), column, turned, _pointer(column, shape[1]), row[turned])


def _pointer(number: Tensor, size: int) -> Tensor:
    ends = torch.bincount(number, minlength=size).cumsum(0)
    return torch.cat([ends.new_zeros(1), ends])
