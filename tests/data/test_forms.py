"""What stands where a dense tensor or a whole number should: a finding at its place with a way out, for every reader."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import torch_geometric
from small_graphs import to_stores
from torch import Tensor
from torch_geometric.data import Data, HeteroData

import graphdsl
from graphdsl.data import inspect
from graphdsl.data.graph_set import GraphSet
from graphdsl.data.statistics import describe_graph
from graphdsl.data.validation.stored import validate_metadata
from graphdsl.model import Metadata, StoreInfo, TensorInfo
from graphdsl.pulling import pull_text
from graphdsl.text import Diagnostic, SpecError

SPEC = graphdsl.loads(
    """schema shop {
  node user { x: float[4], y: class[3] }
  node item
  edge user -[buys]-> item { w: float }
}"""
)
BUYS = ("user", "buys", "item")


def shop() -> HeteroData:
    data = HeteroData()
    data["user"].x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    data["user"].y = torch.tensor([0, 1, 2, 0, 1, 2])
    data["item"].num_nodes = 2
    data[BUYS].edge_index = torch.tensor([[0, 1, 2, 3, 4, 5], [0, 1, 0, 1, 0, 1]])
    data[BUYS].w = torch.arange(6.0)
    return data


def looked_at(data: Any, spec: graphdsl.Spec = SPEC) -> tuple[Diagnostic, ...]:
    """The findings; all else that reads data runs, too."""
    inspect(data, degrees=True) if isinstance(data, HeteroData) else None
    describe_graph(data, spec.schema())
    spec.validate([data, data])
    pull_text([data, data])
    return tuple(spec.validate(data).findings)


def mended(data: HeteroData, line: str) -> None:
    """Run the Python of a help, a line of our own."""
    code = line[line.index("`data[") + 1 :]
    exec(code[: code.index("`")], {"data": data, "torch": torch, "torch_geometric": torch_geometric, "numpy": np})


# --- numbers of nodes ---

NO_COUNTS = (-1, "6", [6], 6.0, True, torch.tensor(6.0), torch.tensor([3, 3]), torch.tensor(True), np.float32(6), {})


@pytest.mark.parametrize("given", NO_COUNTS, ids=str)
def test_a_number_of_nodes_that_is_none_is_found_where_attributes_tell_it(given: object) -> None:
    data = shop()
    data["user"].num_nodes = given
    (found,) = looked_at(data)
    assert (found.code, found.where) == ("GNN610", "user")
    (remark,) = pull_text(data).findings
    assert (remark.code, remark.where) == ("GNN675", "user")
    assert found.helps == remark.helps
    mended(data, found.helps[0])
    assert looked_at(data) == pull_text(data).findings == ()


@pytest.mark.parametrize("given", [6, np.int64(6), torch.tensor(6), torch.tensor([6])], ids=str)
def test_whole_numbers_of_nodes_of_any_kind_are_fine(given: object) -> None:
    data = shop()
    data["user"].num_nodes = given
    assert looked_at(data) == pull_text(data).findings == ()


def test_a_number_of_nodes_against_the_attributes_is_found() -> None:
    data = shop()
    data["user"].num_nodes = 7
    assert [(item.code, item.where) for item in SPEC.validate(data).findings] == [("GNN607", "user")]
    (remark,) = pull_text(data).findings
    assert remark.message == "`user` has 7 nodes, and `user.x` 6 rows"


@pytest.mark.parametrize("given", [-1, "6", [6], 6.5, 7], ids=str)
def test_homogeneous_graphs_keep_their_attributes_and_lists_name_the_graph(given: object) -> None:
    spec = graphdsl.loads("schema s { node a { x: float[4], y: class[3] } edge a -[r]-> a }")
    index = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    data = Data(x=shop()["user"].x, y=shop()["user"].y, edge_index=index)
    data["num_nodes"] = given
    first, *_ = looked_at(data, spec)
    assert (first.code, first.where) == ("GNN607" if given == 7 else "GNN610", "a")
    (first, *_) = spec.validate([data, data]).findings
    assert first.where == "graph 0: a"
    pulled = pull_text(data)
    assert "node node { x: float[4], y: class[3] }" in pulled.text
    assert [item.where for item in pulled.findings] == ["node"]


def test_metadata_has_no_number_below_zero() -> None:
    held = Metadata({"user": StoreInfo(-6, {"x": TensorInfo((6, 4), "float32")})}, {})
    found = validate_metadata(graphdsl.loads("schema s { node user { x: float[4] } }").schema(), held)
    assert [(item.code, item.where) for item in found] == [("GNN610", "user")]


# --- forms of attributes ---

FORMS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "meta": (lambda x: x.to("meta"), "without numbers"),
    "coo": (Tensor.to_sparse, "sparse matrix"),
    "csr": (Tensor.to_sparse_csr, "sparse matrix"),
    "scipy": (lambda x: scipy.sparse.csr_matrix(x.numpy()), "sparse matrix of scipy"),
    "quantized": (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8), "quantized"),
    "nested": (lambda x: torch.nested.nested_tensor([*x]), "nested"),
    "jagged": (lambda x: torch.nested.nested_tensor([*x], layout=torch.jagged), "nested"),
    "masked": (lambda x: torch.masked.masked_tensor(x, x > 0), "masked"),
    "complex": (lambda x: x.to(torch.complex64), "complex64"),
    "float8": (lambda x: x.to(torch.float8_e4m3fn), "float8_e4m3fn"),
    "uint16": (lambda x: (x * 0).to(torch.uint16), "uint16"),
    "flat": (lambda x: x.view(-1), "has shape [24]"),
    "data frame": (lambda x: pd.DataFrame(x.numpy()), "data frame"),
    "tensors": (lambda x: [*x], "list of tensors"),
    "rows": (Tensor.tolist, "a list"),
    "ragged rows": (lambda x: [row.tolist()[: 1 + place % 2] for place, row in enumerate(x)], "differ in length"),
    "a row without value": (lambda x: [None, *x[1:].tolist()], "no value"),
    "texts": (lambda x: [f"text {row}" for row in range(len(x))], "list of texts"),
    "dict": (lambda x: {0: x}, "a `dict`"),
    "dicts": (lambda x: [{"a": 1}] * len(x), "a `list of dict`"),
    "dates": (lambda x: [np.datetime64("2020-01-01")] * len(x), "a `list of datetime64`"),
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", FORMS)
def test_what_is_no_dense_tensor_is_found_at_its_place_with_a_way_out(name: str) -> None:
    make, said = FORMS[name]
    data = shop()
    data["user"].x, data["user"].num_nodes = make(data["user"].x), 6
    found = [item for item in looked_at(data) if item.where == "user.x"]
    assert [item.code for item in found] == ["GNN607" if name == "flat" else "GNN605"]
    assert said in found[0].message
    assert found[0].helps
    if name != "flat":
        assert "user.x" in [item.where for item in pull_text(data).findings]
    if name in ("coo", "csr", "scipy", "quantized", "complex", "float8", "uint16", "flat", "tensors", "rows", "jagged"):
        mended(data, found[0].helps[0])
        assert {item.code for item in SPEC.validate(data).findings} <= {"GNN664", "GNN622"}


def test_texts_are_encoded_as_classes_or_by_a_model() -> None:
    data = shop()
    data["user"].x, data["user"].y = ["red"] * 6, ["a", "b", "c"] * 2
    x, y = SPEC.validate(data).findings
    assert (x.where, y.where) == ("user.x", "user.y")
    assert "encode(" in x.helps[0]
    mended(data, y.helps[0][y.helps[0].index("`torch") :].replace("`torch", '`data["user"].y = torch', 1))
    assert torch.as_tensor(data["user"].y).tolist() == [0, 1, 2, 0, 1, 2]


class Own(Tensor):
    """A tensor by another name."""


@pytest.mark.parametrize("make", [lambda x: x.as_subclass(Own), torch.nn.Buffer, lambda x: x.expand(6, 4)])
def test_other_classes_of_plain_tensors_are_tensors(make: Callable[[Tensor], Tensor]) -> None:
    data = shop()
    data["user"].x = make(data["user"].x)
    assert looked_at(data) == ()


def test_data_that_belongs_to_a_gradient_is_found() -> None:
    data = shop()
    data["user"].x = torch.nn.Linear(4, 4)(data["user"].x)
    (found,) = looked_at(data)
    assert (found.code, found.where) == ("GNN682", "user.x")
    mended(data, found.helps[0])
    assert looked_at(data) == ()


# --- forms of edges ---

EDGES: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "meta": (lambda e: e.to("meta"), "GNN605"),
    "adjacency": (lambda e: torch.sparse_coo_tensor(e, torch.ones(6), (6, 2)).coalesce(), "GNN605"),
    "adjacency by rows": (lambda e: torch.sparse_coo_tensor(e, torch.ones(6), (6, 2)).to_sparse_csr(), "GNN605"),
    "of scipy": (lambda e: scipy.sparse.coo_matrix((np.ones(6), e.numpy()), shape=(6, 2)), "GNN605"),
    "complex": (lambda e: e.to(torch.complex64), "GNN605"),
    "nested": (lambda e: torch.nested.nested_tensor([*e]), "GNN605"),
    "uint64": (lambda e: e.to(torch.uint64), "GNN605"),
    "dense adjacency": (lambda e: torch.sparse_coo_tensor(e, torch.ones(6), (6, 2)).to_dense(), "GNN607"),
    "[E, 2]": (lambda e: e[:, :5].t(), "GNN607"),
    "[E, 3]": (lambda e: torch.cat([e, e[:1]]).t()[:5], "GNN607"),
    "[3, E]": (lambda e: torch.cat([e, e[:1]]), "GNN607"),
    "[1, 2, E]": (lambda e: e[None], "GNN607"),
    "[2, E, 1]": (lambda e: e[..., None], "GNN607"),
    "pairs in a row": (lambda e: e.t().reshape(-1), "GNN607"),
    "one number": (lambda e: torch.tensor(3), "GNN607"),
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", EDGES)
def test_edges_of_another_form_are_mended_by_the_help(name: str) -> None:
    make, code = EDGES[name]
    data = shop()
    data[BUYS].edge_index, edges = make(data[BUYS].edge_index), data[BUYS].edge_index
    found = [item for item in looked_at(data) if item.where == "user -[buys]-> item" and item.code == code]
    assert len(found) == 1
    assert "user -[buys]-> item" in [item.where for item in pull_text(data).findings]
    if name not in ("meta", "one number", "nested"):
        mended(data, found[0].helps[0])
        assert torch.equal(data[BUYS].edge_index.long(), edges[:, : data[BUYS].edge_index.size(1)])


@pytest.mark.parametrize("key", ["adj_t", "adj"])
def test_matrices_of_a_relation_become_edges(key: str) -> None:
    data = shop()
    matrix, edges = torch.zeros(6, 2), data[BUYS].edge_index
    matrix[edges[0], edges[1]] = 1
    del data[BUYS].edge_index
    data[BUYS][key] = matrix if key == "adj" else matrix.t().to_sparse_csr()
    found = next(item for item in SPEC.validate(data).findings if item.where == "user -[buys]-> item")
    mended(data, found.helps[0])
    assert sorted(data[BUYS].edge_index.t().tolist()) == sorted(edges.t().tolist())


def test_the_odd_attribute_is_wrong_not_all_others() -> None:
    data = shop()
    data["user"].x, data["user"].train_mask = torch.zeros(0, 4), torch.ones(6, dtype=torch.bool)
    spec = graphdsl.loads(SPEC.text.replace("y: class[3]", "y: class[3], train_mask: mask"))
    assert [(item.code, item.where) for item in spec.validate(data).findings] == [("GNN607", "user.x")]


def test_a_piece_of_longer_rows_is_no_transposed_one() -> None:
    data = shop()
    data[BUYS].edge_index = torch.cat([data[BUYS].edge_index, torch.zeros(2, 3).long()], 1)[:, :6]
    assert not data[BUYS].edge_index.is_contiguous()
    assert looked_at(data) == ()


# --- stores and lists ---


@pytest.mark.parametrize("make", [Tensor.to_sparse, Tensor.to_sparse_csr, lambda x: x.to("meta")])
def test_stores_hold_other_forms_too(make: Callable[[Tensor], Tensor]) -> None:
    features, graph = to_stores(shop())
    features.put_tensor(make(shop()["user"].x), group_name="user", attr_name="x", index=None)
    (found,) = SPEC.validate((features, graph)).findings
    assert (found.code, found.where) == ("GNN605", "user.x")
    assert [item.where for item in pull_text((features, graph)).findings] == ["user.x"]


def test_stores_may_say_numbers_of_nodes_that_are_none() -> None:
    features, graph = to_stores(shop())
    graph.put_edge_index(tuple(shop()[BUYS].edge_index), edge_type=BUYS, layout="coo", size=(-6, "2"))
    found = SPEC.validate((features, graph)).findings
    assert [(item.code, item.where) for item in found] == [("GNN610", "user"), ("GNN610", "item")]
    assert [item.where for item in pull_text((features, graph)).findings] == ["user", "item"]


@pytest.mark.parametrize("name", ["adjacency", "[3, E]", "pairs in a row"])
def test_lists_with_edges_of_another_form_have_findings_and_a_page_and_no_batch(name: str) -> None:
    broken = shop()
    broken[BUYS].edge_index = EDGES[name][0](broken[BUYS].edge_index)
    graphs = [shop(), broken]
    assert [item.where for item in SPEC.validate(graphs).findings] == ["graph 1: user -[buys]-> item"]
    assert describe_graph(graphs, SPEC.schema()).graphs == 1
    with pytest.raises(SpecError, match="a graph has no `edge_index` of shape"):
        GraphSet(graphs, SPEC.schema()).batch([0, 1])
