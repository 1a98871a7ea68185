"""`pull`: what data holds, as a spec; what a spec cannot say, as a comment and a warning; a model that trains at once."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from real_graphs import GRAPHS, Real, karate
from small_graphs import library_data, without_notes
from torch_geometric.data import Data, HeteroData
from torch_geometric.datasets import FakeDataset, FakeHeteroDataset
from torch_geometric.testing import MyFeatureStore, MyGraphStore

import graphdsl
from graphdsl.data.networks import from_networkx
from graphdsl.data.sources.table_drafts import draw_tables
from graphdsl.model import DataSource
from graphdsl.pulling import drift, pull_text
from graphdsl.syntax.formatting import format_source
from graphdsl.text import SourceText, SpecError
from graphdsl.tooling.cli import main
from graphdsl.training.liveness import dead_parameters


def homogeneous() -> Data:
    data = FakeDataset(1, avg_num_nodes=60, num_classes=3, task="node", edge_dim=2)[0]
    data.train_mask = torch.arange(data.num_nodes) % 2 == 0
    data.val_mask = ~data.train_mask
    return data


def optional_graphs() -> list[HeteroData]:
    """Three graphs, of which the last lacks a type, a relation and an attribute."""
    graphs = []
    for number in range(3):
        graph = HeteroData()
        graph["atom"].x = torch.randn(4 + number, 3)
        graph["atom", "bond", "atom"].edge_index = torch.tensor([[0, 1, 2], [1, 2, 3]])
        if number < 2:
            graph["ring"].x, graph["atom"].charge = torch.randn(1, 2), torch.randn(4 + number)
            graph["atom", "in", "ring"].edge_index = torch.tensor([[0, 1], [0, 0]])
        graph.y = torch.tensor([number % 2])
        graphs.append(graph)
    return graphs


DATA: dict[str, Callable[[], object]] = {
    "library": library_data,
    **{make.__name__: lambda make=make: make().data for make in GRAPHS},
    "fake": lambda: FakeHeteroDataset(edge_dim=3)[0],
    "fake graphs": lambda: FakeHeteroDataset(4, task="graph", edge_dim=1),
    "homogeneous": homogeneous,
    "homogeneous graphs": lambda: FakeDataset(5, task="graph"),
    "optional": optional_graphs,
}


@pytest.mark.parametrize("name", DATA)
def test_data_fits_what_is_drawn_from_it(name: str) -> None:
    data = DATA[name]()
    pulled = pull_text(data, "drawn")
    assert [item for item in pulled.findings if not item.where.endswith(".tags")] == []
    spec = graphdsl.loads(pulled.text)
    assert not spec.findings
    assert [item for item in spec.validate(data).findings if item.is_error and not item.where.endswith(".tags")] == []
    assert list(drift(spec.schema(), data)) == []
    assert format_source(SourceText("drawn.gnn", pulled.text)).text == pulled.text
    assert spec.text == pulled.text


@pytest.mark.parametrize("name", DATA)
def test_the_proposed_model_checks_and_computes(name: str) -> None:
    data = DATA[name]()
    if name in GRAPHS_OF_TAGS:
        del data[data.node_types[0]].tags
    spec = graphdsl.pull(data, "drawn", model=True)
    assert not spec.findings
    assert without_notes(item for item in spec.validate(data).findings if item.is_error) == []
    model = spec.compile(data=data)
    assert sum(weight.numel() for weight in model.parameters()) > 0


GRAPHS_OF_TAGS = {make.__name__ for make in GRAPHS}


def test_inverses_are_found_and_symmetric_relations_have_none() -> None:
    data = HeteroData()
    data["a"].x, data["b"].x = torch.randn(4, 2), torch.randn(3, 2)
    edges = torch.tensor([[0, 1, 2, 3], [0, 0, 1, 2]])
    data["b", "rev_to", "a"].edge_index = edges.flip(0)[:, torch.tensor([3, 1, 0, 2])]
    data["a", "to", "b"].edge_index = edges
    data["a", "near", "a"].edge_index = torch.tensor([[0, 1], [1, 0]])
    text = pull_text(data, model=True).text
    assert "edge a -[to]-> b  reverse rev_to\n" in text
    assert "rev_to]" not in text
    assert "edge a -[near]-> a\n" in text


def test_an_inverse_with_attributes_of_its_own_stays() -> None:
    data = HeteroData()
    data["a"].x, data["b"].x = torch.randn(2, 2), torch.randn(2, 2)
    data["a", "to", "b"].edge_index = torch.tensor([[0, 1], [0, 1]])
    data["b", "fro", "a"].edge_index = torch.tensor([[0, 1], [0, 1]])
    data["b", "fro", "a"].w = torch.rand(2)
    data["a", "to", "b"].v = torch.rand(2, 3)
    text = pull_text(data).text
    assert "reverse" not in text
    assert "-[fro]-> a { w: float }" in text


KINDS = {
    "x": (torch.randn(6, 3), "float[3]"),
    "one": (torch.randn(6, 1), "float[1]"),
    "weight": (torch.rand(6), "float"),
    "size": (torch.arange(6), "int"),
    "codes": (torch.arange(12).view(6, 2), "int[2]"),
    "small": (torch.arange(6).int(), "int"),
    "is_open": (torch.arange(6) > 2, "bool"),
    "y": (torch.tensor([0, 1, 2, -1, 0, 1]), "class[3]"),
    "genre_label": (torch.tensor([0, 4, 2, 1, 0, 1]), "class[5]"),
    "labels": (torch.tensor([[1.0, 0.0], [0.0, 0.0]]).repeat(3, 1), "multilabel[2]"),
    "target": (torch.randn(6), "real"),
    "targets": (torch.randn(6, 2), "real[2]"),
    "train_mask": (torch.arange(6) > 2, "mask"),
    "year": (torch.arange(6), "time"),
    "created_at": (torch.arange(6), "time"),
}


def test_kinds() -> None:
    data = HeteroData()
    for key, (value, _) in KINDS.items():
        data["a"][key] = value
    spec = graphdsl.pull(data)
    assert {key: str(item.type) for key, item in spec.schema().nodes["a"].attributes.items()} == {
        key: type_ for key, (_, type_) in KINDS.items()
    }
    assert spec.validate(data).ok


BAD = {
    "title": (["A", "B"], "is a list of texts"),
    "cube": (torch.zeros(2, 3, 4), "has shape [N, 3, 4]"),
    "x": (torch.zeros(2, 3).double(), "is float64"),
    "short": (torch.zeros(2).to(torch.int8), "is int8"),
    "wave": (torch.zeros(2, dtype=torch.complex64), "is complex64"),
    "val_mask": (torch.zeros(2, 10, dtype=torch.bool), "holds 10 splits"),
    "y": (torch.tensor([[0], [1]]), "has shape [N, 1]"),
    "label": (torch.tensor([-100, 1]), "down to -100"),
    "array": (torch.zeros(2, 3).numpy(), "is a numpy array"),
    "matrix": (torch.eye(2).to_sparse(), "is a sparse matrix"),
}


def test_what_cannot_be_said_is_a_comment_and_a_warning() -> None:
    data = HeteroData()
    for key, (value, _) in BAD.items():
        data["a"][key] = value
    data["b"].num_nodes = 3
    data.title = "all"
    pulled = pull_text(data)
    graphdsl.loads(pulled.text)
    said = {item.where: item.message for item in pulled.findings}
    assert {item.code for item in pulled.findings} == {"GNN675"}
    for key, (_, text) in BAD.items():
        assert text in said[f"a.{key}"]
        assert any(line.strip().startswith("#") and text in line for line in pulled.text.splitlines())
    assert "belongs to the graph" in said["title"]


def test_names_survive() -> None:
    data = HeteroData()
    data["web page"]["my key"] = torch.zeros(2, 2)
    data["größe x"].num_nodes = 2
    data["web page", 'cites, "maybe"', "größe x"].edge_index = torch.tensor([[0, 1], [1, 0]])
    schema = graphdsl.pull(data, "a b").schema()
    assert list(schema.nodes) == ["web page", "größe x"]
    assert list(schema.edges) == [("web page", 'cites, "maybe"', "größe x")]
    assert list(schema.nodes["web page"].attributes) == ["my key"]


def test_several_graphs_make_optional_what_some_lack() -> None:
    schema = graphdsl.pull(optional_graphs()).schema()
    assert schema.nodes["ring"].optional
    assert schema.edges["atom", "in", "ring"].optional
    assert schema.nodes["atom"].attributes["charge"].type.optional
    assert not schema.nodes["atom"].attributes["x"].type.optional
    assert str(schema.graph["y"].type) == "class[2]"


def test_stores_are_drawn_too() -> None:
    data, features, graph = library_data(), MyFeatureStore(), MyGraphStore()
    features.put_tensor(data["author"].x, group_name="author", attr_name="x", index=None)
    features.put_tensor(data["paper"].x, group_name="paper", attr_name="x", index=None)
    edge = ("author", "writes", "paper")
    graph.put_edge_index(data[edge].edge_index, edge_type=edge, layout="coo", size=(7, 12))
    schema = graphdsl.pull((features, graph)).schema()
    assert {name: str(node.attributes["x"].type) for name, node in schema.nodes.items()} == {
        "author": "float[8]", "paper": "float[5]",
    }  # fmt: skip


def test_drift_is_said_by_name() -> None:
    real = karate()
    spec = graphdsl.loads(pull_text(real.data).text)
    data = real.data
    data[real.item].x = data[real.item].x[:, :3]
    data[real.item].y[0] = 5
    data[real.item].age = torch.rand(34)
    del data[real.item].score, data[real.at], data[real.free]
    data["stranger"].num_nodes = 1
    found = {item.where: item for item in drift(spec.schema(), data)}
    assert {item.code for item in found.values()} == {"GNN676"}
    assert set(found) == {
        "member.x", "member.y", "member.age", "member.score", "member -[pays]-> club", "club", "stranger",
    }  # fmt: skip
    assert found["member.x"].helps == ("write `x: float[3]`",)
    assert found["member.y"].message == "`member.y` is declared as `class[2]`, and is `class[6]` now"


def write(tmp_path: Path, data: HeteroData) -> Path:
    torch.save(data.to_dict(), tmp_path / "club.pt")
    return tmp_path / "club.pt"


def test_pull_then_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real: Real = karate()
    del real.data[real.item].tags
    write(tmp_path, real.data)
    monkeypatch.chdir(tmp_path)
    assert main(["pull", "club.pt", "--model", "-o", "club.gnn"]) == 0
    assert main(["check", "club.gnn", "--deny-warnings"]) == 0
    spec = graphdsl.load("club.gnn")
    assert not dead_parameters(spec.compile(data=real.data), spec.plan(data=real.data))
    assert main(["pull", "club.pt", "--check", "club.gnn"]) == 0
    assert main(["train", "club.gnn", "--set", "epochs=3"]) == 0
    assert (tmp_path / "runs").is_dir()
    capsys.readouterr()
    assert main(["pull", "club.pt", "-o", "club.gnn"]) == 1
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["optional", "fake"])
def test_graphs_and_links_train_too(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels of graphs; without masks the edges of the first relation."""
    data = DATA[name]()
    content = [graph.to_dict() for graph in data * 10] if isinstance(data, list) else data.to_dict()
    torch.save(content, tmp_path / "data.pt")
    monkeypatch.chdir(tmp_path)
    assert main(["pull", "data.pt", "--model", "-o", "data.gnn"]) == 0
    assert main(["train", "data.gnn", "--set", "epochs=2"]) == 0


