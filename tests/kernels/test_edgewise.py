"""Sums along edges in chunks: those of rows that are all made at once, and their gradients."""

import pytest
import torch

from graphdsl.kernels import edgewise, row_products, sum_differences, sum_products, weighted_sums
from graphdsl.layers import CompGCNConv, HetSANNConv


@pytest.fixture(autouse=True)
def _tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgewise, "_CHUNK", 12)
    torch.manual_seed(0)


def edges(count: int) -> tuple[torch.Tensor, ...]:
    return torch.randint(5, (count,)), torch.randint(3, (count,)), torch.randint(4, (count,))


def values(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("count", [0, 1, 17])
def test_sums_of_pairs(count: int) -> None:
    source, kind, target = edges(count)
    x, y = values(5, 3), values(3, 3)
    for made, rows in (
        (sum_products, x[source] * y[kind]),
        (sum_differences, x[source] - y[kind]),
    ):
        expected = torch.zeros(4, 3, dtype=torch.float64).index_add(0, target, rows)
        torch.testing.assert_close(made(x, y, source, kind, target, 4), expected)
        assert torch.autograd.gradcheck(lambda x, y, f=made: f(x, y, source, kind, target, 4), (x, y))


@pytest.mark.parametrize("count", [0, 1, 17])
def test_weighted_sums_and_products(count: int) -> None:
    source, kind, target = edges(count)
    x, y, weight = values(5, 2, 3), values(3, 2, 3), values(count, 2)
    expected = torch.zeros(4, 2, 3, dtype=torch.float64).index_add(0, target, x[source] * weight.unsqueeze(-1))
    torch.testing.assert_close(weighted_sums(x, weight, source, target, 4), expected)
    torch.testing.assert_close(row_products(x, y, source, kind), (x[source] * y[kind]).sum(-1))
    assert torch.autograd.gradcheck(lambda x, w: weighted_sums(x, w, source, target, 4), (x, weight))
    assert torch.autograd.gradcheck(lambda x, y: row_products(x, y, source, kind), (x, y))


def both_ways(layer: torch.nn.Module, call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer in chunks, all at once, and in chunks with somebody who looks at its messages."""
    found = []
    for small in (1 << 40, 0):
        monkeypatch.setattr(edgewise, "_SMALL", small)
        made = call()
        found.append((made, torch.autograd.grad(made.square().sum(), list(layer.parameters()), allow_unused=True)))
    torch.testing.assert_close(*found)
    seen: list[int] = []
    for module in layer.modules():
        if hasattr(module, "register_message_forward_hook"):
            module.register_message_forward_hook(lambda _, __, out: seen.append(out.size(0)))
    torch.testing.assert_close(call(), found[0][0])
    assert seen


@pytest.mark.parametrize("composition", ["sub", "mult"])
def test_compgcn_in_chunks(composition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conv = CompGCNConv(3, 4, 3, [0, 0, 2], num_layers=2, composition=composition).double()
    source, kind, target = edges(30)
    x, index = torch.randn(5, 3, dtype=torch.float64), torch.stack([source, target])
    both_ways(conv, lambda: conv(x, index, kind), monkeypatch)


@pytest.mark.parametrize("attention", ["voices", "concat"])
def test_hetsann_in_chunks(attention: str, monkeypatch: pytest.MonkeyPatch) -> None:
    relations = [("a", "r", "b"), ("b", "q", "a"), ("a", "s", "a")]
    conv = HetSANNConv({"a": 3, "b": 2}, 4, (["a", "b"], relations), [0, 0, 2], heads=2, attention=attention).double()
    x = {"a": torch.randn(4, 3, dtype=torch.float64), "b": torch.randn(4, 2, dtype=torch.float64)}
    index = {edge: torch.randint(4, (2, 11)) for edge in relations}
    both_ways(conv, lambda: torch.cat([*conv(x, index).values()]), monkeypatch)
