"""Colours of nodes: refinement by Weisfeiler and Leman, histograms, and numbers from rows and back."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_STEP: Final = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND: Final = 0x94D049BB133111EB - (1 << 64)


def _mix(x: Tensor) -> Tensor:
    """A number of 64 bits that looks drawn at random for each number (Steele et al., SplitMix, 2014)."""
    x = x + _STEP
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _FIRST
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _SECOND
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def refine_colors(x: Tensor, edge_index: Tensor) -> Tensor:
    """One round of refinement: nodes keep one colour if they had one, and colours of their neighbours, each as often.

    A colour is a hash of 64 bits of that, the same in every graph, process and run. Two different ones fall together with
    a chance of about n²/2⁶⁵ among n colours.

    Args:
        x: colours, whole numbers [num_nodes].
        edge_index: [2, num_edges]; the first row are the neighbours of the second.

    Returns:
        Colours [num_nodes], int64.

    >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> ends, middle = refine_colors(torch.zeros(3, dtype=torch.long), path).unique(return_counts=True)[1].sort()[0]
    >>> int(ends), int(middle)
    (1, 2)
    """
    neighbours = torch.zeros_like(x).index_add(0, edge_index[1], _mix(x[edge_index[0]]))
    return _mix(_mix(x) * _FIRST + neighbours)


def color_bucket(x: Tensor, num_colors: int) -> Tensor:
    """Colours [num_nodes] as numbers from 0 to `num_colors` - 1; several colours may share one."""
    return _mix(x).remainder(num_colors)


def color_histogram(
    x: Tensor, batch: Tensor | None = None, batch_size: int | None = None, *, num_colors: int, norm: bool = False
) -> Tensor:
    """How often each colour stands in each graph, in `num_colors` columns, which colours share.

    Args:
        x: colours [num_nodes].
        batch: the graph [num_nodes] of each node; None = one graph.
        batch_size: number of graphs.
        num_colors: columns.
        norm: bring each row to length 1, as `WLConv.histogram(norm=True)` in PyG does.

    Returns:
        [num_graphs, num_colors] of the default dtype.

    >>> color_histogram(torch.tensor([5, 5, 7]), num_colors=64).sort(descending=True)[0][0, :3].tolist()
    [2.0, 1.0, 0.0]
    """
    graphs = batch_size
    if batch is None:
        batch, graphs = torch.zeros_like(x), graphs or 1
    if graphs is None:
        graphs = int(batch.max()) + 1 if batch.numel() else 0
    counts = torch.bincount(batch * num_colors + color_bucket(x, num_colors), minlength=graphs * num_colors)
    rows = counts.view(graphs, num_colors).to(torch.get_default_dtype())
    return rows / rows.norm(dim=-1, keepdim=True).clamp(min=1) if norm else rows


def argmax(x: Tensor) -> Tensor:
    """Number [num_nodes] of the largest column of each row [num_nodes, width]: of one-hot rows, which they stand for."""
    return x.argmax(dim=-1)


def one_hot(x: Tensor, num_classes: int) -> Tensor:
    """Rows [num_nodes, num_classes] that are 1 in the column of their number [num_nodes], of the default dtype."""
    return functional.one_hot(x, num_classes).to(torch.get_default_dtype())
