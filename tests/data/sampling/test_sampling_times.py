"""Time: what a seed may see."""

import pytest
import torch
from scipy.stats import chisquare
from torch_geometric.data import HeteroData
from torch_geometric.sampler import NodeSamplerInput

from graphdsl.data.sampling import HeteroNeighborSampler

READS = ("post", "read_by", "user")
LIVES = ("town", "home_of", "user")


def board(post_time=(1, 2, 3, 4, 5, 6)) -> HeteroData:
    """One user who reads six posts, in an order that is not that of time, and lives in three towns."""
    data = HeteroData()
    data["user"].num_nodes, data["town"].num_nodes = 2, 3
    data["post"].time = torch.tensor(post_time)
    data["post"].num_nodes = len(post_time)
    data[READS].edge_index = torch.tensor([[5, 0, 3, 1, 4, 2], [0] * 6])
    data[READS].when = torch.tensor([6, 9, 4, 2, 5, 3])
    data[LIVES].edge_index = torch.tensor([[0, 1, 2], [0, 0, 0]])
    return data


def posts_seen(now, fanout=-1, data=None, **options) -> list[int]:
    sampler = HeteroNeighborSampler(
        board() if data is None else data, {READS: [fanout], LIVES: [-1]}, seed=0, **({"node_time": "time"} | options)
    )
    time = None if now is None else torch.tensor([now])
    out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([0]), time, "user"))
    assert out.node["town"].tolist() == [0, 1, 2]  # static: always visible
    assert out.node["user"].tolist() == [0]  # the seed stays
    assert sampler.disjoint
    return sorted(out.node["post"].tolist())


def test_equal_time_is_visible_unless_strictly_before():
    assert posts_seen(4) == [0, 1, 2, 3]
    assert posts_seen(4, strictly_before=True) == [0, 1, 2]
    assert posts_seen(0) == []
    assert posts_seen(99) == [0, 1, 2, 3, 4, 5]


def test_last_takes_the_latest_visible_posts_but_any_town():
    assert posts_seen(5, fanout=2, strategy="last") == [3, 4]
    assert posts_seen(5, fanout=2, strategy="last", strictly_before=True) == [2, 3]
    assert posts_seen(5, fanout=-1, strategy="last") == [0, 1, 2, 3, 4]


def test_of_node_time_and_edge_time_the_later_counts():
    assert posts_seen(6, edge_time="when") == [1, 2, 3, 4, 5]
    assert posts_seen(9, edge_time="when") == [0, 1, 2, 3, 4, 5]
    assert posts_seen(6, node_time=None, edge_time="when") == [1, 2, 3, 4, 5]


def test_times_may_be_given_as_tensors_and_as_floats():
    assert posts_seen(2, node_time={"post": torch.tensor([3, 3, 1, 1, 2, 9])}) == [2, 3, 4]
    assert posts_seen(1.5, node_time={"post": torch.tensor([0.5, 1.5, 1.6, float("-inf"), 9, 9])}) == [0, 1, 3]


def test_whole_numbers_are_compared_exactly():
    nanoseconds = 1_700_000_000_000_000_000
    data = board([nanoseconds + i for i in range(6)])
    assert posts_seen(nanoseconds + 2, data=data) == [0, 1, 2]


def test_a_seed_without_given_time_sees_what_its_own_time_allows():
    data = board()
    data["user"].time = torch.tensor([3, 100])
    assert posts_seen(None, data=data) == [0, 1, 2]


def test_seeds_of_one_batch_see_each_its_own_past():
    sampler = HeteroNeighborSampler(board(), {READS: [-1]}, node_time="time")
    now = torch.tensor([2, 0, 5])
    out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([0, 0, 0]), now, "user"))
    assert torch.bincount(out.batch["post"], minlength=3).tolist() == [2, 0, 5]
    assert out.batch["user"].tolist() == [0, 1, 2]
    assert (out.node["post"] < now[out.batch["post"]]).all()


def test_visible_edges_are_drawn_uniformly():
    sampler = HeteroNeighborSampler(board(), {READS: [2]}, node_time="time", seed=1)
    n = 30_000
    inputs = NodeSamplerInput(None, torch.zeros(n, dtype=torch.int64), torch.full((n,), 4), "user")
    post = sampler.sample_from_nodes(inputs).node["post"]
    seen = torch.bincount(post, minlength=6).tolist()
    assert seen[4:] == [0, 0]
    assert sum(seen) == 2 * n
    assert chisquare(seen[:4]).pvalue > 1e-3


def test_the_edge_to_predict_is_hidden_by_strictly_before():
    from torch_geometric.sampler import EdgeSamplerInput

    seen = {}
    for strictly_before in (False, True):
        sampler = HeteroNeighborSampler(
            board(), {READS: [-1]}, node_time=None, edge_time="when", strictly_before=strictly_before
        )
        out = sampler.sample_from_edges(
            EdgeSamplerInput(None, torch.tensor([3]), torch.tensor([0]), None, torch.tensor([4]), READS)
        )
        seen[strictly_before] = sorted(out.edge[READS].tolist())
    assert seen == {False: [2, 3, 5], True: [3, 5]}


@pytest.mark.parametrize(
    ("options", "now", "message"),
    [
        (
            {"node_time": "tyme"},
            1,
            r"no node type carries the time attribute 'tyme'; known: \['user', 'town', 'post'\]",
        ),
        ({"node_time": None, "edge_time": "x"}, 1, "no relation carries the time attribute 'x'"),
        ({"node_time": {"pots": torch.ones(6)}}, 1, "times given for unknown node type 'pots'"),
        ({"node_time": {"post": torch.ones(5)}}, 1.0, "node type 'post': 5 times; accepted: one for each of 6"),
        ({"node_time": {"post": torch.ones(6, dtype=torch.bool)}}, 1, "times are bool; accepted"),
        ({"node_time": {"post": torch.full((6,), float("nan"))}}, 1.0, "6 times are NaN"),
        ({"node_time": {"post": torch.ones(6)}, "edge_time": "when"}, 1.0, "whole numbers, of 'post' floats"),
        ({}, 1.0, "seed times are float64, those of the graph int64; convert one"),
        ({}, None, "seeds of type 'user' have no time; give input_time"),
        ({"node_time": None}, 1, "seeds have times, but the sampler has none"),
        ({"node_time": None, "strategy": "last"}, None, "strategy 'last' needs times"),
        ({"node_time": None, "strictly_before": True}, None, "strictly_before needs times"),
        ({"strategy": "lats"}, 1, "strategy is 'lats'; accepted: 'uniform' or 'last'"),
        ({"strategy": "last", "replace": True}, 1, "strategy 'last' with replace=True"),
    ],
)
def test_what_does_not_fit_is_said(options, now, message):
    with pytest.raises(ValueError, match=message):
        posts_seen(now, **options)
