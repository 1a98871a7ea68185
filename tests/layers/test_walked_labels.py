"""Labels of training nodes along metapaths: the authors' equation, nobody's own label, none of the other splits."""

from pathlib import Path
from typing import Any

import pytest
import torch
from metapath_graphs import APA, APVPA, CITES, COUNTS, PAP, PATHS, WIDTHS, WRITES, averaged, features, relations
from torch import Tensor, nn
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs, inspect
from graphdsl.kernels import returning
from graphdsl.layers import SeHGNNConv
from graphdsl.layers.walking import Walker
from graphdsl.text import SpecError
from graphdsl.training import BatchSource, Origin, evaluate, fit, read_supervision


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("key", [APA, APVPA, PAP, CITES])
def test_what_returns_is_the_diagonal_of_the_product(key: Any, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returning, "PIECE", piece)
    edges = relations(30)
    name = key[0]
    every = {name: torch.eye(COUNTS[name], dtype=torch.float64)}
    product = torch.tensor(averaged(PATHS[key], every, edges), dtype=torch.float64)
    share = Walker({key: PATHS[key]}).returning(key, every[name], edges, COUNTS)
    torch.testing.assert_close(share, product.diagonal().clone())
    none = {edge: index[:, :0] for edge, index in edges.items()}
    assert not Walker({key: PATHS[key]}).returning(key, every[name], none, COUNTS).any()
    monkeypatch.setattr(returning, "_is_exporting", lambda: True)
    torch.testing.assert_close(Walker({key: PATHS[key]}).returning(key, every[name], edges, COUNTS), share)
    monkeypatch.undo()
    empty = Walker({key: PATHS[key]}).returning(key, every[name], none, dict.fromkeys(COUNTS, 0))
    assert empty.shape == (0,)


def shares() -> dict[str, Tensor]:
    """Two authors of unknown class, one of several, and one-hot rows."""
    rows = [[0, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]]
    return {"author": torch.tensor(rows, dtype=torch.float64)}


def test_equals_the_equation_of_the_paper() -> None:
    """`remove_diag(adjacency) @ one_hot`, mapped and put behind the features, as the authors' code does."""
    x, edges, labels = features(), relations(20), shares()
    paths = {APA: PATHS[APA], APVPA: PATHS[APVPA]}
    conv = SeHGNNConv(WIDTHS, 8, paths, 1, label_sizes={"author": 3}).double()
    nn.init.normal_(conv.fusions["author"].gamma)
    every = {"author": torch.eye(COUNTS["author"], dtype=torch.float64)}
    products = [torch.tensor(averaged(PATHS[key], every, edges), dtype=torch.float64) for key in paths]
    inputs = [x["author"], *(product @ x["author"] for product in products)]
    mapped = [value @ conv.embed["author"] for value in inputs]
    for product, weight in zip(products, conv.label_embed["author"], strict=True):
        mapped.append((product - torch.diag(product.diagonal())) @ labels["author"] @ weight)
    expected = conv.fusions["author"](torch.stack(mapped, dim=1), "author", [])
    made = conv(x, edges, labels=labels)["author"]
    torch.testing.assert_close(made, expected)
    gradients = [torch.autograd.grad(side.square().sum(), [*conv.parameters()]) for side in (made, expected)]
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_node_is_given_its_own_label(dtype: torch.dtype) -> None:
    x = {name: value.to(dtype) for name, value in features().items()}
    edges, labels = relations(20), {"author": shares()["author"].to(dtype)}
    torch.manual_seed(0)
    conv = SeHGNNConv(WIDTHS, 8, {APA: PATHS[APA], APVPA: PATHS[APVPA]}, label_sizes={"author": 3}).to(dtype)
    before = conv(x, edges, labels=labels)["author"]
    for node in range(COUNTS["author"]):
        other = labels["author"].clone()
        other[node] = other[node].roll(1) if other[node].any() else torch.tensor([1, 0, 0])
        after = conv(x, edges, labels={"author": other})["author"]
        torch.testing.assert_close(after[node], before[node])
    assert not torch.allclose(conv(x, edges, labels={"author": labels["author"].roll(1, 0)})["author"], before)


def test_a_label_that_reaches_nobody_else_leaves_nothing() -> None:
    """Three papers of one author: what comes back of its label is 1 up to rounding, and its rest is 0."""
    edges = {WRITES: torch.stack([torch.zeros(3, dtype=torch.long), torch.arange(3)])}
    conv = SeHGNNConv({"author": 2}, 8, {APA: PATHS[APA]}, label_sizes={"author": 3})
    x, none = {"author": torch.randn(1, 2)}, {"author": torch.zeros(1, 3)}
    own = {"author": torch.tensor([[0.0, 1.0, 0.0]])}
    assert torch.equal(conv(x, edges, labels=own)["author"], conv(x, edges, labels=none)["author"])


