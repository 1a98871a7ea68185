"""SeHGNNConv and walks along metapaths: against the paper's equations with plain loops, and as a layer of a spec."""

import copy
import gc
import math

import pytest
import torch
from metapath_graphs import APA, APVPA, CITES, COUNTS, IN, PATHS, VPA, WIDTHS, WRITES, averaged, features, relations
from torch import Tensor, nn

import graphdsl
from graphdsl.layers import SeHGNNConv
from graphdsl.layers.walking import Walker


def test_walks_are_products_of_row_normalised_matrices() -> None:
    x, edges = features(), relations()
    for key, made in Walker(PATHS)(x, edges).items():
        torch.testing.assert_close(made, torch.tensor(averaged(PATHS[key], x, edges), dtype=torch.float64))


def test_sizes_of_types_on_the_way_may_be_unknown() -> None:
    x, edges = features(), relations()
    walk = Walker({APVPA: PATHS[APVPA]})
    expected = torch.tensor(averaged(PATHS[APVPA], x, edges), dtype=torch.float64)
    only = {"author": x["author"]}
    torch.testing.assert_close(walk(only, edges)[APVPA], expected)
    torch.testing.assert_close(walk(only, edges, {"paper": 60, "venue": 9})[APVPA], expected)
    assert not walk(only, {key: index[:, :0] for key, index in edges.items()})[APVPA].any()
    assert walk({"author": x["author"][:0]}, {key: index[:, :0] for key, index in edges.items()})[APVPA].shape == (0, 3)


def test_walks_are_kept_while_features_and_edges_live_unchanged() -> None:
    x, edges = features(), relations()
    walk = Walker(PATHS)
    with torch.inference_mode():
        first = walk(x, edges)
    assert all(walk(x, edges)[key] is made for key, made in first.items())
    assert not first[APA].is_inference()
    x["author"][0, 0] += 1
    changed = walk(x, edges)
    assert not torch.equal(changed[APA], first[APA])
    learned = {name: value.clone().requires_grad_() for name, value in x.items()}
    assert walk(learned, edges)[APA].requires_grad
    torch.testing.assert_close(walk(learned, edges)[APA], changed[APA])
    assert len(copy.deepcopy(walk)._kept) == 0
    del x, edges, learned
    gc.collect()
    assert len(walk._kept) == 0


def linear(lin: nn.Linear, row: list[float]) -> list[float]:
    weight, bias = lin.weight.tolist(), lin.bias.tolist() if lin.bias is not None else [0.0] * lin.out_features
    return [sum(a * b for a, b in zip(line, row, strict=True)) + more for line, more in zip(weight, bias, strict=True)]


def by_definition(conv: SeHGNNConv, target: str, x: dict[str, Tensor], edges: dict) -> list[list[float]]:
    fusion = conv.fusions[target]
    keys = conv.paths[target]
    raw = [x[target].tolist(), *(averaged(PATHS[key], x, edges) for key in keys)]
    sources = [target, *(key[0] for key in keys)]
    result = []
    for node in range(COUNTS[target]):
        h = []
        for source, rows in zip(sources, raw, strict=True):
            embed = conv.embed[source].tolist()
            h.append([sum(v * embed[p][q] for p, v in enumerate(rows[node])) for q in range(conv.out_channels)])
        own = h[0]
        for weight, bias, norm, act in zip(fusion.weights, fusion.biases, fusion.norms, fusion.acts, strict=True):
            w, b, slope = weight.tolist(), bias.tolist(), float(act.weight)
            h = [
                [sum(v * w[m][p][q] for p, v in enumerate(row)) + b[m][q] for q in range(conv.out_channels)]
                for m, row in enumerate(h)
            ]
            flat = [v for row in h for v in row]
            mean = sum(flat) / len(flat)
            deviation = math.sqrt(sum((v - mean) ** 2 for v in flat) / len(flat) + norm.eps)
            scale, shift = norm.weight.tolist(), norm.bias.tolist()
            h = [
                [(v - mean) / deviation * s + t for v, s, t in zip(*rows, strict=True)]
                for rows in zip(h, scale, shift, strict=True)
            ]
            h = [[v if v > 0 else slope * v for v in row] for row in h]
        q, k, v = ([linear(lin, row) for row in h] for lin in (fusion.query, fusion.key, fusion.value))
        fused = []
        for m, row in enumerate(h):
            attended = []
            for head in range(conv.heads):
                part = len(q[0]) // conv.heads
                span = slice(head * part, (head + 1) * part)
                scores = [
                    sum(a * b for a, b in zip(q[m][span], other[span], strict=True)) / math.sqrt(part) for other in k
                ]
                exp = [math.exp(score) for score in scores]
                wide = len(v[0]) // conv.heads
                for column in range(head * wide, (head + 1) * wide):
                    attended.append(sum(e / sum(exp) * other[column] for e, other in zip(exp, v, strict=True)))
            fused += [float(fusion.gamma) * a + b for a, b in zip(attended, row, strict=True)]
        out = linear(fusion.lin, fused)
        if fusion.res is not None:
            out = [a + b for a, b in zip(out, linear(fusion.res, own), strict=True)]
        result.append(out)
    return result


