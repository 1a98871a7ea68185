"""Same seed, same epoch, same batch: same sample, whoever draws it."""

import pytest
import torch
from torch_geometric.data import HeteroData
from torch_geometric.sampler import EdgeSamplerInput, NegativeSampling, NodeSamplerInput

from graphdsl.data.sampling import HeteroNeighborSampler, SampledLinkLoader, neighbor_loader

LIKES = ("user", "likes", "user")


def crowd() -> HeteroData:
    data = HeteroData()
    data["user"].num_nodes = 50
    data[LIKES].edge_index = torch.randint(50, (2, 2000), generator=torch.Generator().manual_seed(0))
    return data


def draw(sampler: HeteroNeighborSampler, first: int = 0) -> list[int]:
    inputs = NodeSamplerInput(None, torch.arange(first, first + 5), None, "user")
    return sampler.sample_from_nodes(inputs).edge[LIKES].tolist()


def epochs(num_workers: int, count: int = 2, persistent: bool = False, **options) -> list[list[list[int]]]:
    loader = neighbor_loader(
        crowd(), {LIKES: [3, 3]}, "user", 10, num_workers=num_workers, persistent_workers=persistent, **options
    )
    return [[batch[LIKES].e_id.tolist() for batch in loader] for _ in range(count)]


def test_a_sample_is_a_function_of_seed_epoch_and_batch():
    one_fanout = {LIKES: [3, 3]}
    one, other = (HeteroNeighborSampler(crowd(), one_fanout, seed=7) for _ in range(2))
    first = draw(one)
    draw(one, first=20)  # What was drawn before has no influence …
    torch.manual_seed(123)  # … nor has torch's own generator.
    assert draw(one) == first == draw(other)
    one.set_epoch(1)
    assert draw(one) != first
    one.set_epoch(0)
    assert draw(one) == first
    assert draw(one.clone(one_fanout, seed=7)) == first != draw(one.clone(one_fanout, seed=8))


def test_a_clone_has_its_own_epoch():
    sampler = HeteroNeighborSampler(crowd(), {LIKES: [3]}, seed=7)
    clone = sampler.clone({LIKES: [3]}, seed=7)
    clone.set_epoch(5)
    assert (sampler.epoch, clone.epoch) == (0, 5)


def test_sampling_with_a_seed_leaves_the_generators_of_others_alone():
    sampler = HeteroNeighborSampler(crowd(), {LIKES: [3]}, seed=7)
    before = torch.get_rng_state()
    draw(sampler)
    inputs = EdgeSamplerInput(None, torch.arange(5), torch.arange(5), input_type=LIKES)
    one = sampler.sample_from_edges(inputs, NegativeSampling("binary"))
    two = sampler.sample_from_edges(inputs, NegativeSampling("binary"))
    assert torch.equal(torch.get_rng_state(), before)
    assert str(one) == str(two)


def test_without_a_seed_torch_decides():
    sampler = HeteroNeighborSampler(crowd(), {LIKES: [3, 3]})
    torch.manual_seed(1)
    first, second = draw(sampler), draw(sampler)
    assert first != second
    torch.manual_seed(1)
    assert [draw(sampler), draw(sampler)] == [first, second]


def test_a_generator_gives_a_seed():
    one, two = (HeteroNeighborSampler(crowd(), {LIKES: [3]}, seed=torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.seed == two.seed
    assert draw(one) == draw(two)


@pytest.mark.parametrize("persistent", [False, True])
def test_epochs_are_the_same_in_workers_and_differ_from_each_other(persistent):
    here = epochs(0, seed=3)
    assert here[0] != here[1]
    assert epochs(2, persistent=persistent, seed=3) == here
    assert epochs(1, seed=3, shuffle=True) == epochs(0, seed=3, shuffle=True) != here


def test_workers_without_a_seed_follow_torch():
    runs = []
    for _ in range(2):
        torch.manual_seed(11)
        runs.append(epochs(2, count=1))
    assert runs[0] == runs[1]


def test_an_epoch_can_be_resumed():
    loader = neighbor_loader(crowd(), {LIKES: [3, 3]}, "user", 10, seed=3)
    loader.epoch = 1
    assert [batch[LIKES].e_id.tolist() for batch in loader] == epochs(0, seed=3)[1]


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, "7"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=r"seed is .*; accepted: a whole number from 0"):
        HeteroNeighborSampler(crowd(), {LIKES: [3]}, seed=seed)


def test_batches_of_one_epoch_draw_independently():
    data = HeteroData()
    data["user"].num_nodes, data["item"].num_nodes = 2, 20
    has = ("item", "of", "user")
    data[has].edge_index = torch.stack([torch.arange(20).repeat(2), torch.arange(2).repeat_interleave(20)])
    sampler = HeteroNeighborSampler(data, {has: [5]}, seed=0)
    chosen = [
        sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([user]), None, "user")).node["item"].tolist()
        for user in (0, 1)
    ]
    assert chosen[0] != chosen[1]


def test_link_batches_differ_between_epochs_and_are_the_same_in_workers():
    data = crowd()
    runs = []
    for num_workers in (0, 2):
        sampler = HeteroNeighborSampler(data, {LIKES: [3]}, seed=1)
        loader = SampledLinkLoader(
            data,
            sampler,
            (LIKES, data[LIKES].edge_index[:, :40]),
            neg_sampling=NegativeSampling("binary"),
            batch_size=20,
            num_workers=num_workers,
        )
        runs.append([[batch[LIKES].edge_label_index.tolist() for batch in loader] for _ in range(2)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]
