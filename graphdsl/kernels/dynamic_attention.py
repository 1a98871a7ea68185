"""Attention of GATv2 over the edges of a layout: its score reads source and destination together, column by column.

On a CPU edges are worked on in pieces of whole rows. What has the size of edges times width exists for one piece only: it is
made again in the backward pass, and dropout is drawn again from the same seed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.kernels.constants import constant
from graphdsl.kernels.dropping import Dropping
from graphdsl.kernels.gathering import gather_sum
from graphdsl.kernels.implementations import at_once, implementation_of
from graphdsl.kernels.layouts import Layout
from graphdsl.kernels.normalizing import segment_softmax

_PIECE = 1 << 19
"""Numbers of a table of gathered rows that are worked on at once: they stay in the cache of a core."""
_LEAST = 1e-16
"""What PyG adds to each sum."""


Added = tuple[Tensor, Tensor]
"""Rows, and which of them belongs to each edge."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How edges are scored.

    Attributes:
        heads: of the attention.
        slope: of the negative part of the leaky ReLU.
        dropout: share of the weights that are set to zero, the others being raised.
        bounds: where the rows of each relation begin [relations + 1].
    """

    heads: int
    slope: float
    dropout: float
    bounds: tuple[int, ...]


def dynamic_attention(
    layout: Layout, x: Tensor, query: Tensor, vector: Tensor, scoring: Scoring, added: Added | None = None
) -> Tensor:
    """Rows of `x`, weighed by the softmax of `vector · leaky_relu(query + x)` over the edges of each destination.

    Source: Brody, Alon and Yahav, How Attentive are Graph Attention Networks?, ICLR 2022; PyG's `GATv2Conv`.

    Args:
        layout: the edges; rows are those of one relation behind another.
        x: [columns, heads * width].
        query: [rows, heads * width].
        vector: of each relation [relations, heads * width].
        scoring: how edges are scored.
        added: to the sum of query and x: rows [any, heads * width], and the row of each edge of the layout, no two the same.

    Returns:
        [rows, heads * width]; rows without an edge are zero.

    >>> layout = Layout.of(torch.tensor([1, 1]), torch.tensor([0, 1]), 2, 2)
    >>> x, scoring = torch.tensor([[1.0], [3.0]]), Scoring(1, 0.2, 0.0, (0, 2))
    >>> dynamic_attention(layout, x, torch.zeros(2, 1), torch.zeros(1, 1), scoring)
    tensor([[0.],
            [2.]])
    """
    if implementation_of(x) == "torch":
        return _by_edges(layout, x, query, vector, scoring, added)
    kind = x.dtype
    if kind in (torch.float16, torch.bfloat16):
        x = x.float()
    rows, place = (None, None) if added is None else (added[0].to(x.dtype), added[1])
    made = _Dynamic.apply(x, query.to(x.dtype), vector.to(x.dtype), rows, place, scoring, layout)
    assert isinstance(made, Tensor)
    return made.to(kind)


def _by_edges(
    layout: Layout, x: Tensor, query: Tensor, vector: Tensor, scoring: Scoring, added: Added | None
) -> Tensor:
    """The same with a row for each edge, for which torch derives the gradients."""
    heads, sizes = scoring.heads, constant(scoring.bounds, x.device).diff()
    relation = torch.arange(sizes.numel(), device=x.device).repeat_interleave(sizes, output_size=layout.rows)
    met = query.index_select(0, layout.row) + x.index_select(0, layout.column)
    if added is not None:
        met = met + added[0].index_select(0, added[1])
    own = vector.index_select(0, relation).index_select(0, layout.row)
    score = _by_head(functional.leaky_relu(met, scoring.slope) * own, heads).sum(2)
    given = torch.empty_like(score).index_copy(0, layout.order.long(), score)
    spread = layout.heads(heads)
    share = segment_softmax(spread, given.flatten().index_select(0, spread.order))
    kept = functional.dropout(share, scoring.dropout, scoring.dropout > 0)
    rows = x.reshape(x.size(0) * heads, x.size(1) // heads)
    return gather_sum(spread, rows, kept).view(layout.rows, x.size(1))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whole rows of a layout and their edges.

    Attributes:
        rows: from and to which.
        edges: their edges.
        column: source of each edge.
        row: destination of each edge, counted from the first of `rows`.
        offsets: where each row's edges begin.
        relations: from and to which relation the rows belong.
        ends: where the edges of each of these relations begin.
    """

    rows: slice
    edges: slice
    column: Tensor
    row: Tensor
    offsets: Tensor
    relations: slice
    ends: Tensor | None

    def sums(self, of_edge: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Sums [rows, width] of rows of edges [edges, width]."""
        each = torch.arange(of_edge.size(0), device=of_edge.device, dtype=self.offsets.dtype)
        offsets = self.offsets if offsets is None else offsets
        return functional.embedding_bag(each, of_edge, offsets, mode="sum", include_last_offset=True)

    def each(self, vector: Tensor) -> Tensor:
        """Vector of the relation of each edge [edges or 1, width]."""
        own = vector[self.relations]
        return own if self.ends is None else own.repeat_interleave(self.ends.diff(), 0, output_size=self.column.numel())

    def by_relation(self, of_edge: Tensor) -> Tensor:
        """Sums [relations, width] of rows of edges."""
        return of_edge.sum(0, keepdim=True) if self.ends is None else self.sums(of_edge, self.ends)


def _pieces(layout: Layout, width: int, bounds: Sequence[int]) -> Iterator[_Piece]:
    for low, high, first, last in layout.pieces(max(1, at_once(_PIECE, layout.column) // max(width, 1))):
        if last == first:
            continue
        start, stop = bisect_right(bounds, low) - 1, bisect_right(bounds, high - 1)
        ends = None
        offsets = layout.pointer[low : high + 1] - first
        if stop - start > 1:
            inner = tuple(min(max(bounds[r], low), high) - low for r in range(start, stop + 1))
            ends = offsets[constant(inner, offsets.device)]
        row = layout.row[first:last] - low
        relations = slice(start, stop)
        yield _Piece(slice(low, high), slice(first, last), layout.column[first:last], row, offsets, relations, ends)


class _Dynamic(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        query: Tensor,
        vector: Tensor,
        added: Tensor | None,
        place: Tensor | None,
        scoring: Scoring,
        layout: Layout,
    ) -> Tensor:
        x, query, vector = x.detach().contiguous(), query.detach(), vector.detach()
        heads = scoring.heads
        drops = Dropping.drawn(scoring.dropout)
        draw = drops.generator(x.device)
        made = x.new_zeros(layout.rows, x.size(1))
        level = x.new_zeros(layout.rows, heads)
        for piece in _pieces(layout, x.size(1), scoring.bounds):
            source = x.index_select(0, piece.column)
            reached = functional.leaky_relu_(_met(piece, source, query, added, place), scoring.slope)
            score = _by_head(reached.mul_(piece.each(vector)), heads).sum(2)
            largest = torch.segment_reduce(score, "max", offsets=piece.offsets.long(), axis=0)
            score.sub_(largest.index_select(0, piece.row)).exp_()
            total = piece.sums(score) + _LEAST
            _by_head(source, heads).mul_(drops.dropped(score, draw).unsqueeze(2))
            made[piece.rows] = _by_head(piece.sums(source), heads).div_(total.unsqueeze(2)).flatten(1)
            level[piece.rows] = total.log_().add_(largest)
        ctx.save_for_backward(x, query, vector, added, place, level, made)
        ctx.layout, ctx.scoring, ctx.drops = layout, scoring, drops
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, query, vector, added, place, level, made = ctx.saved_tensors
        layout: Layout = ctx.layout
        scoring: Scoring = ctx.scoring
        heads, drops = scoring.heads, ctx.drops
        draw = drops.generator(x.device)
        arrived = gradients[0].contiguous()
        inner = _by_head(arrived * made, heads).sum(2)
        of_x, of_query, of_vector = torch.zeros_like(x), torch.zeros_like(query), torch.zeros_like(vector)
        of_added = None if added is None or not ctx.needs_input_grad[3] else torch.zeros_like(added)
        for piece in _pieces(layout, x.size(1), scoring.bounds):
            source = x.index_select(0, piece.column)
            met = _met(piece, source, query, added, place)
            reached = functional.leaky_relu(met, scoring.slope)
            of_relation = piece.each(vector)
            share = _by_head(reached * of_relation, heads).sum(2)
            share.sub_(level[piece.rows].index_select(0, piece.row)).exp_()
            came = arrived[piece.rows].index_select(0, piece.row)
            own = _by_head(source.mul_(came), heads).sum(2)
            sent = share
            if drops.rate > 0:
                kept = drops.kept(share, draw).mul_(drops.raised)
                sent = share * kept
                own *= kept
            own.sub_(inner[piece.rows].index_select(0, piece.row)).mul_(share)
            _by_head(reached, heads).mul_(own.unsqueeze(2))
            of_vector[piece.relations] += piece.by_relation(reached)
            torch.mul(_by_head(of_relation, heads), own.unsqueeze(2), out=_by_head(source, heads))
            back = torch.ops.aten.leaky_relu_backward(source, met, scoring.slope, False)
            of_query[piece.rows] = piece.sums(back)
            if of_added is not None:
                of_added.index_copy_(0, place[piece.edges].long(), back)
            back += _by_head(came, heads).mul_(sent.unsqueeze(2)).flatten(1)
            of_x.scatter_add_(0, piece.column.long().unsqueeze(1).expand_as(back), back)
        return of_x, of_query, of_vector, of_added, None, None, None


def _met(piece: _Piece, source: Tensor, query: Tensor, added: Tensor | None, place: Tensor | None) -> Tensor:
    """What the leaky ReLU reads of each edge of a piece [edges, heads * width]."""
    made = query[piece.rows].index_select(0, piece.row).add_(source)
    return made if added is None or place is None else made.add_(added.index_select(0, place[piece.edges]))


def _by_head(rows: Tensor, heads: int) -> Tensor:
    return rows.view(rows.size(0), heads, rows.size(1) // heads)
