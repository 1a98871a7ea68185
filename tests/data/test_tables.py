"""Folders of tables: what is read, and that everything wrong is found at its file, column and row."""

import gzip
import importlib.util
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import make_schema, without_notes

from graphdsl.data import load_source, validate
from graphdsl.data.sources.table import file_stem, find_table
from graphdsl.model import DataSource, Schema
from graphdsl.text import SpecError

FLIGHTS = make_schema(
    {
        "plane": {"maker": "class[3]", "train_mask": "mask", "built": "time", "seats": "int?"},
        "airport": {"x": "float[2]", "height": "real", "tags": "multilabel[2]", "is_hub": "bool"},
        "airline": {},
    },
    {
        "plane -[flies_to]-> airport reverse visited_by": {"w": "float", "edge_attr": "float[*]"},
        "airline -[serves]-> airport": {},
    },
)

CLEAN = {
    "plane.csv": "id,maker,train_mask,built\nN1,0,1,2001\nN2,,0,1999\n007,2,1,2010\n",
    "airport.csv": "id,x.lat,x.lon,height,tags.a,tags.b,is_hub\nATL,1.5,-2,300,0,1,True\nNA,3,4,,1,,False\n",
    "airline.csv": "id\nAA\nUA\n",
    "plane-flies_to-airport.csv": "source,target,w,edge_attr\n007,NA,3,0.5\nN1,ATL,1,0.25\n",
    "airline-serves-airport.csv": "source,target\nUA,NA\n",
}


def write(folder: Path, files: dict[str, str]) -> DataSource:
    for name, text in files.items():
        (folder / name).write_text(text)
    return DataSource("tables", folder.name, base=folder.parent)


def findings(folder: Path, files: dict[str, str], schema: Schema = FLIGHTS) -> list[tuple[str, str, str]]:
    with pytest.raises(SpecError) as caught:
        load_source(write(folder, files), schema)
    return [(item.code, item.where, item.message) for item in caught.value.diagnostics]


def test_clean_folder(tmp_path: Path) -> None:
    data = load_source(write(tmp_path, CLEAN), FLIGHTS)
    assert without_notes(validate(FLIGHTS, data)) == []
    assert data["plane"].maker.tolist() == [0, -1, 2]
    assert data["plane"].maker.dtype == data["plane"].built.dtype == torch.int64
    assert data["plane"].train_mask.tolist() == [True, False, True]
    assert data["plane"].id == ["N1", "N2", "007"]
    assert data["airport"].x.tolist() == [[1.5, -2.0], [3.0, 4.0]]
    assert data["airport"].x.dtype == torch.float32
    assert data["airport"].height[0] == 300
    assert data["airport"].height[1].isnan()
    assert data["airport"].tags.tolist() == [[0, 1], [1, -1]]
    assert data["airport"].is_hub.tolist() == [True, False]
    assert (data["plane"].num_nodes, data["airline"].num_nodes) == (3, 2)
    assert data["plane", "flies_to", "airport"].edge_index.tolist() == [[2, 0], [1, 0]]
    assert data["plane", "flies_to", "airport"].w.tolist() == [3, 1]
    assert data["plane", "flies_to", "airport"].edge_attr.tolist() == [[0.5], [0.25]]
    assert ("airport", "visited_by", "plane") not in data.edge_types


def test_compressed_and_marked_files(tmp_path: Path) -> None:
    """Gzip, and the byte order mark that spreadsheets write."""
    files = dict(CLEAN)
    (tmp_path / "plane.csv.gz").write_bytes(gzip.compress(files.pop("plane.csv").encode()))
    (tmp_path / "airline.csv").write_bytes(b"\xef\xbb\xbf" + files.pop("airline.csv").encode())
    assert without_notes(validate(FLIGHTS, load_source(write(tmp_path, files), FLIGHTS))) == []


