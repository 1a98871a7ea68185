"""Which metapaths a model goes along hop by hop, why not the others, and what is said of it."""

import json
from pathlib import Path

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.backends import Explainable
from graphdsl.data import batch_inputs, estimate_relations
from graphdsl.data.path_costs import list_path_choices
from graphdsl.plan.hopping import hop_candidates, list_path_uses
from graphdsl.tooling.cli import main

SCHEMA = """
schema s {
  node a { x: float[4], y: class[2], train_mask: mask, val_mask: mask, test_mask: mask }
  node b
  edge a -[r]-> b
  edge a -[q]-> b
  metapath COUNT(count) = a -[r]-> b <-[r]- a
  metapath MEAN(mean) = a -[r]-> b <-[r]- a
  metapath SET = a -[r]-> b <-[r]- a
  metapath ONE = a -[q]-> b <-[q]- a
  metapath DRAWN(count, sample = 3) = a -[r]-> b <-[r]- a
}
"""
REFUSED = (
    ("COUNT: GATConv(4, edge_attr = weight)", "GATConv: it is no sum that is linear in the neighbours"),
    ("SET: GATConv(4)", "GATConv: it is no sum that is linear in the neighbours"),
    ("SET: HANConv(4)", "HANConv: it sees several relations at once"),
    ('SET: SAGEConv(4, aggr = "max")', "SAGEConv: aggr = 'max' reads neighbours one by one"),
    ('SET: SAGEConv(4, aggr = ["mean", "max"])', "SAGEConv: aggr = ('mean', 'max') reads neighbours one by one"),
    ("SET: SAGEConv(4, project = true)", "SAGEConv: each neighbour goes through a network first"),
    ('SET: GINConv(nn = MLP(4, 4), aggr = "max")', "GINConv: aggr = 'max' is no sum"),
    ('COUNT: GraphConv(4, aggr = "mean")', "GraphConv: it divides by the number of pairs"),
    ("COUNT: HPNConv(4, dropout = 0.5)", "HPNConv: dropout takes pairs away"),
    ("COUNT: APPNP(K = 2, alpha = 0.1, dropout = 0.5)", "APPNP: dropout takes pairs away"),
    ("DRAWN: GraphConv(4)", "GraphConv: pairs are drawn (sample = 3)"),
)


def spec_of(rules: str, head: str = "predict a.y") -> graphdsl.Spec:
    return graphdsl.loads(f"{SCHEMA} model m on s {{ edges {{ {rules} }} {head} }}")


def dense() -> HeteroData:
    """600 nodes of two groups along `q`, of many small ones along `r`."""
    data, draw = HeteroData(), torch.Generator().manual_seed(0)
    data["a"].x = torch.randn(600, 4, generator=draw)
    data["b"].num_nodes = 40
    data["a", "q", "b"].edge_index = torch.stack([torch.arange(600), torch.arange(600) % 2])
    data["a", "r", "b"].edge_index = torch.stack(
        [torch.arange(1200) % 600, torch.randint(0, 40, (1200,), generator=draw)]
    )
    return data


@pytest.mark.parametrize(("rule", "reason"), REFUSED)
def test_reasons(rule: str, reason: str) -> None:
    (use,) = list_path_uses(spec_of(rule).plan("m"))
    assert use.reason == reason
    assert not hop_candidates(spec_of(rule).plan("m"))


def test_one_reader_of_pairs_is_enough() -> None:
    body = f"{SCHEMA} model m on s {{ edges {{ COUNT: GraphConv(4) }} edges {{ COUNT: GATConv(4, edge_attr = weight) }} predict a.y }}"
    (use,) = list_path_uses(graphdsl.loads(body).plan("m"))
    assert use.layers == {"GraphConv": 1, "GATConv": 1}
    assert use.reason.startswith("GATConv")


def test_labels_spread_along_pairs() -> None:
    head = "predict a.y: LabelPropagation(along = SET, num_layers = 2, alpha = 0.5)"
    (use,) = list_path_uses(spec_of("SET: SAGEConv(4)", head).plan("m"))
    assert use.reason == "predict a.y: labels spread from pair to pair"


