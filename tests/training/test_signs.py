"""Signs of edges: PyG's `SignedGCN` with the same weights and drawn pairs, splits of both relations, and the commands."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score
from torch_geometric.data import HeteroData
from torch_geometric.nn import SignedGCN

import graphdsl
from graphdsl.data import batch_inputs
from graphdsl.kernels.signs import SignedPairs
from graphdsl.tooling.cli import main
from graphdsl.training import BatchSource, evaluate, read_supervision
from graphdsl.training.module import measured_outputs, wanted_rows

SPEC = """
schema opinions {
  node person { x: float[8] }
  edge person -[trusts]-> person
  edge person -[distrusts]-> person
}
model sgcn(hidden: int = 16) on opinions {
  edges { trusts, distrusts: SignedConv(hidden / 2, first_aggr = true, positive = "trusts") } | relu
  edges { trusts, distrusts: SignedConv(hidden / 2, first_aggr = false, positive = "trusts") } | relu
  predict person -[trusts]-> person: signed(negative = "distrusts", lamb = 3)
}
train sgcn { epochs: 3 }
"""
TRUSTS, DISTRUSTS = ("person", "trusts", "person"), ("person", "distrusts", "person")
NAME = "person -[trusts]-> person"


def opinions(people: int = 50) -> HeteroData:
    """Half of the people are trusted, the others are not."""
    generator = torch.Generator().manual_seed(0)
    camp = torch.arange(people) % 2
    chance, good = torch.rand(people, people, generator=generator), (camp == 1).expand(people, people)
    data = HeteroData()
    data["person"].x = torch.randn(people, 8, generator=generator)
    data["person"].x[:, 0] += 2 * camp
    data[TRUSTS].edge_index = ((chance < 0.12) & good).nonzero().t().contiguous()
    data[DISTRUSTS].edge_index = ((chance > 0.9) & ~good).nonzero().t().contiguous()
    return data


def setup(graph: HeteroData) -> tuple[Any, ...]:
    torch.manual_seed(0)
    spec = graphdsl.loads(SPEC, "opinions.gnn")
    model, training, schema = spec.compile("sgcn", data=graph), spec.training("sgcn"), spec.schema("sgcn")
    supervision = read_supervision(graph, model.plan.heads, False, schema, training)
    return model, supervision, BatchSource(graph, model.plan, training, schema)


def batch_of(model: Any, supervision: Any, source: BatchSource, split: str) -> Any:
    wanted = wanted_rows(supervision, model.plan, split)
    (batches,) = source.batches(wanted, graph=supervision.graph(split))
    (batch,) = list(batches)
    return batch


def theirs_of(model: Any) -> SignedGCN:
    """PyG's model with the weights of ours."""
    theirs = SignedGCN(8, 16, num_layers=2, lamb=3)
    convs = [model.stages[key].joints[0] for key in ("edges1", "edges2")]
    for own, conv in zip(convs, (theirs.conv1, theirs.convs[0]), strict=True):
        for mine, other in zip(own.parameters(), conv.parameters(), strict=True):
            other.data.copy_(mine.data)
    (head,) = model.heads.values()
    theirs.lin.load_state_dict(head.state_dict())
    return theirs


def test_loss_and_gradients_are_those_of_pyg() -> None:
    model, supervision, source = setup(opinions())
    theirs = theirs_of(model)
    batch = batch_of(model, supervision, source, "train")
    asked, pairs = batch.labels[NAME], batch.inputs["edge_label_index"][NAME]
    task = supervision.task.heads[0]
    loss = task.loss(measured_outputs(model, model.plan, batch)[NAME][batch.rows[NAME]], asked).total
    positive, negative, none, beside, apart = (pairs[:, asked == code] for code in range(5))
    edges = batch.inputs["edge_index_dict"]
    assert torch.equal(positive, edges[TRUSTS])
    assert torch.equal(negative, edges[DISTRUSTS])
    triplets = [(positive[0], positive[1], beside[1]), (negative[0], negative[1], apart[1])]
    z = theirs(batch.inputs["x_dict"]["person"], positive, negative)
    path = "torch_geometric.nn.models.signed_gcn"
    with (
        mock.patch(f"{path}.negative_sampling", return_value=none),
        mock.patch(f"{path}.structured_negative_sampling", side_effect=triplets),
    ):
        wanted = theirs.loss(z, positive, negative)
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    wanted.backward()
    (head,) = model.heads.values()
    torch.testing.assert_close(head.weight.grad, theirs.lin.weight.grad)
    own = [item.grad for key in ("edges1", "edges2") for item in model.stages[key].parameters()]
    other = [item.grad for conv in (theirs.conv1, *theirs.convs) for item in conv.parameters()]
    torch.testing.assert_close(own, other)


