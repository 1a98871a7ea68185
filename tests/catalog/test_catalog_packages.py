"""Layers that need a further package: what is said with it, without it, and with one that PyG ignores."""

from types import SimpleNamespace

import pytest

import graphdsl
from graphdsl import SpecError
from graphdsl.api import check_source
from graphdsl.catalog import entries, find, missing, packages
from graphdsl.catalog.packages import PACKAGES, alternatives
from graphdsl.text import SourceText
from graphdsl.tooling.cli import main

SPEC = """
schema s {
  node a { x: float[6], y: class[3] }
  edge a -[near]-> a { at: float[2] }
}

model m on s {
  edges { near: SplineConv(8, kernel_size = 3, edge_attr = at) } | relu
  edges { near: SplineConv(8, kernel_size = 3, edge_attr = at) }
  predict a.y
}
"""


@pytest.fixture
def machine(monkeypatch):
    """A machine with these packages, by the names of their modules, and versions of distributions."""

    def install(versions: dict[str, str]) -> None:
        modules = {PACKAGES[name].module for name in versions if name in PACKAGES}
        monkeypatch.setattr(packages, "find_spec", lambda name: SimpleNamespace() if name in modules else None)
        monkeypatch.setattr(packages, "installed_version", lambda name: versions.get(name, ""))

    return install


@pytest.mark.parametrize(
    ("versions", "lacking"),
    [
        ({}, True),
        ({"torch-geometric": "2.8.1"}, True),
        ({"torch-geometric": "2.8.1", "pyg-lib": "0.6.0+pt213"}, False),
        ({"torch-geometric": "2.8.1", "pyg-lib": "0.4.0"}, True),
        ({"torch-geometric": "2.8.1", "torch-spline-conv": "1.2.2"}, True),
        ({"torch-geometric": "2.7.0", "torch-spline-conv": "1.2.2"}, False),
        ({"torch-geometric": "2.7.0", "pyg-lib": "0.6.0"}, True),
    ],
)
def test_what_counts_as_installed(machine, versions, lacking) -> None:
    machine(versions)
    assert bool(missing(find("SplineConv"))) == lacking
    assert missing(find("SAGEConv")) == ()


def test_checking_warns_once_and_compiling_refuses(machine) -> None:
    machine({"torch-geometric": "2.8.1"})
    (warning,) = check_source(SourceText("a.gnn", SPEC))
    assert (warning.code, warning.is_error) == ("GNN310", False)
    said = "`SplineConv` needs `pyg-lib` ≥ 0.6.0, which is not installed here: it cannot be compiled"
    assert warning.message == said
    assert warning.helps[0].startswith("pip install pyg-lib -f https://data.pyg.org/whl/")
    assert [label.span.line for label in warning.labels] == [8, 9]
    spec = graphdsl.loads(SPEC)
    assert "SplineConv" in str(spec.plan("m"))
    with pytest.raises(SpecError) as refused:
        spec.compile("m")
    assert [item.code for item in refused.value.diagnostics] == ["GNN617"]


def test_every_useful_alternative_is_offered_where_pyg_is_not_installed(machine) -> None:
    machine({})
    (warning,) = check_source(SourceText("a.gnn", SPEC))
    assert "`pyg-lib` ≥ 0.6.0 or `torch-spline-conv`, which" in warning.message
    assert len(warning.helps) == 2


def test_the_warning_may_be_allowed_for_every_machine(machine) -> None:
    text = SPEC.replace("} | relu", "} | relu  # gnn: allow GNN310 -- trained elsewhere")
    for versions in ({"torch-geometric": "2.8.1"}, {"torch-geometric": "2.8.1", "pyg-lib": "0.6.0"}):
        machine(versions)
        assert check_source(SourceText("a.gnn", text)) == ()


def test_layers_say_what_they_need(machine, capsys) -> None:
    machine({"torch-geometric": "2.8.1"})
    assert main(["layers", "SplineConv"]) == 0
    page = capsys.readouterr().out
    assert "needs `pyg-lib` ≥ 0.6.0 (PyG 2.8 and later) or `torch-spline-conv` (PyG before 2.8); not installed" in page
    assert main(["layers", "SplineConv", "--json"]) == 0
    assert '"pyg-lib | torch-spline-conv"' in capsys.readouterr().out


def test_arguments_and_layers_of_a_later_pyg(machine) -> None:
    text = """
schema s {
  node a { x: float[6] }
  edge a -[near]-> a
  graph { y: class[2] }
}

model m on s {
  sequential x, edge_index, batch {
    GCNConv(8): x, edge_index -> x
    PowerMeanAggregation(clamp_max = 5.0): x, batch -> x
    Linear(2)
  }
}
"""
    machine({"torch-geometric": "2.8.1"})
    assert check_source(SourceText("a.gnn", text)) == ()
    machine({"torch-geometric": "2.7.0"})
    (warning,) = check_source(SourceText("a.gnn", text))
    assert warning.message == (
        "`clamp_max` of `PowerMeanAggregation` needs `torch-geometric` ≥ 2.8, which is not installed here: "
        "it cannot be compiled"
    )
    assert warning.helps == ("pip install --upgrade torch-geometric",)
    assert missing(find("SGFormer")) == ()
    machine({"torch-geometric": "2.6.1"})
    assert missing(find("SGFormer")) == ("torch-geometric >= 2.7",)


def test_every_requirement_is_a_known_package() -> None:
    named = {name for entry in entries() for requirement in entry.requires for name in alternatives(requirement)}
    assert named <= set(PACKAGES)