def test_inputs_leave_out_pairs_that_nothing_needs() -> None:
    rules = "COUNT: GraphConv(4) SET: SAGEConv(4) ONE: SAGEConv(4) MEAN: GraphConv(4)"
    spec, data = spec_of(rules), dense()
    model = spec.compile(data=data)
    hops, pairs = (batch_inputs(data, model.plan, composed=composed) for composed in (False, True))
    named = {edge[1] for edge in hops["edge_index_dict"]}
    # Paths along `r` meet in the same nodes, so that a set is not a sum over paths; along `q` no two do.
    assert named == {"r", "q", "SET"}
    assert {edge[1] for edge in pairs["edge_index_dict"]} == {"COUNT", "SET", "ONE", "MEAN"}
    assert "weight_dict" not in hops
    reference = spec.compile(data=data, backend="pyg")
    reference.load_state_dict(model.state_dict())
    for given in (hops, pairs):
        torch.testing.assert_close(model(**given), reference(**pairs), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(reference(**hops), reference(**pairs))


def test_a_budget_bounds_pairs_that_are_made() -> None:
    data = dense()
    spec = graphdsl.loads(
        f"{SCHEMA.replace('MEAN(mean) = a -[r]-> b <-[r]- a', 'MEAN(mean) = a -[r]-> b <-[r]- a budget 10')}"
        " model m on s { edges { MEAN: GraphConv(4) } predict a.y }"
    )
    model, reference = (spec.compile(data=data, backend=backend) for backend in ("auto", "pyg"))
    inputs = batch_inputs(data, model.plan)
    assert model(**inputs).shape == (600, 2)
    assert not any(item.exceeded for item in estimate_relations(model.plan, data))
    with pytest.raises(graphdsl.SpecError, match="GNN402"):
        reference(**inputs)


def test_choices_say_what_happens() -> None:
    spec, data = spec_of("COUNT: GraphConv(4) SET: SAGEConv(4) ONE: SAGEConv(4) DRAWN: GraphConv(4)"), dense()
    plan = spec.plan("m", data=data)
    found = {item.edge[1]: item for item in list_path_choices(plan, data)}
    assert {name: item.by for name, item in found.items()} == {
        "COUNT": "hops",
        "DRAWN": "pairs",
        "ONE": "hops",
        "SET": "pairs",
    }
    assert found["SET"].reason.startswith("several paths")
    cost = found["ONE"].cost
    assert cost is not None
    assert (cost.steps, cost.pairs) == (2 * 600 + 40 + 600, 2 * 300 * 300)
    data["a", "ONE", "a"].edge_index = torch.tensor([[0], [1]])
    assert {item.edge[1]: item.by for item in list_path_choices(plan, data)}["ONE"] == "data"


def test_paths_that_meet_count_as_few_pairs() -> None:
    """Many paths, but few pairs: they are made."""
    data = dense()
    data["a", "r", "b"].edge_index = torch.stack([torch.arange(6000) % 60, torch.arange(6000) // 60 % 40])
    spec = spec_of("COUNT: GraphConv(4)")
    (choice,) = list_path_choices(spec.plan("m", data=data), data)
    assert choice.by == "pairs"


def test_explainers_see_pairs() -> None:
    spec, data = spec_of("COUNT: GraphConv(4)"), dense()
    model = spec.compile(data=data)
    view = Explainable(model, batch_inputs(data, model.plan))
    index = view.edge_index_dict["a", "COUNT", "a"]
    assert index.size(1) > 10_000
    torch.testing.assert_close(
        view(view.x_dict, view.edge_index_dict), model(**batch_inputs(data, model.plan)), rtol=1e-5, atol=1e-5
    )
    fewer = {("a", "COUNT", "a"): index[:, :0]}
    with pytest.raises(graphdsl.SpecError, match="weight"):  # Its weights are those of the pairs.
        view(view.x_dict, fewer)


def test_what_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec, graph = tmp_path / "s.gnn", tmp_path / "graph.pt"
    spec.write_text(
        f"{SCHEMA} model m on s {{ edges {{ COUNT: HPNConv(4) SET: GATConv(4) ONE: SAGEConv(4) }} predict a.y }}"
    )
    torch.save(dense(), graph)
    assert main(["plan", str(spec), "--passes"]) == 0
    shown = capsys.readouterr().out
    assert "hop by hop, where that is cheaper and no two paths join the same nodes" in shown
    assert "GATConv: it is no sum that is linear in the neighbours" in shown
    assert main(["plan", str(spec), "--passes", "--data", str(graph)]) == 0
    shown = capsys.readouterr().out
    assert "about 180,000" in shown
    assert shown.count("none made") == 2
    assert main(["plan", str(spec), "--passes", "--data", str(graph), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["by"] for item in found["path_choices"]] == ["hops", "hops", "pairs"]
    assert [item["reason"] for item in found["metapaths"]][:2] == ["", ""]
