"""Sources other than tables: the notation of the command line, saved files, PyG's datasets, users' functions."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import library_data, library_schema
from torch_geometric.data import Data, HeteroData

import graphdsl
from graphdsl.data import load_source, parse_source, validate
from graphdsl.model import DataSource
from graphdsl.text import Diagnostic, Span, SpecError

SCHEMA = library_schema()


def refusal(source: DataSource) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        load_source(source, SCHEMA)
    (finding,) = caught.value.diagnostics
    assert "\n" not in finding.message
    return finding


# --- notation ---


@pytest.mark.parametrize(
    ("text", "kind", "name", "arguments"),
    [
        ('pyg("DBLP", root="data/dblp")', "pyg", "DBLP", {"root": "data/dblp"}),
        (" pyg ( 'FakeHeteroDataset', num_graphs=1, sizes=(1, -2.5), b=[True, None] ) ", "pyg", "FakeHeteroDataset",
         {"num_graphs": 1, "sizes": (1, -2.5), "b": [True, None]}),
        ('tables("a folder")', "tables", "a folder", {}),
        ('file("graph.bin")', "file", "graph.bin", {}),
        ("some/graph.pt", "file", "some/graph.pt", {}),
        ("graph.pth", "file", "graph.pth", {}),
        ("some/code.py:make", "function", "some/code.py:make", {}),
    ],
)  # fmt: skip
def test_notation(tmp_path: Path, text: str, kind: str, name: str, arguments: dict[str, object]) -> None:
    assert parse_source(text, tmp_path) == DataSource(kind, name, arguments, tmp_path)


def test_a_folder_is_tables_even_if_it_looks_like_a_call(tmp_path: Path) -> None:
    (tmp_path / "tables(1)").mkdir()
    assert parse_source("tables(1)", tmp_path) == DataSource("tables", "tables(1)", {}, tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "neither a folder nor"),
        ("nowhere", "neither a folder nor"),
        ("code.py", "which function"),
        ('pig("DBLP")', "did you mean `pyg(…)`?"),
        ('pyg("DBLP"', "no call that can be read"),
        ("pyg()", "exactly one name"),
        ('pyg("A", "B")', "exactly one name"),
        ("pyg(3)", "exactly one name"),
        ("pyg(DBLP)", 'a name is written as a string: `"DBLP"`'),
        ('pyg("DBLP", root=open("x"))', "no constant"),
        ('pyg("DBLP", root=-"x")', "no constant"),
        ('pyg("DBLP", *a)', "no constant"),
        ('pyg("DBLP", **a)', "unpacks a mapping"),
        ('pyg("DBLP", a=1, a=2)', "gives an argument twice"),
        ('tables("x", root="y")', "arguments that `tables` does not take"),
        ("pyg(" + "(" * 5000 + ")" * 5000 + ")", "no call that can be read"),
        ("pyg('" + "x" * 20_000 + "')", "no call that can be read"),
        ("pyg('\0')", "no call that can be read"),
        ("x\0y", "neither a folder nor"),
        ("x" * 5000, "neither a folder nor"),
    ],
)
def test_notation_that_is_none(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_source(text, tmp_path)
    (finding,) = caught.value.diagnostics
    assert finding.code == "GNN612"
    assert says in " ".join([finding.message, *finding.helps])


def test_neighbours_are_suggested(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    with pytest.raises(SpecError, match="did you mean `tables`"):
        parse_source("tabels", tmp_path)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.text("pyg(tables)'\",=[]0-.DBLP*: ", max_size=30))
def test_notation_never_fails_otherwise(text: str) -> None:
    try:
        kind = parse_source(text).kind
    except SpecError as error:
        kind = error.diagnostics[0].code
    assert kind in ("pyg", "tables", "file", "function", "GNN612")


# --- saved files ---


@pytest.mark.parametrize("as_dict", [False, True])
def test_saved_graph(tmp_path: Path, as_dict: bool) -> None:
    data = library_data()
    data.title = "library"
    torch.save(data.to_dict() if as_dict else data, tmp_path / "graph.pt")
    loaded = load_source(DataSource("file", "graph.pt", base=tmp_path), SCHEMA)
    assert isinstance(loaded, HeteroData)
    assert validate(SCHEMA, loaded) == ()
    assert loaded.title == "library"
    assert torch.equal(loaded["author"].x, data["author"].x)


@pytest.mark.parametrize("several", [False, True])
def test_saved_dictionaries_of_homogeneous_graphs(tmp_path: Path, several: bool) -> None:
    label = "graph { y: class[2] }" if several else ""
    spec = graphdsl.loads(f"schema s {{ node a {{ x: float[3] }} edge a -[r]-> a {label} }}")
    graph = Data(x=torch.rand(2, 3), edge_index=torch.tensor([[0], [1]]), y=torch.tensor([1]))
    torch.save([graph.to_dict()] * 2 if several else graph.to_dict(), tmp_path / "graph.pt")
    loaded = load_source(DataSource("file", "graph.pt", base=tmp_path), spec.schema())
    first = loaded[0] if several else loaded
    assert torch.equal(first["a", "r", "a"].edge_index, graph.edge_index)
    assert torch.equal(first["a"].x, graph.x)
    assert not [item for item in validate(spec.schema(), loaded) if item.severity == "error"]


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.path,)


def test_code_in_a_file_does_not_run(tmp_path: Path) -> None:
    data = library_data()
    data["author"].trap = Trap(tmp_path / "sprung")
    torch.save(data, tmp_path / "graph.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    finding = refusal(DataSource("file", "graph.pt", base=tmp_path))
    assert finding.code == "GNN611"
    assert "mkdir" in finding.message
    assert "to_dict()" in finding.helps[0]
    assert refusal(DataSource("file", "plain.pt", base=tmp_path)).code == "GNN611"
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (Data(x=torch.zeros(2, 2)), "homogeneous"),
        (Data(x=torch.zeros(2, 2), edge_index=torch.zeros(2, 0).long()).to_dict(), "homogeneous"),
        ([Data(edge_index=torch.zeros(2, 0).long(), num_nodes=1).to_dict()], "homogeneous"),
        ({}, "a `dict` that is no graph"),
        ({"author": torch.zeros(2)}, "a `dict` that is no graph"),
        ({("a", "b"): {"edge_index": 1}}, "a `dict` that is no graph"),
        ([1, 2], "a `list` that is no graph"),
        (torch.zeros(3), "a `Tensor` that is no graph"),
    ],
)
def test_files_that_hold_no_graph(tmp_path: Path, content: object, says: str) -> None:
    torch.save(content, tmp_path / "graph.pt")
    finding = refusal(DataSource("file", "graph.pt", base=tmp_path))
    assert finding.code == "GNN611"
    assert says in finding.message


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x02}q\x00.", b"hello" * 100, b"\x80\x02crandom\n"])
def test_broken_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "graph.pt").write_bytes(content)
    assert refusal(DataSource("file", "graph.pt", base=tmp_path)).code == "GNN611"


def test_truncated_and_missing_files(tmp_path: Path) -> None:
    torch.save(library_data(), tmp_path / "whole.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:2000])
    assert "broken" in refusal(DataSource("file", "half.pt", base=tmp_path)).message
    assert "no such file" in refusal(DataSource("file", "none.pt", base=tmp_path)).message
    assert "is a directory" in refusal(DataSource("file", ".", base=tmp_path)).message


def test_half_a_graph_in_a_file(tmp_path: Path) -> None:
    """A container without its insides, which only a hand-made file has."""
    torch.save(HeteroData.__new__(HeteroData), tmp_path / "graph.pt")
    assert "broken" in refusal(DataSource("file", "graph.pt", base=tmp_path)).message


def test_refusals_point_into_the_spec(tmp_path: Path) -> None:
    span = Span("small.gnn", 9, 9, 9, 20)
    finding = refusal(DataSource("file", "none.pt", base=tmp_path, span=span))
    assert finding.primary.span == span


# --- PyG's datasets ---


def test_dataset() -> None:
    source = DataSource("pyg", "FakeHeteroDataset", {"avg_num_nodes": 20, "num_node_types": 2})
    data = load_source(source, SCHEMA)
    assert isinstance(data, HeteroData)
    assert data.node_types == ["v0", "v1"]


@pytest.mark.parametrize(
    ("name", "arguments", "code", "says"),
    [
        ("DBPL", {}, "GNN612", "did you mean `DBLP`?"),
        ("os", {}, "GNN612", "no dataset"),
        ("DBLP", {}, "GNN611", "'root'"),
        ("DBLP", {"rot": "x"}, "GNN611", "did you mean `root`?"),
        ("KarateClub", {}, "GNN611", "homogeneous"),
        ("FakeHeteroDataset", {"avg_num_nodes": "many"}, "GNN611", "TypeError"),
    ],
)
def test_datasets_that_are_none(name: str, arguments: dict[str, object], code: str, says: str) -> None:
    finding = refusal(DataSource("pyg", name, arguments))
    assert finding.code == code
    assert says in " ".join([finding.message, *finding.helps])


def test_failed_download_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch_geometric.datasets.dblp as module

    def fail(url: str, folder: str, **options: object) -> str:
        assert Path(folder).is_relative_to(tmp_path)
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(module, "download_url", fail)
    finding = refusal(DataSource("pyg", "DBLP", {"root": "dblp"}, base=tmp_path))
    assert finding.code == "GNN611"
    assert "cannot be downloaded or stored (ConnectionError: no route to host)" in finding.message


def test_dataset_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch_geometric.datasets

    class Needy(torch_geometric.datasets.FakeHeteroDataset):
        def __init__(self) -> None:
            raise ModuleNotFoundError("No module named 'rdflib'")

    monkeypatch.setattr(torch_geometric.datasets, "FakeHeteroDataset", Needy)
    finding = refusal(DataSource("pyg", "FakeHeteroDataset"))
    assert finding.code == "GNN617"
    assert "rdflib" in finding.message


# --- functions ---

PROGRAM = """
from dataclasses import dataclass
from pathlib import Path
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.testing import MyFeatureStore, MyGraphStore
import beside

