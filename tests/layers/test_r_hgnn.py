"""R-HGNN against the paper's equations, node by node in plain Python."""

from math import exp

import pytest
import torch
from layer_cases import INVERSE_OF, METADATA, TYPES, WIDTHS, apart
from torch import Tensor

from graphdsl.layers import RHGNNConv

OUT, HEADS, WIDTH, SLOPE = 6, 2, 3, 0.1
Edge = tuple[str, str, str]
Values = dict[tuple[str, Edge | None, int], Tensor]
"""By type, relation into it (None for how a node began) and node."""


def leaky(value: float) -> float:
    return value if value > 0 else SLOPE * value


def soft(scores: list[float]) -> list[float]:
    return [exp(score) / sum(map(exp, scores)) for score in scores]


def head(value: Tensor, number: int) -> Tensor:
    return value[number * WIDTH : (number + 1) * WIDTH]


class Slow:
    """The whole module, one node and one head at a time."""

    def __init__(self, conv: RHGNNConv, x: dict[str, Tensor], edges: dict[Edge, Tensor], paired: bool) -> None:
        self.state, self.edges, self.depth = conv.state_dict(), edges, len(conv.layers)
        self.order = sorted(edges, key=lambda edge: (edge[2], edge))
        self.types = sorted({end for edge in edges for end in (edge[0], edge[2])})
        self.inverse: dict[Edge, Edge] = {}
        for edge, number in zip(METADATA[1], INVERSE_OF, strict=True):
            if paired and METADATA[1][number] != edge:
                self.inverse |= {edge: METADATA[1][number], METADATA[1][number]: edge}
        self.h: Values = {}
        for name in self.types:
            weight, bias = self.state[f"lin.{name}.weight"], self.state[f"lin.{name}.bias"]
            for node in range(TYPES[name]):
                for key in (None, *(edge for edge in self.order if edge[2] == name)):
                    self.h[name, key, node] = weight @ x[name][node] + bias
        self.relations = dict(zip(self.order, self.state["relation"], strict=True))

    def into(self, name: str) -> list[Edge]:
        return [edge for edge in self.order if edge[2] == name]

    def within(self, w: dict[str, Tensor], edge: Edge, node: int) -> Tensor:
        """Attention of a node among its neighbours under a relation, then the residual."""
        source, _, target = edge
        number, place = self.types.index(target), self.types.index(source)
        guide = self.relations[edge] @ w["att"][self.order.index(edge)]
        own = w["weight"][number].t() @ self.h[target, edge, node]
        ends = self.edges[edge].t().tolist()
        sent = [
            w["weight"][place].t() @ self.h[source, self.inverse.get(edge), there]
            for there, here in ends
            if here == node
        ]
        parts = []
        for k in range(HEADS):
            a = guide[2 * k * WIDTH : 2 * (k + 1) * WIDTH]
            alpha = soft([leaky(float(a @ torch.cat([head(own, k), head(value, k)]))) for value in sent])
            zero = torch.zeros(WIDTH, dtype=own.dtype)
            parts.append(sum((s * head(value, k) for s, value in zip(alpha, sent, strict=True)), zero).relu())
        share = 1 / (1 + exp(-float(w["share"][number])))
        kept = w["res_weight"][number].t() @ self.h[target, edge, node] + w["res_bias"][number]
        return share * torch.cat(parts) + (1 - share) * kept

    def layer(self, number: int) -> None:
        prefix = f"layers.{number}."
        w = {key.removeprefix(prefix): value for key, value in self.state.items() if key.startswith(prefix)}
        z = {(edge, node): self.within(w, edge, node) for edge in self.order for node in range(TYPES[edge[2]])}
        for edge, node in z:
            others, parts = self.into(edge[2]), []
            for k in range(HEADS):
                values = [head(z[other, node], k) for other in others]
                shares = soft([leaky(float(w["cross"][self.order.index(edge), k] @ value)) for value in values])
                parts.append(sum(share * value for share, value in zip(shares, values, strict=True)))
            made, place = torch.cat(parts), self.types.index(edge[2])
            made = (made - made.mean()) / (made.var(unbiased=False) + 1e-5).sqrt()
            self.h[edge[2], edge, node] = made * w["norm_weight"][place] + w["norm_bias"][place]
        self.relations = {
            edge: value @ w["update_weight"][place] + w["update_bias"][place]
            for place, (edge, value) in enumerate(self.relations.items())
        }

    def fused(self, name: str, node: int) -> Tensor:
        parts = []
        for k in range(HEADS):
            values, scores = [], []
            for edge in self.into(name):
                place = self.order.index(edge)
                guide = self.relations[edge].view(HEADS, -1)[k] @ self.state["fuse_relation"][place, k]
                values.append(head(self.h[name, edge, node], k) @ self.state["fuse"][place, k])
                scores.append(leaky(float(values[-1] @ guide)))
            parts.append(sum(share * value for share, value in zip(soft(scores), values, strict=True)))
        return torch.cat(parts)

    def run(self) -> dict[str, Tensor]:
        for number in range(self.depth):
            self.layer(number)
        targets = sorted({edge[2] for edge in self.order})
        return {name: torch.stack([self.fused(name, node) for node in range(TYPES[name])]) for name in targets}


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_equals_the_equations(layers: int, paired: bool) -> None:
    torch.manual_seed(0)
    inverse_of = INVERSE_OF if paired else None
    options = {"num_layers": layers, "heads": HEADS, "relation_channels": 4, "negative_slope": SLOPE}
    conv = RHGNNConv(WIDTHS, OUT, METADATA, inverse_of, **options).double()
    for layer in conv.layers:
        for weight in (layer.res_bias, layer.norm_weight, layer.norm_bias, layer.update_bias):
            torch.nn.init.normal_(weight)
    x, edges = apart()
    with torch.no_grad():
        found, expected = conv(x, edges), Slow(conv, x, edges, paired).run()
    assert set(found) == set(expected) == {"a", "b"}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_heads_must_divide() -> None:
    with pytest.raises(ValueError, match="3 heads cannot share 8 columns"):
        RHGNNConv(WIDTHS, 8, METADATA, heads=3)
