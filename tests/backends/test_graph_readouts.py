"""Readouts of whole graphs: the same numbers as by hand, zeros where a graph has no node of a type."""

import pytest
import torch
from torch_geometric.nn import aggr

import graphdsl
from graphdsl.text import SpecError

SCHEMA = """
schema library {
  node author { x: float[3] }
  optional node paper { x: float[3] }
  graph { y: class[2] }
}
"""
BATCH = {"author": torch.tensor([0, 0, 1, 3, 3]), "paper": torch.tensor([0, 1, 1])}
KINDS = {
    "mean": aggr.MeanAggregation(),
    "sum": aggr.SumAggregation(),
    "add": aggr.SumAggregation(),
    "max": aggr.MaxAggregation(),
    "min": aggr.MinAggregation(),
}
READOUTS = [
    *KINDS,
    "Set2Set(processing_steps = 2)",
    "SoftmaxAggregation(learn = true)",
    "PowerMeanAggregation(learn = true)",
    "StdAggregation",
    "MedianAggregation",
    "MulAggregation",
    'MultiAggregation(["mean", "std"])',
    "AttentionalAggregation(gate_nn = MLP(4, 1, norm = none))",
    "SetTransformerAggregation(num_seed_points = 2)",
    "GRUAggregation(4)",
    "SortAggregation(2)",
]


def compiled(statement: str):
    torch.manual_seed(0)
    return graphdsl.loads(SCHEMA + f"model m on library {{ nodes {{ *: Linear(3) }} {statement} }}").compile("m").eval()


def features() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {"author": torch.randn(5, 3).abs(), "paper": torch.randn(3, 3).abs()}


@pytest.mark.parametrize("kind", list(KINDS))
def test_types_stand_side_by_side_in_the_order_of_their_names(kind: str) -> None:
    model = compiled(f"predict graph.y from paper, author: readout({kind})")
    x = features()
    h = model.encode(x, {})
    rows = [KINDS[kind](h[name], BATCH[name], dim_size=4) for name in ("author", "paper")]
    rows[0][2], rows[1][2:] = 0, 0
    expected = model.heads["graph__y"].head(torch.cat(rows, 1))
    torch.testing.assert_close(model(x, {}, batch_dict=BATCH), expected)


@pytest.mark.parametrize("readout", READOUTS)
def test_graphs_without_nodes_give_zeros_and_no_nan(readout: str) -> None:
    model = compiled(f"predict graph.y from author, paper: readout({readout})")
    x = {name: value.requires_grad_() for name, value in features().items()}
    out = model(x, {}, batch_dict=BATCH, num_graphs=6)
    assert out.shape == (6, 2)
    nothing = model.heads["graph__y"].head.bias.expand(3, -1)
    torch.testing.assert_close(out[[2, 4, 5]], nothing)
    out.square().sum().backward()
    grads = [parameter.grad for parameter in model.parameters()] + [x["author"].grad]
    assert all(grad is None or bool(grad.isfinite().all()) for grad in grads)


def test_an_absent_type_is_zeros() -> None:
    model = compiled("predict graph.y from *: readout(max)")
    x = features()
    without = model({"author": x["author"]}, {}, batch_dict={"author": BATCH["author"]})
    emptied = model({**x, "paper": x["paper"][:0]}, {}, batch_dict={**BATCH, "paper": BATCH["paper"][:0]})
    torch.testing.assert_close(without, emptied)


def test_without_batch_all_nodes_are_one_graph() -> None:
    model = compiled("predict graph.y from author")
    x = features()
    one = {name: torch.zeros(len(value), dtype=torch.long) for name, value in x.items()}
    torch.testing.assert_close(model(x, {}), model(x, {}, batch_dict=one))
    assert model(x, {}).shape == (1, 2)


def test_batches_that_do_not_fit() -> None:
    model = compiled("predict graph.y from author, paper")
    with pytest.raises(SpecError) as missing:
        model(features(), {}, batch_dict={"author": BATCH["author"]})
    assert missing.value.diagnostics[0].message == "`batch_dict` says nothing about `paper`"
    with pytest.raises(SpecError) as short:
        model(features(), {}, batch_dict={**BATCH, "paper": torch.tensor([0])})
    assert short.value.diagnostics[0].message == "`batch_dict['paper']` is [1], not [3]"