@dataclass
class Settings:
    size: "int" = 3

def make():
    data = HeteroData()
    data["a"].x = torch.zeros(Settings().size, beside.WIDTH)
    return data

def stores():
    features, graph = MyFeatureStore(), MyGraphStore()
    features.put_tensor(torch.zeros(3, 2), group_name="a", attr_name="x", index=None)
    return [features, graph]

def homogeneous():
    return Data(x=torch.zeros(2, 2))

def nothing():
    pass

def deep(level=0):
    if level == 20:
        raise RuntimeError("the table\\n is gone")
    deep(level + 1)

def leave():
    raise SystemExit(3)

CONSTANT = 3
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "graphs.py").write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("WIDTH = 2\n")
    return tmp_path


def test_function(program: Path) -> None:
    data = load_source(DataSource("function", "graphs.py:make", base=program), SCHEMA)
    assert isinstance(data, HeteroData)
    assert data["a"].x.shape == (3, 2)
    pair = load_source(DataSource("function", "graphs.py:stores", base=program), SCHEMA)
    assert isinstance(pair, tuple)
    assert pair[0].get_tensor_size(group_name="a", attr_name="x") == (3, 2)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("graphs.py:mak", "did you mean `make`?"),
        ("graphs.py:CONSTANT", "a `int`, not a function"),
        ("graphs.py:homogeneous", "to_heterogeneous"),
        ("graphs.py:nothing", "returned no graph: a graph is a `HeteroData`"),
        ("graphs.py:leave", "(SystemExit: 3)"),
        ("grphs.py:make", "no such file"),
        ("broken.py:make", "it cannot be imported (SyntaxError"),
        ("failing.py:make", "it cannot be imported (ZeroDivisionError"),
    ],
)
def test_functions_that_make_no_graph(program: Path, name: str, says: str) -> None:
    (program / "broken.py").write_text("def make(:\n    pass\n")
    (program / "failing.py").write_text("1 / 0\n")
    finding = refusal(DataSource("function", name, base=program))
    assert finding.code == "GNN611"
    assert says in " ".join([finding.message, *finding.helps])


