"""MAGNNConv against the paper's equations, instance by instance, and as a layer of a spec."""

import cmath
import gc
import math

import pytest
import torch
from metapath_graphs import APA, APVPA, CITES, COUNTS, IN, PAP, PATHS, VPA, WRITES, features, instances, relations
from torch import Tensor, nn

import graphdsl
from graphdsl.kernels import TooManyInstances
from graphdsl.layers import MAGNNConv
from graphdsl.layers.walking import stops_of
from graphdsl.text import SpecError

SAME = dict.fromkeys(COUNTS, 4)


def elu(value: float) -> float:
    return value if value > 0 else math.exp(value) - 1


def encoded(conv: MAGNNConv, target: str, place: int, key: tuple, walk: tuple[int, ...], x: dict) -> list[list[float]]:
    """An instance as each head sees it: the recursion of the paper."""
    rows = [x[stop][node].tolist() for stop, node in zip(stops_of(PATHS[key]), walk, strict=True)]
    if conv.encoder == "rotate":
        at = [[complex(row[i], row[i + 1]) for i in range(0, len(row), 2)] for row in rows]
        o = at[0]
        for (edge, back), values in zip(PATHS[key], at[1:], strict=True):
            r = [complex(*pair) for pair in conv.rotation[conv.walk.relations.index(edge)].tolist()]
            r = [value / abs(value) for value in r]
            r = [value.conjugate() for value in r] if back else r
            assert all(cmath.isclose(abs(value), 1) for value in r)
            o = [v + before * turn for v, before, turn in zip(values, o, r, strict=True)]
        mean = [part / len(rows) for value in o for part in (value.real, value.imag)]
        return [mean] * conv.heads
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    if conv.encoder == "mean":
        return [mean] * conv.heads
    weight, bias = conv.targets[target].weight[place].tolist(), conv.targets[target].bias[place].tolist()
    return [
        [sum(v * weight[h][i][o] for i, v in enumerate(mean)) + bias[h][o] for o in range(len(mean))]
        for h in range(conv.heads)
    ]


def by_definition(conv: MAGNNConv, target: str, x: dict[str, Tensor], edges: dict) -> list[list[float]]:
    part, keys = conv.targets[target], conv.paths[target]
    along = []
    for place, key in enumerate(keys):
        walks, rows = instances(PATHS[key], edges), []
        center, instance = part.center[place].tolist(), part.instance[place].tolist()
        for v in range(COUNTS[target]):
            own = x[target][v].tolist()
            mine = [encoded(conv, target, place, key, walk, x) for walk in walks if walk[-1] == v]
            row = []
            for head in range(conv.heads):
                scores = []
                for item in mine:
                    score = sum(a * b for a, b in zip(center[head], own, strict=True))
                    score += sum(a * b for a, b in zip(instance[head], item[head], strict=True))
                    scores.append(score if score > 0 else conv.act.negative_slope * score)
                exp = [math.exp(score) for score in scores]
                for column in range(len(own)):
                    row.append(elu(sum(e / sum(exp) * item[head][column] for e, item in zip(exp, mine, strict=True))))
            rows.append(row)
        along.append(rows)
    m, b, q = part.attention.weight.tolist(), part.attention.bias.tolist(), part.query.weight.tolist()[0]
    scores = []
    for rows in along:
        s = [0.0] * len(b)
        for row in rows:
            for i, (line, more) in enumerate(zip(m, b, strict=True)):
                s[i] += math.tanh(sum(a * c for a, c in zip(line, row, strict=True)) + more) / len(rows)
        scores.append(sum(a * c for a, c in zip(q, s, strict=True)))
    beta = [math.exp(score) / sum(math.exp(other) for other in scores) for score in scores]
    result = []
    for v in range(COUNTS[target]):
        h = [sum(w * rows[v][i] for w, rows in zip(beta, along, strict=True)) for i in range(len(along[0][0]))]
        lines = zip(part.lin.weight.tolist(), part.lin.bias.tolist(), strict=True)
        result.append([sum(a * c for a, c in zip(line, h, strict=True)) + more for line, more in lines])
    return result


@pytest.mark.parametrize(("encoder", "heads"), [("rotate", 2), ("mean", 1), ("linear", 3)])
def test_equals_the_equations(encoder: str, heads: int) -> None:
    x, edges = features(SAME), relations()
    conv = MAGNNConv(4, 5, PATHS, heads=heads, encoder=encoder, attention_channels=6).double().requires_grad_(False)
    for parameter in conv.parameters():
        parameter.add_(torch.randn_like(parameter), alpha=0.3)
    made = conv(x, edges)
    assert sorted(made) == ["author", "paper"]
    for name, value in made.items():
        torch.testing.assert_close(value, torch.tensor(by_definition(conv, name, x, edges), dtype=torch.float64))
    some = conv(x, edges, targets=["paper"])
    assert [*some] == ["paper"]
    torch.testing.assert_close(some["paper"], made["paper"])


