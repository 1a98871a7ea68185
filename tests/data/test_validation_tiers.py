"""How deep `validate` looks: tiers, time, stored metadata without torch, batches, what models need."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from real_graphs import GRAPHS, karate, miserables
from small_graphs import library_data, library_schema, without_notes
from torch_geometric.data import Batch, HeteroData

import graphdsl
import graphdsl.pulling
from graphdsl.checking import find_demands
from graphdsl.data import inspect, validate, validate_metadata, write_metadata
from graphdsl.data.sampling import neighbor_loader
from graphdsl.tooling.cli import main


def codes(findings) -> set[str]:
    return {item.code for item in findings}


def broken() -> HeteroData:
    """A fault of each tier: width, an id, a NaN."""
    data = library_data()
    data["author"].x = data["author"].x[:, :6]
    data["paper", "cites", "paper"].edge_index[1, 6] = -1
    data["paper"].x[2, 1] = float("nan")
    return data


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("metadata", {"GNN604"}), ("structure", {"GNN604", "GNN606"}), ("values", {"GNN604", "GNN606", "GNN622"})],
)
def test_each_tier_includes_those_before_it(tier, expected: set[str]) -> None:
    assert codes(validate(library_schema(), broken(), tier=tier)) == expected


def test_an_unknown_tier_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="one of 'metadata', 'structure', 'values'"):
        validate(library_schema(), broken(), tier="numbers")  # type: ignore[arg-type]


def test_what_time_left_out_is_said() -> None:
    found = validate(library_schema(), broken(), seconds=0)
    assert codes(found) == {"GNN672"}
    assert "`connectivity`" in found[0].message
    assert codes(validate(library_schema(), broken(), seconds=1000)) == {"GNN604", "GNN606", "GNN622"}


def test_metadata_is_checked_as_the_data_is() -> None:
    assert validate_metadata(library_schema(), inspect(library_data(), library_schema())) == ()
    data = broken()
    data["term"].length = data["term"].length.float()
    data["paper"].score = data["paper"].score[:9]
    data["author"].train_mask = data["author"].train_mask.view(-1, 1)
    del data["paper", "appears_in", "conference"]
    of_data = validate(library_schema(), data, tier="metadata")
    of_metadata = validate_metadata(library_schema(), inspect(data, library_schema()))
    assert of_metadata == of_data
    assert codes(of_metadata) == {"GNN601", "GNN604", "GNN605", "GNN607"}


def test_a_metadata_file_is_checked_without_torch(tmp_path: Path) -> None:
    real = karate()
    write_metadata(inspect(real.data, real.spec.schema()), tmp_path / "good.json")
    (tmp_path / "spec.gnn").write_text(real.spec.resolved.source.text)
    real.data[real.item].x = real.data[real.item].x[:, :2]
    write_metadata(inspect(real.data, real.spec.schema()), tmp_path / "bad.json")
    code = (
        "import sys; from graphdsl.tooling.cli import main; code = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "validate", "spec.gnn", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert (run("good.json").returncode, run("good.json").stderr) == (0, "")
    bad = run("bad.json", "--format", "json")
    assert bad.returncode == 1, bad.stderr
    (finding,) = json.loads(bad.stdout)
    assert (finding["code"], finding["where"]) == ("GNN604", "member.x")
    assert finding["facts"] == {"expected": "4 columns", "found": "2 columns", "count": None, "first": []}
    missing = run("none.json")
    assert missing.returncode in (1, 2)
    assert "Traceback" not in missing.stderr


def test_sampled_batches_raise_no_alarm() -> None:
    """A batch has few nodes, relations without edges, splits without rows: none of that is a fault of it."""
    real = miserables()
    spec = real.spec
    fanout = {edge: [2, 2] for edge in real.data.edge_types}
    loader = neighbor_loader(real.data, fanout, (real.item, torch.arange(10)), batch_size=4, seed=0)
    for batch in loader:
        assert without_notes(spec.validate(batch).findings) == []


@pytest.mark.parametrize("make", GRAPHS, ids=lambda make: make.__name__)
def test_batches_of_graphs_raise_no_alarm(make) -> None:
    real = make()
    batch = Batch.from_data_list([real.data, make().data])
    assert without_notes(real.spec.validate(batch).findings) == []


def test_a_loader_of_pyg_raises_no_alarm() -> None:
    """What PyG's `NeighborLoader` hands out, made by hand: it needs pyg-lib or torch-sparse."""
    real = karate()
    part = HeteroData()
    for name in real.data.node_types:
        count = 5 if name == real.item else real.data[name].num_nodes
        for key, value in real.data[name].items():
            part[name][key] = value[:count] if isinstance(value, torch.Tensor) else value
        part[name].n_id, part[name].num_nodes = torch.arange(count), count
    for edge in real.data.edge_types:
        index = real.data[edge].edge_index
        kept = ((index[0] < part[edge[0]].num_nodes) & (index[1] < part[edge[2]].num_nodes)).nonzero().squeeze(1)
        part[edge].edge_index, part[edge].e_id = index[:, kept], kept
        if "w" in real.data[edge]:
            part[edge].w = real.data[edge].w[kept]
    part[real.item].batch_size, part[real.item].input_id = 2, torch.arange(2)
    assert without_notes(real.spec.validate(part).findings) == []
    part[real.near].edge_index[0, 0] = 99
    assert codes(real.spec.validate(part).findings) >= {"GNN606"}


