"""Data for link predictions: relations that give the answer away, labels and masks of edges."""

import pytest
import torch
from small_graphs import without_notes
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import inspect

SPEC = """
schema shop {{
  node user {{ x: float[2] }}
  node film {{ x: float[2] }}
  edge user -[rates]-> film {{ stars: class[5], train_mask: mask?, val_mask: mask? }}
  edge film -[seen_by]-> user
  edge user -[watches]-> film
}}
model m on shop {{
  edges {{ {rules} }}
  predict user -[rates]-> film{more}
}}
"""
RATES, SEEN, WATCHES = ("user", "rates", "film"), ("film", "seen_by", "user"), ("user", "watches", "film")


@pytest.fixture
def data() -> HeteroData:
    g = torch.Generator().manual_seed(0)
    graph = HeteroData()
    graph["user"].x, graph["film"].x = torch.randn(40, 2, generator=g), torch.randn(30, 2, generator=g)
    for edge, ends in ((RATES, (40, 30)), (SEEN, (30, 40)), (WATCHES, (40, 30))):
        graph[edge].edge_index = torch.stack([torch.randint(size, (90,), generator=g) for size in ends])
    graph[RATES].stars = torch.randint(5, (90,), generator=g)
    return graph


def codes(data: HeteroData, rules: str = "*: SAGEConv(4)", more: str = "") -> list[tuple[str, str]]:
    found = graphdsl.loads(SPEC.format(rules=rules, more=more)).validate(data).findings
    return [(item.code, item.where) for item in without_notes(found)]


def test_chance_pairs_are_no_mirror(data: HeteroData) -> None:
    assert codes(data) == []


def test_an_undeclared_inverse_is_found_in_any_order(data: HeteroData) -> None:
    data[SEEN].edge_index = data[RATES].edge_index.flip(0)[:, torch.randperm(90)]
    assert codes(data) == [("GNN625", "film -[seen_by]-> user")]
    spec = graphdsl.loads(SPEC.format(rules="*: SAGEConv(4)", more=""))
    (finding,) = without_notes(spec.validate(data).findings)
    assert (
        "holds 100% of the pairs of `user -[rates]-> film`, which is predicted, the other way round" in finding.message
    )
    assert finding.helps[0].endswith("`edge user -[rates]-> film reverse seen_by`")
    assert [label.span.line for label in finding.labels] == [6, 11]


def test_a_parallel_relation_is_found(data: HeteroData) -> None:
    data[WATCHES].edge_index = torch.cat([data[RATES].edge_index, data[WATCHES].edge_index], 1)
    assert codes(data) == [("GNN625", "user -[watches]-> film")]


def test_what_no_layer_reads_or_the_spec_keeps_is_no_leak(data: HeteroData) -> None:
    data[SEEN].edge_index = data[RATES].edge_index.flip(0)
    assert codes(data, rules="rates: SAGEConv(4)  watches: SAGEConv(4)", more=": bilinear") == []
    assert codes(data, more=" keep_target") == []


def test_labels_and_masks_of_edges_are_checked(data: HeteroData) -> None:
    data[RATES].stars[3] = 7
    data[RATES].train_mask = torch.ones(90, dtype=torch.bool)
    data[RATES].val_mask = torch.arange(90) < 4
    assert codes(data) == [
        ("GNN608", "(user -[rates]-> film).stars"),
        ("GNN621", "(user -[rates]-> film).val_mask"),
    ]
    found = without_notes(graphdsl.loads(SPEC.format(rules="*: SAGEConv(4)", more="")).validate(data).findings)
    assert "share 4 edges" in found[1].message


def test_classes_of_edges_are_counted(data: HeteroData) -> None:
    text = SPEC.format(rules="*: SAGEConv(4)", more=".stars").replace("class[5]", "class[*]")
    spec = graphdsl.loads(text)
    assert inspect(data, spec.schema()).edges[RATES].tensors["stars"].classes == 5
    assert spec.plan(data=data).heads[0].size == 5
    assert spec.compile(data=data).plan.heads[0].size == 5
    with pytest.raises(graphdsl.SpecError, match=r"the size of `user -\[rates\]-> film.stars` is not known"):
        spec.compile()
