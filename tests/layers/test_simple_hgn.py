"""SimpleHGN against the paper's equations, edge by edge in plain Python."""

from math import exp

import pytest
import torch
from layer_cases import NODES, WIDTH, together
from torch import Tensor
from torch.nn import functional

import graphdsl
from graphdsl.layers import SimpleHGNConv

RELATIONS, HEADS, OUT, BETA, SLOPE = 4, 2, 3, 0.3, 0.1

Edge = tuple[int, int, int]


def dot(left: Tensor, right: Tensor) -> float:
    return sum(float(a) * float(b) for a, b in zip(left, right, strict=True))


def attend(weights: dict[str, Tensor], head: int, sent: list[Tensor], edges: list[Edge]) -> list[float]:
    """Attention of one head before the residual, over the edges into each node."""
    scores = []
    for source, target, relation in edges:
        embedding = weights["relation.weight"][relation]
        width = embedding.numel()
        mapped = weights["lin_relation.weight"][head * width : (head + 1) * width] @ embedding
        score = dot(weights["att_source"][0, head], sent[source]) + dot(weights["att_target"][0, head], sent[target])
        score += dot(weights["att_relation"][0, head], mapped)
        scores.append(score if score > 0 else SLOPE * score)
    sums = [0.0] * NODES
    for (_, target, _), score in zip(edges, scores, strict=True):
        sums[target] += exp(score)
    return [exp(score) / sums[target] for (_, target, _), score in zip(edges, scores, strict=True)]


def one_layer(
    weights: dict[str, Tensor], x: Tensor, edges: list[Edge], before: list[list[float]] | None
) -> tuple[Tensor, list[list[float]]]:
    """One layer: values [nodes, heads, out] and the attention of each head."""
    out, kept = torch.zeros(NODES, HEADS, OUT, dtype=x.dtype), []
    for head in range(HEADS):
        rows = slice(head * OUT, (head + 1) * OUT)
        sent = [weights["lin.weight"][rows] @ value for value in x]
        alpha = attend(weights, head, sent, edges)
        if before is not None:
            alpha = [(1 - BETA) * new + BETA * old for new, old in zip(alpha, before[head], strict=True)]
        kept.append(alpha)
        for (source, target, _), share in zip(edges, alpha, strict=True):
            out[target, head] += share * sent[source]
        if "res.weight" in weights:
            for node in range(NODES):
                out[node, head] += weights["res.weight"][rows] @ x[node]
    return out, kept


def slow(conv: SimpleHGNConv, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
    """All layers; edges from a node to itself give way to loops with a relation of their own."""
    edges = [edge for edge in zip(*edge_index.tolist(), edge_type.tolist(), strict=True) if edge[0] != edge[1]]
    edges = [*edges, *((node, node, RELATIONS) for node in range(NODES))]
    state, before = conv.state_dict(), None
    for number in range(len(conv.layers)):
        prefix = f"layers.{number}."
        weights = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        out, before = one_layer(weights, functional.elu(x) if number else x, edges, before)
        x = out.reshape(NODES, -1)
    return out


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_equals_the_equations(layers: int, residual: bool) -> None:
    torch.manual_seed(0)
    options = {"num_layers": layers, "beta": BETA, "negative_slope": SLOPE, "residual": residual}
    conv = SimpleHGNConv(WIDTH, OUT, RELATIONS, heads=HEADS, relation_channels=5, **options).double()
    inputs = together()
    expected = slow(conv, *inputs)
    torch.testing.assert_close(conv(*inputs), expected.flatten(1))
    conv.concat, conv.normalize = False, True
    mean = expected.mean(1)
    torch.testing.assert_close(conv(*inputs), mean / mean.norm(dim=1, keepdim=True))


def test_attention_of_the_layer_before_matters_and_has_no_gradient() -> None:
    torch.manual_seed(0)
    x, edge_index, edge_type = together()
    conv = SimpleHGNConv(WIDTH, OUT, RELATIONS, num_layers=2, heads=HEADS, beta=0.9).double()
    without = SimpleHGNConv(WIDTH, OUT, RELATIONS, num_layers=2, heads=HEADS, beta=0.0).double()
    without.load_state_dict(conv.state_dict())
    assert not torch.allclose(conv(x, edge_index, edge_type), without(x, edge_index, edge_type))
    first, second = conv.layers
    out, attention = first(x, edge_index, edge_type)
    assert out.shape == (NODES, HEADS, OUT)
    assert attention.shape == (edge_type.numel(), HEADS)
    assert not attention.requires_grad
    sums = torch.zeros(NODES, HEADS, dtype=torch.double).index_add_(0, edge_index[1], attention)
    torch.testing.assert_close(sums[edge_index[1]], torch.ones_like(attention))
    assert second(out.flatten(1), edge_index, edge_type, attention)[0].shape == (NODES, HEADS, OUT)


def test_a_spec_is_the_layer_on_types_numbered_together() -> None:
    spec = graphdsl.loads(
        """
        schema s {
          node a { x: float[4], y: class[2] }
          node b { x: float[4] }
          edge a -[r]-> b  reverse back
        }
        model m on s {
          edges { *: SimpleHGNConv(3, num_layers = 2, heads = 2, beta = 0.3) } | elu
          predict a.y
        }
        """
    )
    model, plan = spec.compile("m").eval(), spec.plan("m")
    assert next(plan.relation_stages())[1].joints[0].hops == 2
    torch.manual_seed(0)
    x = {"a": torch.randn(3, 4), "b": torch.randn(2, 4)}
    there = torch.tensor([[0, 1, 2, 0], [0, 0, 1, 1]])
    encoded = model.encode(x, {("a", "r", "b"): there})
    conv = SimpleHGNConv(4, 3, 2, num_layers=2, heads=2, beta=0.3)
    (prefix,) = {key.partition("layers.")[0] for key in model.state_dict() if "layers." in key}
    found = {key: value for key, value in model.state_dict().items() if key.startswith(prefix)}
    conv.load_state_dict({key.removeprefix(prefix): value for key, value in found.items()})
    numbered = there + torch.tensor([[0], [3]])
    edge_index = torch.cat([numbered, numbered.flip(0)], dim=1)
    expected = functional.elu(conv(torch.cat([x["a"], x["b"]]), edge_index, torch.tensor([0] * 4 + [1] * 4)))
    torch.testing.assert_close(torch.cat([encoded["a"], encoded["b"]]), expected)
