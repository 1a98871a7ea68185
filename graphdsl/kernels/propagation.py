"""Sparse matrices that carry features along edges, with a gradient for the features.

A matrix and its transpose are laid out once and kept, so that neither pass sorts edges or gathers a row per edge: one
product costs (edges × width) operations and the memory of its result.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphdsl.kernels.csr import csr_matrix

_WIDE = (torch.float32, torch.float64)
"""Types of numbers in which sparse products are computed; narrower ones are widened for the product."""


@dataclass(frozen=True, slots=True)
class SparseMatrix:
    """A constant matrix [rows, columns] with few entries, and its transpose, both by rows (CSR)."""

    forward: Tensor
    backward: Tensor

    def __matmul__(self, x: Tensor) -> Tensor:
        """The product with `x` [columns, width]: [rows, width], in the type of `x`."""
        product = _Product.apply(x.to(self.forward.dtype), self.forward, self.backward)
        assert isinstance(product, Tensor)
        return product.to(x.dtype)


@dataclass(frozen=True, slots=True)
class EntryList:
    """The same by its entries, added up one by one: slower, but a plain graph of operators, which torch can export.

    Attributes:
        row: [entries] whole numbers.
        column: [entries] whole numbers.
        value: [entries] numbers.
        rows: of the matrix.
        columns: of the matrix.
    """

    row: Tensor
    column: Tensor
    value: Tensor
    rows: int
    columns: int

    def __matmul__(self, x: Tensor) -> Tensor:
        """The product with `x` [columns, width]: [rows, width], in the type of `x`."""
        sent = self.value.unsqueeze(-1) * x.to(self.value.dtype)[self.column]
        return sent.new_zeros(self.rows, x.size(1)).index_add(0, self.row, sent).to(x.dtype)


class _Product(torch.autograd.Function):
    """`matrix @ x`, whose gradient is `transpose @ gradient`: PyTorch's own would lay out the transpose in each pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Tensor, transpose: Tensor) -> Tensor:
        ctx.matrices = matrix, transpose
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, None, None]:
        matrix, transpose = ctx.matrices
        return _Product.apply(gradients[0], transpose, matrix), None, None


def as_wide(dtype: torch.dtype) -> torch.dtype:
    """The type in which products with features of a type are computed.

    >>> as_wide(torch.bfloat16), as_wide(torch.float64)
    (torch.float32, torch.float64)
    """
    return dtype if dtype in _WIDE else torch.float32


def sparse_matrix(row: Tensor, column: Tensor, value: Tensor, shape: tuple[int, int]) -> SparseMatrix | EntryList:
    """A matrix from its entries; those at the same place are added. While torch traces a model, it stays a list.

    Args:
        row: [entries] whole numbers.
        column: [entries] whole numbers.
        value: [entries] float32 or float64.
        shape: rows and columns.
    """
    if torch.compiler.is_compiling():
        return EntryList(row.long(), column.long(), value, *shape)
    key, place = torch.unique(row.long() * max(shape[1], 1) + column.long(), return_inverse=True)
    value = value.new_zeros(key.numel()).index_add_(0, place, value)
    row, column = torch.div(key, max(shape[1], 1), rounding_mode="floor"), key % max(shape[1], 1)
    across = torch.argsort(column, stable=True)
    return SparseMatrix(
        _by_rows(row, column, value, shape), _by_rows(column[across], row[across], value[across], (shape[1], shape[0]))
    )


def _by_rows(row: Tensor, column: Tensor, value: Tensor, shape: tuple[int, int]) -> Tensor:
    pointer = torch.zeros(shape[0] + 1, dtype=torch.long, device=row.device)
    pointer[1:] = torch.bincount(row, minlength=shape[0]).cumsum(0)
    return csr_matrix(pointer, column, value, shape)


def averaging(
    edge_index: Tensor, sources: int, targets: int, dtype: torch.dtype, chosen: Tensor | None = None
) -> SparseMatrix | EntryList:
    """The matrix [targets, sources] that gives each target the mean of its sources, parallel edges counted each.

    A target without an edge gets zeros. With `chosen` [edges], truth values, only those edges count.

    >>> edges = torch.tensor([[0, 1, 1], [0, 0, 2]])
    >>> averaging(edges, 2, 3, torch.float32) @ torch.tensor([[2.0], [4.0]])
    tensor([[3.],
            [0.],
            [4.]])
    """
    source, target = edge_index[0].long(), edge_index[1].long()
    one = torch.ones_like(target) if chosen is None else chosen.long()
    degree = torch.zeros(targets, dtype=torch.long, device=target.device).index_add_(0, target, one)
    share = degree.to(as_wide(dtype)).clamp(min=1).reciprocal()[target]
    return sparse_matrix(target, source, share if chosen is None else share * chosen, (targets, sources))
