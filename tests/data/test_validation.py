"""`validate`: clean graphs yield nothing, each planted fault is found, alone and at its place."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch_geometric
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import library_data, library_schema, make_schema, to_stores, without_notes
from torch_geometric.data import Data, HeteroData
from torch_geometric.datasets import FakeHeteroDataset

from graphdsl.data.inspection import inspect
from graphdsl.data.validation import Report, validate
from graphdsl.kernels.sweeping import column_ends
from graphdsl.text import CODES

WRITES = ("author", "writes", "paper")
CITES = ("paper", "cites", "paper")
MENTIONS = ("paper", "mentions", "term")


@dataclass(frozen=True)
class Fault:
    """A change that breaks the library's graph: what is to be found, where, and a word of its help."""

    name: str
    code: str
    where: str
    plant: Callable[[HeteroData], object]
    says: str = ""


def put(place, key, change) -> Callable[[HeteroData], None]:
    def plant(data: HeteroData) -> None:
        data[place][key] = change(data[place][key])

    return plant


def put_at(place, key, position, value) -> Callable[[HeteroData], None]:
    def plant(data: HeteroData) -> None:
        changed = data[place][key].clone()
        changed[position] = value
        data[place][key] = changed

    return plant


def drop(place, key=None) -> Callable[[HeteroData], None]:
    def plant(data: HeteroData) -> None:
        if key is None:
            del data[place]
        else:
            del data[place][key]

    return plant


def add(place, key, value) -> Callable[[HeteroData], None]:
    def plant(data: HeteroData) -> None:
        data[place][key] = value

    return plant


def flip_relation(data: HeteroData) -> None:
    data["paper", "writes", "author"].edge_index = data[WRITES].edge_index.flip(0)
    del data[WRITES]


def rename_relation(data: HeteroData) -> None:
    data["author", "write", "paper"].edge_index = data[WRITES].edge_index
    del data[WRITES]


def add_bad_inverse(data: HeteroData) -> None:
    edges = data[WRITES].edge_index.flip(0)
    edges[:, 3] = torch.tensor([(int(edges[0, 3]) + 1) % 12, 0])
    data["paper", "written_by", "author"].edge_index = edges


def drop_inverse_edge(data: HeteroData) -> None:
    data["paper", "written_by", "author"].edge_index = data[WRITES].edge_index.flip(0)[:, 1:].contiguous()


def only_inverse(data: HeteroData) -> None:
    data["paper", "written_by", "author"].edge_index = data[WRITES].edge_index.flip(0)
    del data[WRITES]


def make_edges_sparse(data: HeteroData) -> None:
    edges = data[WRITES].edge_index.flip(0)
    data[WRITES].adj_t = torch.sparse_coo_tensor(edges, torch.ones(20), (12, 7), check_invariants=True)
    del data[WRITES].edge_index


def transpose_two_edges(data: HeteroData) -> None:
    # Rows are edges: paper 11 mentions term 8, paper 10 mentions term 0.
    data[MENTIONS].edge_index = torch.tensor([[11, 8], [10, 0]])


def errors(findings) -> list[str]:
    return [item.code for item in findings if item.is_error]


