"""The primitives in plain torch: a row for each edge is gathered, and rows are added up by index.

Obviously right, for any device and dtype, and torch derives the gradients, of any order: what other implementations are
compared with. Arguments and results are those of the public functions, `gathering.gather_sum` and so on.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from graphdsl.kernels.layouts import Layout

_LEAST = 1e-16
"""What PyG adds to each sum of a softmax."""


def gather_sum(layout: Layout, x: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted sums of the rows that edges lead from."""
    sent = x.index_select(0, layout.column)
    if weight is not None:
        sent = sent * weight.to(x.dtype).unsqueeze(1)
    return x.new_zeros(layout.rows, x.size(1)).index_add(0, layout.row, sent)


def gather_extreme(layout: Layout, x: Tensor, weight: Tensor | None, largest: bool) -> Tensor:
    """Largest or smallest of the weighted rows that edges lead from, as PyG's `scatter` finds them."""
    sent = x.index_select(0, layout.column)
    if weight is not None:
        sent = sent * weight.to(x.dtype).unsqueeze(1)
    row = layout.row.long().unsqueeze(1).expand_as(sent)
    nothing = x.new_zeros(layout.rows, x.size(1))
    return nothing.scatter_reduce(0, row, sent, "amax" if largest else "amin", include_self=False)


def edge_dot(layout: Layout, left: Tensor, right: Tensor) -> Tensor:
    """Scalar products of the rows at the two ends of each edge."""
    return (left.index_select(0, layout.row) * right.index_select(0, layout.column)).sum(1)


def segment_softmax(layout: Layout, score: Tensor) -> Tensor:
    """Shares of the edges of each row."""
    row = layout.row.long()
    nothing = score.new_full((layout.rows,), -torch.inf)
    largest = nothing.scatter_reduce(0, row, score.detach(), "amax")
    made = (score - largest.index_select(0, row)).exp()
    total = score.new_zeros(layout.rows).index_add(0, row, made) + _LEAST
    return made / total.index_select(0, row)


def edge_scores(layout: Layout, of_row: Tensor, of_column: Tensor) -> Tensor:
    """A number of the destination plus a number of the source, for each edge."""
    return of_row.index_select(0, layout.row) + of_column.index_select(0, layout.column)


def grouped_linear(x: Tensor, weight: Tensor, bounds: Sequence[int]) -> Tensor:
    """Each slice of rows times the transpose of its matrix."""
    made = [x[low:high] @ weight[group].t() for group, (low, high) in enumerate(pairwise(bounds))]
    return torch.cat(made) if made else x.new_zeros(0, weight.size(1))
