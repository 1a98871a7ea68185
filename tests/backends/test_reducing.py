"""PyG's aggregations along a layout: values and gradients are those of PyG."""

from typing import Any

import pytest
import torch
from torch_geometric.nn import aggr

from graphdsl.backends.fused.reducing import reduce_rows
from graphdsl.kernels.layouts import Layout

DEGREES = torch.tensor([2, 1, 3, 0, 1])
SCALERS = ["identity", "amplification", "attenuation", "linear", "inverse_linear"]
AGGREGATIONS: list[Any] = [
    aggr.SumAggregation(),
    aggr.MeanAggregation(),
    aggr.MaxAggregation(),
    aggr.MinAggregation(),
    aggr.MulAggregation(),
    aggr.VarAggregation(semi_grad=True),
    aggr.StdAggregation(),
    aggr.SoftmaxAggregation(),
    aggr.SoftmaxAggregation(t=200.0),  # Exponents that do not fit beside each other.
    aggr.SoftmaxAggregation(t=2.0, learn=True, channels=4),
    aggr.SoftmaxAggregation(t=2.0, semi_grad=True),
    aggr.PowerMeanAggregation(),
    aggr.PowerMeanAggregation(p=2.0),
    aggr.PowerMeanAggregation(learn=True, channels=4),
    aggr.VariancePreservingAggregation(),
    aggr.MedianAggregation(),  # without a kernel
    aggr.MultiAggregation(["mean", "std", "max", "softmax"]),
    aggr.MultiAggregation(["min", "sum", "var"], mode="mean"),
    aggr.DegreeScalerAggregation(["mean", "max"], SCALERS, DEGREES, train_norm=True),
    aggr.DegreeScalerAggregation("std", "linear", DEGREES),
]


@pytest.mark.parametrize("aggregation", AGGREGATIONS, ids=lambda item: type(item).__name__)
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_pyg(aggregation: Any, weighted: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    row = torch.randint(0, 6, (30,), generator=draw)
    column = torch.randint(0, 5, (30,), generator=draw)
    row[0], layout_rows = 6, 9
    layout = Layout.of(row, column, layout_rows, 5)
    inner = aggregation.double()
    x = torch.randn(5, 4, dtype=torch.float64, generator=draw).requires_grad_()
    weight = torch.rand(30, dtype=torch.float64, generator=draw).requires_grad_()
    inputs = [x, *([weight] if weighted else []), *inner.parameters()]
    messages = x[column] * (weight.unsqueeze(1) if weighted else 1)
    wanted = inner(messages, row, dim_size=layout_rows)
    found = reduce_rows(inner, layout, x, weight[layout.order] if weighted else None)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)
    for one, other in zip(*(torch.autograd.grad(made.square().sum(), inputs) for made in (found, wanted)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)
