"""`lpformer`: PageRank against its definition, and scores against PyG's `LPFormer` on the same matrices."""

import copy

import pytest
import torch
from torch import Tensor
from torch_geometric.nn.models import LPFormer
from torch_geometric.utils import to_undirected

from graphdsl.kernels.pagerank import personal_pagerank
from graphdsl.kernels.pair_transformer import PairTransformer


def graph(nodes: int = 30, edges: int = 60, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    index = torch.randint(nodes - 2, (2, edges))  # the last two nodes have no edge
    return to_undirected(index[:, index[0] != index[1]], num_nodes=nodes)


def exact(index: Tensor, nodes: int, alpha: float) -> Tensor:
    """alpha (1 - (1 - alpha) D^-1 A)^-1; a walk that finds no next node ends."""
    matrix = torch.zeros(nodes, nodes, dtype=torch.float64)
    matrix[index[0], index[1]] = 1
    matrix /= matrix.sum(1, keepdim=True).clamp(min=1)
    return alpha * torch.linalg.inv(torch.eye(nodes, dtype=torch.float64) - (1 - alpha) * matrix)


@pytest.mark.parametrize("alpha", [0.15, 0.5])
@pytest.mark.parametrize("eps", [1e-3, 1e-7])
def test_pagerank_lacks_no_more_than_it_may(alpha: float, eps: float) -> None:
    index = graph()
    found = personal_pagerank(index, 30, alpha, eps).to_dense().double()
    missing = exact(index, 30, alpha) - found
    degree = torch.bincount(index[0], minlength=30).clamp(min=1)
    assert float(missing.min()) > -1e-6
    # What is left at a node is less than alpha * eps times its degree, and walks on from there.
    assert bool((missing <= (eps * degree).sum() + 1e-6).all())
    if eps == 1e-7:
        torch.testing.assert_close(found, exact(index, 30, alpha), atol=1e-4, rtol=1e-4)


def test_pagerank_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    index = graph()
    whole = personal_pagerank(index, 30)
    monkeypatch.setattr("graphdsl.kernels.pagerank._AT_ONCE", 90)
    torch.testing.assert_close(personal_pagerank(index, 30).to_dense(), whole.to_dense())


@pytest.mark.parametrize("thresholds", [(0.0, 1e-4, 1e-2), (0.001, 0.02, 0.05), (0.0, 0.0, 0.5)])
def test_scores_are_those_of_pyg(thresholds: tuple[float, ...]) -> None:
    index, x = graph(), torch.randn(30, 6)
    ours = PairTransformer(6, 16, 3, ppr_thresholds=thresholds).eval()
    theirs = LPFormer(6, 16, 3, ppr_thresholds=list(thresholds)).eval()
    theirs.load_state_dict(ours.state_dict())
    pairs = torch.randint(30, (2, 40))
    with torch.sparse.check_sparse_tensor_invariants(False):
        wanted = theirs(pairs, x, index, personal_pagerank(index, 30))
    h = ours.look(x, index, pairs)
    found = ours(h[pairs[0]], h[pairs[1]])
    torch.testing.assert_close(found.squeeze(-1), wanted, rtol=1e-4, atol=1e-5)
    every = ours.every(h[:4], h)
    torch.testing.assert_close(every[pairs[0] % 4, pairs[1]], ours(h[pairs[0] % 4], h[pairs[1]]), rtol=1e-4, atol=1e-5)


def test_edges_count_both_ways() -> None:
    index, x = graph(), torch.randn(30, 6)
    scorer = PairTransformer(6, 16).eval()
    pairs = torch.randint(30, (2, 20))
    one_way = index[:, index[0] < index[1]]
    scores = [scorer(h[pairs[0]], h[pairs[1]]) for edges in (index, one_way) for h in [scorer.look(x, edges, None)]]
    torch.testing.assert_close(*scores)


def test_what_is_asked_is_no_edge_meanwhile() -> None:
    index, x = graph(), torch.randn(30, 6)
    scorer = PairTransformer(6, 16, gnn_dropout=0.0, transformer_dropout=0.0)
    asked = index[:, :6]
    h = scorer.train().look(x, index, asked)
    gone = torch.isin(index[0] * 30 + index[1], torch.cat([asked[0] * 30 + asked[1], asked[1] * 30 + asked[0]]))
    with torch.no_grad():
        kept = scorer.eval().look(x, index[:, ~gone], None)
    torch.testing.assert_close(h.detach(), kept)
    assert gone.sum() > 6


def test_a_copy_has_seen_nothing() -> None:
    index, x = graph(), torch.randn(30, 6)
    scorer = PairTransformer(6, 16)
    scorer.look(x, index, None)
    assert copy.deepcopy(scorer)._seen is None
    assert scorer._seen is not None


def test_pairs_without_neighbours_and_gradients() -> None:
    index, x = graph(), torch.randn(30, 6, requires_grad=True)
    scorer = PairTransformer(6, 16)
    pairs = torch.tensor([[28, 0, 3], [29, 1, 28]])
    h = scorer.look(x, index, pairs)
    scorer(h[pairs[0]], h[pairs[1]]).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert all(item.grad is None or item.grad.isfinite().all() for item in scorer.parameters())