@pytest.mark.parametrize("encoder", ["rotate", "linear"])
def test_gradients(encoder: str) -> None:
    x, edges = features(SAME), relations()
    conv = MAGNNConv(4, 2, {key: PATHS[key] for key in (APVPA, VPA)}, heads=2, encoder=encoder).double()
    read = tuple(value.requires_grad_() for value in x.values())

    def total(*values: Tensor) -> Tensor:
        return conv(dict(zip(x, values[:3], strict=True)), edges)["author"]

    assert torch.autograd.gradcheck(total, (*read, *conv.parameters()))


def test_budgets_are_respected_before_anything_is_made() -> None:
    x, edges = features(SAME), relations()
    total = len(instances(PATHS[PAP], edges))
    conv = MAGNNConv(4, 2, {PAP: PATHS[PAP]}, {PAP: total - 1}).double()
    with pytest.raises(TooManyInstances, match=f"'PAP' has {total} instances, more than its budget of {total - 1}"):
        conv(x, edges)
    MAGNNConv(4, 2, {PAP: PATHS[PAP]}, {PAP: total}).double()(x, edges)
    sampled = MAGNNConv(4, 2, {PAP: PATHS[PAP]}, {PAP: total - 1}, samples=1).double()
    assert sampled(x, edges)["paper"].shape == (6, 2)


def test_instances_are_kept_while_edges_live_unchanged() -> None:
    x, edges = features(SAME), relations()
    conv = MAGNNConv(4, 2, PATHS).double()
    with torch.inference_mode():
        first = conv(x, edges)["paper"]
    conv(x, edges)["paper"].sum().backward()
    assert len(conv._kept) == len(PATHS)
    edges[CITES][0, 0] = (edges[CITES][0, 0] + 1) % 5
    assert not torch.equal(conv(x, edges)["paper"], first)
    del x, edges
    gc.collect()
    assert len(conv._kept) == 0


def test_without_edges_and_nodes() -> None:
    x = features(SAME)
    none = {key: index[:, :0] for key, index in relations().items()}
    conv = MAGNNConv(4, 2, PATHS, heads=2).double()
    made = conv(x, none)["author"]
    torch.testing.assert_close(made, conv.targets["author"].lin.bias.expand_as(made))
    assert conv({name: value[:0] for name, value in x.items()}, none)["author"].shape == (0, 2)


def test_odd_widths_are_no_complex_numbers() -> None:
    with pytest.raises(ValueError, match="even"):
        MAGNNConv(3, 2, PATHS)
    MAGNNConv(3, 2, PATHS, encoder="mean")


SPEC = """
schema library {
  node author { x: float[3], y: class[2], train_mask: mask }
  node paper { x: float[5] }
  node venue { x: float[2] }
  edge author -[writes]-> paper
  edge paper -[in]-> venue
  metapath APA = author -[writes]-> paper <-[writes]- author  budget 100
  metapath APVPA = author -[writes]-> paper -[in]-> venue <-[in]- paper <-[writes]- author
}
model m on library {
  h = nodes { *: Linear(4) }
  edges { APA, APVPA: MAGNNConv(8, heads = 2, encoder = "mean") } | elu
  predict author.y
}
"""


def test_in_a_spec() -> None:
    model = graphdsl.loads(SPEC).compile("m")
    torch.manual_seed(0)
    x = {"author": torch.randn(5, 3), "paper": torch.randn(6, 5), "venue": torch.randn(3, 2)}
    edges = {key: index for key, index in relations().items() if key != CITES}
    conv = MAGNNConv(4, 8, {key: PATHS[key] for key in (APA, APVPA)}, heads=2, encoder="mean")
    state = model.state_dict()
    conv.load_state_dict({key.split("joints.0.")[1]: value for key, value in state.items() if "joints" in key})
    at = "stages.h.nodes"
    h = {
        name: nn.functional.linear(value, state[f"{at}.{name}.weight"], state[f"{at}.{name}.bias"])
        for name, value in x.items()
    }
    torch.testing.assert_close(model.encode(x, edges)["author"], nn.functional.elu(conv(h, edges)["author"]))
    assert set(graphdsl.loads(SPEC).plan("m").relations) == {WRITES, IN}
    with pytest.raises(SpecError) as raised:
        graphdsl.loads(SPEC.replace("budget 100", "budget 1")).compile("m")(x, edges)
    assert [item.code for item in raised.value.diagnostics] == ["GNN402"]
    assert "`APA`" in raised.value.diagnostics[0].message
