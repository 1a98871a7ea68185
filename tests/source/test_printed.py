"""Written programs as they are read: a handful of them in full, so that a change of what users see is seen in review."""

from pathlib import Path

import pytest
from drawing import draw_graph, small

import graphdsl

HERE = Path(__file__).resolve().parent
SPECS = HERE.parents[1] / "specs"
SHOWN = [
    ("hetero_sage", None),
    ("han", None),
    ("hgt_imdb", None),
    ("rgcn", None),
    ("topkpool", None),
    ("movielens", "recommend"),
    ("vgae", None),
]
"""Relations and inverses, metapaths, a joint layer, types without features, a block, links, penalties."""


@pytest.mark.parametrize(("name", "model"), SHOWN, ids=lambda item: item)
def test_a_program_reads_as_before(name, model, golden, monkeypatch) -> None:
    monkeypatch.chdir(SPECS)
    spec = small(graphdsl.load(f"{name}.gnn"))
    golden(HERE / "printed" / f"{name}.py.txt", spec.to_python(model, data=draw_graph(spec.schema(model))))
