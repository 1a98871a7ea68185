"""Pairs without an edge, against sets in Python."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdsl.kernels import NonNeighbors


@st.composite
def graphs(draw: st.DrawFn) -> tuple[torch.Tensor, int, int, bool]:
    sources = draw(st.integers(1, 6))
    loops = draw(st.booleans())
    targets = draw(st.integers(1, 6)) if loops else sources
    pair = st.tuples(st.integers(0, sources - 1), st.integers(0, targets - 1))
    edges = draw(st.lists(pair, max_size=40))
    return torch.tensor(edges, dtype=torch.long).reshape(-1, 2).t(), sources, targets, loops


@given(graphs())
@settings(max_examples=200, deadline=None)
def test_draws_exactly_the_targets_that_a_source_is_not_joined_to(case) -> None:
    edges, sources, targets, loops = case
    joined = {tuple(pair) for pair in edges.t().tolist()} | ({(i, i) for i in range(sources)} if not loops else set())
    sampler = NonNeighbors(edges, sources, targets, loops)
    found, exists = sampler.draw(torch.arange(sources), 200, torch.Generator().manual_seed(0))
    for source in range(sources):
        free = {target for target in range(targets) if (source, target) not in joined}
        assert exists[source].all() if free else not exists[source].any()
        # 200 draws of at most six: each is missed with probability (5/6)^200 < 1e-15.
        assert set(found[source][exists[source]].tolist()) == free


def test_every_target_is_equally_likely() -> None:
    edges = torch.tensor([[0, 0, 0], [1, 4, 5]])
    found, _ = NonNeighbors(edges, 1, 9).draw(
        torch.zeros(1, dtype=torch.long), 60_000, torch.Generator().manual_seed(1)
    )
    share = torch.bincount(found.reshape(-1), minlength=9) / 60_000
    assert torch.allclose(share, torch.tensor([1, 0, 1, 1, 0, 0, 1, 1, 1]) / 6, atol=0.01)


def test_sources_may_repeat_and_a_seed_repeats_the_draw() -> None:
    edges = torch.tensor([[0, 1], [0, 1]])
    sampler, sources = NonNeighbors(edges, 2, 50), torch.tensor([1, 0, 1])
    first, _ = sampler.draw(sources, 4, torch.Generator().manual_seed(3))
    again, _ = sampler.draw(sources, 4, torch.Generator().manual_seed(3))
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[2])
