"""Sparse matrices by rows."""

import warnings
from functools import cache

import torch
from torch import Tensor


def csr_matrix(pointer: Tensor, column: Tensor, value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A sparse matrix of torch, whose parts are not checked again.

    Args:
        pointer: where each row's entries begin [rows + 1].
        column: of each entry.
        value: of each entry.
        shape: rows and columns.

    >>> csr_matrix(torch.tensor([0, 1, 1]), torch.tensor([1]), torch.tensor([2.0]), (2, 2)).to_dense()
    tensor([[0., 2.],
            [0., 0.]])
    """
    _hear_once()
    with torch.sparse.check_sparse_tensor_invariants(False):
        return torch.sparse_csr_tensor(pointer, column, value, shape)


@cache
def _hear_once() -> None:
    """Torch says once a process that such matrices are new; catching that at each product would cost more than small ones."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse", UserWarning)
        torch.sparse_csr_tensor([0, 0], [], [], (1, 1))
