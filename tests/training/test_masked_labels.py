"""Labels of training nodes as inputs: PyG's `MaskLabel`, no node that is shown its own label and learned, no leak."""

from pathlib import Path
from typing import Any

import pytest
import torch
from objective_cases import authors
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.nn import MaskLabel

import graphdsl
from graphdsl.backends.capturing import call_inputs
from graphdsl.catalog import MASK_LABEL
from graphdsl.data import batch_inputs, inspect
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, Origin, evaluate, fit, read_supervision
from graphdsl.training.masking import mask_labels
from graphdsl.training.module import wanted_rows

SPEC = """
schema library {
  node author { x: float[4], y: class[3], train_mask: mask, test_mask: mask }
  node paper  { x: float[4] }
  edge author -[writes]-> paper reverse written_by
}
model added on library {
  nodes { author: MaskLabel(4, y = y, ratio = 0.6) }
  edges { *: TransformerConv(8) } | relu
  edges { *: TransformerConv(8) } | relu
  predict author.y
}
model beside on library {
  nodes { author: MaskLabel(5, method = "concat", y = y) }
  edges { *: SAGEConv(8) } | relu
  edges { *: SAGEConv(8) } | relu
  predict author.y
}
train added { epochs: 25 }
train beside { epochs: 25, batch_size: 16, fanout: [5] }
"""


def compiled(name: str, graph: HeteroData) -> Any:
    torch.manual_seed(0)
    return graphdsl.loads(SPEC).compile(name, data=graph)


def batches(name: str, graph: HeteroData, split: str = "train") -> list[Any]:
    """Batches of a split, as training makes them, and the plan."""
    spec = graphdsl.loads(SPEC)
    plan, training, schema = spec.plan(name, data=graph), spec.training(name), spec.schema(name)
    supervision = read_supervision(graph, plan.heads, False, schema, training)
    source = BatchSource(graph, plan, training, schema)
    (found,) = source.batches(wanted_rows(supervision, plan, split), graph=supervision.graph(split))
    return [plan, list(found)]


@pytest.mark.parametrize(("name", "theirs"), [("added", MaskLabel(3, 4)), ("beside", MaskLabel(3, 5, "concat"))])
def test_labels_are_read_as_in_pyg(name: str, theirs: MaskLabel) -> None:
    graph = authors(60)
    graph["author"].y[:9] = -1
    model = compiled(name, graph)
    stage = model.stages["nodes1"]
    layer = stage.nodes["author"]
    theirs.load_state_dict(layer.state_dict())
    inputs = batch_inputs(graph, model.plan)
    known = graph["author"].train_mask & (graph["author"].y >= 0)
    wanted = theirs(graph["author"].x, graph["author"].y, known)
    seen: list[Tensor] = []
    layer.register_forward_hook(lambda _module, _inputs, out: seen.append(out))
    out = model(**inputs)
    torch.testing.assert_close(seen[0], wanted)
    ours = torch.autograd.grad(seen[0].square().sum(), layer.emb.weight, retain_graph=True)
    torch.testing.assert_close(ours, torch.autograd.grad(wanted.square().sum(), theirs.emb.weight))
    assert out.shape == (60, 3)


@pytest.mark.parametrize("name", ["added", "beside"])
def test_no_node_is_shown_its_own_label_and_learned(name: str) -> None:
    graph = authors(90)
    plan, found = batches(name, graph)
    for seed, batch in enumerate(found):
        torch.manual_seed(seed)
        masked = mask_labels(batch, plan)
        shown, rows = masked.inputs["train_mask_dict"]["author"], masked.rows["author.y"]
        assert not shown[rows].any()
        assert len(rows) == len(masked.labels["author.y"]) == len(masked.nodes["author.y"])
        torch.testing.assert_close(graph["author"].y[masked.nodes["author.y"]], masked.labels["author.y"])
        before = batch.inputs["train_mask_dict"]["author"]
        assert not (shown & ~before).any()
        assert batch.rows["author.y"].numel() == rows.numel() + shown[batch.rows["author.y"]].sum()
    assert sum(len(batch.rows["author.y"]) for batch in found) == int(graph["author"].train_mask.sum())


