"""FastGTNConv against the equations of the paper, with plain loops, and as a layer of a spec."""

import copy
import gc
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

import graphdsl
from graphdsl.checking import analyse
from graphdsl.layers import FastGTNConv
from graphdsl.plan import receptive_hops
from graphdsl.text import SourceText

TYPES = ["author", "paper", "venue"]
COUNTS = {"author": 5, "paper": 6, "venue": 2}
RELATIONS = [
    ("author", "writes", "paper"),
    ("paper", "cites", "paper"),
    ("paper", "in", "venue"),
    ("venue", "of", "paper"),
]


def graph(edges: int = 9) -> tuple[dict[str, Tensor], dict[tuple[str, str, str], Tensor]]:
    """A random multigraph; the last node of every type has no edge."""
    torch.manual_seed(3)
    x = {name: torch.randn(count, 3, dtype=torch.float64) for name, count in COUNTS.items()}
    index = {
        key: torch.stack([torch.randint(COUNTS[end] - 1, (edges,)) for end in (key[0], key[2])]) for key in RELATIONS
    }
    return x, index


def by_definition(
    conv: FastGTNConv, x: Mapping[str, Tensor], edges: Mapping[tuple[str, str, str], Tensor]
) -> dict[str, list[list[float]]]:
    """The equations of GTN: soft adjacency matrices multiplied with each other first, all entry by entry."""
    nodes = [(name, i) for name in TYPES for i in range(COUNTS[name])]
    number = {node: place for place, node in enumerate(nodes)}
    n = len(nodes)
    means = []
    for key in RELATIONS:
        rows = [[0.0] * n for _ in range(n)]
        pairs = edges[key].t().tolist()
        for source, target in pairs:
            degree = sum(1 for _, other in pairs if other == target)
            rows[number[key[2], target]][number[key[0], source]] += 1 / degree
        means.append(rows)
    means.append([[float(i == j) for j in range(n)] for i in range(n)])
    result = {name: [] for name in TYPES}
    channels = []
    for c in range(conv.num_channels):
        product = means[-1]
        for k in range(conv.num_layers):
            weights = [float(value) for value in conv.choice[k, c]]
            exp = [2.718281828459045**value for value in weights]
            soft = [
                [sum(exp[r] / sum(exp) * means[r][i][j] for r in range(len(means))) for j in range(n)] for i in range(n)
            ]
            product = [[sum(soft[i][m] * product[m][j] for m in range(n)) for j in range(n)] for i in range(n)]
        own = [
            [
                sum(float(x[name][i, p]) * float(conv.weight[c, p, q]) for p in range(3))
                for q in range(conv.out_channels)
            ]
            for name, i in nodes
        ]
        mixed = [
            [
                max(0.0, conv.beta * own[i][q] + (1 - conv.beta) * sum(product[i][j] * own[j][q] for j in range(n)))
                for q in range(conv.out_channels)
            ]
            for i in range(n)
        ]
        channels.append(mixed)
    for i, (name, _) in enumerate(nodes):
        if conv.lin is None:
            row = [sum(one[i][q] for one in channels) / len(channels) for q in range(conv.out_channels)]
        else:
            flat = [value for one in channels for value in one[i]]
            row = [
                max(0.0, float(conv.lin.bias[q]) + sum(float(conv.lin.weight[q, p]) * v for p, v in enumerate(flat)))
                for q in range(conv.out_channels)
            ]
        result[name].append(row)
    return result


@pytest.mark.parametrize(("agg", "beta", "layers"), [("mean", 0.0, 2), ("concat", 0.3, 3), ("mean", 0.5, 1)])
def test_equals_products_of_soft_adjacency_matrices(agg: str, beta: float, layers: int) -> None:
    x, edges = graph()
    conv = FastGTNConv(3, 4, (TYPES, RELATIONS), 3, layers, beta, agg).double().requires_grad_(False)
    made = conv(x, edges)
    for name, rows in by_definition(conv, x, edges).items():
        torch.testing.assert_close(made[name], torch.tensor(rows, dtype=torch.float64))


def test_gradients_are_those_of_the_definition() -> None:
    x, edges = graph()
    conv = FastGTNConv(3, 2, (TYPES, RELATIONS), 2, 2, 0.2).double()
    features = [x[name].requires_grad_() for name in TYPES]

    def total(*values: Tensor) -> Tensor:
        return torch.cat([*conv(dict(zip(TYPES, values[:3], strict=True)), edges).values()])

    assert torch.autograd.gradcheck(total, (*features, *conv.parameters()))


def test_without_edges_only_the_identity_is_left() -> None:
    x, edges = graph()
    conv = FastGTNConv(3, 4, (TYPES, RELATIONS)).double()
    none = conv(x, {key: index[:, :0] for key, index in edges.items()})
    share = conv.choice.softmax(-1)[:, :, -1].prod(0)
    own = torch.einsum("ni,cio->nco", x["paper"], conv.weight) * share.view(1, -1, 1)
    torch.testing.assert_close(none["paper"], own.relu().mean(1))
    empty = conv({name: value[:0] for name, value in x.items()}, {key: index[:, :0] for key, index in edges.items()})
    assert empty["venue"].shape == (0, 4)


def test_what_follows_from_the_graph_is_kept_while_it_lives() -> None:
    x, edges = graph()
    conv = FastGTNConv(3, 4, (TYPES, RELATIONS)).double()
    first = conv(x, edges)["paper"]
    conv(x, edges)
    assert len(conv._kept) == 1
    edges[RELATIONS[0]][0, 0] = (edges[RELATIONS[0]][0, 0] + 1) % 4  # changed in place: seen
    assert not torch.equal(conv(x, edges)["paper"], first)
    assert len(copy.deepcopy(conv)._kept) == 0
    del edges
    gc.collect()
    assert len(conv._kept) == 0


SPEC = """
schema s {
  node a { x: float[3], y: class[2] }
  node b { x: float[3] }
  edge a -[r]-> b reverse q
}
model m on s {
  edges { *: FastGTNConv(4, num_layers = 3) }
  predict a.y
}
"""


def findings(text: str) -> list[str]:
    return [item.code for item in analyse(SourceText("s.gnn", text))[1]]


def test_in_a_spec() -> None:
    spec = graphdsl.loads(SPEC)
    assert findings(SPEC) == []
    model = spec.compile("m")
    x = {"a": torch.randn(4, 3), "b": torch.randn(3, 3)}
    edges = {("a", "r", "b"): torch.tensor([[0, 1, 1], [0, 0, 2]])}
    conv = FastGTNConv(3, 4, (["a", "b"], [("a", "r", "b"), ("b", "q", "a")]), num_layers=3)
    conv.load_state_dict({key.split("joints.0.")[1]: v for key, v in model.state_dict().items() if "joints" in key})
    both = {**edges, ("b", "q", "a"): edges["a", "r", "b"].flip(0)}
    torch.testing.assert_close(model.encode(x, edges)["a"], conv(x, both)["a"])
    assert len(receptive_hops(spec.plan("m"))) == 3


def test_types_of_unequal_width_are_a_finding() -> None:
    assert findings(SPEC.replace("node b { x: float[3] }", "node b { x: float[5] }")) == ["GNN502"]
