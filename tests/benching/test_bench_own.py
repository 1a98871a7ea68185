"""`gnn bench SPEC DATA`: a user's model beside the program that `gnn build` writes for it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.benching.cases import Request
from graphdsl.benching.contenders import Contender
from graphdsl.benching.measuring import Budget
from graphdsl.benching.own import measure_own
from graphdsl.benching.records import PASSES, Cell
from graphdsl.data import GraphSet
from graphdsl.text import SpecError, report
from graphdsl.tooling.cli import main

SHOP = """
schema shop {
  node user { x: float[4], y: class[2], train_mask: mask }
  node item
  edge user -[buys]-> item  reverse bought_by { w: float[2] }
}
"""
REQUEST = Request("pyg", ("program",), torch.device("cpu"), Budget(repeats=1))


def shop() -> HeteroData:
    torch.manual_seed(0)
    data = HeteroData()
    data["user"].x, data["user"].y = torch.randn(9, 4), torch.arange(9) % 2
    data["user"].train_mask = torch.ones(9, dtype=torch.bool)
    data["item"].num_nodes = 5
    data["user", "buys", "item"].edge_index = torch.stack([torch.arange(20) % 9, torch.arange(20) % 5])
    data["user", "buys", "item"].w = torch.randn(20, 2)
    return data


def silent(_: str) -> None: ...


def measure(text: str, data: Any, model: str = "m", **values: Any) -> Cell:
    return measure_own(graphdsl.loads(text), model, data, values, REQUEST, silent)


@pytest.mark.parametrize(
    "body",
    [
        "edges { buys: SAGEConv(8)  bought_by: GATConv(4, heads = 2, edge_attr = w) } | relu | dropout(0.5) predict user.y",
        "edges { *: HGTConv(8, heads = 2) } | BatchNorm predict user -[buys]-> item: distmult",
        "edges { *: SAGEConv(8) } combine attention predict user.y predict user -[buys]-> item: dot",
        "h = edges { *: SAGEConv(8) } learn user: DeepGraphInfomax",
    ],
)
def test_models_are_those_of_the_program(body: str) -> None:
    embedded = f"{SHOP} model m on shop {{ nodes {{ item: Embedding(8)  user: Linear(8) }} {body} }}"
    cell = measure(embedded, shop())
    (program,) = cell.others
    assert not cell.ours.refusals
    assert not program.refusals
    assert program.outputs == pytest.approx(0, abs=1e-6)
    assert program.gradients == pytest.approx(0, abs=1e-5)
    assert all(len(item.runs[kind]) == 1 for item in (cell.ours, program) for kind in PASSES)
    assert (cell.nodes, cell.relations, cell.edges) == (14, 2, 40)


def test_a_sequential_block() -> None:
    text = """
    schema s { node a { x: float[3], y: class[2] } edge a -[r]-> a }
    model m on s {
      sequential x, edge_index { GCNConv(8): x, edge_index -> x  relu  Linear(2) }
      predict a.y
    }
    """
    data = HeteroData()
    data["a"].x, data["a"].y = torch.randn(3, 3), torch.tensor([0, 1, 0])
    data["a", "r", "a"].edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    cell = measure(text, data)
    assert (cell.nodes, cell.relations, cell.edges) == (3, 1, 3)
    assert cell.others[0].outputs == pytest.approx(0, abs=1e-6)


def test_graphs_are_measured_by_the_batch() -> None:
    text = """
    schema s { node a { x: float[3] } edge a -[r]-> a graph { y: class[2] } }
    model m on s { edges { r: SAGEConv(8) } predict graph.y from a }
    train m { batch_size: 2 }
    """
    graph = HeteroData()
    graph["a"].x, graph.y = torch.randn(4, 3), torch.tensor([1])
    graph["a", "r", "a"].edge_index = torch.tensor([[0, 1, 2], [1, 2, 3]])
    spec = graphdsl.loads(text)
    cell = measure_own(spec, "m", GraphSet([graph] * 5, spec.schema()), {}, REQUEST, silent)
    assert (cell.nodes, cell.edges) == (8, 6)
    assert not cell.others[0].refusals


def test_what_a_program_cannot_say_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Contender:
        raise SpecError([report("GNN370", "a program cannot say it")])

    monkeypatch.setattr("graphdsl.benching.own.written", refused)
    text = f"{SHOP} model m on shop {{ nodes {{ item: Embedding(8)  user: Linear(8) }} edges {{ *: SAGEConv(8) }} predict user.y }}"
    request = Request("pyg", ("program", "pyg"), torch.device("cpu"), Budget(repeats=1))
    cell = measure_own(graphdsl.loads(text), "m", shop(), {}, request, silent)
    program = cell.other("program")
    assert program is not None
    assert program.refusals["forward"].reason == "a program cannot say it"
    assert cell.ratio("pyg", "step") is not None


def test_a_step_that_only_fails_in_training_is_said() -> None:
    text = "schema s { node a { x: float[3], y: class[2] } edge a -[r]-> a } model m on s { edges { r: SAGEConv(4) } | BatchNorm predict a.y }"
    data = HeteroData()
    data["a"].x, data["a"].y = torch.randn(1, 3), torch.tensor([1])
    data["a", "r", "a"].edge_index = torch.tensor([[0], [0]])
    cell = measure(text, data)
    assert "more than 1 value per channel" in cell.ours.refusals["step"].reason
    assert cell.ours.seconds("forward") is not None


def test_models_without_a_step_are_refused() -> None:
    text = "schema s { node a(count = 4) edge a -[r]-> a } model m on s { learn a -[r]-> a: Node2Vec(8, walk_length = 5, context_size = 3) }"
    data = HeteroData()
    data["a"].num_nodes = 4
    data["a", "r", "a"].edge_index = torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(SpecError) as raised:
        measure(text, data)
    assert [item.code for item in raised.value.diagnostics] == ["GNN686"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    body = "nodes { *: Linear(hidden) item: Embedding(hidden) }"
    text = f"{SHOP} model m(hidden: int = 8) on shop {{ {body} edges {{ *: SAGEConv(hidden) }} predict user.y }}"
    text = text.replace("*: Linear(hidden) item: Embedding(hidden)", "item: Embedding(hidden)  *: Linear(hidden)")
    Path("shop.gnn").write_text(text, encoding="utf-8")
    torch.save(shop(), "shop.pt")
    return tmp_path


def test_the_command_on_a_spec(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "bench",
        "shop.gnn",
        "shop.pt",
        "--repeats",
        "1",
        "--backend",
        "pyg",
        "--set",
        "hidden=4",
        "--json",
        "out.json",
    ]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "model `m` of shop.gnn: 14 nodes, 2 relations, 40 edges" in out
    assert "largest relative difference: outputs none, gradients none" in out
    cells = json.loads(Path("out.json").read_text(encoding="utf-8"))["cells"]
    assert [(cell["shape"], cell["model"]) for cell in cells] == [("shop.gnn", "m")]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["shop.gnn"], 1, "GNN612"),
        (["shop.gnn", "nothing.pt"], 1, "GNN611"),
        (["shop.gnn", "shop.pt", "--model", "n"], 1, "unknown model `n`"),
        (["shop.gnn", "shop.pt", "--against", "idiom"], 1, "baselines: `pyg`, `program`, `compile`"),
        (["shop.gnn", "shop.pt", "--set", "width=4"], 1, "GNN207"),
        (["shop.gnn", "shop.pt", "--shape", "mag"], 2, "`--shape` draws a graph"),
        (["shop.gnn", "shop.pt", "--model", "m", "n"], 2, "one model is measured at a time"),
        (["--set", "hidden=4"], 2, "are for the model of a SPEC"),
    ],
)
def test_refusals(files: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == code
    assert said in capsys.readouterr().err


def test_a_model_that_does_not_fit_is_said(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "shop.gnn", "shop.pt", "--memory", "0.0000001"]) == 1
    out = capsys.readouterr().out
    assert "too big" in out
    assert "needs" in out