def test_scores_are_those_of_pyg() -> None:
    graph = opinions()
    model, supervision, source = setup(graph)
    theirs = theirs_of(model).eval()
    scores = evaluate(model, model.plan, source, supervision)["test"]
    batch = batch_of(model, supervision, source, "test")
    edges, pairs = batch.inputs["edge_index_dict"], batch.inputs["edge_label_index"][NAME]
    z = theirs(graph["person"].x, edges[TRUSTS], edges[DISTRUSTS])
    known = batch.labels[NAME] == 0
    auc, f1 = theirs.test(z, pairs[:, known], pairs[:, ~known])
    assert scores["test_f1"] == pytest.approx(f1, abs=1e-6)
    assert scores["test_auroc_of_signs"] == pytest.approx(auc, abs=1e-6)
    chance = theirs.discriminate(z, pairs)[:, :2].softmax(-1)[:, 0].detach()
    assert scores["test_auroc"] == pytest.approx(roc_auc_score(known.numpy(), chance.numpy()), abs=1e-6)
    assert f1_score([1, 0], [1, 0]) == 1


def test_edges_that_are_tested_pass_no_messages() -> None:
    graph = opinions()
    model, supervision, source = setup(graph)
    batch = batch_of(model, supervision, source, "test")
    edges, pairs = batch.inputs["edge_index_dict"], batch.inputs["edge_label_index"][NAME]
    passing = {(*pair, sign) for sign, key in enumerate((TRUSTS, DISTRUSTS)) for pair in edges[key].t().tolist()}
    asked = {(*pair, sign) for pair, sign in zip(pairs.t().tolist(), batch.labels[NAME].tolist(), strict=True)}
    assert asked
    assert not asked & passing
    assert {sign for *_, sign in asked} == {0, 1}


def test_pairs_are_drawn_anew_and_are_no_edges() -> None:
    graph = opinions(20)
    _, supervision, _ = setup(graph)
    signs = supervision.links[NAME].signs
    assert isinstance(signs, SignedPairs)
    index, labels = supervision.links[NAME].edge_index, supervision.links[NAME].labels
    drawn, asked = signs.draw(index, labels, 1)
    again, _ = signs.draw(index, labels, 1)
    other, _ = signs.draw(index, labels, 2)
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn, other)
    edges = {tuple(pair) for pair in index.t().tolist()}
    positive = {tuple(pair) for pair in graph[TRUSTS].edge_index.t().tolist()}
    assert not edges & {tuple(pair) for pair in drawn[:, asked == 2].t().tolist()}
    assert not positive & {tuple(pair) for pair in drawn[:, asked == 3].t().tolist()}


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "opinions.gnn").write_text(SPEC, encoding="utf-8")
    torch.save(opinions().to_dict(), tmp_path / "graph.pt")
    spec, graph, run = (str(tmp_path / item) for item in ("opinions.gnn", "graph.pt", "run"))
    assert main(["train", spec, "--data", graph, "--out", run, "--baselines"]) == 0
    assert "most frequent sign" in capsys.readouterr().out
    best = str(tmp_path / "run" / "best.ckpt")
    assert main(["evaluate", best, "--data", graph]) == 0
    assert main(["predict", best, "--data", graph, "--out", str(tmp_path / "p.csv")]) == 0
    lines = (tmp_path / "p.csv").read_text().splitlines()
    data = opinions()
    assert lines[0] == "source,target,sign,probability"
    assert len(lines) == 1 + data[TRUSTS].edge_index.size(1) + data[DISTRUSTS].edge_index.size(1)
    assert main(["train", spec, "--data", graph, "--out", run + "2", "--set", "batch_size=8"]) == 1
    assert "GNN351" in capsys.readouterr().err


def test_signs_are_found(tmp_path: Path) -> None:
    from dataclasses import replace

    from graphdsl.data import inspect
    from graphdsl.training import Origin, fit

    graph = opinions()
    spec = graphdsl.loads(SPEC.replace("lamb = 3", "lamb = 0.1"), "opinions.gnn")
    torch.manual_seed(0)
    model, schema = spec.compile("sgcn", data=graph), spec.schema("sgcn")
    origin = Origin(spec.text, spec.name, "sgcn", model.plan.parameters, schema, inspect(graph, schema))
    done = fit(model, model.plan, graph, replace(spec.training("sgcn"), epochs=60), origin, tmp_path)
    assert done.metrics["val_auroc"] > 0.8
    out = model.eval()(**batch_inputs(graph, model.plan), edge_label_index=torch.tensor([[0], [1]]))
    assert out.shape == (1, 4)