def test_facts_say_what_the_message_says() -> None:
    data = library_data()
    data["paper"].x[[2, 5], 1] = float("inf")
    (finding,) = validate(library_schema(), data)
    assert finding.facts == graphdsl.text.Facts("finite numbers", "NaN or infinite values", 2, (2, 5))


def test_models_need_what_may_be_absent() -> None:
    spec = graphdsl.loads("""
schema s { node a { x: float[3]?, y: class[2] } edge a -[r]-> a { w: float? } }
model m on s { edges { *: GraphConv(4, edge_weight = w) } predict a.y }
""")
    data = HeteroData()
    data["a"].num_nodes, data["a"].y = 4, torch.tensor([0, 1, 0, 1])
    data["a", "r", "a"].edge_index = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]])
    found = spec.validate(data)
    assert codes(found.findings) == {"GNN501"}
    assert "3 | model m on s" in str(found)
    data["a"].x = torch.randn(4, 3)
    (finding,) = spec.validate(data).findings
    assert (finding.code, finding.where) == ("GNN674", "(a -[r]-> a).w")
    data["a", "r", "a"].w = torch.rand(4)
    assert spec.validate(data).findings == ()


def test_the_command_takes_tier_and_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = karate()
    real.data[real.item].x[3, 0] = float("nan")
    (tmp_path / "spec.gnn").write_text(real.spec.resolved.source.text)
    torch.save(real.data.to_dict(), tmp_path / "graph.pt")
    command = ["validate", str(tmp_path / "spec.gnn"), str(tmp_path / "graph.pt")]
    assert main([*command, "--tier", "structure"]) == 0
    assert capsys.readouterr().out == "no findings\n"
    assert main(command) == 1
    assert "GNN622" in capsys.readouterr().out
    assert main([*command, "--seconds", "0"]) == 0
    assert "note[GNN672]" in capsys.readouterr().out


UNREAD = """
schema s {
  node a { x: float[3], y: class[2], age: int, joined: time }
  node b { x: float[2] }
  node c { x: float[2], size: int }
  node d { x: float[2] }
  edge a -[to]-> b     reverse fro
  edge b -[of]-> c     reverse has
  edge a -[near]-> a   { w: float, z: float }
  edge b -[also]-> a
  edge b -[likes]-> d
}
model m on s { edges { fro: SAGEConv(2)  near: GraphConv(2, edge_weight = w) } predict a.y }
"""


