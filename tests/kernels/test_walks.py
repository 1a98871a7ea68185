"""Random walks, against the shares that their definition gives and against PyG's own sampling."""

from itertools import pairwise

import pytest
import torch
from torch_geometric.nn import MetaPath2Vec

from graphdsl.kernels.walks import ENDED, Neighbors, walk_hops, walk_second_order, windows

# 0 has three neighbours: 1 (joined to 2), 2 (joined to 1), 3 (a leaf); 4 stands alone.
EDGES = torch.tensor([[0, 1, 0, 2, 0, 3, 1, 2], [1, 0, 2, 0, 3, 0, 2, 1]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shares(walks: torch.Tensor, history: list[int], count: int) -> torch.Tensor:
    """How often each node follows a beginning of walks."""
    following = walks[(walks[:, : len(history)] == torch.tensor(history)).all(1), len(history)]
    return torch.bincount(following, minlength=count) / len(following)


def test_every_edge_is_equally_likely_and_parallel_edges_count() -> None:
    neighbors = Neighbors.of(torch.tensor([[0, 0, 0, 0], [3, 1, 3, 2]]), 2)
    found = neighbors.draw(torch.zeros(60_000, dtype=torch.long), seeded())
    assert torch.allclose(torch.bincount(found, minlength=4) / 60_000, torch.tensor([0, 0.25, 0.25, 0.5]), atol=0.01)
    assert neighbors.draw(torch.tensor([1, ENDED]), seeded()).tolist() == [ENDED, ENDED]


def test_walks_follow_edges_of_their_hop_and_end_for_good() -> None:
    hops = [torch.tensor([[0, 0, 1, 3], [1, 2, 2, 0]]), torch.tensor([[0, 2, 2], [3, 1, 2]])]
    walks = walk_hops([Neighbors.of(hop, 4) for hop in hops], torch.arange(4).repeat(100), 6, seeded())
    sets = [set(map(tuple, hop.t().tolist())) for hop in hops]
    for walk in walks.tolist():
        for step, (here, there) in enumerate(pairwise(walk)):
            if there == ENDED:
                assert here == ENDED or here not in {pair[0] for pair in sets[step % 2]}
            else:
                assert (here, there) in sets[step % 2]


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.25, 1.0), (4.0, 1.0), (1.0, 0.25), (0.5, 2.0), (1e6, 1e6)])
def test_second_order_steps_have_the_shares_of_the_paper(p: float, q: float) -> None:
    walks = walk_second_order(Neighbors.of(EDGES, 5), torch.ones(60_000, dtype=torch.long), 2, p, q, seeded(3))
    weights = torch.tensor([0, 1 / p, 1.0, 1 / q, 0])  # from 1 to 0: back to 1, on to its neighbour 2, away to 3
    assert torch.allclose(shares(walks, [1, 0], 5), weights / weights.sum(), atol=0.015)
    weights = torch.tensor([1.0, 1 / p, 0, 0, 0])  # from 1 to 2: back to 1, or to their common neighbour 0
    assert torch.allclose(shares(walks, [1, 2], 5), weights / weights.sum(), atol=0.015)


def test_second_order_walks_stay_where_nothing_leads_on() -> None:
    walks = walk_second_order(Neighbors.of(EDGES, 5), torch.tensor([4, 3]), 3, 2.0, 0.5, seeded())
    assert walks[0].tolist() == [4, 4, 4, 4]
    assert walks[1, 1] == 0, "a leaf has one way"


def test_same_seed_gives_the_same_walks() -> None:
    neighbors = Neighbors.of(EDGES, 5)
    first, again = (walk_second_order(neighbors, torch.arange(5), 9, 0.5, 2.0, seeded(7)) for _ in range(2))
    assert torch.equal(first, again)


def test_windows_are_those_of_pyg() -> None:
    walks = torch.arange(24).reshape(3, 8)
    cut = torch.cat([walks[:, place : place + 3] for place in range(8 - 3 + 1)])
    assert torch.equal(windows(walks, 3), cut)


def test_walks_over_hops_are_as_likely_as_those_of_pyg() -> None:
    """PyG's walks are numbered over all types, with one dummy for what is behind the end of a walk."""
    writes, written = torch.tensor([[0, 0, 1, 2, 2], [0, 1, 1, 2, 0]]), torch.tensor([[0, 1, 1, 0], [0, 0, 1, 2]])
    metapath = [("a", "writes", "p"), ("p", "written", "a")]
    count = {"a": 4, "p": 3}
    torch.manual_seed(0)
    theirs = MetaPath2Vec(dict(zip(metapath, (writes, written), strict=True)), 2, metapath, 3, 4, 1, 1, count)
    starts = torch.arange(4).repeat(20_000)
    expected = theirs._pos_sample(starts)
    hops = [Neighbors.of(writes, 4), Neighbors.of(written, 3)]
    found = walk_hops(hops, starts, 3, seeded())
    found = torch.where(found == ENDED, theirs.dummy_idx, found + theirs.offset)
    for column in range(1, 4):
        pairs = [torch.stack([walks[:, 0], walks[:, column]]) for walks in (found, expected)]
        ours, pygs = (torch.bincount(pair[0] * 8 + pair[1], minlength=64) / len(starts) for pair in pairs)
        assert torch.allclose(ours, pygs, atol=0.01)