FAULTS = (
    Fault("type missing", "GNN601", "term", lambda data: (drop("term")(data), drop(MENTIONS)(data)), "optional node"),
    Fault(
        "type misspelt", "GNN601", "author", lambda data: data.rename("author", "autor"), 'rename("autor", "author")'
    ),
    Fault("type extra", "GNN602", "venue", add("venue", "num_nodes", 3), "node venue"),
    Fault("relation missing", "GNN601", "paper -[cites]-> paper", drop(CITES), "optional edge"),
    Fault("relation turned around", "GNN601", "author -[writes]-> paper", flip_relation, ".flip(0)"),
    Fault("relation misspelt", "GNN601", "author -[writes]-> paper", rename_relation, "author -[write]-> paper"),
    Fault("only the inverse", "GNN601", "author -[writes]-> paper", only_inverse, "from its inverse"),
    Fault(
        "relation extra",
        "GNN602",
        "term -[in]-> term",
        add(("term", "in", "term"), "edge_index", torch.zeros(2, 1, dtype=torch.long)),
        "edge term",
    ),
    Fault("attribute missing", "GNN603", "paper.x", drop("paper", "x"), "Embedding"),
    Fault(
        "attribute misspelt",
        "GNN603",
        "paper.year",
        lambda data: (add("paper", "yeer", data["paper"].year)(data), drop("paper", "year")(data)),
        "`yeer`",
    ),
    Fault("edge attribute missing", "GNN603", "(paper -[cites]-> paper).w", drop(CITES, "w"), "`w: float?`"),
    Fault("attribute extra", "GNN619", "author.age", add("author", "age", torch.zeros(7)), "declare it"),
    Fault("width", "GNN604", "author.x", put("author", "x", lambda x: x[:, :6]), "float[6]"),
    Fault("edge width", "GNN604", "(paper -[cites]-> paper).edge_attr", put(CITES, "edge_attr", lambda x: x[:, :1])),
    Fault("labels too wide", "GNN604", "paper.topics", put("paper", "topics", lambda x: x[:, :2]), "multilabel[2]"),
    Fault("float64 features", "GNN605", "author.x", put("author", "x", torch.Tensor.double), ".float()"),
    Fault("integer features", "GNN605", "author.x", put("author", "x", torch.Tensor.long), ".float()"),
    Fault("float64 weights", "GNN605", "(paper -[cites]-> paper).w", put(CITES, "w", torch.Tensor.double), ".float()"),
    Fault("float labels", "GNN605", "author.y", put("author", "y", torch.Tensor.float), ".long()"),
    Fault("int32 labels", "GNN605", "author.y", put("author", "y", torch.Tensor.int), ".long()"),
    Fault("integer targets", "GNN605", "paper.score", put("paper", "score", torch.Tensor.long), ".float()"),
    Fault("float times", "GNN605", "paper.year", put("paper", "year", torch.Tensor.float), ".long()"),
    Fault("float numbers", "GNN605", "term.length", put("term", "length", torch.Tensor.float), ".long()"),
    Fault("float mask", "GNN605", "author.val_mask", put("author", "val_mask", torch.Tensor.float), ".bool()"),
    Fault("numpy features", "GNN605", "author.x", put("author", "x", torch.Tensor.numpy), "from_numpy"),
    Fault("list features", "GNN605", "author.x", put("author", "x", torch.Tensor.tolist), "torch.tensor("),
    Fault("sparse features", "GNN605", "author.x", put("author", "x", torch.Tensor.to_sparse), ".to_dense()"),
    Fault(
        "mask of other numbers",
        "GNN605",
        "author.val_mask",
        lambda data: (put("author", "val_mask", torch.Tensor.long)(data), put_at("author", "val_mask", 5, 2)(data)),
        "row 5 (2)",
    ),
    Fault("rows", "GNN607", "paper.score", put("paper", "score", lambda x: x[:9]), "num_nodes"),
    Fault("edge rows", "GNN607", "(paper -[cites]-> paper).w", put(CITES, "w", lambda x: x[:9])),
    Fault(
        "indices as mask",
        "GNN607",
        "author.train_mask",
        put("author", "train_mask", lambda mask: mask.nonzero().view(-1)),
        "index_to_mask",
    ),
    Fault("labels as a column", "GNN607", "author.y", put("author", "y", lambda y: y.view(-1, 1)), ".view(-1)"),
    Fault("one-hot labels", "GNN607", "author.y", add("author", "y", torch.eye(7, 4).long()), ".argmax(dim=1)"),
    Fault(
        "several splits",
        "GNN607",
        "author.val_mask",
        put("author", "val_mask", lambda mask: torch.stack([mask, mask], 1)),
        "[:, 0]",
    ),
    Fault("cube", "GNN607", "author.x", put("author", "x", lambda x: x.view(7, 4, 2)), ".flatten(1)"),
    Fault("transposed edges", "GNN607", "author -[writes]-> paper", put(WRITES, "edge_index", lambda e: e.t()), ".t()"),
    Fault("two transposed edges", "GNN607", "paper -[mentions]-> term", transpose_two_edges, ".t()"),
    Fault(
        "float edges", "GNN605", "author -[writes]-> paper", put(WRITES, "edge_index", torch.Tensor.float), ".long()"
    ),
    Fault(
        "numpy edges", "GNN605", "author -[writes]-> paper", put(WRITES, "edge_index", torch.Tensor.numpy), "from_numpy"
    ),
    Fault("sparse edges", "GNN603", "author -[writes]-> paper", make_edges_sparse, "adj_t"),
    Fault(
        "source too large", "GNN606", "author -[writes]-> paper", put_at(WRITES, "edge_index", (0, 4), 7), "edge 4 (7)"
    ),
    Fault(
        "target too large", "GNN606", "paper -[mentions]-> term", put_at(MENTIONS, "edge_index", (1, 2), 99), "= 100"
    ),
    Fault("negative id", "GNN606", "paper -[cites]-> paper", put_at(CITES, "edge_index", (1, 6), -1), "edge 6 (-1)"),
    Fault(
        "ends swapped", "GNN606", "author -[writes]-> paper", put(WRITES, "edge_index", lambda e: e.flip(0)), "flip(0)"
    ),
    Fault(
        "global ids",
        "GNN606",
        "paper -[mentions]-> term",
        put(MENTIONS, "edge_index", lambda e: torch.stack([e[0], 100 + e[1].remainder(5)])),
        "within their type",
    ),
    Fault(
        "ids from 1",
        "GNN606",
        "paper -[mentions]-> term",
        put(MENTIONS, "edge_index", lambda e: torch.stack([e[0], e[1].remainder(9).sort().values.clamp(1, 8) + 1])),
        "within their type",
    ),
    Fault("label too large", "GNN608", "author.y", put_at("author", "y", 2, 9), "class[10]"),
    Fault("labels from 1", "GNN608", "author.y", add("author", "y", torch.tensor([1, 2, 3, 4, 1, 2, 3])), "start at 0"),
    Fault("strange unlabelled", "GNN608", "author.y", put_at("author", "y", 4, -100), "= -1"),
    Fault("multilabel of 2", "GNN608", "paper.topics", put_at("paper", "topics", (3, 1), 2), "row 3"),
    Fault("inverse disagrees", "GNN609", "paper -[written_by]-> author", add_bad_inverse, "made from the other"),
    Fault("inverse is shorter", "GNN609", "paper -[written_by]-> author", drop_inverse_edge, "made from the other"),
    Fault("no number of nodes", "GNN610", "conference", drop("conference", "num_nodes"), "num_nodes = "),
    Fault("split overlap", "GNN621", "author.test_mask", put_at("author", "test_mask", 3, True), "~data"),
    Fault("NaN feature", "GNN622", "author.x", put_at("author", "x", (2, 1), float("nan")), "row 2"),
    Fault("infinite weight", "GNN622", "(paper -[cites]-> paper).w", put_at(CITES, "w", 4, float("inf")), "row 4"),
    Fault("infinite target", "GNN622", "paper.score", put_at("paper", "score", 4, -float("inf")), "row 4"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_alone_at_its_place(fault: Fault) -> None:
    data = library_data()
    fault.plant(data)
    findings = validate(library_schema(), data)
    assert [(item.code, item.where) for item in findings] == [(fault.code, fault.where)]
    text = " ".join([findings[0].message, *findings[0].helps])
    assert fault.says in text
    assert "\n" not in text
    assert not findings[0].message.endswith(".")


def test_all_faults_of_one_graph_are_found() -> None:
    """Faults of different places, planted together, are reported together."""
    by_place = {fault.where: fault for fault in FAULTS if fault.code not in ("GNN601", "GNN602", "GNN603", "GNN610")}
    chosen = [by_place[where] for where in sorted(by_place)]
    assert len(chosen) > 8
    data = library_data()
    for fault in chosen:
        fault.plant(data)
    found = {(item.code, item.where) for item in validate(library_schema(), data)}
    # A split of another dtype or shape overlaps with nothing; swapped edges are no base for comparing inverses.
    assert found >= {(fault.code, fault.where) for fault in chosen if fault.code not in ("GNN609", "GNN621")}


def test_declarations_are_labelled() -> None:
    data = library_data()
    data["author"].x = data["author"].x.double()
    finding = validate(library_schema(), data)[0]
    assert str(finding.primary.span) == "small.gnn:2:3"
    assert finding.primary.text == "declared as `float[8]`"


def test_python_of_the_helps_mends() -> None:
    """Where a help is an assignment and nothing else, running it leaves no finding of that code at that place."""
    mended = []
    for fault in FAULTS:
        data = library_data()
        fault.plant(data)
        (line,) = validate(library_schema(), data)[0].helps or ("",)
        code = line.strip("`")
        if line.startswith("`data[") and line.endswith("`") and "`" not in code and "…" not in code:
            # The findings' own text, nothing from outside.
            exec(code, {"data": data, "torch": torch, "torch_geometric": torch_geometric})
            left = [(item.code, item.where) for item in validate(library_schema(), data)]
            assert (fault.code, fault.where) not in left, code
            mended.append(fault.name)
    assert len(mended) >= 20


def test_clean_graph_yields_nothing() -> None:
    assert validate(library_schema(), library_data()) == ()
    assert validate(library_schema(), to_stores(library_data())) == ()


def test_present_inverse_in_another_order_agrees() -> None:
    data = library_data()
    edges = data[WRITES].edge_index.flip(0)
    data["paper", "written_by", "author"].edge_index = edges[:, torch.randperm(edges.size(1))]
    assert validate(library_schema(), data) == ()


def test_harmless_keys_are_ignored() -> None:
    data = library_data()
    data["author"].n_id = torch.arange(7)
    data["author"].names = ["a"] * 7
    data["author"].batch_size = 3
    data[WRITES].e_id = torch.arange(20)
    data.title = "library"
    data["author", "APC", "conference"].edge_index = torch.zeros(2, 0, dtype=torch.long)
    assert validate(library_schema(), data) == ()


def test_optional_things_may_be_absent() -> None:
    schema = make_schema(
        {"a": {"x": "float[2]", "age": "int?"}, "b": {"x": "float[2]"}},
        {"a -[r]-> b": {"w": "float?"}, "a -[s]-> a": {}},
        optional=("b", "s"),
    )
    data = HeteroData()
    data["a"].x = torch.randn(3, 2)
    assert validate(schema, data) == ()
    data["b"].x = torch.randn(2, 2)
    assert [(item.code, item.where) for item in validate(schema, data)] == [("GNN601", "a -[r]-> b")]


def test_declared_count_must_agree() -> None:
    schema = make_schema({"a": {}, "b": {}}, {}, counts={"a": 3, "b": 5})
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 3, 4
    assert [(item.code, item.where) for item in validate(schema, data)] == [("GNN623", "b")]


def test_type_that_only_edges_mention_needs_a_count() -> None:
    schema = make_schema({"a": {}, "b": {}}, {"a -[r]-> b": {}})
    data = HeteroData()
    data["a"].num_nodes = 2
    data["a", "r", "b"].edge_index = torch.tensor([[0, 1], [4, 2]])
    (finding,) = validate(schema, data)
    assert (finding.code, finding.where) == ("GNN610", "b")
    assert "= 5" in finding.helps[0]


def test_missing_targets_are_unlabelled() -> None:
    data = library_data()
    data["paper"].score[3] = float("nan")
    assert validate(library_schema(), data) == ()


def test_empty_graph_is_fine() -> None:
    schema = make_schema({"a": {"x": "float[2]", "y": "class[3]", "m": "mask"}}, {"a -[r]-> a": {"w": "float"}})
    data = HeteroData()
    data["a"].x, data["a"].y, data["a"].m = torch.zeros(0, 2), torch.zeros(0, dtype=torch.long), torch.zeros(0).bool()
    data["a", "r", "a"].edge_index, data["a", "r", "a"].w = torch.zeros(2, 0, dtype=torch.long), torch.zeros(0)
    assert validate(schema, data) == ()


def test_homogeneous_data_is_refused() -> None:
    (finding,) = validate(library_schema(), Data(x=torch.zeros(3, 2)))
    assert finding.code == "GNN611"
    assert "to_heterogeneous" in finding.helps[0]
    assert validate(library_schema(), np.zeros(3))[0].code == "GNN611"


def test_store_pair_faults() -> None:
    data = library_data()
    data["author"].x = data["author"].x.double()
    data["paper"].score[4] = float("inf")
    data[WRITES].edge_index[0, 4] = 7
    features, graph = to_stores(data)
    features.remove_tensor(group_name="term", attr_name="length", index=None)
    found = {(item.code, item.where) for item in validate(library_schema(), (features, graph))}
    assert found == {
        ("GNN605", "author.x"), ("GNN622", "paper.score"), ("GNN606", "author -[writes]-> paper"),
        ("GNN603", "term.length"),
    }  # fmt: skip


def test_store_that_fails_is_reported_and_the_rest_is_checked() -> None:
    data = library_data()
    data["author"].y[0] = 9
    features, graph = to_stores(data)
    get_tensor = features._get_tensor

    def failing(attr):
        if (attr.group_name, attr.attr_name) == ("author", "x"):
            raise ConnectionError("shard 3 is away")
        return get_tensor(attr)

    features._get_tensor = failing
    found = {(item.code, item.where): item for item in validate(library_schema(), (features, graph))}
    assert found.keys() == {("GNN611", "author.x"), ("GNN608", "author.y")}
    assert "shard 3 is away" in found["GNN611", "author.x"].message


def test_names_of_any_kind() -> None:
    schema = make_schema({"web page": {"x": "float[2]"}}, {"web page -[cites, maybe]-> web page": {"my key": "float"}})
    data = HeteroData()
    data["web page"].x = torch.zeros(2, 2).double()
    data["web page", "cites, maybe", "web page"].edge_index = torch.zeros(2, 1, dtype=torch.long)
    data["web page", "cites, maybe", "web page"]["my key"] = torch.zeros(1, dtype=torch.long)
    first, second = without_notes(validate(schema, data))
    assert (first.where, second.where) == (
        '"web page".x', '("web page" -["cites, maybe"]-> "web page")."my key"'
    )  # fmt: skip
    assert second.helps == (
        '`data["web page", "cites, maybe", "web page"]["my key"] = '
        'data["web page", "cites, maybe", "web page"]["my key"].float()`',
    )


def test_report() -> None:
    data = library_data()
    data["author"].age = torch.zeros(7)
    report = Report(validate(library_schema(), data))
    assert report.ok
    data["author"].x = data["author"].x.double()
    report = Report(validate(library_schema(), data))
    assert not report.ok
    assert "error[GNN605]: `author.x` is float64" in str(report)
    parsed = json.loads(report.to_json())
    assert parsed["ok"] is False
    assert {item["code"] for item in parsed["findings"]} == {"GNN605", "GNN619"}
    assert parsed["findings"][0]["labels"][0]["span"]["file"] == "small.gnn"


def test_every_code_of_data_is_planted() -> None:
    """The codes that `validate` may give all have a test here."""
    planted = {fault.code for fault in FAULTS} | {"GNN611", "GNN623"}
    others = ("GNN619", "GNN621", "GNN622", "GNN623")
    expected = {entry.code for entry in CODES if "GNN601" <= entry.code <= "GNN610" or entry.code in others}
    assert expected <= planted


@pytest.mark.parametrize("edge_dim", [0, 1, 4])
def test_fake_dataset_with_its_own_schema(edge_dim: int) -> None:
    data = FakeHeteroDataset(num_node_types=3, num_edge_types=5, edge_dim=edge_dim, avg_num_nodes=50)[0]
    found = inspect(data)
    nodes, edges = {}, {}
    for name, info in found.nodes.items():
        nodes[name] = {key: f"float[{item.width}]" for key, item in info.tensors.items() if key == "x"}
        nodes[name] |= {key: f"class[{item.classes}]" for key, item in info.tensors.items() if key == "y"}
    for (source, relation, target), info in found.edges.items():
        kinds = {key: "float" if len(item.shape) == 1 else f"float[{item.width}]" for key, item in info.tensors.items()}
        edges[f"{source} -[{relation}]-> {target}"] = kinds
    assert without_notes(validate(make_schema(nodes, edges), data)) == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_range_against_a_loop(draw: st.DataObject) -> None:
    sizes = draw.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    pairs = draw.draw(st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 6)), max_size=8))
    schema = make_schema({"a": {}, "b": {}}, {"a -[r]-> b": {}})
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = sizes
    data["a", "r", "b"].edge_index = torch.tensor(pairs, dtype=torch.long).view(-1, 2).t()
    fits = all(0 <= source < sizes[0] and 0 <= target < sizes[1] for source, target in pairs)
    assert (errors(validate(schema, data)) == []) == fits


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8), st.data())
def test_inverse_against_a_counter(pairs: list[tuple[int, int]], draw: st.DataObject) -> None:
    """The inverse agrees exactly if it holds the same pairs equally often, in any order."""
    others = draw.draw(st.permutations(pairs) | st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8))
    schema = make_schema({"a": {}, "b": {}}, {"a -[r]-> b reverse q": {}})
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 4, 3
    data["a", "r", "b"].edge_index = torch.tensor(pairs, dtype=torch.long).view(-1, 2).t()
    data["b", "q", "a"].edge_index = torch.tensor(others, dtype=torch.long).view(-1, 2).t().flip(0)
    findings = [item for item in validate(schema, data) if item.is_error]
    only, missing = Counter(pairs) - Counter(others), Counter(others) - Counter(pairs)
    assert [item.code for item in findings] == (["GNN609"] if only or missing else [])
    if findings:
        expected = [f"{count.total():,} edge" for count in (only, missing) if count]
        assert len(findings[0].notes) == len(expected)
        assert all(note.startswith(start) for note, start in zip(findings[0].notes, expected, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), max_size=20))
def test_finiteness_against_numpy(values: list[float]) -> None:
    """Also where finite terms have an infinite sum."""
    if values:
        low, high = column_ends(torch.tensor(values, dtype=torch.float32))
        assert bool(torch.isfinite(low) & torch.isfinite(high)) == bool(np.isfinite(np.float32(values)).all())