def test_what_no_model_reads_is_told_in_a_line_for_each_sort(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, data = graphdsl.loads(UNREAD), HeteroData()
    for name, node in spec.schema().nodes.items():
        data[name].x = torch.randn(4, 2 + (name == "a"))
        data[name].update({key: torch.arange(4) for key in ("age", "joined", "size") if key in node.attributes})
    data["a"].y = torch.tensor([0, 1, 0, 1])
    for edge in spec.schema().edges.values():
        if not edge.derived:
            data[edge.key].edge_index = torch.arange(4).roll(1).expand(2, 4).contiguous()
    data["a", "near", "a"].w = data["a", "near", "a"].z = torch.rand(4)
    told = [
        "no model reads 2 node types: `c`, `d`",
        "no model reads the relation `b -[also]-> a`",
        "no model reads 2 attributes: `a.age`, `a -[near]-> a.z`",
    ]
    for found in (
        spec.validate(data),
        spec.validate(inspect(data, spec.schema())),
        spec.validate(data, tier="metadata"),
    ):
        unread = [item for item in found.findings if item.code == "GNN681"]
        assert sorted(item.message for item in unread) == sorted(told)
        assert {(item.severity, item.labels, item.helps) for item in unread} == {("note", (), ())}
    assert "GNN681" not in codes(graphdsl.loads(UNREAD[: UNREAD.index("model m")]).validate(data).findings)
    both = graphdsl.loads(UNREAD + "model n on s { edges { also: SAGEConv(2)  has: SAGEConv(2) } predict a.y }")
    unread = [item.message for item in both.validate(data, "m").findings if item.code == "GNN681"]
    assert set(unread) == {
        "no model reads the node type `d`",
        "no model reads 3 attributes: `a.age`, `c.size`, `a -[near]-> a.z`",
    }
    (tmp_path / "spec.gnn").write_text(UNREAD)
    write_metadata(inspect(data, spec.schema()), tmp_path / "data.json")
    assert main(["validate", str(tmp_path / "spec.gnn"), str(tmp_path / "data.json"), "--deny-warnings"]) == 0
    assert told[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "schema s { node u  node v  edge u -[r]-> v { at: time, msg: float[3] } }"
        ' model m on s { predict u -[r]-> v: tgn(4, 4, 4, msg = "msg") }',
        "schema s { node a { z: int, pos: float[3] } edge a -[r]-> a  graph { y: real } }"
        " model m on s { sequential z, pos, batch { SchNet: z, pos, batch -> y } predict graph.y }",
        "schema s { node a { x: float[3], y: class[2], train_mask: mask } edge a -[r]-> a { w: float } }"
        " model m on s { predict a.y: LabelPropagation(along = r, num_layers = 2, alpha = 0.5, edge_weight = w) }",
    ],
)
def test_what_events_blocks_and_labels_read_is_read(text: str) -> None:
    spec = graphdsl.loads(text)
    assert find_demands(spec.resolved, spec.schema()).unused == ()


def test_a_contradicting_number_of_nodes_is_said_once() -> None:
    data = library_data()
    data["author"].num_nodes = data["author"].x.size(0) + 4
    (finding,) = without_notes(validate(library_schema(), data))
    assert (finding.code, finding.where) == ("GNN607", "author")
    assert "by its `num_nodes`, and each attribute has" in finding.message


def test_lists_instead_of_tensors_are_said_once() -> None:
    spec, data = graphdsl.loads("schema s { node a { x: float[2] } }"), HeteroData()
    data["a"].x = [[1.0, 2.0], [3.0, 4.0]]
    assert [item.code for item in spec.validate(data).findings] == ["GNN605"]


