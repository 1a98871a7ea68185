"""The zoo: every spec says what it is, is clean, and computes; `gnn zoo` lists, prints and copies them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

import graphdsl
from graphdsl.data import GraphSet, batch_inputs
from graphdsl.model import AttributeType, Schema
from graphdsl.plan import Plan
from graphdsl.tooling.cli import main
from graphdsl.tooling.commands.zoo import FIELDS, Described, read_header, zoo, zoo_files
from graphdsl.training.liveness import dead_parameters

ROOT = Path(__file__).resolve().parents[2]
FILES = zoo_files()
MODELS = [(name, model) for name, path in FILES.items() for model in graphdsl.load(path).models]
TASKS = {
    *("node classification", "link prediction", "edge classification", "graph classification", "graph regression"),
    "node embedding",
}
UNUSED = {
    "dgi": {"heads.paper.weight"},
    "asap": {f"module_{step}.select.weight" for step in (2, 6, 10)},
    "rgat": {f"stages.edges{layer}.joints.0.{name}" for layer in (1, 2) for name in ("w", "l1", "b1", "l2", "b2")},
}
"""Parameters that PyG's classes make and do not read: scores that ASAPooling replaces, those of RGATConv's `mod`; and what judges
vectors in training alone."""
NODES, EDGES, GRAPHS = 24, 60, 4


def value(kind: AttributeType, rows: int) -> Tensor:
    """Something of a type: [rows, width], or [rows]."""
    columns = 5 if kind.size == "*" else kind.size
    match kind.kind:
        case "class":
            return torch.randint(columns or 2, (rows,))
        case "mask" | "bool":
            return torch.rand(rows) < 0.5
        case "time" | "int":
            return torch.arange(rows)
        case _:
            return torch.randn(rows) if columns is None else torch.randn(rows, columns)


def hetero(schema: Schema) -> HeteroData:
    """A random graph of a schema."""
    graph = HeteroData()
    for name, node in schema.nodes.items():
        graph[name].num_nodes = node.count or NODES
        for key, item in node.attributes.items():
            graph[name][key] = value(item.type, node.count or NODES)
    for key, edge in schema.edges.items():
        if not edge.derived:
            counts = [schema.nodes[name].count or NODES for name in (edge.source, edge.target)]
            graph[key].edge_index = torch.stack([torch.randint(count, (EDGES,)) for count in counts])
            for name, item in edge.attributes.items():
                graph[key][name] = value(item.type, EDGES)
    return graph


def graphs(schema: Schema) -> GraphSet:
    """Random whole graphs of a schema with one node type and one edge type."""
    (node,) = schema.nodes.values()
    (edge,) = schema.edges.values()
    made = []
    for _ in range(GRAPHS):
        graph = Data(edge_index=torch.randint(NODES, (2, EDGES)))
        for attributes, rows in ((node.attributes, NODES), (edge.attributes, EDGES), (schema.graph, 1)):
            for key, item in attributes.items():
                graph[key] = value(item.type, rows)
        made.append(graph)
    return GraphSet(made, schema)


def arguments(data: HeteroData, plan: Plan) -> dict[str, object]:
    """What the compiled model takes, pairs to score included."""
    inputs = batch_inputs(data, plan)
    return {**inputs, "edge_label_index": torch.randint(NODES, (2, 10))} if plan.link_heads else inputs


@pytest.mark.parametrize("name", FILES)
def test_spec_is_clean_formatted_and_short(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(FILES[name])
    assert main(["check", "--pedantic", "--deny-warnings", path]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "no findings\n"
    assert main(["fmt", "--check", path]) == 0
    lines = [
        line for line in FILES[name].read_text(encoding="utf-8").splitlines() if line.strip(" ") and line[0] != "#"
    ]
    assert len(lines) < (50 if name == "dblp" else 40)


@pytest.mark.parametrize("name", FILES)
def test_header_says_what_it_is(name: str) -> None:
    item = read_header(name, FILES[name].read_text(encoding="utf-8"))
    assert set(item.task.split(", ")) <= TASKS
    assert item.paper.rstrip(")")[-4:].isdigit() or "(" in item.paper


@pytest.mark.filterwarnings("ignore:Sparse (invariant checks|CSR tensor support):UserWarning")  # PyG's ASAPooling
@pytest.mark.parametrize(("name", "model"), MODELS)
def test_exactly_the_live_parameters_get_a_finite_gradient(name: str, model: str) -> None:
    torch.manual_seed(0)
    spec = graphdsl.load(FILES[name])
    schema = spec.model(model).schema
    many = graphs(schema) if schema.graph else None
    data = many.batch(list(range(GRAPHS))) if many is not None else hetero(schema)
    compiled = spec.compile(model, data=many if many is not None else data)
    if not list(compiled.parameters()):  # Labels that spread.
        assert torch.isfinite(compiled(**batch_inputs(data, compiled.plan))).all()
        return
    plan = spec.plan(model, data=many if many is not None else data)
    out = compiled(**arguments(data, plan))
    (out.square().mean() + sum(compiled.penalties.values())).backward()
    assert torch.isfinite(out).all()
    dead = {id(parameter) for parameter in dead_parameters(compiled, plan)}
    named = [(key, parameter) for key, parameter in compiled.named_parameters() if parameter.requires_grad]
    without = {key for key, parameter in named if parameter.grad is None}
    assert without == {key for key, parameter in named if id(parameter) in dead} | UNUSED.get(model, set())
    assert all(torch.isfinite(parameter.grad).all() for key, parameter in named if key not in without)


def test_header_reads_continued_lines_and_ends_with_the_comments() -> None:
    text = (
        "# Name: A\n# Task: t\n# Paper: B and C,\n#   D, 2020\n# Data: e\n# more\n#   of this\ngnn 1\n# Differs: no\n"
    )
    assert read_header("a", text) == Described("a", "A", "t", "B and C, D, 2020", "e")
    with pytest.raises(ValueError, match="a: no # Task:, # Data: at the top"):
        read_header("a", "# Name: A\n# Paper: B\n")
    with pytest.raises(ValueError, match="`# Name:` stands twice"):
        read_header("a", "# Name: A\n# Name: B\n")
    assert FIELDS == ("Name", "Task", "Paper", "Data")


def test_table_of_the_readme(golden) -> None:
    rows = ["| spec | architecture | task | paper | data | what differs |", "|---|---|---|---|---|---|"]
    rows += [
        f"| [`{item.spec}`]({item.spec}.gnn) | {item.name} | {item.task} | {item.paper} | {item.data} | {item.differs} |"
        for item in zoo()
    ]
    rows += ["", "## Scores", "", "| spec | architecture | data | measured here | published |", "|---|---|---|---|---|"]
    rows += [
        f"| [`{item.spec}`]({item.spec}.gnn) | {item.name} | {item.data} | {item.score} | {item.published} |"
        for item in zoo()
        if item.score
    ]
    path = ROOT / "specs" / "README.md"
    before = path.read_text(encoding="utf-8").split("| spec |")[0]
    golden(path, before + "\n".join(rows) + "\n")


def test_zoo_lists_and_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo"]) == 0
    shown = capsys.readouterr().out
    assert "gcn" in shown
    assert "Kipf and Welling, Semi-Supervised" in shown
    assert main(["zoo", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [item["spec"] for item in listed] == sorted(path.stem for path in (ROOT / "specs").glob("*.gnn"))
    assert main(["zoo", "gcn"]) == 0
    assert capsys.readouterr().out == FILES["gcn"].read_text(encoding="utf-8")


def test_zoo_copies_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine.gnn"
    assert main(["zoo", "GAT.gnn", "--out", str(target)]) == 0
    assert target.read_bytes() == FILES["gat"].read_bytes()
    assert os.listdir(tmp_path) == ["mine.gnn"]
    target.write_text("mine", encoding="utf-8")
    assert main(["zoo", "gat", "--out", str(target)]) == 1
    assert "error[GNN616]: cannot write" in (said := capsys.readouterr().err)
    assert "it exists already" in said
    assert target.read_text(encoding="utf-8") == "mine"
    assert main(["zoo", "gat", "--out", str(tmp_path / "nowhere" / "a.gnn")]) == 1
    assert "no such file or directory" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["mine.gnn"]


def test_zoo_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "gatv3"]) == 1
    said = capsys.readouterr().err
    assert "error[GNN101]: no spec `gatv3` in the zoo" in said
    assert "did you mean `gatv2`?" in said
    assert main(["zoo", "--out", "a.gnn"]) == 2
    assert "--out needs the NAME" in capsys.readouterr().err
    assert main(["zoo", "gcn", "--json"]) == 2


def test_zoo_never_loads_torch() -> None:
    code = "import sys; from graphdsl.tooling.cli import main; main(['zoo']); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
