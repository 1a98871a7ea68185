"""Labels of training nodes that spread: PyG's own numbers, no leak, and the whole way from training to prediction."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import seed_everything
from objective_cases import authors, papers
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.nn import CorrectAndSmooth, LabelPropagation
from torch_geometric.nn.conv.gcn_conv import gcn_norm

import graphdsl
from graphdsl.backends.capturing import call_inputs
from graphdsl.catalog import SPREADERS
from graphdsl.data import batch_inputs, inspect
from graphdsl.text import SpecError
from graphdsl.tooling.cli import main
from graphdsl.training import Origin, fit

SPEC = """
schema papers {
  node paper { x: float[16], y: class[3], topics: multilabel[4], train_mask: mask, test_mask: mask }
  edge paper -[cites]-> paper { strength: float }
}
model spread on papers {
  predict paper.y: LabelPropagation(along = cites, num_layers = 7, alpha = 0.8)
}
model weighed on papers {
  predict paper.topics: LabelPropagation(7, 0.8, along = cites, edge_weight = strength)
}
model corrected(hidden: int = 8) on papers {
  nodes { *: Linear(hidden) } | relu
  predict paper.y: CorrectAndSmooth(5, 1.0, 6, 0.8, along = cites, head = MLP(8, 3, norm = none))
}
model fixed(hidden: int = 8) on papers {
  edges { cites: GCNConv(hidden) } | relu
  predict paper.topics: CorrectAndSmooth(5, 0.9, 6, 0.7, along = cites, autoscale = false, scale = 0.5)
}
train spread { epochs: 50 }
train corrected { epochs: 20 }
"""
PATHS = """
schema library {
  node author { x: float[4], y: class[3], train_mask: mask, test_mask: mask }
  node paper  { x: float[4] }
  edge author -[writes]-> paper
  metapath APA = author -[writes]-> paper <-[writes]- author
  metapath many(count) = author -[writes]-> paper <-[writes]- author
  metapath even(mean) = author -[writes]-> paper <-[writes]- author
}
model APA on library { predict author.y: LabelPropagation(along = APA, num_layers = 4, alpha = 0.9) }
model many on library { predict author.y: LabelPropagation(along = many, num_layers = 4, alpha = 0.9) }
model even on library { predict author.y: LabelPropagation(along = even, num_layers = 4, alpha = 0.9) }
"""


def data() -> HeteroData:
    graph = papers(80, tell=0.5)
    generator = torch.Generator().manual_seed(3)
    graph["paper"].topics = torch.randint(2, (80, 4), generator=generator)
    edges = graph["paper", "cites", "paper"]
    edges.strength = torch.rand(edges.edge_index.size(1), generator=generator) / 4
    return graph


def run(name: str, graph: HeteroData, text: str = SPEC, seed: int = 0) -> tuple[Any, Tensor]:
    """A compiled model in evaluation, and what it predicts."""
    torch.manual_seed(seed)
    model = graphdsl.loads(text).compile(name, data=graph).eval()
    return model, model(**batch_inputs(graph, model.plan))


def test_labels_spread_as_in_pyg() -> None:
    graph = data()
    store, edges = graph["paper"], graph["paper", "cites", "paper"]
    _, out = run("spread", graph)
    theirs = LabelPropagation(7, 0.8)
    torch.testing.assert_close(out.exp(), theirs(store.y, edges.edge_index, store.train_mask), atol=1e-6, rtol=1e-5)
    _, out = run("weighed", graph)
    wanted = theirs(store.topics.float(), edges.edge_index, store.train_mask, edges.strength)
    torch.testing.assert_close(out.sigmoid(), wanted, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "label", "theirs"),
    [
        ("corrected", "y", CorrectAndSmooth(5, 1.0, 6, 0.8)),
        ("fixed", "topics", CorrectAndSmooth(5, 0.9, 6, 0.7, autoscale=False, scale=0.5)),
    ],
)
def test_predictions_are_corrected_as_in_pyg(name: str, label: str, theirs: CorrectAndSmooth) -> None:
    graph = data()
    store, index = graph["paper"], graph["paper", "cites", "paper"].edge_index
    model, out = run(name, graph)
    inputs = batch_inputs(graph, model.plan)
    head = model.heads[f"paper__{label}"](model.encode(**inputs)["paper"])
    torch.testing.assert_close(model.train()(**inputs), head)
    soft = head.softmax(-1) if label == "y" else head.sigmoid()
    known = store[label][store.train_mask]
    wanted = theirs(soft, known if label == "y" else known.float(), store.train_mask, index)
    back = out.exp() if label == "y" else out.sigmoid()
    torch.testing.assert_close(back, wanted, atol=1e-6, rtol=1e-5)
    assert not any(key.startswith("spreads") for key in model.state_dict())


def test_metapaths_weigh_as_they_say() -> None:
    graph = authors(60)
    store, writes = graph["author"], graph["author", "writes", "paper"].edge_index
    incidence = torch.zeros(60, graph["paper"].num_nodes)
    incidence.index_put_((writes[0], writes[1]), torch.ones(writes.size(1)), accumulate=True)
    paths = incidence @ incidence.t()
    index = paths.nonzero().t()
    theirs = LabelPropagation(4, 0.9)
    torch.testing.assert_close(run("APA", graph, PATHS)[1].exp(), theirs(store.y, index, store.train_mask))
    normalized = gcn_norm(index, paths[index[0], index[1]], 60, add_self_loops=False)
    torch.testing.assert_close(
        run("many", graph, PATHS)[1].exp(), theirs(store.y, normalized[0], store.train_mask, normalized[1])
    )
    rows = paths / paths.sum(0)
    wanted = theirs(store.y, index, store.train_mask, rows[index[0], index[1]])
    torch.testing.assert_close(run("even", graph, PATHS)[1].exp(), wanted)


@pytest.mark.parametrize("name", ["spread", "weighed", "corrected", "fixed"])
def test_labels_of_other_nodes_change_nothing(name: str) -> None:
    graph, other = data(), data()
    hidden = ~other["paper"].train_mask
    other["paper"].y[hidden] = (other["paper"].y[hidden] + 1) % 3
    other["paper"].topics[hidden] = 1 - other["paper"].topics[hidden]
    assert torch.equal(run(name, graph)[1], run(name, other)[1])
    shown = data()
    shown["paper"].y[~hidden] = (shown["paper"].y[~hidden] + 1) % 3
    shown["paper"].topics[~hidden] = 1 - shown["paper"].topics[~hidden]
    assert not torch.equal(run(name, graph)[1], run(name, shown)[1])


def test_nodes_without_a_label_are_not_known() -> None:
    graph, other = data(), data()
    graph["paper"].y[:30] = -1
    other["paper"].train_mask[:30] = False
    torch.testing.assert_close(run("spread", graph)[1], run("spread", other)[1])


def test_unreached_nodes_are_of_any_class() -> None:
    graph = data()
    graph["paper", "cites", "paper"].edge_index = torch.zeros(2, 0, dtype=torch.long)
    graph["paper", "cites", "paper"].strength = torch.zeros(0)
    chance = run("spread", graph)[1].softmax(-1)[~graph["paper"].train_mask]
    torch.testing.assert_close(chance, torch.full_like(chance, 1 / 3))


def trained(name: str, folder: Path) -> tuple[Any, Any]:
    graph, spec = data(), graphdsl.loads(SPEC, "papers.gnn")
    schema, training = spec.schema(name), spec.training(name)
    seed_everything(0, verbose=False)
    model = spec.compile(name, data=graph)
    origin = Origin(spec.text, spec.name, name, model.plan.parameters, schema, inspect(graph, schema))
    return model, fit(model, model.plan, graph, training, origin, folder)


def test_there_is_one_epoch_where_nothing_is_learned(tmp_path: Path) -> None:
    model, done = trained("spread", tmp_path)
    assert (done.epochs, done.best_epoch, list(model.parameters())) == (1, 1, [])
    assert done.metrics["train_accuracy"] > 0.9


def test_the_head_is_trained_alone(tmp_path: Path) -> None:
    model, done = trained("corrected", tmp_path)
    assert done.epochs == 20
    plain = SPEC.replace(
        "CorrectAndSmooth(5, 1.0, 6, 0.8, along = cites, head = MLP(8, 3, norm = none))", "MLP(8, 3, norm = none)"
    )
    spec, graph = graphdsl.loads(plain, "papers.gnn"), data()
    schema = spec.schema("corrected")
    seed_everything(0, verbose=False)
    other = spec.compile("corrected", data=graph)
    origin = Origin(spec.text, spec.name, "corrected", other.plan.parameters, schema, inspect(graph, schema))
    fit(other, other.plan, graph, spec.training("corrected"), origin, tmp_path / "plain")
    assert model.state_dict().keys() == other.state_dict().keys()
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["spread", "corrected"])
def test_commands(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "papers.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(data().to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("papers.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--model", name, "--data", graph, "--out", run, "--epochs", "3"]) == 0
    said = capsys.readouterr().out
    assert ("nothing to learn" in said) == (name == "spread")
    best = str(tmp_path / "run" / "best.ckpt")
    assert main(["evaluate", best, "--data", graph]) == 0
    assert main(["predict", best, "--data", graph, "--out", str(tmp_path / "p.csv")]) == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 81
    if name == "corrected":
        assert main(["train", spec, "--model", name, "--data", graph, "--out", run + "2", "--set", "batch_size=8"]) == 1
        assert "GNN348" in capsys.readouterr().err


def test_a_call_without_labels_says_what_is_missing() -> None:
    graph = data()
    model = graphdsl.loads(SPEC).compile("spread", data=graph)
    assert model.input_names == ("train_mask_dict", "y_dict")
    with pytest.raises(SpecError, match="`y_dict` holds nothing for `paper`"):
        model(graph.x_dict, graph.edge_index_dict, train_mask_dict=graph.train_mask_dict)


@pytest.mark.parametrize("name", ["spread", "weighed", "corrected", "fixed"])
def test_reports_call_the_model_with_labels(name: str) -> None:
    spec = graphdsl.loads(SPEC)
    plan = spec.plan(name)
    model = spec.compile(name).eval()
    assert model(**call_inputs(plan, spec.schema(name), None)).shape[1] == plan.heads[0].size


def test_reports_weigh_metapaths() -> None:
    spec = graphdsl.loads(PATHS)
    for name in ("APA", "many", "even"):
        inputs = call_inputs(spec.plan(name), spec.schema(name), None)
        assert torch.isfinite(spec.compile(name)(**inputs)).all()


def test_entries_have_the_parameters_of_pyg() -> None:
    import inspect as python

    for name, cls in (("LabelPropagation", LabelPropagation), ("CorrectAndSmooth", CorrectAndSmooth)):
        known = python.signature(cls).parameters
        named = {item.name: item for item in SPREADERS[name].parameters if item.name != "head"}
        assert list(named) == list(known)
        assert all(item.required == (known[key].default is python.Parameter.empty) for key, item in named.items())
        assert all(item.required or item.default == known[key].default for key, item in named.items())