def test_targets_of_empty_relations_are_said_of_the_relations() -> None:
    spec = graphdsl.loads("schema s { node a { x: float[2], y: class[2] } edge a -[r]-> a }"
                          " model m on s { edges { *: SAGEConv(2) } predict a.y }")  # fmt: skip
    data = HeteroData()
    data["a"].x, data["a"].y = torch.rand(4, 2), torch.tensor([0, 1, 0, 1])
    data["a", "r", "a"].edge_index = torch.zeros(2, 0, dtype=torch.long)
    assert codes(without_notes(spec.validate(data).findings)) == {"GNN656"}


def test_few_edges_do_not_look_swapped() -> None:
    spec, data = graphdsl.loads("schema s { node a  node b  edge a -[r]-> b }"), HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 4, 60
    data["a", "r", "b"].edge_index = torch.tensor([[0, 1], [2, 3]])
    assert "GNN660" not in codes(spec.validate(data).findings)
    data["a", "r", "b"].edge_index = torch.tensor([[0, 1, 2, 1], [0, 1, 2, 3]])
    assert "GNN660" in codes(spec.validate(data).findings)


def test_what_no_schema_can_declare_is_not_to_be_declared() -> None:
    spec, data = graphdsl.loads("schema s { node a { x: float[2] } }"), HeteroData()
    data["a"].x, data["a"].box = torch.rand(3, 2), torch.rand(3, 2, 2)
    (finding,) = (item for item in spec.validate(data).findings if item.code == "GNN619")
    assert finding.helps[0].startswith('rows of numbers can be declared: `data["a"].box = data["a"].box.flatten(1)`')


def test_zeros_have_no_sign() -> None:
    spec, data = graphdsl.loads("schema s { node a { x: float[2] } }"), HeteroData()
    data["a"].x = torch.tensor([[-0.0, 0.0], [-0.0, -0.0]])
    assert [item.message for item in spec.validate(data).findings] == [
        "`a.x` is 0 in every row: it tells no two nodes apart"
    ]


def test_all_that_time_leaves_out_is_named() -> None:
    (finding,) = (item for item in karate().spec.validate(karate().data, seconds=0).findings if item.code == "GNN672")
    assert finding.message.endswith("`leaks`, `mirrors`, `targets`")


def test_bad_arguments_of_the_command_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.gnn").write_text("schema s { node a { x: float[2] } }")
    write_metadata(inspect(HeteroData(a={"x": torch.rand(3, 2)})), tmp_path / "data.json")
    files = str(tmp_path / "spec.gnn"), str(tmp_path / "data.json")
    assert main(["validate", *files]) == main(["validate", *files, "--tier", "metadata"]) == 0
    assert main(["validate", *files, "--tier", "structure"]) == 1
    assert "metadata has no edges and no numbers: `--tier structure` needs the data" in capsys.readouterr().err
    assert main(["validate", *files, "--seconds", "-1"]) == 2
    assert "a number of seconds >= 0 is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "said", "way_out"),
    [
        (
            torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged),
            "is a nested tensor",
            "to_padded_tensor",
        ),
        (np.array([["a"]] * 4, dtype=object), "of dtype object", "encode it as numbers"),
    ],
)
def test_what_has_no_numbers_in_rows_is_told_what_to_do(value, said: str, way_out: str) -> None:
    spec = graphdsl.loads("schema s { node a { x: float[2] } }")
    data = HeteroData()
    data["a"].num_nodes, data["a"].x = 4, value
    (found,) = spec.validate(data).findings
    assert (found.code, found.where) == ("GNN605", "a.x")
    assert said in found.message
    assert way_out in found.helps[0]
    assert [item.where for item in graphdsl.pulling.pull_text(data).findings] == ["a.x"]


@pytest.mark.parametrize("count", ["30", -1, 3.0, torch.tensor([1, 2])])
def test_a_number_of_nodes_that_is_none_is_not_called_absent(count) -> None:
    data = HeteroData()
    data["a"].num_nodes = count
    (found,) = graphdsl.loads("schema s { node a }").validate(data).findings
    assert (found.code, found.where) == ("GNN610", "a")
    assert "no whole `num_nodes`" in found.message