@pytest.mark.parametrize("name", ["added", "beside"])
def test_the_loss_does_not_read_the_label_that_it_is_about(name: str) -> None:
    """The outputs of learned rows stay the same whatever their labels are."""
    graph, other = authors(90), authors(90)
    model = compiled(name, graph).eval()
    plan, found = batches(name, graph)
    torch.manual_seed(1)
    masked = mask_labels(found[0], plan)
    out = model(**masked.inputs)[masked.rows["author.y"]]
    changed = masked.inputs["y_dict"]["author"].clone()
    changed[masked.rows["author.y"]] = (changed[masked.rows["author.y"]] + 1) % 3
    again = model(**{**masked.inputs, "y_dict": {"author": changed}})[masked.rows["author.y"]]
    assert torch.equal(out, again)
    other["author"].y[:] = 0
    assert not torch.equal(model(**batch_inputs(graph, plan)), model(**batch_inputs(other, plan)))


@pytest.mark.parametrize("name", ["added", "beside"])
def test_labels_of_other_nodes_change_nothing(name: str) -> None:
    graph, other = authors(90), authors(90)
    hidden = ~other["author"].train_mask
    other["author"].y[hidden] = (other["author"].y[hidden] + 1) % 3
    model = compiled(name, graph).eval()
    assert torch.equal(model(**batch_inputs(graph, model.plan)), model(**batch_inputs(other, model.plan)))


@pytest.mark.parametrize("name", ["added", "beside"])
def test_all_training_labels_are_inputs_of_an_evaluation(name: str, tmp_path: Path) -> None:
    graph, spec = authors(), graphdsl.loads(SPEC, "library.gnn")
    schema, training = spec.schema(name), spec.training(name)
    model = compiled(name, graph)
    origin = Origin(spec.text, spec.name, name, model.plan.parameters, schema, inspect(graph, schema))
    done = fit(model, model.plan, graph, training, origin, tmp_path)
    assert done.epochs == 25
    supervision = read_supervision(graph, model.plan.heads, False, schema, training)
    source = BatchSource(graph, model.plan, training, schema)
    scores = evaluate(model, model.plan, source, supervision)["test"]
    assert scores["test_accuracy"] > 0.5
    if name == "added":
        out = model.eval()(**batch_inputs(graph, model.plan))
        test = graph["author"].test_mask
        assert scores["test_accuracy"] == pytest.approx(
            float((out.argmax(-1) == graph["author"].y)[test].float().mean())
        )


def test_a_run_is_resumed_with_the_same_labels_shown(tmp_path: Path) -> None:
    from dataclasses import replace

    graph, spec = authors(60), graphdsl.loads(SPEC, "library.gnn")
    schema, training = spec.schema("added"), replace(spec.training("added"), epochs=6)
    curves = []
    for folder in ("once", "twice"):
        model = compiled("added", graph)
        origin = Origin(spec.text, spec.name, "added", model.plan.parameters, schema, inspect(graph, schema))
        if folder == "twice":
            fit(model, model.plan, graph, replace(training, epochs=3), origin, tmp_path / folder)
        fit(model, model.plan, graph, training, origin, tmp_path / folder, resume=folder == "twice")
        curves.append((tmp_path / folder / "metrics.csv").read_text())
    assert curves[0] == curves[1]


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "library.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(authors(60).to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("library.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--model", "beside", "--data", graph, "--out", run, "--epochs", "2"]) == 0
    best = str(tmp_path / "run" / "best.ckpt")
    assert main(["evaluate", best, "--data", graph]) == 0
    assert main(["predict", best, "--data", graph, "--out", str(tmp_path / "p.csv")]) == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 61
    assert main(["layers", "MaskLabel"]) == 0
    assert "filled in by the compiler: num_classes" in capsys.readouterr().out
    assert "known_classes(" in graphdsl.loads(SPEC).to_python("added")
    assert main(["build", spec, "added", "--train"]) == 0
    program = capsys.readouterr().out
    compile(program, "added.py", "exec")
    assert "# A training node is either shown with its label or learned." in program


def test_reports_call_the_model_with_labels() -> None:
    spec = graphdsl.loads(SPEC)
    model = spec.compile("added").eval()
    assert model(**call_inputs(model.plan, spec.schema("added"), None)).shape[1] == 3


def test_the_entry_has_the_parameters_of_pyg() -> None:
    import inspect as python

    known = python.signature(MaskLabel).parameters
    assert [*MASK_LABEL.derived, *(item.name for item in MASK_LABEL.parameters if item.name != "ratio")] == [*known]
    assert MASK_LABEL.parameter("method").default == known["method"].default
