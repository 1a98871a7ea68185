"""HINormerConv against the equations of the paper, with plain loops, and as a layer of a spec."""

import copy
import math

import pytest
import torch
from torch import Tensor

import graphdsl
from graphdsl.kernels import node_contexts
from graphdsl.layers import HINormerConv, HINormerLayer
from graphdsl.text import SpecError

TYPES = ["author", "paper"]
COUNTS = {"author": 4, "paper": 5}
WRITES, CITES = ("author", "writes", "paper"), ("paper", "cites", "paper")


def graph() -> tuple[dict[str, Tensor], dict[tuple[str, str, str], Tensor]]:
    """A multigraph with a self-loop, pairs in both directions, and a paper without neighbours."""
    torch.manual_seed(5)
    x = {name: torch.randn(count, 3, dtype=torch.float64) for name, count in COUNTS.items()}
    writes = torch.tensor([[0, 0, 1, 2, 3, 0], [0, 1, 1, 2, 3, 0]])
    return x, {WRITES: writes, CITES: torch.tensor([[0, 1, 2, 3, 1], [1, 0, 2, 1, 3]])}


def elu(value: float) -> float:
    return value if value > 0 else math.exp(value) - 1


def times(rows: list[list[float]], weight: Tensor) -> list[list[float]]:
    """Rows through a map, as `torch.nn.Linear` keeps it [out, in]."""
    return [[sum(a * float(b) for a, b in zip(row, column, strict=True)) for column in weight] for row in rows]


def encode(conv: HINormerConv, x: dict[str, Tensor], pairs: set[tuple[int, int]]) -> tuple[list, list]:
    """Both encoders, entry by entry."""
    h = [row for name in TYPES for row in x[name].tolist()]
    kinds = [place for place, name in enumerate(TYPES) for _ in range(COUNTS[name])]
    r = [[float(kind == place) for place in range(2)] for kind in kinds]
    near = {i: [j for j in range(len(h)) if i == j or (i, j) in pairs] for i in range(len(h))}
    mean = {(i, j): 1 / math.sqrt(len(near[i]) * len(near[j])) for i in near for j in near[i]}
    for lin, type_lin, weight in zip(conv.lins, conv.type_lins, conv.type_weight, strict=True):
        scaled = [[float(weight[kind]) * value for value in row] for kind, row in zip(kinds, r, strict=True)]
        parts = []
        for rows, layer in ((times(h, lin.weight), lin), (times(scaled, type_lin.weight), type_lin)):
            bias = layer.bias.tolist()
            parts.append(
                [
                    [elu(sum(mean[i, j] * rows[j][k] for j in near[i]) + bias[k]) for k in range(len(bias))]
                    for i in range(len(h))
                ]
            )
        h, r = parts
    return h, r


def attend(layer: HINormerLayer, h: list[list[float]], r: list[list[float]]) -> list[list[float]]:
    """Attention among the nodes of one context, pair by pair."""
    width, known = len(h[0]) // layer.heads, len(r[0])
    left, right = times(h, layer.lin_left.weight), times(h, layer.lin_right.weight)
    key, query = times(r, layer.type_key.weight), times(r, layer.type_query.weight)
    leaky = lambda value: value if value > 0 else 0.2 * value  # noqa: E731
    context = [[0.0] * len(h[0]) for _ in h]
    for head in range(layer.heads):
        at, of = slice(head * width, head * width + width), slice(head * known, head * known + known)
        for i in range(len(h)):
            scores = []
            for j in range(len(h)):
                score = sum(float(a) * leaky(v) for a, v in zip(layer.att_left.weight[0], left[i][at], strict=True))
                score += sum(float(a) * leaky(v) for a, v in zip(layer.att_right.weight[0], right[j][at], strict=True))
                score += layer.beta * sum(a * b for a, b in zip(key[i][of], query[j][of], strict=True))
                scores.append(math.exp(score / layer.temperature))
            for j, score in enumerate(scores):
                for k, value in enumerate(right[j][at]):
                    context[i][head * width + k] += score / sum(scores) * value
    out = times(context, layer.lin_out.weight)
    summed = [[a + b for a, b in zip(one, other, strict=True)] for one, other in zip(h, out, strict=True)]
    return layer.norm(torch.tensor(summed, dtype=torch.float64)).tolist()


def neighbours(edges: dict) -> set[tuple[int, int]]:
    begin = {"author": 0, "paper": COUNTS["author"]}
    found = [(a + begin[key[0]], b + begin[key[2]]) for key, index in edges.items() for a, b in index.t().tolist()]
    return {(a, b) for a, b in found if a != b} | {(b, a) for a, b in found if a != b}