def test_the_command_prints_and_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = karate()
    path = write(tmp_path, real.data)
    assert main(["pull", str(path), "--name", "zachary"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("gnn 1\n\nschema zachary {\n  # member.tags is bool; `.float()` makes it float32\n")
    assert "warning[GNN675]: `member.tags` is bool" in printed.err
    assert main(["pull", str(path), "--deny-warnings"]) == 1
    capsys.readouterr()
    assert main(["pull", str(tmp_path / "none.pt")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main(["pull", str(path), "--check", "x.gnn", "--model"]) == 1
    assert "GNN209" in capsys.readouterr().err


def test_no_graph_is_refused() -> None:
    with pytest.raises(SpecError, match="GNN611"):
        graphdsl.pull([])
    with pytest.raises(SpecError, match="GNN611"):
        graphdsl.pull(3)


def test_networkx_graphs_have_the_types_that_they_bear() -> None:
    graph = nx.MultiDiGraph()
    graph.add_node("ann", type="user", age=30.0, name="Ann")
    graph.add_node("it", type="film", year=1990)
    graph.add_node("bob", type="user", age=20.5, name="Bob")
    graph.add_edge("ann", "it", type="saw", stars=5, at=[1.0, 2.0])
    graph.add_edge("ann", "it", type="saw", stars=4, at=[0.0, 2.0])
    graph.add_edge("bob", "ann", type="likes")
    data = from_networkx(graph)
    assert data["user", "saw", "film"].edge_index.tolist() == [[0, 0], [0, 0]]
    assert data["user", "likes", "user"].edge_index.tolist() == [[1], [0]]
    assert data["user", "saw", "film"].at.tolist() == [[1.0, 2.0], [0.0, 2.0]]
    pulled = pull_text(graph, "films")
    assert "user" in pulled.text
    schema = graphdsl.loads(pulled.text).schema()
    assert {name: str(item.type) for name, item in schema.edges["user", "saw", "film"].attributes.items()} == {
        "stars": "int", "at": "float[2]",
    }  # fmt: skip
    assert [item.where for item in pulled.findings] == ["user.name"]
    assert graphdsl.loads(pulled.text).validate(data).ok


def test_undirected_networks_run_both_ways_within_a_type_only() -> None:
    women = from_networkx(nx.davis_southern_women_graph())
    assert women.edge_types == [("part 0", "to", "part 1")]
    assert women["part 0", "to", "part 1"].edge_index.size(1) == 89
    looped = nx.Graph([(0, 1), (1, 1)])
    assert from_networkx(looped)["node", "to", "node"].edge_index.tolist() == [[0, 1, 1], [1, 0, 1]]
    assert "reverse" not in pull_text(nx.les_miserables_graph(), model=True).text
    assert "reverse rev_to" in pull_text(nx.davis_southern_women_graph(), model=True).text
    assert not graphdsl.pull(nx.karate_club_graph(), model=True).findings


PBTXT = """
# comment
node_sets { key: "author" value { features { key: "#size" value { dtype: DT_INT64 } } } }
node_sets {
  key: "paper"
  value {
    features { key: "x" value { dtype: DT_FLOAT shape { dim { size: 128 } } } }
    features { key: "labels" value { dtype: DT_INT64 } }
    features { key: "title" value { dtype: DT_STRING } }
    features { key: "words" value { dtype: DT_INT64 shape { dim { size: -1 } } } }
  }
}
edge_sets { key: "writes" value { source: "author" target: "paper" features { key: "w" value { dtype: DT_FLOAT } } } }
edge_sets { key: "cites" value: < source: 'paper', target: 'paper' > }
"""


def test_a_graph_schema_of_tensorflow_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "schema.pbtxt").write_text(PBTXT)
    assert main(["pull", str(tmp_path / "schema.pbtxt")]) == 0
    printed = capsys.readouterr()
    schema = graphdsl.loads(printed.out).schema()
    assert list(schema.nodes) == ["author", "paper"]
    assert set(schema.edges) == {("author", "writes", "paper"), ("paper", "cites", "paper")}
    assert {name: str(item.type) for name, item in schema.nodes["paper"].attributes.items()} == {
        "x": "float[128]", "labels": "class[*]",
    }  # fmt: skip
    assert "`paper.title` is DT_STRING" in printed.err
    assert "`paper.words` has rows of different lengths" in printed.err
    assert main(["pull", str(tmp_path / "none.pbtxt")]) == 1
    assert "GNN001" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no `node_sets`"),
        ("node_sets {", "is missing at the end"),
        ("node_sets }", "is no value"),
        ("node_sets { value { } }", "has no key"),
        ('node_sets { key: "a" } edge_sets { key: "r" value { source: "a" target: "b" } }', "runs to `b`"),
        ("node_sets: %", "begins nothing"),
        ("node_sets", "has no value"),
        ("node_sets: }", "is no value"),
        ('{ "nodes": [] }', "closed|begins|no `node_sets`"),
        ('node_sets { key: "a" value { features { key: "x" value { shape { dim { size: b } } } } } }', "`a.x` is `b`"),
    ],
)
def test_what_is_no_graph_schema_is_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        graphdsl.pull(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='node_sets{}<>:,;[]"\\ key value a1.-#\n', max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(SpecError):
        graphdsl.pull(text)


def test_a_graph_schema_may_number_dtypes_and_break_texts() -> None:
    drawn = pull_text(
        """node_sets { key: "pa" "per" value {
          features { key: "x" value { dtype: 1 shape { dim { size: 4 } } } }
          features { key: "z" value { dtype: 1 shape { unknown_rank: true } } } } }"""
    )
    assert "node paper { x: float[4] }" in drawn.text
    assert [(item.where, item.message) for item in drawn.findings] == [
        ("paper.z", "`paper.z` has a shape that the schema does not tell")
    ]


def test_what_is_no_graph_schema_is_said_of_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.pbtxt").write_text("node_sets {")
    assert main(["pull", str(tmp_path / "bad.pbtxt")]) == 1
    assert f"--> {tmp_path / 'bad.pbtxt'}" in capsys.readouterr().err


def test_what_a_network_itself_carries_is_not_dropped() -> None:
    graph = nx.Graph([(0, 1)], title="two", y=1, node_default={})
    drawn = pull_text(graph)
    assert [item.where for item in drawn.findings] == ["title", "y"]
    graph.nodes[0]["type"] = None
    assert pull_text(graph).text == drawn.text


def test_several_networks_are_a_list_of_graphs() -> None:
    graphs = [nx.path_graph(3), nx.path_graph(4)]
    for number, graph in enumerate(graphs):
        graph.graph["y"] = number
        nx.set_node_attributes(graph, [1.0, 2.0], "x")
    spec = graphdsl.pull(graphs)
    assert "graph { y: class[2] }" in spec.text
    assert "node node { x: float[2] }" in spec.text
    assert spec.validate(graphs).findings == ()


def test_values_that_are_no_numbers_are_told_apart() -> None:
    graph = nx.Graph([(0, 1), (1, 2)])
    nx.set_node_attributes(graph, "red", "color")
    graph.nodes[0]["age"] = 3
    color, age = pull_text(graph).findings
    assert color.message == "`node.color` is a list of texts, not a tensor"
    assert "class numbers" in color.helps[0]
    assert (age.message, age.helps) == ("`node.age` has no value in 2 of 3 rows", ("give each row one",))


@pytest.mark.parametrize(("data", "said"), [({"a": 1}, "HeteroData.from_dict"), (pd.DataFrame(), "from_tables")])
def test_what_is_no_graph_is_told_how_to_become_one(data, said: str) -> None:
    with pytest.raises(SpecError, match="GNN611") as caught:
        graphdsl.pull(data)
    assert said in " ".join(caught.value.diagnostics[0].helps)


def test_metadata_is_no_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "meta.json").write_text("{}")
    assert main(["pull", str(tmp_path / "meta.json")]) == 1
    said = capsys.readouterr().err
    assert "gnn validate SPEC FILE.json" in said
    assert "did you mean" not in said


PLANES = Path(__file__).parents[2] / "examples" / "planes"


def test_tables_are_drawn_as_the_example_declares_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PLANES)
    assert main(["pull", "data", "--model", "--name", "planes", "-o", str(tmp_path / "planes.gnn")]) == 0
    spec = graphdsl.load(tmp_path / "planes.gnn")
    declared = graphdsl.load("planes.gnn").schema()
    assert set(spec.schema().nodes) == set(declared.nodes)
    assert {key for key, edge in declared.edges.items() if not edge.derived} <= set(spec.schema().edges)
    drawn = {key: str(item.type) for key, item in spec.schema().nodes["plane"].attributes.items()}
    assert drawn == {"manufacturer": "class[5]", "train_mask": "mask", "val_mask": "mask", "test_mask": "mask"}
    assert str(spec.schema().nodes["airport"].attributes["x"].type) == "float[5]"
    assert "predict plane.manufacturer" in spec.text
    assert spec.text.count("data: ") == 1
    assert main(["pull", "data", "--check", str(tmp_path / "planes.gnn")]) == 0


def test_tables_of_any_kind(tmp_path: Path) -> None:
    (tmp_path / "web%20page.csv").write_text("id,y,x.a,x.b,title,rank\nu,0,1,2,one,1.5\nv,,3,4,two,\nw,2,5,6,three,2\n")
    (tmp_path / "web%20page-links-site.csv").write_text("source,target,at\nu,0,3\nv,1,4\n")
    (tmp_path / "notes-1.csv").write_text("a\n1\n")
    source = DataSource("tables", ".", {}, tmp_path)
    pulled = pull_text(draw_tables(source, "s"), "web")
    schema = graphdsl.loads(pulled.text).schema()
    assert {name: str(item.type) for name, item in schema.nodes["web page"].attributes.items()} == {
        "x": "float[2]", "y": "class[3]", "rank": "float",
    }  # fmt: skip
    assert str(schema.edges["web page", "links", "site"].attributes["at"].type) == "int"
    assert {item.where for item in pulled.findings} == {'"web page".title', '"web page".rank', "site", "notes-1.csv"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match="holds no table"):
        draw_tables(DataSource("tables", "empty", {}, tmp_path), "s")


def test_what_networkx_holds_is_validated_and_inspected_as_it_was_pulled() -> None:
    graph = nx.karate_club_graph()
    spec = graphdsl.pull(graph, "karate", model=True)
    assert [item.code for item in spec.validate(graph).findings if item.severity != "note"] == []
    assert spec.plan(data=graph).heads[0].kind == "link"


def test_what_cannot_be_declared_has_not_drifted() -> None:
    data = HeteroData()
    data["paper"].x, data["paper"].title, data["paper"].box = torch.rand(3, 2), ["a", "b", "c"], torch.rand(3, 2, 2)
    schema = graphdsl.pull(data).schema()
    assert {(item.code, item.severity) for item in drift(schema, data)} == {("GNN675", "warning")}
    data["paper"].year = torch.arange(3)
    assert [item.message for item in drift(schema, data) if item.code == "GNN676"] == [
        "the data has a new attribute `paper.year`"
    ]


TOLD = """
info { graph_type: SUBGRAPH root_set: "paper" }
context { features { key: "size" value { dtype: DT_FLOAT } } metadata { filename: "graphs.rec" } }
node_sets { key: "paper" value {
  description: "A paper,\\nwith its text." context: "size" metadata { cardinality: 120 filename: "papers.rec" }
  features { key: "x" value {
    dtype: DT_FLOAT shape { dim { size: 8 name: "word" } } source: "graph" description: "its words" deprecated: true } }
  features { key: "num_nodes" value { dtype: DT_INT64 } } } }
node_sets { key: "_readout" value { } }
edge_sets { key: "cites" value {
  source: "paper" target: "paper" context: ["size"] metadata { cardinality: 7 bigquery { sql: "SELECT 1" } } deprecated: true } }
edge_sets { key: "_readout/paper" value { source: "paper" target: "_readout" } }
[my.extension] { a: 1 }
"""


def test_all_that_a_graph_schema_says_is_told() -> None:
    pulled = pull_text(TOLD)
    said = {(item.where, item.message.partition("` ")[2]) for item in pulled.findings}
    for where, words in [
        ("schema", "has `info: { graph_type: SUBGRAPH, root_set: paper }`"),
        ("schema", "has `[my.extension]: { a: 1 }`"),
        ("graph", "has `metadata: { filename: graphs.rec }`"),
        ("paper", "has `context: size`"),
        ("paper.metadata", "has `filename: papers.rec`"),
        ("paper.x", "has `source: graph`"),
        ("paper.x", "has `deprecated: true`"),
        ("paper.x", "has `name: word`"),
        ("paper.num_nodes", "has a name under which PyG keeps the structure"),
        ("paper -[cites]-> paper", "has `context: size`"),
        ("paper -[cites]-> paper", "has `metadata: { cardinality: 7, bigquery: { sql: SELECT 1 } }`"),
        ("paper -[cites]-> paper", "has `deprecated: true`"),
        ("_readout", "is an auxiliary set"),
    ]:
        assert any(at == where and text.startswith(words) for at, text in said), (where, words)
        assert f"# {where} {words}" in pulled.text
    for comment in ("# A paper, with its text.", "# x: its words", "# 120 nodes"):
        assert comment in pulled.text
    schema = graphdsl.loads(pulled.text).schema()
    assert [str(item.type) for item in schema.nodes["paper"].attributes.values()] == ["float[8]"]


def test_a_set_is_declared_once() -> None:
    one = 'node_sets { key: "a" value { } }'
    with pytest.raises(graphdsl.SpecError, match="`node_sets` has two entries `a`"):
        pull_text(one * 2)
    with pytest.raises(graphdsl.SpecError, match="`a` of `node_sets` is `5`"):
        pull_text('node_sets { key: "a" value: 5 }')


@pytest.mark.parametrize("name", ["num_nodes", "edge_index", "adj_t", "batch", "n_id", "edge_label"])
def test_attributes_of_networks_overwrite_no_structure(name: str) -> None:
    """The line of the help renames them."""
    of_nodes, of_edges = nx.path_graph(4), nx.path_graph(4)
    nx.set_node_attributes(of_nodes, {1: 5, 2: 6}, name)
    nx.set_edge_attributes(of_edges, 7.0, name)  # type: ignore[arg-type]
    for graph, place in ((of_nodes, "node"), (of_edges, "(node -[to]-> node)")):
        with pytest.raises(graphdsl.SpecError) as caught:
            pull_text(graph)
        (found,) = caught.value.diagnostics
        assert (found.code, found.where) == ("GNN611", f"{place}.{name}")
        spec = graphdsl.loads("schema s { node node edge node -[to]-> node }")
        assert [item.where for item in spec.validate(graph).findings] == [found.where]
        exec(found.helps[0].split("`")[1], {"graph": graph})
        assert f"{name}_" in pull_text(graph).text


def test_coordinates_of_networks_are_not_silently_a_label() -> None:
    graph = nx.path_graph(4)
    for key in ("x", "y"):
        nx.set_node_attributes(graph, {node: node / 7 for node in graph}, key)
    (found,) = pull_text(graph).findings
    assert (found.code, found.where) == ("GNN675", "node.y")
    data = from_networkx(graph)
    for line in found.helps[0].split("`")[1::2]:
        exec(line, {"data": data, "torch": torch})
    assert "node node { x: float[2] }" in pull_text(data).text


def test_keys_of_networks_may_be_anything_but_the_same() -> None:
    graph = nx.path_graph(3)
    nx.set_node_attributes(graph, 1.5, 1)  # type: ignore[arg-type]
    assert 'node node { "1": float }' in pull_text(graph).text
    nx.set_node_attributes(graph, 2.5, "1")  # type: ignore[arg-type]
    with pytest.raises(graphdsl.SpecError, match="two attributes are called"):
        pull_text(graph)


def test_texts_as_keys_of_parallel_edges_are_types() -> None:
    graph = nx.MultiDiGraph()
    graph.add_edges_from([(0, 1, "likes"), (0, 1, "knows"), (1, 2)])
    graph.add_edge(0, 1, "odd", type="blocks")
    assert {key[1] for key in from_networkx(graph).edge_types} == {"likes", "knows", "to", "blocks"}
