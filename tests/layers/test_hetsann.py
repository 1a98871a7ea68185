"""HetSANN against the paper's equations, edge by edge in plain Python."""

from math import exp

import pytest
import torch
from layer_cases import INVERSE_OF, METADATA, TYPES, WIDTHS, apart
from torch import Tensor

from graphdsl.layers import HetSANNConv

HEADS, OUT, SLOPE = 2, 3, 0.1
Edges = dict[tuple[str, str, str], Tensor]


def view(conv: HetSANNConv, source: str, target: str, head: int, value: Tensor) -> Tensor:
    """How nodes of a type see a node of another: the map of this pair of types."""
    row = (conv.views[source].index(target) * HEADS + head) * OUT
    return conv.state_dict()[f"lin.{source}.weight"][row : row + OUT] @ value


def slow(conv: HetSANNConv, x: dict[str, Tensor], edges: Edges, head: int) -> dict[str, Tensor]:
    """One head: values of all nodes of the types that a relation ends in."""
    att, ordered = conv.state_dict()["att"][:, head], sorted(edges)
    targets = sorted({edge[2] for edge in edges})
    originals = dict(zip(METADATA[1], [METADATA[1][number] for number in INVERSE_OF], strict=True))
    voices = sorted(set(originals.values()))
    out = {}
    for name in targets:
        made = []
        for node in range(TYPES[name]):
            own = view(conv, name, name, head, x[name][node])
            arrived = [(own, len(ordered) + targets.index(name), torch.zeros(OUT, dtype=own.dtype))]
            for edge in (edge for edge in ordered if edge[2] == name):
                voice = att[voices.index(originals[edge])][:OUT] if conv.attention == "voices" else own
                voice = voice if originals[edge] == edge else -voice
                sources = [source for source, target in edges[edge].t().tolist() if target == node]
                sent = [view(conv, edge[0], name, head, x[edge[0]][source]) for source in sources]
                arrived += [(value, ordered.index(edge), voice) for value in sent]
            scores = []
            for value, number, voice in arrived:
                by_voice = conv.attention == "voices"
                score = float(own @ (value + voice) if by_voice else att[number] @ torch.cat([own, value]))
                scores.append(exp(score if score > 0 else SLOPE * score))
            made.append(sum(s / sum(scores) * value for s, (value, _, _) in zip(scores, arrived, strict=True)))
        out[name] = torch.stack(made)
    return out


@pytest.mark.parametrize("attention", ["voices", "concat"])
def test_equals_the_equations(attention: str) -> None:
    torch.manual_seed(0)
    options = {"attention": attention, "negative_slope": SLOPE, "residual": True}
    conv = HetSANNConv(WIDTHS, OUT, METADATA, INVERSE_OF, heads=HEADS, **options).double()
    torch.nn.init.normal_(conv.bias)
    x, edges = apart()
    heads = [slow(conv, x, edges, head) for head in range(HEADS)]
    found, state = conv(x, edges), conv.state_dict()
    assert set(found) == {"a", "b"}
    for place, name in enumerate(sorted(found)):
        expected = torch.cat([head[name] for head in heads], dim=1)
        expected = expected + x[name] @ state[f"res.{name}.weight"].t() + state["bias"][place]
        torch.testing.assert_close(found[name], expected)


def test_a_relation_and_its_inverse_have_one_voice() -> None:
    conv = HetSANNConv(WIDTHS, OUT, METADATA, INVERSE_OF)
    assert conv.edges == [("a", "r", "b"), ("a", "s", "a"), ("b", "r_back", "a"), ("c", "e", "b")]
    assert conv.voice.tolist() == [0, 1, 0, 2]
    assert conv.sign.flatten().tolist() == [1, 1, -1, 1]
    assert HetSANNConv(WIDTHS, OUT, METADATA).voice.tolist() == [0, 1, 2, 3]
    alone = HetSANNConv(WIDTHS, OUT, (METADATA[0], METADATA[1][2:]), [-1, 1])
    assert alone.sign.flatten().tolist() == [1, 1]
    kept = HetSANNConv({"a": 4}, 4, (["a"], [("a", "s", "a")]), residual=True)
    assert len(kept.res) == 0
    x, edges = apart()
    value = {"a": x["a"].float()}
    bare = HetSANNConv({"a": 4}, 4, (["a"], [("a", "s", "a")]))
    bare.load_state_dict(kept.state_dict())
    index = {("a", "s", "a"): edges["a", "s", "a"]}
    torch.testing.assert_close(kept(value, index)["a"], bare(value, index)["a"] + value["a"])
