"""CompGCN against the paper's equations, edge by edge in plain Python."""

import pytest
import torch
from layer_cases import INVERSE_OF, NODES, WIDTH, together
from torch import Tensor

import graphdsl
from graphdsl.layers import CompGCNConv


def compose(kind: str, node: Tensor, relation: Tensor) -> Tensor:
    """The three compositions, number by number."""
    a, b = node.tolist(), relation.tolist()
    width = len(a)
    match kind:
        case "sub":
            made = [left - right for left, right in zip(a, b, strict=True)]
        case "mult":
            made = [left * right for left, right in zip(a, b, strict=True)]
        case _:
            made = [sum(a[i] * b[(k + i) % width] for i in range(width)) for k in range(width)]
    return torch.tensor(made, dtype=node.dtype)


def slow(conv: CompGCNConv, kind: str, normalize: bool, inputs: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """All layers, edge by edge."""
    x, edge_index, edge_type = inputs
    state = conv.state_dict()
    relations = state["relation"]
    if "mixture" in state:
        relations = torch.stack(
            [sum(a * row for a, row in zip(mix, relations, strict=True)) for mix in state["mixture"]]
        )
    edges = list(zip(*edge_index.tolist(), edge_type.tolist(), strict=True))
    directions = [int(INVERSE_OF[relation] != relation) for _, _, relation in edges]
    for number in range(len(conv.layers)):
        weights = {key.split(".", 2)[2]: value for key, value in state.items() if key.startswith(f"layers.{number}.")}
        out = torch.stack([weights["lin_loop.weight"] @ compose(kind, row, weights["loop"][0]) for row in x])
        for (source, target, relation), direction in zip(edges, directions, strict=True):
            message = weights["weight"][direction].t() @ compose(kind, x[source], relations[relation])
            same = [edge for edge, other in zip(edges, directions, strict=True) if other == direction]
            leaving, arriving = sum(e[0] == source for e in same), sum(e[1] == target for e in same)
            out[target] += message / (leaving * arriving) ** 0.5 if normalize else message
        out = out / 3 if normalize else out
        x = out + weights["bias"]
        if number < len(conv.layers) - 1:
            x = x.tanh()
            relations = torch.stack([weights["lin_relation.weight"] @ row for row in relations])
    return x


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("layers", "bases", "out"), [(1, None, 3), (3, 2, 5)])
@pytest.mark.parametrize("kind", ["sub", "mult", "corr"])
def test_equals_the_equations(kind: str, layers: int, bases: int | None, out: int, normalize: bool) -> None:
    torch.manual_seed(0)
    options = {"num_layers": layers, "num_bases": bases, "composition": kind, "normalize": normalize}
    conv = CompGCNConv(WIDTH, out, 4, INVERSE_OF, **options).double()
    for layer in conv.layers:
        torch.nn.init.normal_(layer.bias)
    inputs = together()
    assert inputs[0].size(0) == NODES
    torch.testing.assert_close(conv(*inputs), slow(conv, kind, normalize, inputs))


def test_inverses_have_weights_of_their_own() -> None:
    inputs = together()
    torch.manual_seed(0)
    directed = CompGCNConv(WIDTH, 3, 4, INVERSE_OF).double()
    plain = CompGCNConv(WIDTH, 3, 4).double()
    assert plain.direction.tolist() == [0, 0, 0, 0]
    plain.load_state_dict(directed.state_dict())
    assert not torch.allclose(plain(*inputs), directed(*inputs))
    with pytest.raises(ValueError, match="`inverse_of` has 2 numbers for 3 relations"):
        CompGCNConv(WIDTH, 3, 3, [0, 0])


def test_a_spec_knows_which_relations_are_inverses() -> None:
    spec = graphdsl.loads(
        """
        schema s {
          node a { x: float[4], y: class[2] }
          node b { x: float[4] }
          edge a -[r]-> b  reverse back
          edge a -[s]-> a
          edge b -[q]-> a  reverse p
          metapath AA = a -[r]-> b <-[r]- a
        }
        model m on s {
          edges { *: CompGCNConv(4, num_layers = 2) } | tanh
          edges { back, q, AA: CompGCNConv(3, composition = "corr") }
          predict a.y
        }
        """
    )
    stages = [stage.joints[0] for _, stage in spec.plan("m").relation_stages()]
    assert stages[0].edges == (("a", "p", "b"), ("a", "r", "b"), ("a", "s", "a"), ("b", "back", "a"), ("b", "q", "a"))
    assert stages[0].module.arguments["inverse_of"] == (4, 1, 2, 1, 4)
    assert stages[1].edges == (("a", "AA", "a"), ("b", "back", "a"), ("b", "q", "a"))
    assert stages[1].module.arguments["inverse_of"] == (0, -1, 2)
    torch.manual_seed(0)
    model = spec.compile("m")
    edges = {("a", "r", "b"): [[0, 1], [0, 1]], ("a", "s", "a"): [[0], [1]], ("b", "q", "a"): [[1], [0]]}
    x = {"a": torch.randn(3, 4), "b": torch.randn(2, 4)}
    out = model(x, {edge: torch.tensor(pairs) for edge, pairs in edges.items()})
    assert out.shape == (3, 2)
    out.sum().backward()
    assert all(item.grad is not None for item in model.parameters())
