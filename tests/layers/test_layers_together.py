"""What every layer over all types together must do, whatever it computes."""

import copy
import io
import pickle

import pytest
import torch
from layer_cases import NODES, TYPED, together
from torch import nn

ALL = pytest.mark.parametrize("name", TYPED)


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    return TYPED[name].make().double().eval()


@ALL
def test_edges_stand_in_any_order(name: str) -> None:
    layer, (x, edge_index, edge_type) = made(name), together()
    order = torch.randperm(edge_type.numel())
    torch.testing.assert_close(layer(x, edge_index[:, order], edge_type[order]), layer(x, edge_index, edge_type))


@ALL
def test_nodes_stand_in_any_order(name: str) -> None:
    layer, (x, edge_index, edge_type) = made(name), together()
    order = torch.randperm(NODES)
    moved = layer(x[order], order.argsort()[edge_index], edge_type)
    torch.testing.assert_close(moved, layer(x, edge_index, edge_type)[order])


@ALL
def test_an_isolated_node_knows_only_itself(name: str) -> None:
    layer, (x, edge_index, edge_type) = made(name), together()
    alone = layer(x[-1:], edge_index[:, :0], edge_type[:0])
    torch.testing.assert_close(layer(x, edge_index, edge_type)[-1:], alone)
    assert torch.isfinite(alone).all()


@ALL
def test_no_edges_and_no_nodes(name: str) -> None:
    layer, (x, edge_index, edge_type) = made(name), together()
    width = layer(x, edge_index, edge_type).size(1)
    assert layer(x[:0], edge_index[:, :0], edge_type[:0]).shape == (0, width)


@ALL
def test_gradients_agree_with_numeric_ones(name: str) -> None:
    if not TYPED[name].smooth:
        pytest.skip("some values are detached")
    layer, (x, edge_index, edge_type) = made(name), together()
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x, edge_index, edge_type))

    assert torch.autograd.gradcheck(run, (x.requires_grad_(), *values), fast_mode=True)


@ALL
def test_every_parameter_learns(name: str) -> None:
    layer, inputs = made(name).train(), together()
    layer(*inputs).square().sum().backward()
    assert all(item.grad is not None and item.grad.isfinite().all() for item in layer.parameters())


@ALL
def test_copies_compute_the_same(name: str) -> None:
    layer, inputs = made(name), together()
    expected = layer(*inputs)
    stream = io.BytesIO()
    torch.save(layer.state_dict(), stream)
    stream.seek(0)
    torch.manual_seed(1)
    loaded = TYPED[name].make().double().eval()
    assert not torch.equal(loaded(*inputs), expected)
    loaded.load_state_dict(torch.load(stream, weights_only=True))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded):
        assert torch.equal(twin(*inputs), expected)


@ALL
def test_reset_draws_anew(name: str) -> None:
    layer, inputs = made(name), together()
    before = layer(*inputs)
    layer.reset_parameters()
    assert not torch.equal(layer(*inputs), before)
    torch.manual_seed(3)
    layer.reset_parameters()
    first = {key: value.clone() for key, value in layer.state_dict().items()}
    torch.manual_seed(3)
    layer.reset_parameters()
    assert all(torch.equal(value, first[key]) for key, value in layer.state_dict().items())


@ALL
def test_half_precision_under_autocast(name: str) -> None:
    layer, inputs = made(name).float(), together(torch.float)
    expected = layer(*inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(*inputs)
    found.float().square().sum().backward()
    torch.testing.assert_close(found.float(), expected, rtol=0.1, atol=0.1)
    assert made(name)(*together()).dtype == torch.double
