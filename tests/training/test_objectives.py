"""Learning without labels: equal to PyG's classes with copied weights, and right on graphs with planted communities."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning.pytorch import seed_everything
from objective_cases import AUTHORS, PAPERS, authors, papers, shuffled
from torch_geometric.nn import DeepGraphInfomax, GCNConv, MetaPath2Vec
from torch_geometric.nn import Node2Vec as PygNode2Vec

import graphdsl
from graphdsl.data import batch_inputs, inspect
from graphdsl.text import SpecError
from graphdsl.training import (
    BatchSource,
    Origin,
    all_nodes,
    evaluate,
    fit,
    predict,
    probe,
    read_supervision,
    write_predictions,
)
from graphdsl.training.batch import Batch
from graphdsl.training.module import measured_outputs, wanted_rows
from graphdsl.training.walks import WalkSampler


def train(text: str, name: str, data, folder: Path, resume: bool = False, **settings):
    spec = graphdsl.loads(text)
    metadata, schema = inspect(data, spec.schema(name)), spec.schema(name)
    training = replace(spec.training(name), **settings)
    seed_everything(training.seed, workers=True, verbose=False)
    model = spec.compile(name, data=metadata)
    origin = Origin(spec.text, spec.name, name, model.plan.parameters, schema, metadata)
    done = fit(model, model.plan, data, training, origin, folder, resume=resume)
    return done, model, BatchSource(data, model.plan, training, schema), schema


def scores(text: str, name: str, data, folder: Path, **settings) -> dict[str, float]:
    _, model, source, schema = train(text, name, data, folder, **settings)
    return probe(model, model.plan, source, data, schema)["test"]


# --- against PyG ---


def compiled(text: str, name: str, data):
    spec = graphdsl.loads(text)
    torch.manual_seed(0)
    return spec, spec.compile(name, data=inspect(data, spec.schema(name)))


def test_metapath2vec_is_that_of_pyg() -> None:
    data = authors(60)
    spec, model = compiled(AUTHORS, "along", data)
    ours = model.heads["APA"]
    writes = data["author", "writes", "paper"].edge_index
    metapath = [("author", "writes", "paper"), ("paper", "rev_writes", "author")]
    theirs = MetaPath2Vec(
        {metapath[0]: writes, metapath[1]: writes.flip(0)}, 16, metapath, 10, 5, 5, 2, {"author": 60, "paper": 30}
    )
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in theirs.state_dict().items()
    }
    theirs.load_state_dict(ours.state_dict())
    walks, others = WalkSampler(data, model.plan.walks, spec.schema()).draw(
        torch.arange(60), torch.Generator().manual_seed(0)
    )
    expected = theirs._sample(list(range(60)))
    assert (walks.shape, others.shape) == (expected[0].shape, expected[1].shape)
    assert walks.max() <= theirs.dummy_idx
    assert others.max() < theirs.dummy_idx
    ours.loss(walks, others).backward()
    loss = theirs.loss(walks, others)
    loss.backward()
    assert torch.equal(ours.embedding.weight.grad, theirs.embedding.weight.grad)
    batch = Batch({"pos_rw": walks, "neg_rw": others}, {"APA": torch.arange(60)}, {}, {})
    assert torch.allclose(measured_outputs(model, model.plan, batch)["APA"].mean(), loss)
    for name in ("author", "paper"):
        assert torch.equal(model.encode({}, {}, prediction="APA")[name], theirs(name))


@pytest.mark.parametrize("name", ["near", "quick"])
def test_node2vec_has_the_loss_of_pyg(name: str) -> None:
    data = papers(60)
    spec, model = compiled(PAPERS, name, data)
    ours = model.heads["paper__cites__paper"]
    theirs = PygNode2Vec.__new__(PygNode2Vec)  # its constructor asks for pyg-lib
    torch.nn.Module.__init__(theirs)
    theirs.embedding, theirs.EPS, theirs.embedding_dim = torch.nn.Embedding(60, 16), 1e-15, 16
    theirs.load_state_dict(ours.state_dict())
    walks, others = WalkSampler(data, model.plan.walks, spec.schema()).draw(
        torch.arange(60), torch.Generator().manual_seed(0)
    )
    assert walks.shape == others.shape == (60 * 5 * (10 - 5 + 1), 5)
    known = set(map(tuple, data["paper", "cites", "paper"].edge_index.t().tolist()))
    known |= {(node, node) for node in range(60)}  # a walk stays at a node without neighbours
    assert set(map(tuple, walks[:, :2].tolist())) <= known
    losses = [item.loss(walks, others) for item in (ours, theirs)]
    for loss in losses:
        loss.backward()
    assert torch.allclose(*losses)
    gradient = ours.embedding.weight.grad
    assert gradient.is_sparse == (name == "quick")
    assert torch.allclose(gradient.to_dense(), theirs.embedding.weight.grad, atol=1e-7)


def test_infomax_is_that_of_pyg() -> None:
    data = papers(60, tell=1.0)
    _, model = compiled(PAPERS, "contrast", data)
    x, edges = data["paper"].x, data["paper", "cites", "paper"].edge_index

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.prelu = GCNConv(16, 32), torch.nn.PReLU(32)

        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            return self.prelu(self.conv(x, edge_index))

    theirs = DeepGraphInfomax(
        32, Encoder(), lambda z, *_: torch.sigmoid(z.mean(0)), lambda x, e: (x[torch.randperm(len(x))], e)
    )
    assert model.heads["paper"].state_dict().keys() == {"weight"}
    copied = zip(theirs.encoder.parameters(), model.stages.parameters(), strict=True)
    with torch.no_grad():
        theirs.weight.copy_(model.heads["paper"].weight)
        for their, our in copied:
            their.copy_(our)
    inputs = batch_inputs(data, model.plan)
    batch = Batch(inputs, {"paper": torch.arange(60)}, {}, {}, is_whole=True)
    torch.manual_seed(5)
    ours = measured_outputs(model, model.plan, batch)["paper"].mean()
    torch.manual_seed(5)
    expected = theirs.loss(*theirs(x, edges))
    ours.backward()
    expected.backward()
    assert torch.allclose(ours, expected)
    assert torch.allclose(model.heads["paper"].weight.grad, theirs.weight.grad, atol=1e-7)
    for our, their in zip(model.stages.parameters(), theirs.encoder.parameters(), strict=True):
        assert torch.allclose(our.grad, their.grad, atol=1e-7)
    assert torch.equal(model(**inputs), theirs.encoder(x, edges)), "the model gives the vectors"


# --- planted communities ---


@pytest.mark.parametrize("name", ["near", "quick"])
def test_node2vec_finds_communities(name: str, tmp_path: Path) -> None:
    assert scores(PAPERS, name, papers(), tmp_path / "a")["test_paper.y_accuracy"] > 0.9
    assert scores(PAPERS, name, shuffled(papers(), "paper"), tmp_path / "b")["test_paper.y_accuracy"] < 0.5


def test_metapath2vec_finds_communities(tmp_path: Path) -> None:
    assert scores(AUTHORS, "along", authors(), tmp_path / "a")["test_author.y_accuracy"] > 0.8
    assert scores(AUTHORS, "along", shuffled(authors(), "author"), tmp_path / "b")["test_author.y_accuracy"] < 0.5


def test_infomax_finds_communities(tmp_path: Path) -> None:
    found = scores(PAPERS, "contrast", papers(tell=1.0), tmp_path / "a")["test_paper.y_accuracy"]
    assert found > 0.85
    batched = scores(PAPERS, "contrast", papers(tell=1.0), tmp_path / "b", batch_size=100, fanout=(-1,), epochs=20)
    assert batched["test_paper.y_accuracy"] > 0.8


# --- as any other training ---


@pytest.mark.parametrize(("text", "name", "data"), [(PAPERS, "near", papers), (PAPERS, "contrast", papers)])
def test_a_resumed_run_is_the_run(text: str, name: str, data, tmp_path: Path) -> None:
    whole, model, source, _ = train(text, name, data(90), tmp_path / "whole", epochs=4)
    train(text, name, data(90), tmp_path / "part", epochs=2)
    again, *_ = train(text, name, data(90), tmp_path / "part", resume=True, epochs=4)
    curve = (tmp_path / "whole" / "metrics.csv").read_text().splitlines()
    assert len(curve) == 5
    assert whole.metrics == again.metrics
    supervision = read_supervision(data(90), model.plan.heads, schema=graphdsl.loads(text).schema())
    measured = [evaluate(model, model.plan, source, supervision) for _ in range(2)]
    assert measured[0] == measured[1]
    assert list(measured[0]) == ["train"], "there is no split to validate on"


def test_walks_can_be_drawn_by_other_processes(tmp_path: Path) -> None:
    alone, *_ = train(PAPERS, "near", papers(90), tmp_path / "a", epochs=2)
    helped, *_ = train(PAPERS, "near", papers(90), tmp_path / "b", epochs=2, workers=1)
    assert alone.metrics == helped.metrics


def test_objective_and_prediction_are_trained_together(tmp_path: Path) -> None:
    done, model, source, schema = train(PAPERS, "both", papers(90, tell=1.0), tmp_path)
    supervision = read_supervision(papers(90, tell=1.0), model.plan.heads, schema=schema)
    assert not supervision.has("val")
    assert supervision.has("test")
    first = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert "train_loss" in first
    assert set(wanted_rows(supervision, model.plan, "test")) == {"paper.y"}
    found = evaluate(model, model.plan, source, supervision)
    assert {"train_paper_loss", "train_paper.y_accuracy"} <= set(found["train"])
    assert probe(model, model.plan, source, papers(90, tell=1.0), schema) == {}, "the label is predicted already"
    assert done.metrics["train_loss"] > 0


def test_vectors_are_written_for_every_type(tmp_path: Path) -> None:
    _, model, source, _ = train(AUTHORS, "along", authors(60), tmp_path / "run", epochs=1)
    found = predict(model, model.plan, source, all_nodes(authors(60), model.plan))
    files = write_predictions(found, tmp_path / "v.csv")
    assert [file.name for file in files] == ["v-author.csv", "v-paper.csv"]
    lines = files[1].read_text().splitlines()
    assert lines[0] == "node," + ",".join(f"vector_{column}" for column in range(16))
    assert len(lines) == 1 + 30
    write_predictions(found, tmp_path / "v.pt")
    assert torch.load(tmp_path / "v.pt")["author"]["vector"].shape == (60, 16)


def test_sparse_gradients_need_their_optimizer(tmp_path: Path) -> None:
    text = PAPERS.replace("sparse = true", "sparse = s").replace("model quick on", "model quick(s: bool = true) on")
    with pytest.raises(SpecError, match="`Adam` refuses sparse gradients"):
        train(text.replace("SparseAdam", "Adam"), "quick", papers(60), tmp_path)


def test_walks_know_no_time(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="know none"):
        train(PAPERS, "near", papers(60), tmp_path, temporal=True)
