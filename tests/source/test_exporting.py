"""Exported models: run by torch alone, on graphs of another size, with the numbers of the compiled module."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from drawing import draw_graph, keywords, sequence_inputs, small
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.api import Spec
from graphdsl.backends.example_inputs import given_relations, plain_name
from graphdsl.data import batch_inputs
from graphdsl.model import Metadata
from graphdsl.source.naming import identifier
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training.checkpoint import ENTRY, PREFIX, Origin, write_header

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
import sys, torch
program = torch.export.load(sys.argv[1]).module()
inputs = torch.load(sys.argv[2])
torch.save([program(**item) for item in inputs], sys.argv[3])
assert not {"graphdsl", "torch_geometric"} & set(sys.modules), "not alone"
"""


def other_size(data: HeteroData) -> HeteroData:
    """A graph with fewer edges of each relation, of a number of its own."""
    found = data.clone()
    for number, key in enumerate(found.edge_types):
        for name, value in found[key].items():
            size = 11 + 3 * number
            found[key][name] = value[:, :size] if name == "edge_index" else value[:size]
    return found


def plain_inputs(compiled: Any, data: HeteroData) -> dict[str, Any]:
    """The same inputs with plain names."""
    torch.manual_seed(3)  # pairs are drawn
    plan = compiled.plan
    if plan.sequence is not None:
        return {identifier(key): value for key, value in sequence_inputs(plan, data).items()}
    relations = given_relations(plan, None)
    found: dict[str, Any] = {
        "x": {plain_name(name): data[name].x for name in data.node_types if "x" in data[name]},
        "edge_index": {plain_name(edge): data[edge].edge_index for edge in data.edge_types if edge in relations},
    }
    for name, value in keywords(plan, data).items():
        table = {plain_name(place): item for place, item in value.items()} if name.endswith("_dict") else value
        found[name.removesuffix("_dict")] = table
    if "n_id_dict" in compiled.input_names:
        found["n_id"] = {plain_name(name): torch.arange(data[name].num_nodes) for name in data.node_types}
    return found


