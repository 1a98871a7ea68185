import subprocess
import sys

import pytest

from graphdsl.catalog import NOT_YET, Entry, describe, entries, find, names
from graphdsl.text import CODES

ALL = pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)


def test_importing_the_catalogue_leaves_torch_alone() -> None:
    code = "import sys, graphdsl.catalog; print(sorted({'torch', 'torch_geometric', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_finding() -> None:
    assert find("GATConv").self_loops
    assert find("gatconv") is None
    assert find("MessagePassing") is None
    assert "MessagePassing" in NOT_YET


def test_names_by_kind() -> None:
    assert {"Embedding", "Linear", "MLP", "dropout"} <= set(names("node", "dropout"))
    assert set(names()) == {entry.name for entry in entries()}
    assert list(names()) == sorted(names())
    assert [entry.kind for entry in entries("norm")] == ["norm"] * len(names("norm"))


def test_names_are_unique() -> None:
    found = [entry.name for entry in entries()]
    assert len(found) == len(set(found))


def test_what_every_first_spec_needs() -> None:
    wanted = {"SAGEConv", "GCNConv", "GraphConv", "GATConv", "GATv2Conv", "TransformerConv", "GINConv"}
    assert wanted <= set(names("conv"))


@ALL
def test_an_entry_reads_well(entry: Entry) -> None:
    assert entry.doc.endswith(".")
    assert len(entry.doc) <= 100
    assert all(describe(parameter) for parameter in entry.parameters)
    assert all(reason and not reason.endswith(".") for reason in entry.left_out.values())
    required = [parameter.required for parameter in entry.parameters if not parameter.keyword]
    assert required == sorted(required, reverse=True)
    assert sum(parameter.variadic for parameter in entry.parameters) <= 1


@ALL
def test_bounds_and_choices_fit_the_type(entry: Entry) -> None:
    for parameter in entry.parameters:
        bounded = (parameter.minimum, parameter.above, parameter.below) != (None, None, None)
        assert not bounded or "int" in parameter.type or "float" in parameter.type
        assert not parameter.choices or "string" in parameter.type


@ALL
def test_scope_fits_kind_and_derivation(entry: Entry) -> None:
    if entry.kind == "model":  # a layer within one type, or a step
        assert entry.scope in ("relation", "node")
        assert not entry.bipartite
        return
    assert (entry.scope == "node") == (entry.kind != "conv")
    by_scope = {
        "relation": {"width", "pair", "edge_width", "degrees"},
        "joint": {"width", "widths", "metadata", "inverses", "groups"},
        "walk": {"width", "widths", "paths", "budgets", "label_sizes"},
        "typed": {"width", "count", "relations", "types", "edge_width", "inverses"},
        "node": {"width", "count", "edge_width", "degrees"},
    }
    assert set(entry.derived.values()) <= by_scope[entry.scope]
    if "pair" in entry.derived.values():
        assert entry.bipartite


def test_problems_have_known_codes() -> None:
    codes = {code.code for code in CODES}
    assert {"GNN202", "GNN203", "GNN204", "GNN302", "GNN502"} <= codes
