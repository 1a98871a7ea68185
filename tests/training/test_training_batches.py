"""Batches: order, shares of processes, and that sampled steps add up to the step on the whole graph."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import HeteroData
from torch_geometric.testing import MyFeatureStore, MyGraphStore
from training_cases import Case, make_case

from graphdsl.text import SpecError
from graphdsl.training import BatchSource, read_supervision
from graphdsl.training.batches import Share
from graphdsl.training.module import measure, outputs_by_head, wanted_rows
from graphdsl.training.order import SeedOrder
from graphdsl.training.scores import Scores

sizes = st.integers(1, 40)


@given(count=sizes, batch=sizes, processes=st.integers(1, 5), epoch=st.integers(0, 3))
def test_processes_share_each_batch_of_one(count: int, batch: int, processes: int, epoch: int) -> None:
    def order(rank: int, of: int) -> SeedOrder:
        made = SeedOrder(count, batch, seed=3, rank=rank, processes=of)
        made.epoch = epoch
        return made

    whole = list(order(0, 1))
    assert sorted(index for part in whole for index in part) == list(range(count))
    parts = [order(rank, processes) for rank in range(processes)]
    together: list[list[int]] = [[] for _ in whole]
    for part in parts:
        assert len(part) == len(whole)
        for number, (share, indices) in enumerate(zip(part.shares(), part, strict=True)):
            assert len(indices) == max(share, 1)
            together[number] += indices[:share]
    assert [sorted(item) for item in together] == [sorted(item) for item in whole]


def test_epochs_differ_and_repeat() -> None:
    order = SeedOrder(50, 8)
    first = list(order)
    assert list(order) == first
    order.epoch = 1
    assert list(order) != first
    assert [index for batch in SeedOrder(5, 2, shuffle=False) for index in batch] == [0, 1, 2, 3, 4]


def gradient(case: Case, batch_size: int | None, processes: int = 1) -> tuple[float, dict[str, torch.Tensor], dict]:
    """Loss and gradient of one pass over the training nodes, as the sum over all batches, and the metrics."""
    case = case.with_(batch_size=batch_size)
    model, plan = case.compile(), case.plan()
    supervision = read_supervision(case.data, plan.heads)
    scores = {item.head.name: Scores(item) for item in supervision.task.heads}
    total = torch.zeros(())
    weight = 0.0
    for rank in range(processes):
        source = BatchSource(case.data, plan, case.training, case.schema)
        loaders = source.batches(wanted_rows(supervision, plan, "train"), shuffle=True, share=Share(rank, processes))
        for batch in (it for loader in loaders for it in loader):
            losses, sums = measure(supervision.task, outputs_by_head(model, plan, batch), batch, scores)
            total = total + losses.sum()
            weight += float(sums[:, 1].sum())
    loss = total / weight
    loss.backward()
    found = {name: item.grad for name, item in model.named_parameters() if item.grad is not None}
    return float(loss.detach()), found, scores["user.y"].compute()


def assert_equal(one: Iterable, other: Iterable) -> None:
    (loss, grads, metrics), (loss2, grads2, metrics2) = one, other
    assert loss2 == pytest.approx(loss, rel=1e-5)
    assert metrics2 == pytest.approx(metrics)
    assert grads.keys() == grads2.keys()
    for name, value in grads.items():
        assert torch.allclose(grads2[name], value, atol=1e-6), name


@pytest.mark.parametrize("kind", ["class", "multilabel", "real"])
def test_sampled_batches_with_all_neighbours_add_up_to_the_whole_graph(kind: str) -> None:
    case = make_case(kind)
    assert_equal(gradient(case, None), gradient(case, 17))


@pytest.mark.parametrize("batch_size", [None, 7])
def test_shares_of_processes_add_up(batch_size: int | None) -> None:
    case = make_case()
    assert_equal(gradient(case, None), gradient(case, batch_size, processes=3))


def to_stores(data: HeteroData) -> tuple[MyFeatureStore, MyGraphStore]:
    features, graph = MyFeatureStore(), MyGraphStore()
    for store in data.node_stores:
        for key, value in store.items():
            features.put_tensor(value, group_name=store._key, attr_name=key, index=None)
    for edge in data.edge_types:
        index = data[edge].edge_index
        size = (data[edge[0]].num_nodes, data[edge[2]].num_nodes)
        graph.put_edge_index((index[0], index[1]), edge_type=edge, layout="coo", size=size)
    return features, graph


def test_a_pair_of_stores_gives_what_the_same_graph_in_memory_gives() -> None:
    case = make_case()
    stored = make_case(data=to_stores(case.data))
    assert_equal(gradient(case, 32), gradient(stored, 32))


def test_a_pair_of_stores_trains_in_batches_only(tmp_path: Path) -> None:
    case = make_case()
    stored = make_case(data=to_stores(case.data), epochs=4, batch_size=32)
    done = stored.fit(tmp_path / "a")
    assert done.metrics["val_accuracy"] > 0.5
    with pytest.raises(SpecError) as error:
        stored.with_(batch_size=None).fit(tmp_path / "b")
    assert error.value.diagnostics[0].helps == ("set `batch_size: 1024`",)


def test_sampling_in_processes_gives_the_same_batches() -> None:
    case = make_case(fanout=(3, 2))
    assert_equal(gradient(case, 32), gradient(case.with_(workers=1), 32))
