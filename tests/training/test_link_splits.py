"""Which edges are predicted and which pass messages: no edge of a later split is seen, in no direction."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from link_cases import KNOWS, RATED, RATES, make_links, pairs, supervise
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.data.hiding import without_edges
from graphdsl.text import SpecError

SPLITS = ("train", "val", "test")
NAME = "user -[rates]-> film"
FRIENDS = "user -[knows]-> user"


def seen(data: HeteroData, supervision, split: str, relation, model: str = "m") -> torch.Tensor:
    """The edges of a relation that pass messages, as the model gets them."""
    from link_cases import SPEC

    plan = graphdsl.loads(SPEC, "shop.gnn").plan(model, data=data)
    view = without_edges(data, supervision.graph(split).kept)
    return batch_inputs(view, plan)["edge_index_dict"][relation]


def test_shares_are_those_of_the_setting_and_the_split_is_a_partition() -> None:
    data = make_links()
    targets = supervise(data, split=(0.6, 0.3, 0.1)).links[NAME]
    sizes = [len(targets.edges[split]) for split in SPLITS]
    assert sum(sizes) == data[RATES].num_edges
    assert torch.allclose(torch.tensor(sizes) / sum(sizes), torch.tensor([0.6, 0.3, 0.1]), atol=0.02)
    assert torch.equal(torch.cat(list(targets.edges.values())).sort().values, torch.arange(sum(sizes)))
    again = supervise(data, split=(0.6, 0.3, 0.1), seed=7).links[NAME]
    assert all(torch.equal(targets.edges[split], again.edges[split]) for split in SPLITS)


def test_messages_of_a_split_hold_no_edge_of_a_later_one() -> None:
    data = make_links()
    supervision = supervise(data)
    index, edges = data[RATES].edge_index, supervision.links[NAME].edges
    train, val, test = (pairs(index[:, edges[split]]) for split in SPLITS)
    assert not train & val
    assert not (train | val) & test
    for relation, back in ((RATES, 1), (RATED, -1)):
        found = {split: {pair[::back] for pair in pairs(seen(data, supervision, split, relation))} for split in SPLITS}
        assert found == {"train": train, "val": train, "test": train | val}


def test_a_stored_inverse_is_split_along_whatever_its_order() -> None:
    data = make_links()
    expected = {split: pairs(seen(data, supervise(data), split, RATED)) for split in SPLITS}
    order = torch.randperm(data[RATES].num_edges)
    data[RATED].edge_index = data[RATES].edge_index.flip(0)[:, order]
    data[RATED].stars, data[RATED].at = data[RATES].stars[order], data[RATES].at[order]
    supervision = supervise(data)
    assert {split: pairs(seen(data, supervision, split, RATED)) for split in SPLITS} == expected


def test_the_inverse_can_be_predicted_where_only_the_original_is_stored() -> None:
    from link_cases import SPEC

    data, text = make_links(), SPEC.replace("predict user -[rates]-> film neg", "predict film -[rated_by]-> user neg")
    supervision = supervise(data, text=text)
    targets, original = supervision.links["film -[rated_by]-> user"], supervise(data).links[NAME]
    assert torch.equal(targets.edge_index, data[RATES].edge_index.flip(0))
    assert torch.equal(targets.edges["test"], original.edges["test"])
    held = pairs(data[RATES].edge_index[:, original.edges["test"]])
    assert not held & pairs(seen(data, supervision, "test", RATES))


def test_within_a_type_an_edge_and_its_reverse_share_their_split() -> None:
    data = make_links()
    supervision = supervise(data, "friends")
    index, edges = data[KNOWS].edge_index, supervision.links[FRIENDS].edges
    held = pairs(index[:, edges["test"]])
    messages = pairs(seen(data, supervision, "test", KNOWS, "friends"))
    assert not held & messages
    assert not {pair[::-1] for pair in held} & messages
    assert held & {pair[::-1] for pair in held}, "some friendships stand in both directions"


def test_masks_decide_where_the_data_has_them() -> None:
    data = make_links()
    count = data[RATES].num_edges
    for number, split in enumerate(SPLITS):
        data[RATES][f"{split}_mask"] = torch.arange(count) % 5 == number
    supervision = supervise(data)
    edges = supervision.links[NAME].edges
    assert {split: int(edges[split][0]) for split in SPLITS} == {"train": 0, "val": 1, "test": 2}
    # Edges in no split pass messages always.
    assert seen(data, supervision, "train", RATES).size(1) == count * 3 // 5


def test_time_decides_for_temporal_sampling() -> None:
    data = make_links()
    edges = supervise(data, temporal=True).links[NAME].edges
    at = data[RATES].at
    assert at[edges["train"]].max() < at[edges["val"]].min()
    assert at[edges["val"]].max() < at[edges["test"]].min()
    assert 0.75 < len(edges["train"]) / len(at) < 0.85
    with pytest.raises(SpecError, match="GNN624"):
        supervise(make_links(), "friends", temporal=True)


def test_disjoint_edges_are_predicted_and_pass_no_messages() -> None:
    data = make_links()
    supervision, whole = supervise(data, disjoint=0.3), supervise(data)
    index, edges = data[RATES].edge_index, supervision.links[NAME].edges
    trained = pairs(index[:, edges["train"]])
    assert 0.2 < len(edges["train"]) / len(whole.links[NAME].edges["train"]) < 0.4
    assert not trained & pairs(seen(data, supervision, "train", RATES))
    assert trained <= pairs(seen(data, supervision, "val", RATES))


def test_keep_target_hides_nothing() -> None:
    supervision = supervise(make_links(), "known")
    assert supervision.kept == {"train": {}, "val": {}, "test": {}}
    assert supervision.has("test")


def test_unlabelled_edges_are_not_predicted() -> None:
    data = make_links()
    data[RATES].stars[::2] = float("nan")
    targets = supervise(data, "stars").links["user -[rates]-> film.stars"]
    assert all((targets.edges[split] % 2 == 1).all() for split in SPLITS)
    data[RATES].stars[:] = float("nan")
    with pytest.raises(SpecError, match="GNN613"):
        supervise(data, "stars")


def test_a_missing_relation_is_said() -> None:
    data = make_links()
    del data[RATES]
    with pytest.raises(SpecError, match="the data has no `user -\\[rates\\]-> film`"):
        supervise(data)
    data[RATES].edge_index = torch.zeros(2, 0, dtype=torch.long)
    with pytest.raises(SpecError, match="no edges"):
        supervise(data)


def test_few_edges_leave_a_split_empty() -> None:
    data = make_links()
    data[RATES].edge_index, data[RATES].stars, data[RATES].at = (
        data[RATES].edge_index[:, :1], data[RATES].stars[:1], data[RATES].at[:1],
    )  # fmt: skip
    targets = supervise(data).links[NAME]
    assert set(targets.edges) == {"train"}


@st.composite
def small_graphs(draw: st.DrawFn) -> HeteroData:
    """Few nodes and many parallel edges; the inverses may be stored too, in any order."""
    data = HeteroData()
    data["user"].num_nodes, data["film"].num_nodes = 150, 60
    for edge, back, size in ((RATES, RATED, 5), (KNOWS, ("user", "known_by", "user"), 6)):
        pair = st.tuples(st.integers(0, 5), st.integers(0, size - 1))
        index = torch.tensor(draw(st.lists(pair, min_size=6, max_size=30)), dtype=torch.long).t()
        count = index.size(1)
        data[edge].edge_index = index
        if edge == RATES:
            data[edge].stars, data[edge].at = torch.rand(count), torch.randint(9, (count,))
        if draw(st.booleans()):
            order = torch.tensor(draw(st.permutations(range(count))))
            data[back].edge_index = index.flip(0)[:, order]
            if edge == RATES:
                data[back].stars, data[back].at = data[edge].stars[order], data[edge].at[order]
    return data


@given(small_graphs(), st.sampled_from(["m", "friends"]), st.sampled_from([0.0, 0.4]))
@settings(max_examples=60, deadline=None)
def test_nothing_that_is_predicted_is_seen_in_any_graph(data: HeteroData, model: str, disjoint: float) -> None:
    supervision = supervise(data, model, split=(0.5, 0.25, 0.25), disjoint=disjoint)
    (targets,) = supervision.links.values()
    relation, back = (RATES, RATED) if model == "m" else (KNOWS, ("user", "known_by", "user"))
    for split in targets.edges:
        if split == "train" and not disjoint:
            continue
        held = pairs(targets.edge_index[:, targets.edges[split]])
        if relation == KNOWS:
            held |= {pair[::-1] for pair in held}
        assert not held & pairs(seen(data, supervision, split, relation, model))
        assert not held & pairs(seen(data, supervision, split, back, model).flip(0))