def matching(program: torch.export.ExportedProgram, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs that the program takes."""
    wanted = program.example_inputs[1]
    return {
        name: {key: inputs[name][key] for key in value} if isinstance(value, dict) and name in inputs else inputs[name]
        for name, value in wanted.items()
    }


def call_compiled(model: Any, data: HeteroData) -> Any:
    torch.manual_seed(3)
    if model.plan.sequence is not None:
        return model(**sequence_inputs(model.plan, data))
    x_dict = {name: data[name].x for name in data.node_types if "x" in data[name]}
    edges = {edge: data[edge].edge_index for edge in data.edge_types}
    return model(x_dict, edges, **keywords(model.plan, data))


@pytest.mark.parametrize(
    "name",
    ["rgcn", "rgcn_imdb", "hetero_sage", "hetero_gat", "gcn", "gin", "cgcnn", "compgcn", "simple_hgn", "arga"],
)
def test_runs_with_torch_alone_on_a_graph_of_another_size(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(ROOT / "specs")
    spec = small(graphdsl.load(f"{name}.gnn"))
    graphs = [draw_graph(spec.schema(), seed) for seed in (0, 1)]
    graphs[1] = other_size(graphs[1])
    torch.manual_seed(0)
    compiled = spec.compile(data=graphs[0]).eval()
    program = spec.export(data=graphs[0], state_dict=compiled.state_dict())
    files = [str(tmp_path / item) for item in ("model.pt2", "inputs.pt", "outputs.pt")]
    torch.export.save(program, files[0])
    torch.save([matching(program, plain_inputs(compiled, data)) for data in graphs], files[1])
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *files], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with torch.no_grad():
        expected = [call_compiled(compiled, data) for data in graphs]
    torch.testing.assert_close(torch.load(files[2]), expected)


JOINT = {
    "HEATConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[4] }
      edge a -[to]-> b reverse back { f: float[3] } edge a -[on]-> a { f: float[3] } }
    model m on s {
      edges { *: HEATConv(8, edge_type_emb_dim = 4, edge_attr_emb_dim = 4, edge_attr = f) } | relu
      predict a.y
    }""",
    "SignedConv": """schema s { node a { x: float[4], y: class[2] } edge a -[trusts]-> a edge a -[distrusts]-> a }
    model m on s {
      edges { trusts, distrusts: SignedConv(8, first_aggr = true, positive = "trusts") }
      edges { trusts, distrusts: SignedConv(8, first_aggr = false, positive = "trusts") }
      predict a.y
    }""",
    "HGTConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[6] } edge a -[to]-> b reverse back edge a -[on]-> a }
    model m on s { edges { *: HGTConv(8, heads = 2) } | relu edges { *: HGTConv(8, heads = 2) } predict a.y }""",
    "NARSConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[4] } edge a -[to]-> b reverse back edge a -[on]-> a }
    model m on s { edges { *: NARSConv(8) } predict a.y }""",
    "FastGTNConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[4] } edge a -[to]-> b reverse back edge a -[on]-> a }
    model m on s { edges { *: FastGTNConv(8) } predict a.y }""",
    "GTNConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[4] } edge a -[to]-> b reverse back edge a -[on]-> a }
    model m on s { edges { *: GTNConv(8) } predict a.y }""",
    "SeHGNNConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[6] } edge a -[to]-> b reverse back
      metapath ABA = a -[to]-> b <-[to]- a }
    model m on s { edges { ABA, back: SeHGNNConv(8) } predict a.y }""",
    "labels along metapaths": """schema s { node a { x: float[4], y: class[2], train_mask: mask } node b { x: float[6] } edge a -[to]-> b reverse back
      edge a -[on]-> a metapath ABA = a -[to]-> b <-[to]- a }
    model m on s { edges { ABA, on, back: SeHGNNConv(8, labels = y) } predict a.y }""",
    "labels that spread": """schema s { node a { x: float[4], y: class[2], z: multilabel[3], train_mask: mask } edge a -[on]-> a { w: float } }
    model m on s {
      nodes { a: MaskLabel(4, y = y) }
      edges { on: SAGEConv(8) }
      predict a.y: CorrectAndSmooth(5, 0.9, 5, 0.8, along = on)
      predict a.z: LabelPropagation(5, 0.9, along = on, edge_weight = w)
    }""",
    "RGATConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[4] } edge a -[to]-> b reverse back
      edge a -[on]-> a { f: float[3] } edge a -[by]-> a { f: float[3] } }
    model m on s {
      edges { *: RGATConv(4, heads = 2, attention_mechanism = "within-relation") } | relu
      edges {
        on, by: RGATConv(8, attention_mechanism = "within-relation", attention_mode = "multiplicative-self-attention",
                         mod = "f-additive", edge_attr = f)
        *: RGATConv(8, attention_mechanism = "across-relation", mod = "scaled")
      }
      predict a.y
    }""",
    "MAGNNConv": """schema s { node a { x: float[4], y: class[2] } node b { x: float[4] } edge a -[to]-> b reverse back
      metapath ABA = a -[to]-> b <-[to]- a }
    model m on s { edges { ABA: MAGNNConv(8, heads = 2) } predict a.y }""",
}


@pytest.mark.parametrize("name", JOINT)
def test_layers_of_several_relations_on_a_graph_of_another_size(name) -> None:
    spec = graphdsl.loads(JOINT[name])
    graphs = [draw_graph(spec.schema(), seed) for seed in (0, 1)]
    graphs[1] = other_size(graphs[1])
    compiled = spec.compile(data=graphs[0]).eval()
    program = spec.export(data=graphs[0], state_dict=compiled.state_dict())
    for data in graphs:
        inputs = matching(program, plain_inputs(compiled, data))
        torch.testing.assert_close(program.module()(**inputs), call_compiled(compiled, data))


