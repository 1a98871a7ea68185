"""NARSConv against the paper's equations with plain loops, and as a layer of a spec."""

import gc

import pytest
import torch
from metapath_graphs import CITES, COUNTS, IN, WRITES, features, relations
from torch import Tensor, nn

import graphdsl
from graphdsl.layers import NARSConv

TYPES = ["author", "paper", "venue"]
WRITTEN_BY, PUBLISHES = ("paper", "written_by", "author"), ("venue", "publishes", "paper")
RELATIONS = sorted([WRITES, IN, CITES, WRITTEN_BY, PUBLISHES])
GROUPS = [[RELATIONS.index(CITES)], [RELATIONS.index(WRITES), RELATIONS.index(WRITTEN_BY)],
          [RELATIONS.index(IN), RELATIONS.index(PUBLISHES)]]  # fmt: skip
SAME = dict.fromkeys(TYPES, 3)


def edges() -> dict:
    made = relations()
    return {**made, WRITTEN_BY: made[WRITES].flip(0), PUBLISHES: made[IN].flip(0)}


def mlp(module: nn.Module, row: list[float]) -> list[float]:
    for part in module:
        if isinstance(part, nn.Linear):
            lines = zip(part.weight.tolist(), part.bias.tolist(), strict=True)
            row = [sum(a * b for a, b in zip(line, row, strict=True)) + more for line, more in lines]
        elif isinstance(part, nn.PReLU):
            row = [value if value > 0 else float(part.weight) * value for value in row]
    return row


def by_definition(conv: NARSConv, x: dict[str, Tensor], index: dict) -> dict[str, list[list[float]]]:
    start = {(name, i): x[name][i].tolist() for name in TYPES for i in range(COUNTS[name])}
    by_subset = []
    for row in conv.subsets.tolist():
        inside = [key for key, chosen in zip(conv.relations, row, strict=True) if chosen]
        hops = [start]
        for _ in range(conv.num_hops):
            following = {}
            for node in start:
                came = [
                    hops[-1][key[0], a] for key in inside for a, b in index[key].t().tolist() if (key[2], b) == node
                ]
                following[node] = [sum(c) / len(came) for c in zip(*came, strict=True)] if came else [0.0] * 3
            hops.append(following)
        by_subset.append(hops)
    result = {name: [] for name in TYPES}
    for node in start:
        together = []
        for hop, (weight, part) in enumerate(zip(conv.weight, conv.mlps, strict=True)):
            rows = weight.tolist()
            summed = [sum(rows[i][d] * by_subset[i][hop][node][d] for i in range(len(rows))) for d in range(3)]
            together += mlp(part, summed)
        result[node[0]].append(mlp([conv.act, conv.lin], together))
    return result


@pytest.mark.parametrize(("hops", "subsets", "layers"), [(2, 8, 2), (1, 3, 1), (3, 2, 2)])
def test_equals_the_equations(hops: int, subsets: int, layers: int) -> None:
    x, index = features(SAME), edges()
    conv = NARSConv(3, 4, (TYPES, RELATIONS), GROUPS, hops, subsets, layers).double().requires_grad_(False)
    assert conv.subsets.size(0) == min(subsets, 7)
    made = conv(x, index)
    for name, rows in by_definition(conv, x, index).items():
        torch.testing.assert_close(made[name], torch.tensor(rows, dtype=torch.float64))
    some = conv(x, index, targets=["paper"])
    assert [*some] == ["paper"]
    torch.testing.assert_close(some["paper"], made["paper"])
    learned = {name: value.clone().requires_grad_() for name, value in x.items()}
    torch.testing.assert_close(conv(learned, index)["author"].detach(), made["author"])


def test_gradients() -> None:
    x, index = features(SAME), edges()
    conv = NARSConv(3, 2, (TYPES, RELATIONS), GROUPS, 2, 3, 1).double()
    read = tuple(x[name].requires_grad_() for name in TYPES)
    assert torch.autograd.gradcheck(lambda *v: conv(dict(zip(TYPES, v, strict=True)), index)["paper"], read)


def test_subsets_are_drawn_from_the_seed_and_hold_groups_as_a_whole() -> None:
    drawn = [NARSConv(3, 2, (TYPES, RELATIONS), GROUPS, 1, 4, seed=seed).subsets for seed in (0, 0, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2]) or not torch.equal(drawn[0], drawn[3])
    for mask in drawn:
        assert mask.any(1).all()
        assert mask.unique(dim=0).size(0) == 4
        assert all(torch.equal(mask[:, group[0]], mask[:, group[-1]]) for group in GROUPS)


def test_averages_are_kept_while_features_and_edges_live_unchanged() -> None:
    x, index = features(SAME), edges()
    conv = NARSConv(3, 4, (TYPES, RELATIONS), GROUPS).double()
    with torch.inference_mode():
        first = conv(x, index)["paper"]
    conv(x, index)["paper"].sum().backward()
    assert len(conv._kept) == 2
    index[CITES][0, 0] = (index[CITES][0, 0] + 1) % 5
    assert not torch.equal(conv(x, index)["paper"], first)
    del x, index
    gc.collect()
    assert len(conv._kept) == 0


def test_without_edges_and_nodes() -> None:
    x = features(SAME)
    none = {key: index[:, :0] for key, index in edges().items()}
    conv = NARSConv(3, 4, (TYPES, RELATIONS), GROUPS).double().eval()
    assert torch.isfinite(conv(x, none)["venue"]).all()
    assert conv({name: value[:0] for name, value in x.items()}, none)["venue"].shape == (0, 4)


SPEC = """
schema library {
  node author { x: float[3], y: class[2], train_mask: mask }
  node paper { x: float[3] }
  node venue { x: float[3] }
  edge author -[writes]-> paper reverse written_by
  edge paper -[in]-> venue reverse publishes
  edge paper -[cites]-> paper
}
model m on library {
  edges { *: NARSConv(8, num_subsets = 3, seed = 2) } | prelu
  predict author.y
}
"""


def test_in_a_spec() -> None:
    model = graphdsl.loads(SPEC).compile("m")
    x = {name: value.float() for name, value in features(SAME).items()}
    index = relations()
    conv = NARSConv(3, 8, (TYPES, RELATIONS), GROUPS, num_subsets=3, seed=7)
    conv.load_state_dict({key.split("joints.0.")[1]: v for key, v in model.state_dict().items() if "joints" in key})
    expected = nn.functional.prelu(conv(x, edges())["author"], torch.tensor(0.25))
    torch.testing.assert_close(model.encode(x, index, prediction="author.y")["author"], expected)
    pairs = {(WRITES, WRITTEN_BY), (IN, PUBLISHES)}
    for row in conv.subsets:
        inside = {key for key, chosen in zip(RELATIONS, row.tolist(), strict=True) if chosen}
        assert all((one in inside) == (other in inside) for one, other in pairs)
