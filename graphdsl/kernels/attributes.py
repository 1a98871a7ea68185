"""Edges that lead from rows of their own: what a table of their attributes adds to each destination."""

import torch

from graphdsl.kernels.layouts import Layout


def own_rows(layout: Layout, heads: int) -> Layout:
    """The same edges to the same rows, each from its row in a table of attributes [edges, width].

    Args:
        layout: the edges, once a head.
        heads: how many times each edge stands in it.

    >>> layout = Layout.of(torch.tensor([1, 0]), torch.tensor([0, 0]), 2, 1)
    >>> own_rows(layout, 1).column.tolist(), own_rows(layout.heads(2), 2).column.tolist()
    ([1, 0], [1, 1, 0, 0])
    """
    column = torch.div(layout.order, heads, rounding_mode="floor")
    return Layout(layout.rows, layout.edges // heads, layout.pointer, column, layout.order)
