"""ie-HGCN against the paper's equations, node by node in plain Python."""

from math import exp, expm1

import torch
from layer_cases import METADATA, TYPES, WIDTHS, apart
from torch import Tensor

from graphdsl.layers import IEHGCNConv


def slow(conv: IEHGCNConv, x: dict[str, Tensor], edges: dict[tuple[str, str, str], Tensor]) -> dict[str, Tensor]:
    """Every node of every type that a relation ends in."""
    state, out = conv.state_dict(), {}
    ordered = sorted(edges, key=lambda edge: (edge[2], edge))
    for place, name in enumerate(sorted({edge[2] for edge in edges})):
        made = []
        for node in range(TYPES[name]):
            seen = [state[f"lin_self.{name}.weight"] @ x[name][node]]
            for edge in (edge for edge in ordered if edge[2] == name):
                number = [other for other in ordered if other[0] == edge[0]].index(edge)
                rows = slice(number * conv.out_channels, (number + 1) * conv.out_channels)
                weight = state[f"lin.{edge[0]}.weight"][rows]
                sent = [weight @ x[edge[0]][source] for source, target in edges[edge].t().tolist() if target == node]
                seen.append(sum(sent) / len(sent) if sent else torch.zeros_like(seen[0]))
            query = seen[0] @ state["query"][place]
            both = [torch.cat([value @ state["key"][place], query]) for value in seen]
            scores = [float(item @ state["att"][place].flatten()) for item in both]
            scores = [exp(score if score > 0 else expm1(score)) for score in scores]
            made.append(sum(score / sum(scores) * value for score, value in zip(scores, seen, strict=True)))
        out[name] = torch.stack(made) + state["bias"][place]
    return out


def test_equals_the_equations() -> None:
    torch.manual_seed(0)
    conv = IEHGCNConv(WIDTHS, 6, METADATA, attention_channels=3).double()
    torch.nn.init.normal_(conv.bias)
    x, edges = apart()
    found, expected = conv(x, edges), slow(conv, x, edges)
    assert set(found) == set(expected) == {"a", "b"}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