@pytest.mark.parametrize(("heads", "layers", "residual"), [(1, 2, False), (2, 1, True)])
def test_equals_the_equations(heads: int, layers: int, residual: bool) -> None:
    x, edges = features(), relations()
    conv = SeHGNNConv(WIDTHS, 8, PATHS, layers, heads, residual=residual).double().requires_grad_(False)
    for parameter in conv.parameters():  # norms, slopes and gamma start where mistakes would not show
        parameter.add_(torch.randn_like(parameter), alpha=0.3)
    made = conv(x, edges)
    assert sorted(made) == ["author", "paper"]
    for name, value in made.items():
        torch.testing.assert_close(value, torch.tensor(by_definition(conv, name, x, edges), dtype=torch.float64))
    some = conv(x, edges, targets=["paper"])
    assert [*some] == ["paper"]
    torch.testing.assert_close(some["paper"], made["paper"])


def test_gradients() -> None:
    x, edges = features(), relations()
    conv = SeHGNNConv(WIDTHS, 4, {VPA: PATHS[VPA], APA: PATHS[APA]}, 1).double()
    nn.init.constant_(conv.fusions["author"].gamma, 0.7)
    read = [x[name].requires_grad_() for name in ("author", "venue")]

    def total(author: Tensor, venue: Tensor) -> Tensor:
        return conv({"author": author, "venue": venue}, edges)["author"]

    assert torch.autograd.gradcheck(total, tuple(read))


SPEC = """
schema library {
  node author { x: float[3], y: class[2], train_mask: mask }
  node paper
  node venue { x: float[2] }
  edge author -[writes]-> paper
  edge paper -[in]-> venue
  metapath APA = author -[writes]-> paper <-[writes]- author
  metapath APVPA = author -[writes]-> paper -[in]-> venue <-[in]- paper <-[writes]- author  budget 1
  metapath VPA = venue <-[in]- paper <-[writes]- author
}
model m on library {
  edges { APA, APVPA, VPA: SeHGNNConv(8, residual = true) } | prelu
  predict author.y
}
train m { epochs: 2 }
"""


def test_in_a_spec_no_metapath_is_made_and_no_features_are_read_on_the_way() -> None:
    spec = graphdsl.loads(SPEC)
    model = spec.compile("m")
    x = {name: value.float() for name, value in features().items() if name != "paper"}
    edges = {key: index for key, index in relations().items() if key != CITES}
    conv = SeHGNNConv(WIDTHS, 8, {key: PATHS[key] for key in sorted([APA, APVPA, VPA])}, residual=True)
    state = {key.split("joints.0.")[1]: v for key, v in model.state_dict().items() if "joints" in key}
    conv.load_state_dict(state)
    expected = nn.functional.prelu(conv(x, edges)["author"], torch.tensor(0.25))
    torch.testing.assert_close(model.encode(x, edges)["author"], expected)
    plan = spec.plan("m")
    assert set(plan.relations) == {WRITES, IN}
    assert plan.derived == ()
