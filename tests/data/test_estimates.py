"""What a plan's relations cost, counted before anything is composed."""

import json

import torch
from torch_geometric.data import HeteroData

from graphdsl import loads
from graphdsl.data import batch_inputs, estimate_relations
from graphdsl.kernels import compose
from graphdsl.tooling.cli import main

SPEC = """schema library {
  node author { x: float[4], y: class[2] }
  node paper { x: float[3] }
  edge author -[writes]-> paper reverse written_by
  metapath APA = author -[writes]-> paper <-[writes]- author budget 20
  metapath APAPA = author -[writes]-> paper <-[writes]- author -[writes]-> paper <-[writes]- author
}
model m on library {
  nodes { *: Linear(8) }
  edges { APA, APAPA: HANConv(8)  written_by: SAGEConv(8) }
  predict author.y
}
"""


def library() -> HeteroData:
    data = HeteroData()
    data["author"].x, data["author"].y = torch.randn(6, 4), torch.randint(0, 2, (6,))
    data["paper"].x = torch.randn(5, 3)
    draw = torch.Generator().manual_seed(1)
    ends = torch.randint(0, 6, (14,), generator=draw), torch.randint(0, 5, (14,), generator=draw)
    data["author", "writes", "paper"].edge_index = torch.stack(ends).unique(dim=1)
    return data


def test_edges_paths_and_bounds() -> None:
    data = library()
    sizes = {item.edge[1]: item for item in estimate_relations(loads(SPEC).plan(data=data), data)}
    writes = data["author", "writes", "paper"].edge_index
    assert (sizes["written_by"].origin, sizes["written_by"].edges) == ("inverse", writes.shape[1])
    degrees = torch.bincount(writes[1], minlength=5)
    paths = int((degrees**2).sum())
    assert sizes["APA"].instances == paths
    pairs = compose([writes, writes.flip(0)], [6, 5, 6])[0].shape[1]
    incidence = torch.zeros(6, 5, dtype=torch.long)
    incidence[writes[0], writes[1]] = 1
    between = incidence @ incidence.T
    bound = int(between.sum(1).clamp(max=6).sum())
    assert pairs <= (sizes["APA"].edges or 0) == bound
    assert sizes["APA"].exceeded == (bound > 20)
    assert sizes["APA"].walks == (writes.shape[1], paths)
    assert sizes["APA"].busiest == int(between.sum(0).max())
    assert sizes["APAPA"].instances == int(torch.linalg.matrix_power(incidence @ incidence.T, 2).sum())
    assert not sizes["APAPA"].exceeded


def test_a_relation_that_is_absent_has_no_size() -> None:
    data = library()
    plan = loads(SPEC).plan(data=data)
    del data["author", "writes", "paper"]
    assert {item.edges for item in estimate_relations(plan, data)} == {None}


def test_the_command_shows_sizes_and_parameters(tmp_path, capsys) -> None:
    (tmp_path / "m.gnn").write_text(SPEC)
    torch.save(library(), tmp_path / "graph.pt")
    command = ["plan", str(tmp_path / "m.gnn"), "--data", str(tmp_path / "graph.pt")]
    assert main(command) == 0
    shown = capsys.readouterr().out
    count = sum(item.numel() for item in loads(SPEC).compile(data=library()).parameters())
    assert f"{count:,} parameters" in shown
    assert "author -[APA]-> author" in shown
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameter_count"] == count
    assert {item["origin"] for item in found["relation_sizes"]} == {"inverse", "metapath"}
    assert found["model"] == "m"


def test_sizes_come_from_one_place_only(tmp_path, capsys) -> None:
    (tmp_path / "m.gnn").write_text(SPEC)
    assert main(["plan", str(tmp_path / "m.gnn"), "--data", "a.pt", "--metadata", "b.json"]) == 1
    assert "GNN209" in capsys.readouterr().err


def test_walks_are_counted_and_not_made() -> None:
    spec = loads("""
    schema s {
      node a { x: float[4], y: class[2] }
      node b { x: float[4] }
      edge a -[r]-> b
      metapath P = a -[r]-> b <-[r]- a  budget 4
    }
    model averaged on s { edges { P: SeHGNNConv(8) } predict a.y }
    model attended on s { edges { P: MAGNNConv(8) } predict a.y }
    """)
    data = HeteroData()
    data["a"].x, data["b"].x = torch.zeros(3, 4), torch.zeros(1, 4)
    data["a", "r", "b"].edge_index = torch.tensor([[0, 1, 2], [0, 0, 0]])
    for model, budget in (("averaged", None), ("attended", 4)):
        sizes = estimate_relations(spec.plan(model), data)
        assert [(item.edge[1], item.origin, item.edges, item.instances, item.budget) for item in sizes] == [
            ("r", "data", 3, None, None),
            ("P", "walk", None, 9, budget),
        ]
        assert sizes[-1].exceeded == (model == "attended")


def test_drawing_bounds_the_edges() -> None:
    data = library()
    spec = loads(SPEC.replace("metapath APA =", "metapath APA(sample = 2) ="))
    sizes = {item.edge[1]: item for item in estimate_relations(spec.plan(data=data), data)}
    assert sizes["APA"].edges == 12
    inputs = batch_inputs(data, spec.plan(data=data))
    index = inputs["edge_index_dict"]["author", "APA", "author"]
    assert torch.bincount(index[1], minlength=6).max() <= 2
    assert torch.equal(index, batch_inputs(data, spec.plan(data=data))["edge_index_dict"]["author", "APA", "author"])
