"""HPN against the paper's equations, number by number in plain Python."""

import pytest
import torch
from layer_cases import NODES, WIDTH, together
from torch import Tensor

import graphdsl
from graphdsl.layers import HPNConv


def slow(conv: HPNConv, x: Tensor, edge_index: Tensor, weights: list[float]) -> Tensor:
    """Steps of a walk whose probabilities are a table."""
    chance = [[0.0] * NODES for _ in range(NODES)]
    for (source, target), weight in zip(edge_index.t().tolist(), weights, strict=True):
        chance[target][source] += weight
    chance = [[value / sum(row) for value in row] if sum(row) else row for row in chance]
    start = torch.stack([(conv.lin.weight @ row + conv.lin.bias).relu() for row in x])
    out = start
    for _ in range(conv.K):
        met = [sum(share * row for share, row in zip(shares, out, strict=True)) for shares in chance]
        out = (1 - conv.gamma) * torch.stack(met) + conv.gamma * start
    return out


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_equals_the_equations(steps: int, counted: bool) -> None:
    torch.manual_seed(0)
    conv = HPNConv(WIDTH, 5, K=steps, gamma=0.3).double()
    torch.nn.init.normal_(conv.lin.bias)
    x, edge_index, _ = together()
    weights = [float(1 + number % 3) if counted else 1.0 for number in range(edge_index.size(1))]
    given = (torch.tensor(weights, dtype=torch.double),) if counted else ()
    torch.testing.assert_close(conv(x, edge_index, *given), slow(conv, x, edge_index, weights))


def test_edges_of_no_weight_count_as_none() -> None:
    conv, (x, edge_index, _) = HPNConv(WIDTH, 5).double(), together()
    nothing = torch.zeros(edge_index.size(1), dtype=torch.double)
    torch.testing.assert_close(conv(x, edge_index, nothing), conv(x, edge_index[:, :0]))


def test_counted_metapaths_bring_their_weights() -> None:
    text = """
      schema s {{
        node a {{ x: float[4], y: class[2] }}
        node b {{ x: float[4] }}
        edge a -[r]-> b
        metapath AA{} = a -[r]-> b <-[r]- a
      }}
      model m on s {{ edges {{ AA: HPNConv(3, K = 2) }} combine attention  predict a.y }}
    """
    torch.manual_seed(0)
    counted, plain = (graphdsl.loads(text.format(kind)).compile("m") for kind in ("(count)", ""))
    plain.load_state_dict(counted.state_dict())
    x = {"a": torch.randn(3, 4), "b": torch.randn(3, 4)}
    edges = {("a", "r", "b"): torch.tensor([[0, 1, 0, 1, 2], [0, 0, 1, 1, 1]])}
    assert not torch.allclose(counted(x, edges), plain(x, edges))
    conv = HPNConv(4, 3, K=2)
    prefix = next(key for key in counted.state_dict() if key.endswith("lin.weight")).removesuffix("lin.weight")
    conv.load_state_dict({key: counted.state_dict()[prefix + key] for key in ("lin.weight", "lin.bias")})
    paths = torch.tensor([[2, 2, 1], [2, 2, 1], [1, 1, 1]])
    index = paths.nonzero().t()
    expected = conv(x["a"], index, paths[index[0], index[1]].float())
    torch.testing.assert_close(counted.encode(x, edges)["a"], expected)