SPEC = """
schema library {
  node author { x: float[4], y: class[3], train_mask: mask, test_mask: mask }
  node paper  { x: float[4] }
  edge author -[writes]-> paper reverse written_by
  metapath APA = author -[writes]-> paper <-[writes]- author
}
model m on library {
  edges { APA, written_by: SeHGNNConv(16, labels = y) } | prelu
  predict author.y
}
model without on library {
  edges { APA, written_by: SeHGNNConv(16) } | prelu
  predict author.y
}
train m { epochs: 30, optimizer: Adam(lr = 0.01) }
"""


def library(nodes: int = 90) -> HeteroData:
    """Authors of three communities, whose features say nothing."""
    g = torch.Generator().manual_seed(0)
    data = HeteroData()
    y = torch.arange(nodes) % 3
    author = torch.arange(nodes).repeat_interleave(4)
    paper = torch.randint(nodes // 6, (len(author),), generator=g) * 3 + y[author]
    data["author"].x, data["paper"].x = torch.randn(nodes, 4, generator=g), torch.randn(nodes // 2, 4, generator=g)
    data["author", "writes", "paper"].edge_index = torch.stack([author, paper])
    draw = torch.rand(nodes, generator=g)
    data["author"].y, data["author"].train_mask, data["author"].test_mask = y, draw < 0.5, draw >= 0.5
    return data


def test_labels_of_other_splits_change_nothing() -> None:
    data, other = library(), library()
    hidden = ~other["author"].train_mask
    other["author"].y[hidden] = (other["author"].y[hidden] + 1) % 3
    model = graphdsl.loads(SPEC).compile("m", data=data).eval()
    made = model(**batch_inputs(data, model.plan))
    assert torch.equal(made, model(**batch_inputs(other, model.plan)))
    shown = ~hidden
    other["author"].y[shown] = (other["author"].y[shown] + 1) % 3
    assert not torch.equal(made, model(**batch_inputs(other, model.plan)))


def test_the_gradient_of_the_loss_does_not_read_the_label_that_it_is_about() -> None:
    """Each prediction is the same whatever the label of its node is: nothing can be learned by looking it up."""
    data = library(30)
    model = graphdsl.loads(SPEC).compile("m", data=data).eval()
    made = model(**batch_inputs(data, model.plan))
    for node in data["author"].train_mask.nonzero().flatten().tolist():
        other = library(30)
        other["author"].y[node] = (other["author"].y[node] + 1) % 3
        torch.testing.assert_close(model(**batch_inputs(other, model.plan))[node], made[node])


def test_labels_help_where_features_do_not(tmp_path: Path) -> None:
    data, spec = library(), graphdsl.loads(SPEC, "library.gnn")
    schema, training = spec.schema("m"), spec.training("m")
    torch.manual_seed(0)
    model = spec.compile("m", data=data)
    origin = Origin(spec.text, spec.name, "m", model.plan.parameters, schema, inspect(data, schema))
    fit(model, model.plan, data, training, origin, tmp_path)
    supervision = read_supervision(data, model.plan.heads, False, schema, training)
    source = BatchSource(data, model.plan, training, schema)
    assert evaluate(model, model.plan, source, supervision)["test"]["test_accuracy"] > 0.8


def test_a_call_without_labels_is_a_finding() -> None:
    data = library()
    model = graphdsl.loads(SPEC).compile("m", data=data)
    inputs = batch_inputs(data, model.plan)
    assert {"y_dict", "train_mask_dict"} <= set(inputs)
    with pytest.raises(SpecError, match="`y_dict` holds nothing for `author`, whose labels are read"):
        model(inputs["x_dict"], inputs["edge_index_dict"])
    short = {**inputs, "y_dict": {"author": inputs["y_dict"]["author"][:5]}}
    with pytest.raises(SpecError, match="`y` of `author` has 5 rows"):
        model(**short)


def test_without_labels_the_state_dict_is_what_it_was() -> None:
    data = library()
    keys = graphdsl.loads(SPEC).compile("without", data=data).state_dict()
    assert not any("label_embed" in key for key in keys)
    assert "label_sizes" not in graphdsl.loads(SPEC).plan("without", data=data).stages[0].joints[0].module.arguments


def test_a_model_with_labels_is_one_graph() -> None:
    data = library()
    model = graphdsl.loads(SPEC).compile("m", data=data).eval()
    inputs = batch_inputs(data, model.plan)
    with torch.no_grad():
        traced = torch.compile(model, backend="eager", fullgraph=True)(**inputs)
        torch.testing.assert_close(traced, model(**inputs))
