"""`combine attention`: HAN's semantic attention, and its variant with weights of each node."""

import math

import pytest
import torch
from torch_geometric.nn import HANConv
from torch_geometric.nn.conv.han_conv import group

import graphdsl
from graphdsl.backends.pyg.attention import SemanticAttention


def test_equals_what_han_does_with_its_metapaths() -> None:
    torch.manual_seed(0)
    messages = [torch.randn(7, 6, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    attention = SemanticAttention(6, 5).double()
    theirs, weights = group(messages, attention.q, attention.lin)
    ours = attention(messages)
    torch.testing.assert_close(ours, theirs)
    assert weights.shape == (3,)
    made = [torch.autograd.grad(out.square().sum(), [*messages, *attention.parameters()]) for out in (ours, theirs)]
    for one, other in zip(*made, strict=True):
        torch.testing.assert_close(one, other)


def test_weights_of_each_node() -> None:
    torch.manual_seed(0)
    messages = [torch.randn(4, 3, dtype=torch.float64) for _ in range(2)]
    attention = SemanticAttention(3, 5, per="node").double().requires_grad_(False)
    made = attention(messages)
    weight, bias, q = attention.lin.weight.tolist(), attention.lin.bias.tolist(), attention.q.tolist()[0]
    for node in range(4):
        exp = []
        for message in messages:
            row = message[node].tolist()
            hidden = [
                math.tanh(sum(a * b for a, b in zip(w, row, strict=True)) + c)
                for w, c in zip(weight, bias, strict=True)
            ]
            exp.append(math.exp(sum(a * b for a, b in zip(q, hidden, strict=True))))
        expected = sum(e / sum(exp) * message[node] for e, message in zip(exp, messages, strict=True))
        torch.testing.assert_close(made[node], expected)
    assert attention([message[:0] for message in messages]).shape == (0, 3)


SPEC = """
schema s {
  node a { x: float[6], y: class[2] }
  node b { x: float[6] }
  edge a -[r]-> b
  edge a -[q]-> b
  metapath R = a -[r]-> b <-[r]- a
  metapath Q = a -[q]-> b <-[q]- a
}
model han on s {
  edges { R, Q: HANConv(6, heads = 2) }
  predict a.y
}
model apart on s {
  edges { R: HANConv(6, heads = 2)  Q: HANConv(6, heads = 2) } combine attention(hidden = 6)
  predict a.y
}
model each on s {
  edges { R: SAGEConv(6)  Q: SAGEConv(6) } combine attention(hidden = 4, per = "node")
  predict a.y
}
"""


def test_in_a_spec_metapaths_of_their_own_and_attention_are_han() -> None:
    spec = graphdsl.loads(SPEC)
    torch.manual_seed(1)
    whole, apart = spec.compile("han"), spec.compile("apart")
    conv, parts = whole.stages["edges1"].joints[0], apart.stages["edges1"]
    assert isinstance(conv, HANConv)
    for part in parts.joints:  # one metapath each: attention over one is the message itself
        part.proj.load_state_dict(conv.proj.state_dict())
        for key, value in part.lin_src.items():
            value.data, part.lin_dst[key].data = conv.lin_src[key].data, conv.lin_dst[key].data
    parts.attention["a"].lin.load_state_dict(conv.k_lin.state_dict())
    parts.attention["a"].q.data = conv.q.data
    x = {"a": torch.randn(5, 6), "b": torch.randn(4, 6)}
    edges = {("a", name, "b"): torch.stack([torch.randint(5, (9,)), torch.randint(4, (9,))]) for name in "rq"}
    torch.testing.assert_close(apart.encode(x, edges)["a"], whole.encode(x, edges)["a"])


@pytest.mark.parametrize("edges", [0, 9])
def test_in_a_spec_each_node_has_weights(edges: int) -> None:
    model = graphdsl.loads(SPEC).compile("each")
    assert model.stages["edges1"].attention["a"].per == "node"
    x = {"a": torch.randn(5, 6), "b": torch.randn(4, 6)}
    index = {("a", name, "b"): torch.stack([torch.randint(5, (edges,)), torch.randint(4, (edges,))]) for name in "rq"}
    model(x, index).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
