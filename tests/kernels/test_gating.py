"""Sums behind gates: values and gradients are those of the messages written out."""

import pytest
import torch

from graphdsl.kernels import extremes
from graphdsl.kernels.gating import gated_sum
from graphdsl.kernels.layouts import Layout


@pytest.mark.parametrize("piece", [1 << 17, 8])
@pytest.mark.parametrize("count", [0, 1, 60])
def test_equals_the_messages_written_out(piece: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extremes, "_PIECE", piece)
    row, column = torch.randint(0, 6, (count,)), torch.randint(0, 5, (count,))
    key, query, value = (
        torch.randn(4, size, dtype=torch.float64).t().requires_grad_() for size in (9, 5, 5)
    )  # not contiguous
    messages = (key[row] + query[column]).sigmoid() * value[column]
    wanted = torch.zeros(9, 4, dtype=torch.float64).index_add(0, row, messages)
    found = gated_sum(Layout.of(row, column, 9, 5), key, query, value)
    torch.testing.assert_close(found, wanted)
    seed = torch.randn_like(wanted)
    pairs = zip(
        *(torch.autograd.grad((made * seed).sum(), (key, query, value)) for made in (found, wanted)), strict=True
    )
    for one, other in pairs:
        torch.testing.assert_close(one, other)


def test_gradients_by_differences() -> None:
    layout = Layout.of(torch.tensor([0, 2, 2, 2]), torch.tensor([1, 1, 0, 1]), 3, 2)
    inputs = [torch.randn(size, 2, dtype=torch.float64, requires_grad=True) for size in (3, 2, 2)]
    assert torch.autograd.gradcheck(lambda *values: gated_sum(layout, *values), inputs)


def test_a_row_with_a_million_edges() -> None:
    row, column = torch.zeros(1_000_000, dtype=torch.long), torch.arange(1_000_000) % 1000
    layout = Layout.of(row, column, 2, 1000)
    key, query, value = (torch.randn(size, 2, dtype=torch.float64, requires_grad=True) for size in (2, 1000, 1000))
    found = gated_sum(layout, key, query, value)
    wanted = 1000 * ((key[0] + query).sigmoid() * value).sum(0)
    torch.testing.assert_close(found[0], wanted)
    for one, other in zip(
        torch.autograd.grad(found[0].sum(), (key, query, value)),
        torch.autograd.grad(wanted.sum(), (key, query, value)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
