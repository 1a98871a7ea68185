"""Declared inverses: where the data has both relations of a pair, they hold the same edges."""

from collections.abc import Iterator

import torch
from torch import Tensor

from graphdsl.data.phrases import SHOWN, number, python
from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.kernels.sweeping import pair_digest
from graphdsl.model import EdgeType, Schema
from graphdsl.text import Diagnostic, report


def check_inverses(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Compare each relation with its declared inverse, as multisets of pairs, order aside.

    An inverse that the data lacks is made from its original, and ids that are no nodes are reported elsewhere.
    """
    for edge in schema.edges.values():
        if edge.inverse is None or edge.derived or not {edge.key, edge.inverse} <= set(view.edge_types):
            continue
        original, inverse = view.edges(edge.key), view.edges(edge.inverse)
        if original is not None and inverse is not None:
            yield from _compare(edge, original, inverse.flip(0), schema)


def _compare(edge: EdgeType, original: Tensor, inverse: Tensor, schema: Schema) -> Iterator[Diagnostic]:
    """Both tensors hold (source, target) of the original relation, shape [2, E]."""
    if torch.equal(original, inverse):  # The usual case needs no sorting.
        return
    if original.size(1) == inverse.size(1) and pair_digest(original) == pair_digest(inverse):
        return
    width = 1 + max((int(index[1].max()) for index in (original, inverse) if index.size(1)), default=0)
    mine, theirs = _number_pairs(original, width), _number_pairs(inverse, width)
    pairs, where = torch.unique(torch.cat([mine, theirs]), return_inverse=True)
    split = mine.numel()
    surplus = torch.bincount(where[:split], minlength=len(pairs)) - torch.bincount(where[split:], minlength=len(pairs))
    assert edge.inverse is not None
    target = python(edge.inverse, "edge_index")
    inverse_span = schema.edges[edge.inverse].span
    yield report(
        "GNN609",
        f"the declared inverses `{show_place(edge.key)}` and `{show_place(edge.inverse)}` do not hold the same edges",
        edge.span,
        "declared here",
        also=[(inverse_span, "and its inverse here")],
        where=show_place(edge.inverse),
        helps=(
            f"`del {python(edge.inverse)}`: it is made from the other; or `{target} = "
            f"{python(edge.key, 'edge_index')}.flip(0)`",
        ),
        notes=(
            *_list_pairs(surplus, pairs, width, 1, show_place(edge.key)),
            *_list_pairs(-surplus, pairs, width, -1, show_place(edge.inverse)),
        ),
    )


def _number_pairs(index: Tensor, width: int) -> Tensor:
    """One number a pair; ids are nodes of types that fit into memory, so it fits into 63 bits."""
    return index[0].long() * width + index[1].long()


def _list_pairs(surplus: Tensor, pairs: Tensor, width: int, step: int, where: str) -> tuple[str, ...]:
    """A note on the pairs that only one side has, shown in that side's direction."""
    count = int(surplus.clamp(min=0).sum())
    if not count:
        return ()
    first = pairs[surplus > 0][:SHOWN]
    ends = torch.stack([first // width, first % width], dim=1).tolist()
    shown = ", ".join(f"{pair[::step][0]} → {pair[::step][1]}" for pair in ends)
    return (f"{number(count, 'edge')} only in `{where}`: {shown}{', …' if count > SHOWN else ''}",)