def test_row_numbers_where_a_table_has_no_ids(tmp_path: Path) -> None:
    schema = make_schema({"a": {"x": "float[1]"}, "b": {}}, {"a -[r]-> b": {}})
    source = write(tmp_path, {"a.csv": "x\n1\n2\n", "b.csv": "id\nu\n", "a-r-b.csv": "source,target\n1,u\n0,u\n"})
    data = load_source(source, schema)
    assert data["a", "r", "b"].edge_index.tolist() == [[1, 0], [0, 0]]
    (tmp_path / "a-r-b.csv").write_text("source,target\n1,u\n2,u\n-1,u\nx,u\n0.5,u\n")
    ((code, where, message),) = findings(tmp_path, {}, schema)
    assert (code, where) == ("GNN606", "a-r-b.csv: column `source`")
    assert (
        "has 4 rows whose `source` is no row number of `a` (0 … 1): row 2 (`2`), row 3 (`-1`), row 4 (`x`), …"
        in message
    )


def test_optional_things_may_be_absent(tmp_path: Path) -> None:
    schema = make_schema({"a": {"x": "float[1]"}, "b": {}}, {"a -[r]-> b": {}, "a -[s]-> a": {}}, optional=("b", "s"))
    assert load_source(write(tmp_path, {"a.csv": "x\n1\n"}), schema).metadata() == (["a"], [])
    # The table of a relation whose end is absent is left alone.
    assert load_source(write(tmp_path, {"a-r-b.csv": "source,target\n0,0\n"}), schema).metadata() == (["a"], [])


