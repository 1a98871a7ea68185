"""GTNConv against products of dense matrices with a normalisation after each, and as a layer of a spec."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import graphdsl
from graphdsl.layers import GTNConv
from graphdsl.plan import receptive_hops

TYPES = ["author", "paper", "venue"]
COUNTS = {"author": 5, "paper": 6, "venue": 2}
RELATIONS = [
    ("author", "writes", "paper"),
    ("paper", "cites", "paper"),
    ("paper", "in", "venue"),
    ("venue", "of", "paper"),
]
Edges = dict[tuple[str, str, str], Tensor]


def graph(edges: int = 9) -> tuple[dict[str, Tensor], Edges]:
    """A random multigraph; the last node of every type has no edge."""
    torch.manual_seed(3)
    x = {name: torch.randn(count, 3, dtype=torch.float64) for name, count in COUNTS.items()}
    index = {
        key: torch.stack([torch.randint(COUNTS[end] - 1, (edges,)) for end in (key[0], key[2])]) for key in RELATIONS
    }
    return x, index


def layer(channels: int = 2, layers: int = 2, *, bias: bool = True) -> GTNConv:
    """A layer whose choices and bias say something."""
    conv = GTNConv(3, 4, (TYPES, RELATIONS), channels, layers, bias).double()
    for parameter in (conv.choice, *([conv.bias] if conv.bias is not None else [])):
        nn.init.normal_(parameter)
    return conv


def by_definition(conv: GTNConv, x: Mapping[str, Tensor], edges: Edges) -> dict[str, Tensor]:
    """Equations (3) to (6) of the paper: every product is made, and divided by its row sums before the next."""
    number = {(name, i): place for place, (name, i) in enumerate((n, i) for n in TYPES for i in range(COUNTS[n]))}
    n = len(number)
    adjacency = torch.zeros(len(RELATIONS) + 1, n, n, dtype=torch.float64)
    for r, key in enumerate(RELATIONS):
        for source, target in edges[key].t().tolist():
            adjacency[r, number[key[2], target], number[key[0], source]] += 1
    adjacency[-1] = torch.eye(n)
    features = torch.cat([x[name] for name in TYPES]) @ conv.weight
    channels = []
    for c in range(conv.num_channels):
        chosen = [(conv.choice[k, c].softmax(0).view(-1, 1, 1) * adjacency).sum(0) for k in range(conv.num_layers + 1)]
        product = chosen[0]
        for one in chosen[1:]:
            product = product @ one
            product = product / product.sum(1, keepdim=True)
        looped = product + torch.eye(n)
        out = looped / looped.sum(1, keepdim=True) @ features
        channels.append(out if conv.bias is None else out + conv.bias)
    parts = torch.cat(channels, dim=1).split([*COUNTS.values()])
    return dict(zip(TYPES, parts, strict=True))


@pytest.mark.parametrize(("channels", "layers", "bias"), [(3, 2, True), (1, 1, False), (2, 4, True)])
def test_equals_normalised_products_of_soft_adjacency_matrices(channels: int, layers: int, bias: bool) -> None:
    x, edges = graph()
    conv = layer(channels, layers, bias=bias)
    read = [x[name].requires_grad_() for name in TYPES]
    made, known = conv(x, edges), by_definition(conv, x, edges)
    weights = {name: torch.randn_like(rows) for name, rows in known.items()}
    gradients = [
        torch.autograd.grad(sum((side[name] * weights[name]).sum() for name in TYPES), [*read, *conv.parameters()])
        for side in (made, known)
    ]
    for name in TYPES:
        torch.testing.assert_close(made[name], known[name])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_are_those_of_differences() -> None:
    x, edges = graph()
    conv = layer()
    features = [x[name].requires_grad_() for name in TYPES]

    def total(*values: Tensor) -> Tensor:
        return torch.cat([*conv(dict(zip(TYPES, values[:3], strict=True)), edges).values()])

    assert torch.autograd.gradcheck(total, (*features, *conv.parameters()))


def test_without_edges_each_node_is_its_own_metapath_graph() -> None:
    x, edges = graph()
    conv = layer()
    none = {key: index[:, :0] for key, index in edges.items()}
    torch.testing.assert_close(conv(x, none)["paper"], (x["paper"] @ conv.weight + conv.bias).repeat(1, 2))
    empty = conv({name: value[:0] for name, value in x.items()}, none)
    assert empty["venue"].shape == (0, 8)


def test_numbers_of_paths_do_not_overflow() -> None:
    """3 000 paths a hop, 16 hops: 10^55 of them, more than float32 can say."""
    edges = {("a", "r", "a"): torch.tensor([[0, 1], [1, 0]]).repeat(1, 3000)}
    conv = GTNConv(1, 1, (["a"], [*edges]), 1, 15, bias=False)
    made = conv({"a": torch.tensor([[1.0], [3.0]])}, edges)["a"]
    assert torch.isfinite(made).all()
    made.sum().backward()
    assert conv.choice.grad is not None
    assert torch.isfinite(conv.choice.grad).all()


def test_sums_of_narrow_features_are_wide() -> None:
    edges = {("a", "r", "a"): torch.tensor([[0], [1]]).repeat(1, 70_000)}  # more than float16 can say
    conv = GTNConv(1, 1, (["a"], [*edges]), bias=False).half()
    made = conv({"a": torch.ones(2, 1, dtype=torch.float16)}, edges)["a"]
    assert made.dtype == torch.float16
    torch.testing.assert_close(made, conv.weight.expand(2, 1).repeat(1, 2), rtol=1e-2, atol=1e-2)


SPEC = """
schema s {
  node a { x: float[3], y: class[2] }
  node b { x: float[3] }
  edge a -[r]-> b reverse q
}
model m on s {
  edges { *: GTNConv(4, num_layers = 2) } | relu
  predict a.y
}
"""


def test_in_a_spec() -> None:
    spec = graphdsl.loads(SPEC)
    model = spec.compile("m")
    x = {"a": torch.randn(4, 3), "b": torch.randn(3, 3)}
    edges = {("a", "r", "b"): torch.tensor([[0, 1, 1], [0, 0, 2]])}
    conv = GTNConv(3, 4, (["a", "b"], [("a", "r", "b"), ("b", "q", "a")]), num_layers=2)
    conv.load_state_dict({key.split("joints.0.")[1]: v for key, v in model.state_dict().items() if "joints" in key})
    both = {**edges, ("b", "q", "a"): edges["a", "r", "b"].flip(0)}
    made = model.encode(x, edges)["a"]
    assert made.shape == (4, 8)
    torch.testing.assert_close(made, conv(x, both)["a"].relu())
    assert len(receptive_hops(spec.plan("m"))) == 3