def test_exceptions_show_the_users_own_frames(program: Path) -> None:
    finding = refusal(DataSource("function", "graphs.py:deep", base=program))
    assert "`deep` failed (RuntimeError: the table is gone)" in finding.message
    path = program / "graphs.py"
    assert all(note.startswith(f"{path}:") or note == "…" for note in finding.notes)
    assert finding.notes[-1].endswith('in deep: raise RuntimeError("the table\\n is gone")')
    assert len(finding.notes) <= 9


def test_syntax_errors_show_their_line(program: Path) -> None:
    (program / "broken.py").write_text("x = 1\ndef make(:\n    pass\n")
    finding = refusal(DataSource("function", "broken.py:make", base=program))
    assert finding.notes == (f"{program / 'broken.py'}:2: def make(:",)


def test_functions_are_those_that_the_file_defines(tmp_path: Path) -> None:
    (tmp_path / "build.py").write_text(
        "from pathlib import Path\nfrom torch_geometric.data import HeteroData\nimport torch as t\n"
        "def make_graph(): return HeteroData()\ndef _inner(): pass\nclass Reader:\n    pass\n"
    )
    finding = refusal(DataSource("function", "build.py:HeteroGraph", base=tmp_path))
    assert finding.message == "`build.py` has no function `HeteroGraph`"
    assert finding.notes == ("functions: `make_graph`, `Reader`",)
    assert finding.helps == (), "nothing that is imported is proposed"
