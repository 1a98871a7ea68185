"""Attention in pieces: gradients by finite differences, dropout that is the same in both passes, edges in many pieces."""

from typing import Any

import pytest
import torch
from torch import Tensor

from graphdsl.kernels import attending, dynamic_attention, use_implementation
from graphdsl.kernels.attending import additive_attention
from graphdsl.kernels.dynamic_attention import Scoring
from graphdsl.kernels.dynamic_attention import dynamic_attention as attend
from graphdsl.kernels.layouts import Layout

HEADS, WIDTH = 2, 3
BOUNDS = (0, 3, 3, 6)
"""Rows of three relations, one of them without any."""


def edges() -> Layout:
    """Six rows: none, one, several and many edges, parallel ones among them."""
    row = torch.tensor([1, 2, 2, 2, 3, 4, 4, 5, 5, 5, 5, 5])
    column = torch.tensor([0, 1, 1, 3, 2, 2, 0, 3, 3, 1, 0, 2])
    return Layout.of(row, column, 6, 4)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def seeded(call: Any) -> Any:
    """The same with the same dropout each time, as finite differences ask for."""

    def run(*given: Tensor) -> Tensor:
        torch.manual_seed(5)
        return call(*given)

    return run


@pytest.fixture(params=[1, 1 << 19])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Edges in one piece, and in as many as there are rows."""
    monkeypatch.setattr(attending, "_PIECE", request.param)
    monkeypatch.setattr(dynamic_attention, "_PIECE", request.param)
    torch.manual_seed(0)
    return edges()


@pytest.mark.parametrize("dropout", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("with_edges", [False, True])
def test_gradients_of_dynamic_attention(layout: Layout, dropout: float, with_edges: bool) -> None:
    given = [drawn(4, HEADS * WIDTH), drawn(6, HEADS * WIDTH), drawn(3, HEADS * WIDTH)]
    given += [drawn(12, HEADS * WIDTH)] * with_edges
    scoring = Scoring(HEADS, 0.2, dropout, BOUNDS)
    run = seeded(
        lambda x, query, vector, added=None: attend(
            layout, x, query, vector, scoring, None if added is None else (added, layout.order)
        )
    )
    assert torch.autograd.gradcheck(run, given)


@pytest.mark.parametrize("dropout", [0.0, 0.5, 1.0])
def test_gradients_of_additive_attention(layout: Layout, dropout: float) -> None:
    run = seeded(lambda x, of_row, of_column: additive_attention(layout, x, of_row, of_column, 0.2, dropout))
    assert torch.autograd.gradcheck(run, [drawn(4, WIDTH), drawn(6), drawn(4)])


def test_dynamic_attention_is_that_of_its_formula(layout: Layout) -> None:
    x, query, vector = drawn(4, 6), drawn(6, 6), drawn(3, 6)
    made = attend(layout, x, query, vector, Scoring(HEADS, 0.2, 0.0, BOUNDS))
    for row in range(6):
        inside = slice(*layout.pointer[row : row + 2].tolist())
        own = x[layout.column[inside]].view(-1, HEADS, WIDTH)
        met = torch.nn.functional.leaky_relu(own + query[row].view(HEADS, WIDTH), 0.2)
        share = (met * vector[2 * (row >= 3)].view(HEADS, WIDTH)).sum(2).softmax(0)
        torch.testing.assert_close(made[row], (own * share.unsqueeze(2)).sum(0).flatten())


def test_a_row_of_a_million_edges() -> None:
    count = 1_000_000
    layout = Layout.of(torch.zeros(count, dtype=torch.long), torch.arange(count) % 7, 2, 7)
    x = torch.arange(7.0, dtype=torch.float64).unsqueeze(1).requires_grad_()
    made = attend(layout, x, x.new_zeros(2, 1), x.new_zeros(1, 1), Scoring(1, 0.2, 0.0, (0, 2)))
    torch.testing.assert_close(made, x.new_tensor([[3.0], [0.0]]), rtol=1e-5, atol=1e-5)
    made.sum().backward()
    torch.testing.assert_close(x.grad, x.new_full((7, 1), 1 / 7), rtol=1e-5, atol=1e-5)


def test_rows_that_are_not_contiguous() -> None:
    layout = edges()
    x, query, vector = torch.randn(6, 4).t(), torch.randn(6, 6).t(), torch.randn(6, 3).t()
    scoring = Scoring(HEADS, 0.2, 0.0, BOUNDS)
    expected = attend(layout, x.contiguous(), query.contiguous(), vector.contiguous(), scoring)
    torch.testing.assert_close(attend(layout, x, query, vector, scoring), expected)


def test_no_edges() -> None:
    nothing = torch.zeros(0, dtype=torch.long)
    layout = Layout.of(nothing, nothing, 3, 2)
    x = torch.ones(2, 6, requires_grad=True)
    made = attend(layout, x, torch.ones(3, 6), torch.ones(1, 6), Scoring(HEADS, 0.2, 0.5, (0, 3)))
    made.sum().backward()
    assert torch.equal(made, torch.zeros(3, 6))
    assert torch.equal(x.grad, torch.zeros(2, 6))


def test_plain_torch_computes_the_same() -> None:
    torch.manual_seed(0)
    layout = edges()
    given = [drawn(4, 6), drawn(6, 6), drawn(3, 6), drawn(12, 6)]
    scoring = Scoring(HEADS, 0.2, 0.0, BOUNDS)
    made, gradients = [], []
    for name in ("cpu", "torch"):
        with use_implementation(name):
            made.append(attend(layout, *given[:3], scoring, (given[3], layout.order)))
            gradients.append(torch.autograd.grad(made[-1].square().sum(), given))
    torch.testing.assert_close(made[0], made[1])
    torch.testing.assert_close(gradients[0], gradients[1])
