"""`inspect`, and metadata as a file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import library_data, library_schema, make_schema, to_stores
from torch_geometric.data import Data, HeteroData

from graphdsl.data import inspect, metadata_from_json, metadata_to_json, read_metadata, write_metadata
from graphdsl.model import Metadata, StoreInfo, TensorInfo
from graphdsl.text import SpecError


def test_what_there_is() -> None:
    found = inspect(library_data())
    assert list(found.nodes) == ["author", "paper", "term", "conference"]
    assert found.nodes["author"].count == 7
    assert found.nodes["author"].tensors["x"] == TensorInfo((7, 8), "float32")
    assert found.nodes["author"].tensors["y"] == TensorInfo((7,), "int64", 4)
    assert found.nodes["author"].tensors["train_mask"] == TensorInfo((7,), "bool")
    assert found.nodes["paper"].tensors["year"].classes is None
    assert found.nodes["conference"] == StoreInfo(3)
    assert found.edges["paper", "cites", "paper"].count == 15
    assert found.edges["paper", "cites", "paper"].tensors["edge_attr"] == TensorInfo((15, 2), "float32")
    assert "edge_index" not in found.edges["paper", "cites", "paper"].tensors


def test_stores_tell_the_same() -> None:
    data = library_data()
    assert inspect(to_stores(data), library_schema()) == inspect(data, library_schema())


def test_declared_labels_have_classes() -> None:
    data = HeteroData()
    data["plane"].maker = torch.tensor([0, 4, -1])
    schema = make_schema({"plane": {"maker": "class[*]"}}, {})
    assert inspect(data).nodes["plane"].tensors["maker"].classes is None
    assert inspect(data, schema).nodes["plane"].tensors["maker"].classes == 5


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        (torch.tensor([-1, -1]), 0),
        (torch.zeros(0, dtype=torch.long), 0),
        (torch.tensor([0.0, 2.0]), None),
        (torch.zeros(2, 3, dtype=torch.long), None),
        (np.array([0, 6]), 7),
    ],
)
def test_classes(label: object, classes: int | None) -> None:
    data = HeteroData()
    data["a"].y = label
    assert inspect(data).nodes["a"].tensors["y"].classes == classes


@pytest.mark.parametrize(
    ("attributes", "count"),
    [
        ({"num_nodes": 4, "x": torch.zeros(3, 1)}, 4),
        ({"num_nodes": torch.tensor(4)}, 4),
        ({"num_nodes": None, "x": torch.zeros(3, 1)}, 3),
        ({"age": torch.zeros(5), "y": torch.zeros(3)}, 3),
        ({"age": torch.zeros(5)}, 5),
        ({"age": np.zeros(5)}, 5),
        ({"n_id": torch.arange(6)}, 6),
        ({"n_id": torch.arange(6), "input_id": torch.arange(2), "seed_time": torch.arange(2)}, 6),
        ({"size": torch.tensor(3), "names": ["a", "b"]}, None),
    ],
)
def test_counts_are_told_without_guessing(attributes: dict[str, object], count: int | None) -> None:
    """Nothing warns, though PyG's own `num_nodes` would."""
    data = HeteroData()
    data["a"].update(attributes)
    data["a", "r", "a"].edge_index = torch.tensor([[90], [2]])
    assert inspect(data).nodes["a"].count == count
    assert data.node_types == ["a"]


def test_types_that_only_edges_mention() -> None:
    data = HeteroData()
    data["a", "r", "b"].edge_index = torch.tensor([[0], [1]])
    found = inspect(data)
    assert found.nodes == {"a": StoreInfo(None), "b": StoreInfo(None)}
    assert data.node_types == []


def test_other_data_is_refused() -> None:
    with pytest.raises(SpecError, match="heterogeneous graph is needed"):
        inspect(Data(x=torch.zeros(2, 2)))
    with pytest.raises(SpecError, match="not a `dict`"):
        inspect({})


def test_failing_store_is_named() -> None:
    features, graph = to_stores(library_data())
    features._get_tensor = lambda attr: (_ for _ in ()).throw(OSError("disk"))
    with pytest.raises(SpecError, match="OSError: disk"):
        inspect((features, graph))


# --- files ---

_NAMES = st.text(max_size=8)
_TENSORS = st.dictionaries(
    _NAMES,
    st.builds(
        TensorInfo,
        st.lists(st.integers(0, 10**12), max_size=3).map(tuple),
        st.sampled_from(["float32", "int64", "bool", "float8_e4m3fn"]),
        st.none() | st.integers(0, 100),
    ),
    max_size=3,
)
_STORES = st.builds(StoreInfo, st.none() | st.integers(0, 10**12), _TENSORS)
_METADATA = st.builds(
    Metadata,
    st.dictionaries(_NAMES, _STORES, max_size=3),
    st.dictionaries(st.tuples(_NAMES, _NAMES, _NAMES), _STORES, max_size=3),
)


@settings(max_examples=100, deadline=None)
@given(_METADATA)
def test_round_trip(metadata: Metadata) -> None:
    text = metadata_to_json(metadata)
    assert metadata_from_json(text) == metadata
    assert metadata_to_json(metadata_from_json(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "EOF"),
        ("[]", "should be an object"),
        ('{"format": 2, "nodes": [], "edges": []}', "`format`"),
        ('{"format": 1, "nodes": [{"type": "a", "count": -1}], "edges": []}', "`nodes.0.count`"),
        ('{"format": 1, "nodes": [{"type": "a", "count": true}], "edges": []}', "`nodes.0.count`"),
        ('{"format": 1, "nodes": [], "edges": [{"type": ["a", "b"]}]}', "`edges.0.type.2`"),
        ('{"format": 1, "nodes": [], "edges": [], "more": 1}', "`more`"),
        ('{"format": 1, "nodes": [{"type": "a"}, {"type": "a"}], "edges": []}', "twice"),
        (
            '{"format": 1, "nodes": [{"type": "a", "tensors": {"x": {"shape": [1.5], "dtype": "x y"}}}], "edges": []}',
            "`",
        ),
        (b"\xff\xfe", "metadata"),
    ],
)
def test_what_is_no_metadata(text: str | bytes, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        metadata_from_json(text, "meta.json")
    assert {(item.code, item.where) for item in caught.value.diagnostics} == {("GNN611", "meta.json")}
    assert all(says in item.message for item in caught.value.diagnostics)


def test_files(tmp_path: Path) -> None:
    metadata = inspect(library_data())
    path = tmp_path / "meta.json"
    write_metadata(metadata, path)
    assert read_metadata(path) == metadata
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(SpecError, match="GNN616"):
        write_metadata(metadata, tmp_path / "no" / "meta.json")
    with pytest.raises(SpecError, match="no such file"):
        read_metadata(tmp_path / "none.json")


def test_metadata_files_need_no_torch(tmp_path: Path) -> None:
    write_metadata(inspect(library_data()), tmp_path / "meta.json")
    program = (
        "import sys, graphdsl.data\n"
        "from graphdsl.data import read_metadata\n"
        f"assert read_metadata({str(tmp_path / 'meta.json')!r}).nodes['author'].count == 7\n"
        "assert not {'torch', 'torch_geometric', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
