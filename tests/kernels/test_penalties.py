"""Losses of values against PyG's own: same numbers, same gradients, without loops over nodes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.nn import functional as pyg

from graphdsl.kernels.penalties import bro, gini


def both(function, reference, x: torch.Tensor, *further) -> None:
    x = x.clone().requires_grad_()
    mine, theirs = function(x, *further), reference(x, *further)
    torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(value, x)[0] for value in (mine, theirs)))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(1, 7), st.integers(0, 1000), st.booleans())
def test_gini_is_that_of_pyg(rows: int, columns: int, seed: int, tied: bool) -> None:
    torch.manual_seed(seed)
    x = torch.randn(rows, columns)
    both(gini, pyg.gini, x.round().relu() + 0.25 if tied else x)


def test_gini_of_no_rows() -> None:
    assert float(gini(torch.zeros(0, 4))) == 0


@pytest.mark.parametrize("p", [2, 1, "fro"])
@pytest.mark.parametrize("batch", [[0, 0, 0, 1, 1, 2], [0, 0, 2, 2, 2, 5]])
def test_bro_is_that_of_pyg(p: int | str, batch: list[int]) -> None:
    torch.manual_seed(0)
    both(bro, pyg.bro, torch.randn(6, 4), torch.tensor(batch), p)


def test_bro_of_no_nodes() -> None:
    assert float(bro(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))) == 0
