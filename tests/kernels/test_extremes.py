"""Extremes along edges: values and gradients are those of torch's scatter, ties and zeros included."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.utils import scatter

from graphdsl.kernels import extremes
from graphdsl.kernels.extremes import gather_max, gather_min, spans
from graphdsl.kernels.layouts import Layout

WAYS: list[tuple[Callable[..., Tensor], str]] = [(gather_max, "max"), (gather_min, "min")]
ROWS, COLUMNS = 9, 7


def edges(count: int, rows: int = ROWS, columns: int = COLUMNS) -> tuple[Tensor, Tensor, Layout]:
    """Random edges; the last two rows have none, the row before one."""
    draw = torch.Generator().manual_seed(count)
    row = torch.randint(0, max(rows - 3, 1), (count,), generator=draw)
    row[: min(count, 1)] = max(rows - 3, 0)
    column = torch.randint(0, columns, (count,), generator=draw)
    return row, column, Layout.of(row, column, rows, columns)


def with_gradients(made: Tensor, *inputs: Tensor) -> list[Tensor]:
    """A result and the gradients of what it was made from."""
    seed = torch.linspace(-1, 2, made.numel(), dtype=made.dtype).view_as(made)
    return [made.detach(), *torch.autograd.grad((made * seed).sum(), inputs)]


@pytest.mark.parametrize(("ours", "name"), WAYS)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("piece", [1 << 17, 8])
def test_equals_scatter(
    ours: Any, name: str, kind: torch.dtype, rounded: bool, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extremes, "_PIECE", piece)
    row, column, layout = edges(40)
    x = torch.randn(4, COLUMNS, dtype=kind, generator=torch.Generator().manual_seed(0)).t()  # not contiguous
    x = (x.round().relu() if rounded else x).requires_grad_()  # Whole numbers are often equal, and often zero.
    wanted = with_gradients(scatter(x[column], row, 0, ROWS, name), x)
    for one, other in zip(with_gradients(ours(layout, x), x), wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5 if kind == torch.float32 else 1e-12, atol=1e-6)


@pytest.mark.parametrize(("ours", "name"), WAYS)
@pytest.mark.parametrize("piece", [1 << 17, 8])
def test_weights_of_edges(ours: Any, name: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extremes, "_PIECE", piece)
    row, column, layout = edges(40)
    x = torch.randn(COLUMNS, 3).double().requires_grad_()
    weight = torch.randn(40).double().requires_grad_()
    wanted = with_gradients(scatter(x[column] * weight.unsqueeze(1), row, 0, ROWS, name), x, weight)
    found = with_gradients(ours(layout, x, weight[layout.order]), x, weight)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("ours", "name"), WAYS)
def test_gradients_by_differences(ours: Any, name: str) -> None:
    _, _, layout = edges(30)
    x = torch.randn(COLUMNS, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: ours(layout, value), (x,))
    weight = torch.rand(30, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *values: ours(layout, *values), (x, weight))


@pytest.mark.parametrize(("ours", "name"), WAYS)
@pytest.mark.parametrize(("count", "width"), [(0, 3), (5, 0), (1, 1)])
def test_nothing_to_read(ours: Any, name: str, count: int, width: int) -> None:
    row, column, layout = edges(count)
    x = torch.randn(COLUMNS, width, requires_grad=True)
    wanted = with_gradients(scatter(x[column], row, 0, ROWS, name), x)
    for one, other in zip(with_gradients(ours(layout, x), x), wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("ours", "name"), WAYS)
def test_a_row_with_a_million_edges(ours: Any, name: str) -> None:
    count = 1_000_000
    row = torch.zeros(count, dtype=torch.long)
    row[7] = 1
    column = torch.arange(count) % 1000
    x = (1 + 1e-6 * torch.randn(1000, 2, dtype=torch.float64)).requires_grad_()
    wanted = with_gradients(scatter(x[column], row, 0, 3, name), x)
    found = with_gradients(ours(Layout.of(row, column, 3, 1000), x), x)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def test_what_is_no_number_stays_so() -> None:
    layout = Layout.of(torch.tensor([0, 0]), torch.tensor([0, 1]), 1, 2)
    assert gather_max(layout, torch.tensor([[torch.nan], [1.0]])).isnan().all()


def test_spans_hold_all_edges_once() -> None:
    _, _, layout = edges(500, rows=40)
    for width in (1 << 10, 1 << 14, 1 << 18):
        seen, degree = 0, torch.zeros(40, dtype=torch.long)
        for rows, part, pointer in spans(layout, width):
            assert part.start == seen
            seen = part.stop
            degree[rows] += pointer.diff()
            assert pointer[-1] == part.stop - part.start
        assert seen == 500
        assert torch.equal(degree, layout.degree)
