"""PyG's aggregations of neighbours, computed along a layout: sums and extremes of rows, and what follows from them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch_geometric.nn import aggr

from graphdsl.kernels.extremes import gather_max, gather_min
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.layouts import Layout

_LEAST: Final = 1e-5
"""Below this variance PyG's `StdAggregation` is zero."""


def reduce_rows(aggregation: nn.Module, layout: Layout, x: Tensor, weight: Tensor | None = None) -> Tensor:
    """What an aggregation of PyG makes of the rows that edges lead from [rows, width of the aggregation].

    Args:
        aggregation: the module.
        layout: the edges.
        x: [columns, width].
        weight: of each edge, in the order of the layout [edges]; the aggregation reads rows times weights.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> reduce_rows(aggr.MultiAggregation(["max", "mean"]), layout, torch.tensor([[1.0], [2.0]]))
    tensor([[0.0000, 0.0000],
            [2.0000, 1.5000]])
    """
    return _reduce(aggregation, _Rows(layout, x, weight))


@dataclass
class _Rows:
    """What several aggregations of the same rows share."""

    layout: Layout
    x: Tensor
    weight: Tensor | None

    @cached_property
    def count(self) -> Tensor:
        """Edges of each row, at least 1 [rows, 1]."""
        return self.layout.degree.clamp(min=1).to(self.x.dtype).unsqueeze(1)

    @cached_property
    def sum(self) -> Tensor:
        return gather_sum(self.layout, self.x, self.weight)

    @cached_property
    def mean(self) -> Tensor:
        return self.sum / self.count

    def variance(self, partly: bool) -> Tensor:
        """Variance; `partly` without a gradient of the squares."""
        x, weight = (self.x, self.weight) if not partly else (self.x.detach(), _detached(self.weight))
        squares = gather_sum(self.layout, x * x, None if weight is None else weight * weight)
        return squares / self.count - self.mean * self.mean


def _reduce(aggregation: Any, rows: _Rows) -> Tensor:
    if type(aggregation) in _WAYS:
        return _WAYS[type(aggregation)](aggregation, rows)
    return _edge_by_edge(aggregation, rows)


def _edge_by_edge(aggregation: Any, rows: _Rows) -> Tensor:
    """The aggregation itself, of a row for each edge."""
    layout = rows.layout
    given = rows.x.index_select(0, layout.column)
    given = given if rows.weight is None else given * rows.weight.unsqueeze(1)
    return aggregation(given, layout.row.long(), dim_size=layout.rows)


def _detached(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.detach()


def _std(aggregation: Any, rows: _Rows) -> Tensor:
    made = rows.variance(aggregation.var_aggr.semi_grad).clamp(min=_LEAST).sqrt()
    return made.masked_fill(made <= math.sqrt(_LEAST), 0.0)


def _softmax(aggregation: Any, rows: _Rows) -> Tensor:
    """A ratio of two sums of exponentials, which are numbers of the sources; they share one largest exponent a column."""
    x, t, layout = rows.x, aggregation.t, rows.layout
    if layout.edges == 0 or rows.weight is not None:
        return _edge_by_edge(aggregation, rows)
    scaled = x * (t.view(-1, aggregation.channels) if aggregation.channels != 1 else t)
    scaled = scaled.detach() if aggregation.semi_grad and not aggregation.learn else scaled
    low, high = torch.aminmax(scaled.detach(), dim=0)
    # Exponents so far apart that some would vanish are taken from the largest of their own row.
    if (high - low).amax() > -math.log(torch.finfo(x.dtype).tiny) / 2:
        return _edge_by_edge(aggregation, rows)
    power = (scaled - high).exp()
    above, below = gather_sum(layout, torch.cat([power * x, power], 1)).split(x.size(1), 1)
    return above / below.masked_fill((layout.degree == 0).unsqueeze(1), 1)


def _power_mean(aggregation: Any, rows: _Rows) -> Tensor:
    p: Tensor | float = aggregation.p
    if not isinstance(p, Tensor) and p == 1:
        return rows.mean
    if rows.weight is not None:
        return _edge_by_edge(aggregation, rows)
    p = p.view(-1, aggregation.channels) if isinstance(p, Tensor) else p
    low, high = aggregation.min_value, aggregation.max_value
    mean = gather_sum(rows.layout, rows.x.clamp(min=low, max=high).pow(p)) / rows.count
    return mean.clamp(min=low, max=high).pow(1.0 / p)


def _several(aggregation: Any, rows: _Rows) -> Tensor:
    return aggregation.combine([_reduce(item, rows) for item in aggregation.aggrs])


def _scaled(aggregation: Any, rows: _Rows) -> Tensor:
    made = _reduce(aggregation.aggr, rows)
    degree = rows.layout.degree.to(made.dtype).unsqueeze(1)
    by_name: dict[str, Callable[[], Tensor | float]] = {
        "identity": lambda: 1.0,
        "amplification": lambda: torch.log(degree + 1) / aggregation.avg_deg_log,
        "attenuation": lambda: aggregation.avg_deg_log / torch.log(degree.clamp(min=1) + 1),
        "linear": lambda: degree / aggregation.avg_deg_lin,
        "inverse_linear": lambda: aggregation.avg_deg_lin / degree.clamp(min=1),
    }
    return torch.cat([made * by_name[name]() for name in aggregation.scaler], 1)


_WAYS: Final[Mapping[type, Callable[[Any, _Rows], Tensor]]] = {
    aggr.SumAggregation: lambda _, rows: rows.sum,
    aggr.MeanAggregation: lambda _, rows: rows.mean,
    aggr.MaxAggregation: lambda _, rows: gather_max(rows.layout, rows.x, rows.weight),
    aggr.MinAggregation: lambda _, rows: gather_min(rows.layout, rows.x, rows.weight),
    aggr.VarAggregation: lambda aggregation, rows: rows.variance(aggregation.semi_grad),
    aggr.StdAggregation: _std,
    aggr.SoftmaxAggregation: _softmax,
    aggr.PowerMeanAggregation: _power_mean,
    aggr.VariancePreservingAggregation: lambda _, rows: rows.sum / rows.count.sqrt(),
    aggr.MultiAggregation: _several,
    aggr.DegreeScalerAggregation: _scaled,
}
