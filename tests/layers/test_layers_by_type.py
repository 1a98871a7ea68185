"""What every layer that takes dictionaries must do, whatever it computes."""

import copy
import io
import pickle
from collections.abc import Mapping

import pytest
import torch
from layer_cases import BY_TYPE, EDGES, INVERSE_OF, METADATA, TYPES, apart
from torch import Tensor, nn

ALL = pytest.mark.parametrize("name", BY_TYPE)


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    return BY_TYPE[name](METADATA, INVERSE_OF).double().eval()


def same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert set(found) == set(expected) == {"a", "b"}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


@ALL
def test_dictionaries_stand_in_any_order(name: str) -> None:
    torch.manual_seed(0)
    edges = list(EDGES)
    order = [2, 0, 3, 1]
    place = {old: new for new, old in enumerate(order)}
    originals = [place[INVERSE_OF[old]] for old in order]
    turned = BY_TYPE[name]((list(TYPES)[::-1], [edges[old] for old in order]), originals).double().eval()
    layer, (x, edge_index) = made(name), apart()
    assert list(turned.state_dict()) == list(layer.state_dict())
    assert all(torch.equal(value, layer.state_dict()[key]) for key, value in turned.state_dict().items())
    x_back, edges_back = (dict(reversed(list(item.items()))) for item in (x, edge_index))
    same(turned(x_back, edges_back), layer(x, edge_index))


@ALL
def test_edges_and_nodes_stand_in_any_order(name: str) -> None:
    layer, (x, edge_index) = made(name), apart()
    expected = layer(x, edge_index)
    order = {name: torch.randperm(count) for name, count in TYPES.items()}
    place = {name: item.argsort() for name, item in order.items()}
    moved = {
        edge: torch.stack([place[edge[0]][index[0]], place[edge[2]][index[1]]])[:, torch.randperm(index.size(1))]
        for edge, index in edge_index.items()
    }
    found = layer({name: value[order[name]] for name, value in x.items()}, moved)
    same(found, {name: value[order[name]] for name, value in expected.items()})


@ALL
def test_isolated_nodes_and_types_without_nodes(name: str) -> None:
    layer, (x, edge_index) = made(name), apart()
    none = {edge: index[:, :0] for edge, index in edge_index.items()}
    assert all(value.isfinite().all() for value in layer(x, none).values())
    torch.testing.assert_close(layer(x, edge_index)["a"][-1:], layer(x, none)["a"][-1:])
    empty = layer({name: value[:0] for name, value in x.items()}, none)
    assert {name: tuple(value.shape) for name, value in empty.items()} == {
        name: (0, value.size(1)) for name, value in layer(x, edge_index).items()
    }


@ALL
def test_gradients_agree_with_numeric_ones(name: str) -> None:
    layer, (x, edge_index) = made(name), apart()
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(a: Tensor, b: Tensor, c: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        inputs = ({"a": a, "b": b, "c": c}, edge_index)
        return tuple(torch.func.functional_call(layer, dict(zip(names, values, strict=True)), inputs).values())

    leaves = [value.requires_grad_() for value in x.values()]
    assert torch.autograd.gradcheck(run, (*leaves, *values), fast_mode=True)


@ALL
def test_every_parameter_learns(name: str) -> None:
    layer, inputs = made(name).train(), apart()
    sum(value.square().sum() for value in layer(*inputs).values()).backward()
    assert all(item.grad is not None and item.grad.isfinite().all() for item in layer.parameters())


@ALL
def test_copies_compute_the_same(name: str) -> None:
    layer, inputs = made(name), apart()
    expected = layer(*inputs)
    stream = io.BytesIO()
    torch.save(layer.state_dict(), stream)
    stream.seek(0)
    torch.manual_seed(1)
    loaded = BY_TYPE[name](METADATA, INVERSE_OF).double().eval()
    assert not torch.equal(loaded(*inputs)["a"], expected["a"])
    loaded.load_state_dict(torch.load(stream, weights_only=True))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded):
        same(twin(*inputs), expected)
    layer.reset_parameters()
    assert not torch.equal(layer(*inputs)["a"], expected["a"])


@ALL
def test_half_precision_under_autocast(name: str) -> None:
    layer, inputs = made(name).float(), apart(torch.float)
    expected = layer(*inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(*inputs)
    sum(value.float().square().sum() for value in found.values()).backward()
    for key, value in expected.items():
        torch.testing.assert_close(found[key].float(), value, rtol=0.1, atol=0.1)
    assert made(name)(*apart())["a"].dtype == torch.double