def test_walks_are_not_exported() -> None:
    spec = graphdsl.loads(
        "schema s { node a(count = 9) edge a -[to]-> a } model m on s { learn a -[to]-> a: Node2Vec(4, walk_length = 3, context_size = 2) }"
    )
    with pytest.raises(SpecError, match="it is a table of vectors") as caught:
        spec.export()
    assert caught.value.diagnostics[0].code == "GNN371"
    key = caught.value.diagnostics[0].helps[0].split('"')[1]
    assert key in spec.compile().state_dict()


def test_metapaths_are_inputs() -> None:
    spec = small(graphdsl.load(ROOT / "specs" / "han.gnn"))
    data = draw_graph(spec.schema(), 0)
    torch.manual_seed(0)
    compiled = spec.compile(data=data).eval()
    program = spec.export(data=data, state_dict=compiled.state_dict())
    composed = batch_inputs(data, compiled.plan)["edge_index_dict"]
    inputs = {
        "x": {plain_name(name): data[name].x for name in data.node_types},
        "edge_index": {plain_name(edge): index for edge, index in composed.items()},
    }
    out = program.module()(**matching(program, inputs))
    torch.testing.assert_close(out, call_compiled(compiled, data))


def test_what_torch_refuses_is_one_finding(monkeypatch) -> None:
    monkeypatch.chdir(ROOT / "specs")
    spec: Spec = small(graphdsl.load("topkpool.gnn"))
    with pytest.raises(SpecError) as caught:
        spec.export(data=draw_graph(spec.schema()))
    (found,) = caught.value.diagnostics
    assert found.code == "GNN371"
    assert re.match("torch cannot export model `topkpool`: a branch hangs on values of tensors", found.message)
    assert "\n" not in found.message


def test_the_command_writes_a_file(tmp_path, capsys) -> None:
    text = "schema s { node a { x: float[3], y: class[2] } edge a -[to]-> a } model m on s { edges { to: SAGEConv(4) } predict a.y }"
    path, out = tmp_path / "s.gnn", tmp_path / "m.pt2"
    path.write_text(text, encoding="utf-8")
    assert main(["build", str(path), "--export", str(out)]) == 0
    program = torch.export.load(out).module()
    found = program(x={"a": torch.rand(9, 3)}, edge_index={"a__to__a": torch.randint(9, (2, 31))})
    assert found.shape == (9, 2)
    assert main(["build", str(path), "--export", str(tmp_path / "none" / "m.pt2")]) == 1
    assert "GNN616" in capsys.readouterr().err


def test_weights_of_a_checkpoint(tmp_path, capsys) -> None:
    text = "schema s { node a { x: float[3], y: class[2] } edge a -[to]-> a } model m(n: int = 4) on s { edges { to: SAGEConv(n) } predict a.y }"
    path, saved, out = tmp_path / "s.gnn", tmp_path / "c.ckpt", tmp_path / "m.pt2"
    path.write_text(text, encoding="utf-8")
    spec = graphdsl.load(path)
    compiled = spec.compile("m", n=5).eval()
    origin = Origin(text, "s.gnn", "m", {"n": 5}, spec.schema(), Metadata({}, {}))
    weights = {PREFIX + key: value for key, value in compiled.state_dict().items()}
    torch.save({"state_dict": weights, ENTRY: write_header(origin, {}, 1)}, saved)
    command = ["build", str(path), "--checkpoint", str(saved)]
    assert main(command) == 1
    assert "GNN209" in capsys.readouterr().err
    assert main([*command, "--export", str(out)]) == 0
    x, edges = torch.rand(9, 3), torch.randint(9, (2, 31))
    found = torch.export.load(out).module()(x={"a": x}, edge_index={"a__to__a": edges})
    torch.testing.assert_close(found, compiled({"a": x}, {("a", "to", "a"): edges}))
    assert main([*command, "--export", str(out), "--set", "n=6"]) == 1
    assert "GNN614" in capsys.readouterr().err