@pytest.mark.parametrize(("gnns", "layers", "length"), [(1, 1, 4), (2, 2, 6), (2, 3, 3)])
def test_equals_the_equations(gnns: int, layers: int, length: int) -> None:
    x, edges = graph()
    conv = HINormerConv(3, 4, (TYPES, [WRITES, CITES]), gnns, layers, 2, length, 0.7, 0.8).double()
    torch.nn.init.uniform_(conv.type_weight, 0.5, 1.5)
    conv.requires_grad_(False)
    made = conv(x, edges)
    h, r = encode(conv, x, neighbours(edges))
    known = conv._look_around(list(edges.values()), [4, 5], {"author": 0, "paper": 4}, TYPES, torch.float64)
    expected = []
    for context in known.contexts.tolist():
        rows, types = [h[node] for node in context], [r[node] for node in context]
        for layer in conv.layers:
            rows = attend(layer, rows, types)
        expected.append(rows[0])
    torch.testing.assert_close(torch.cat([made["author"], made["paper"]]), torch.tensor(expected, dtype=torch.float64))
    only = conv(x, edges, targets=["paper"])
    assert list(only) == ["paper"]


def test_gradients() -> None:
    x, edges = graph()
    conv = HINormerConv(3, 2, (TYPES, [WRITES, CITES]), heads=1, length=3).double()
    features = [x[name].requires_grad_() for name in TYPES]

    def total(*values: Tensor) -> Tensor:
        return torch.cat([*conv(dict(zip(TYPES, values[:2], strict=True)), edges).values()])

    assert torch.autograd.gradcheck(total, (*features, *conv.parameters()))


def test_contexts_are_in_breadth_first_order() -> None:
    torch.manual_seed(0)
    edges = torch.randint(3000, (2, 7000))
    edges = edges[:, edges[0] != edges[1]]
    near = {node: [] for node in range(3001)}
    for source, target in edges.t().tolist():
        near[target].append(source)
    made = node_contexts(edges, 3001, torch.arange(3001), 12, torch.Generator().manual_seed(1))
    assert made.shape == (3001, 12)
    for node, row in enumerate(made.tolist()):
        assert row[0] == node
        filled, place = 1, 0
        while filled < 12 and place < filled:
            found = row[filled : filled + len(near[row[place]])]
            if len(found) == len(near[row[place]]):
                assert sorted(found) == sorted(near[row[place]])
            else:
                assert not set(found) - set(near[row[place]])
            filled, place = filled + len(found), place + 1
        assert row[filled:] == [node] * (12 - filled)
    again = node_contexts(edges, 3001, torch.arange(3001), 12, torch.Generator().manual_seed(1))
    assert torch.equal(made, again)
    other = node_contexts(edges, 3001, torch.arange(3001), 12, torch.Generator().manual_seed(2))
    assert not torch.equal(made, other)


def test_a_graph_without_edges_or_nodes() -> None:
    x, edges = graph()
    conv = HINormerConv(3, 4, (TYPES, [WRITES, CITES]), length=3).double()
    none = {key: index[:, :0] for key, index in edges.items()}
    assert conv(x, none)["paper"].isfinite().all()
    assert conv({name: value[:0] for name, value in x.items()}, none)["author"].shape == (0, 4)


SPEC = """
schema s {
  node author { x: float[3] }
  node paper { x: float[3], y: class[2] }
  edge author -[writes]-> paper
  edge paper -[cites]-> paper
}
model m on s {
  edges { *: HINormerConv(4, length = 4, num_layers = 1) }
  predict paper.y: identity
}
"""


def test_in_a_spec() -> None:
    x, edges = graph()
    torch.manual_seed(1)
    model = graphdsl.loads(SPEC.replace("(4,", "(2,")).compile().double()
    (layer,) = model.stages["edges1"].joints
    torch.testing.assert_close(model(x, edges), layer(x, edges)["paper"])
    torch.testing.assert_close(copy.deepcopy(model)(x, edges), model(x, edges))
    model(x, edges).sum().backward()
    assert layer.type_weight.grad is not None


def test_heads_divide_the_width() -> None:
    with pytest.raises(SpecError, match="GNN302"):
        graphdsl.loads(SPEC.replace("HINormerConv(4", "HINormerConv(5"))


def test_mini_batches_are_refused() -> None:
    text = SPEC.replace("(4,", "(2,") + 'train m { data: "graph.pt"  batch_size: 4 }'
    with pytest.raises(SpecError, match="GNN323"):
        graphdsl.loads(text)