def test_empty_tables(tmp_path: Path) -> None:
    schema = make_schema({"a": {"x": "float[1]", "y": "class[2]"}}, {"a -[r]-> a": {"w": "float"}})
    files = {"a.csv": "id,x,y\n", "a-r-a.csv": "source,target,w\n"}
    data = load_source(write(tmp_path, files), schema)
    assert data["a"].x.shape == (0, 1)
    assert data["a", "r", "a"].edge_index.shape == (2, 0)
    assert validate(schema, data) == ()


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="Parquet can be read here")
def test_parquet_without_its_package(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    ((code, where, _),) = findings(tmp_path, {}, make_schema({"a": {}}, {}))
    assert (code, where) == ("GNN617", "a.parquet")


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd

    schema = make_schema({"a": {"x": "float[2]", "y": "class[2]"}}, {"a -[r]-> a": {}})
    pd.DataFrame({"id": [10, 20], "x.u": [1, 2], "x.v": [0.5, 1.5], "y": [1, None]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"source": [20], "target": [10]}).to_parquet(tmp_path / "a-r-a.parquet")
    data = load_source(DataSource("tables", str(tmp_path)), schema)
    assert data["a"].x.tolist() == [[1, 0.5], [2, 1.5]]
    assert data["a"].y.tolist() == [1, -1]
    assert data["a", "r", "a"].edge_index.tolist() == [[1], [0]]


@dataclass(frozen=True)
class Fault:
    """A file replaced in the clean folder, and what is to be said of it."""

    name: str
    code: str
    where: str
    says: str
    files: dict[str, str] = field(default_factory=dict)
    remove: str = ""


PLANES, AIRPORTS, FLOWN = "plane.csv", "airport.csv", "plane-flies_to-airport.csv"

FAULTS = (
    Fault("no table", "GNN601", "airline", "no table `airline.csv.gz`", {"airlines.csv": "id\n"}, "airline.csv"),
    Fault("no relation", "GNN601", "plane-flies_to-airport", "holds no table", remove=FLOWN),
    Fault("two files", "GNN611", "airline", "in several files", {"airline.csv.gz": ""}),
    Fault("empty", "GNN611", PLANES, "it is empty", {PLANES: ""}),
    Fault("repeated column", "GNN611", PLANES, "`maker` stands in it twice", {PLANES: "id,maker,maker\nN1,0,0\n"}),
    Fault(
        "ragged row", "GNN611", PLANES, "expected 4 fields in line 3, saw 5",
        {PLANES: CLEAN[PLANES].replace("1999", "1999,1")},
    ),
    Fault(
        "long rows", "GNN611", FLOWN, "more cells than the first line has names",
        {FLOWN: "source,target,w,edge_attr\nN1,ATL,1,2,3\n"},
    ),
    Fault(
        "no column", "GNN603", f"{PLANES}: column `maker`", "has no column `maker`",
        {PLANES: "id,mker,train_mask,built\nN1,0,1,2001\nN2,1,0,1999\n007,2,1,2010\n"},
    ),
    Fault(
        "no ends", "GNN603", f"{FLOWN}: column `target`", "has no column `target`",
        {FLOWN: "source,to,w,edge_attr\nN1,ATL,1,2\n"},
    ),
    Fault(
        "too few columns", "GNN604", f"{AIRPORTS}: column `x`", "1 column for `x: float[2]`, expected 2",
        {AIRPORTS: CLEAN[AIRPORTS].replace("x.lon", "y.lon")},
    ),
    Fault(
        "one column twice", "GNN611", f"{AIRPORTS}: column `height`", "holds `height` twice",
        {AIRPORTS: CLEAN[AIRPORTS].replace("is_hub", "is_hub,height.m").replace("e\n", "e,1\n")},
    ),
    Fault(
        "no number", "GNN605", f"{AIRPORTS}: column `x.lat`", "1 cell without a number in `x.lat`: row 2 (`3 m`)",
        {AIRPORTS: CLEAN[AIRPORTS].replace("NA,3", "NA,3 m")},
    ),
    Fault(
        "no feature", "GNN605", f"{AIRPORTS}: column `x.lat`", "1 empty cell in `x.lat`, and a `float` is needed",
        {AIRPORTS: CLEAN[AIRPORTS].replace("NA,3", "NA,")},
    ),
    Fault(
        "half a class", "GNN605", f"{PLANES}: column `maker`", "other than a whole number: row 1 (`0.5`)",
        {PLANES: CLEAN[PLANES].replace("N1,0", "N1,0.5")},
    ),
    Fault(
        "endless time", "GNN605", f"{PLANES}: column `built`", "other than a whole number: row 1",
        {PLANES: CLEAN[PLANES].replace("2001", "10000000000000000000")},
    ),
    Fault(
        "mask of 2", "GNN605", f"{PLANES}: column `train_mask`", "other than 0 or 1: row 3 (`2`)",
        {PLANES: CLEAN[PLANES].replace("007,2,1", "007,2,2")},
    ),
    Fault(
        "repeated id", "GNN611", f"{PLANES}: column `id`", "`id` stands above already: row 2 (`N1`)",
        {PLANES: CLEAN[PLANES].replace("N2", "N1")},
    ),
    Fault(
        "no id", "GNN611", f"{PLANES}: column `id`", "has 1 empty cell in `id`: row 2",
        {PLANES: CLEAN[PLANES].replace("N2", "")},
    ),
    Fault(
        "unknown id", "GNN606", f"{FLOWN}: column `source`", "1 row whose `source` is no `id` of `plane`: row 2 (`N3`)",
        {FLOWN: CLEAN[FLOWN].replace("N1", "N3")},
    ),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_at_its_place(tmp_path: Path, fault: Fault) -> None:
    files = {name: text for name, text in (CLEAN | fault.files).items() if name != fault.remove}
    ((code, where, message),) = findings(tmp_path, files)
    assert (code, where) == (fault.code, fault.where)
    assert fault.says in message


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    files = CLEAN | {
        PLANES: CLEAN[PLANES].replace("N1,0", "N1,zero").replace("1999", ""),
        FLOWN: CLEAN[FLOWN].replace("NA", "N.A.").replace("N1,ATL,1", "N1,ATL,one"),
    }
    del files["airline.csv"]
    assert {(code, where) for code, where, _ in findings(tmp_path, files)} == {
        ("GNN601", "airline"),
        ("GNN605", f"{PLANES}: column `maker`"),
        ("GNN605", f"{PLANES}: column `built`"),
        ("GNN605", f"{FLOWN}: column `w`"),
        ("GNN606", f"{FLOWN}: column `target`"),
    }


def test_broken_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id\nu\n")[:-6])
    (tmp_path / "b.csv").write_bytes(b"id\n\xff\xfe\n")
    (tmp_path / "c.csv.gz").write_bytes(b"id\nu\n")
    found = findings(tmp_path, {}, make_schema({"a": {}, "b": {}, "c": {}}, {}))
    assert sorted((code, where) for code, where, _ in found) == [
        ("GNN611", "a.csv.gz"), ("GNN611", "b.csv"), ("GNN611", "c.csv.gz"),
    ]  # fmt: skip


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such folder"):
        load_source(DataSource("tables", "nowhere", base=tmp_path), FLIGHTS)


def test_attribute_with_a_dot_is_no_part_of_another(tmp_path: Path) -> None:
    schema = make_schema({"a": {"x": "float[*]", "x.raw": "float", "x.raw.more": "float[2]"}}, {})
    source = write(tmp_path, {"a.csv": "x.u,x.raw,x.raw.more.p,x.raw.more.q\n1,2,3,4\n"})
    data = load_source(source, schema)
    assert data["a"].x.tolist() == [[1]]
    assert data["a"]["x.raw"].tolist() == [2]
    assert data["a"]["x.raw.more"].tolist() == [[3, 4]]


def test_planes_example() -> None:
    """The tables that the project ships."""
    schema = make_schema(
        {
            "plane": {"manufacturer": "class[5]", "train_mask": "mask", "val_mask": "mask", "test_mask": "mask"},
            "airport": {"x": "float[5]"},
            "airline": {},
        },
        {
            "plane -[flies_to]-> airport reverse visited_by": {"w": "float"},
            "plane -[operated_by]-> airline reverse operates": {"w": "float"},
            "airline -[serves]-> airport reverse served_by": {"w": "float"},
        },
    )
    folder = Path(__file__).parents[2] / "examples" / "planes"
    data = load_source(DataSource("tables", "data", base=folder), schema)
    assert validate(schema, data) == ()
    assert {name: data[name].num_nodes for name in data.node_types} == {"plane": 3264, "airport": 106, "airline": 16}
    assert data["plane", "flies_to", "airport"].num_edges == 38674


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(_NAMES | st.tuples(_NAMES, _NAMES, _NAMES), min_size=2, max_size=2, unique=True))
def test_file_names_are_safe_and_distinct(places: list[str | tuple[str, str, str]]) -> None:
    first, second = (file_stem(place) for place in places)
    assert first != second
    assert set(first) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.%-")


def test_strange_names_are_found(tmp_path: Path) -> None:
    schema = make_schema({"web page": {}, "a/b": {}}, {"web page -[links-to]-> a/b": {}})
    files = {
        "web%20page.csv": "id\nu\n",
        "a%2Fb.csv": "id\nv\n",
        "web%20page-links%2Dto-a%2Fb.csv": "source,target\nu,v\n",
    }
    data = load_source(write(tmp_path, files), schema)
    assert data["web page", "links-to", "a/b"].edge_index.tolist() == [[0], [0]]
    assert find_table(tmp_path, "web page") == [tmp_path / "web%20page.csv"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("abcNA01 é,\"'#\n", min_size=1, max_size=4),
            st.floats(width=32, allow_nan=False, allow_infinity=False),
            st.integers(-1, 2),
        ),
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_round_trip_through_a_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, int]]
) -> None:
    """Ids of any text and numbers of float32 come back as they were written."""
    import csv

    folder = tmp_path_factory.mktemp("tables")
    with open(folder / "a.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "x", "y"])
        writer.writerows((name, repr(value), "" if label < 0 else label) for name, value, label in rows)
    schema = make_schema({"a": {"x": "float[1]", "y": "class[3]"}}, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_source(DataSource("tables", str(folder)), schema)
    assert data["a"].id == [name for name, _, _ in rows]
    assert torch.equal(data["a"].x, torch.tensor([[value] for _, value, _ in rows]).view(-1, 1))
    assert data["a"].y.tolist() == [label for _, _, label in rows]
