"""Edges: the shape and dtype of `edge_index`, and ids that are nodes on both ends."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphdsl.data.phrases import SHOWN, mend, number, python, shape_of
from graphdsl.data.view import GraphView, UnreadableTensorError, show_place
from graphdsl.model import EdgeType, Schema
from graphdsl.text import Diagnostic, EdgeKey, report, show_name

_DTYPES = (torch.int64, torch.int32)


def check_connectivity(schema: Schema, view: GraphView) -> Iterator[Diagnostic]:
    """Check the `edge_index` of every declared relation that the data has."""
    for edge in schema.edges.values():
        if edge.key not in view.edge_types:
            continue
        try:
            index = view.connectivity(edge.key)
        except UnreadableTensorError as error:
            yield report("GNN611", str(error), edge.span, "declared here", where=show_place(edge.key))
            continue
        form = _check_form(edge, index, view)
        if form is not None:
            yield form
        else:
            yield from _check_range(edge, index, view)


def read_sound(view: GraphView, edge: EdgeKey) -> Tensor | None:
    """The `edge_index` of a relation if shape, dtype and range are right, else None."""
    try:
        index = view.connectivity(edge)
    except UnreadableTensorError:
        return None
    if not isinstance(index, Tensor) or _find_form(index) or index.dtype not in _DTYPES:
        return None
    sizes = view.count(edge[0]), view.count(edge[2])
    if sizes[0] is None or sizes[1] is None:
        return None
    return index if _fits(_ends(index), (sizes[0], sizes[1])) else None


def _say(code: str, edge: EdgeType, message: str, *helps: str) -> Diagnostic:
    return report(code, message, edge.span, "declared here", where=show_place(edge.key), helps=helps)


def _check_form(edge: EdgeType, index: Any, view: GraphView) -> Diagnostic | None:
    """Everything that keeps ids from being compared: no tensor, a wrong shape, no integers."""
    place, target = show_place(edge.key), python(edge.key, "edge_index")
    if index is None:
        convert = f"torch_geometric.utils.to_edge_index({python(edge.key, 'adj_t')})[0].flip(0)"
        help_line = f"add it; from an `adj_t`: `{target} = {convert}`"
        return _say("GNN603", edge, f"`{place}` has no `edge_index`", help_line)
    if not isinstance(index, Tensor):
        convert = "torch.from_numpy({})" if isinstance(index, np.ndarray) else "torch.tensor({})"
        message = f"the `edge_index` of `{place}` is a `{type(index).__name__}`, not a tensor"
        return _say("GNN605", edge, message, mend(edge.key, "edge_index", convert))
    if _find_form(index):
        message = f"the `edge_index` of `{place}` has shape {shape_of(index)}, expected [2, E]"
        is_turned = index.dim() == 2 and index.size(1) == 2
        return _say("GNN607", edge, message, *([mend(edge.key, "edge_index", "{}.t().contiguous()")] * is_turned))
    if index.dtype not in _DTYPES:
        found = str(index.dtype).removeprefix("torch.")
        message = f"the `edge_index` of `{place}` is {found}, expected int64"
        return _say("GNN605", edge, message, mend(edge.key, "edge_index", "{}.long()"))
    return None


def _find_form(index: Tensor) -> bool:
    return index.layout != torch.strided or index.dim() != 2 or index.size(0) != 2


def _ends(index: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Smallest and largest id of sources and of targets; (0, -1) where there are no edges."""
    if not index.size(1):
        return (0, -1), (0, -1)
    source, target = (tuple(int(end) for end in row.aminmax()) for row in index)
    return (source[0], source[1]), (target[0], target[1])


def _fits(ends: tuple[tuple[int, int], tuple[int, int]], sizes: tuple[int, int]) -> bool:
    return all(low >= 0 and high < size for (low, high), size in zip(ends, sizes, strict=True))


def _check_range(edge: EdgeType, index: Tensor, view: GraphView) -> Iterator[Diagnostic]:
    ends = _ends(index)
    sizes = view.count(edge.source), view.count(edge.target)
    known = (ends[0][1] + 1 if sizes[0] is None else sizes[0], ends[1][1] + 1 if sizes[1] is None else sizes[1])
    if _fits(ends, known):
        return
    if None not in sizes and _fits(ends, (known[1], known[0])):
        yield _swapped(edge, ends, known)
        return
    if index.size(1) == 2 and _fits(_ends(index.t()), known):
        message = f"the `edge_index` of `{show_place(edge.key)}` fits only when it is transposed: are its rows edges?"
        yield _say("GNN607", edge, message, mend(edge.key, "edge_index", "{}.t().contiguous()"))
        return
    for row, end in enumerate(("source", "target")):
        yield from _check_end(edge, index[row], end, ends[row], known[row])


def _swapped(edge: EdgeType, ends: tuple[tuple[int, int], tuple[int, int]], sizes: tuple[int, int]) -> Diagnostic:
    message = (
        f"the ends of `{show_place(edge.key)}` look swapped: source ids reach {ends[0][1]:,} with "
        f"{number(sizes[0], 'node')} of `{edge.source}`, target ids {ends[1][1]:,} with {number(sizes[1], 'node')} of "
        f"`{edge.target}`"
    )
    return _say("GNN606", edge, message, mend(edge.key, "edge_index", "{}.flip(0)"))


def _check_end(edge: EdgeType, ids: Tensor, end: str, found: tuple[int, int], size: int) -> Iterator[Diagnostic]:
    low, high = found
    if low >= 0 and high < size:
        return
    node_type = edge.source if end == "source" else edge.target
    bad = (ids < 0) | (ids >= size)
    where = bad.nonzero().view(-1)[:SHOWN]
    shown = ", ".join(f"edge {at} ({value})" for at, value in zip(where.tolist(), ids[where].tolist(), strict=True))
    count = int(bad.sum())
    accepted = f"0 … {size - 1:,}" if size else "no id"
    message = (
        f"{number(count, 'edge')} of `{show_place(edge.key)}` {'has' if count == 1 else 'have'} a {end} that is no "
        f"`{node_type}`: {shown}{', …' if count > SHOWN else ''}; accepted: {accepted}"
    )
    yield _say("GNN606", edge, message, _mend_ids(edge, node_type, end, found, size))


def _mend_ids(edge: EdgeType, node_type: str, end: str, found: tuple[int, int], size: int) -> str:
    low, high = found
    row = f"{python(edge.key, 'edge_index')}[{0 if end == 'source' else 1}]"
    if low >= 1 and high - low < size:
        if low == 1:
            return f"ids start at 0: `{row} -= 1`"
        return f"ids count within their type: if those of `{show_name(node_type)}` start at {low}, `{row} -= {low}`"
    if low < 0:
        index = python(edge.key, "edge_index")
        return f"drop edges without a {end}: `{index} = {index}[:, {row} >= 0]`"
    return f"if all `{node_type}` nodes are meant to be there, `{python(node_type, 'num_nodes')} = {high + 1}` or more"
