"""Edges: the shape and dtype of `edge_index`, and ids that are nodes on both ends."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from graphdsl.data.forms import explain_form
from graphdsl.data.phrases import SHOWN, mend, number, python, shape_of
from graphdsl.data.places import UnreadableTensorError, show_place
from graphdsl.data.survey import EdgeEnds, Survey, edge_ends
from graphdsl.data.validation.finding import say_of_edges
from graphdsl.data.view import INDEX_DTYPES, form_of
from graphdsl.model import EdgeType, Schema
from graphdsl.text import Diagnostic, Facts, report, show_name

_COLUMNS = 16
"""A matrix with up to so many rows or columns is a list of edges with attributes beside them."""


def check_connectivity(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
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


def _check_form(edge: EdgeType, index: Any, view: Survey) -> Diagnostic | None:
    """Everything that keeps ids from being compared: no tensor, a wrong shape, no integers."""
    place, target = show_place(edge.key), python(edge.key, "edge_index")
    if index is None:
        return say_of_edges("GNN603", edge, f"`{place}` has no `edge_index`", _add_index(edge, view))
    form = form_of(index)
    if form != "tensor":
        words, help_line = explain_form(form, edge.key, "edge_index")
        if form in ("sparse", "scipy matrix"):
            made = "from_scipy_sparse_matrix" if form == "scipy matrix" else "to_edge_index"
            help_line = f"of an adjacency: {mend(edge.key, 'edge_index', f'torch_geometric.utils.{made}({{}})[0]')}"
        return say_of_edges("GNN605", edge, f"the `edge_index` of `{place}` is {words}", help_line)
    if index.dim() != 2 or index.size(0) != 2:
        message = f"the `edge_index` of `{place}` has shape {shape_of(index)}, expected [2, E]"
        return say_of_edges("GNN607", edge, message, _mend_shape(edge, index, view))
    if index.dtype not in INDEX_DTYPES:
        found = str(index.dtype).removeprefix("torch.")
        message = f"the `edge_index` of `{place}` is {found}, expected int64"
        if index.dtype == torch.bool:
            return say_of_edges("GNN605", edge, message, f"of a dense adjacency: `{target} = adjacency.nonzero().t()`")
        change = "{}.real.long()" if index.dtype.is_complex else "{}.long()"
        return say_of_edges("GNN605", edge, message, mend(edge.key, "edge_index", change))
    return None


def _add_index(edge: EdgeType, view: Survey) -> str:
    """How a relation without `edge_index` gets one: from the matrix that it has, if it has one."""
    target = python(edge.key, "edge_index")
    if view.has_matrix(edge.key, "adj"):
        return (
            f"`{target} = {python(edge.key, 'adj')}.nonzero().t().contiguous()`, of a dense `adj` of sources by targets"
        )
    convert = f"`{target} = torch_geometric.utils.to_edge_index({python(edge.key, 'adj_t')})[0].flip(0)`"
    return convert if view.has_matrix(edge.key, "adj_t") else f"add it; from an `adj_t`: {convert}"


def _mend_shape(edge: EdgeType, index: Tensor, view: Survey) -> str:
    """The line that makes [2, E] of another shape, as far as the shape tells what it holds."""
    key, target, shape = edge.key, python(edge.key, "edge_index"), tuple(index.shape)
    sizes = view.sizes(key)
    if len(shape) == 2 and shape == sizes:
        return f"of a dense adjacency: {mend(key, 'edge_index', '{}.nonzero().t().contiguous()')}"
    if len(shape) == 2 and shape[1] == 2:
        return mend(key, "edge_index", "{}.t().contiguous()")
    if len(shape) == 2 and 2 < shape[0] <= min(_COLUMNS, shape[1]):
        attributes = f"`{python(key, 'edge_attr')} = {target}[2:].t()`"
        return (
            f"two rows are ends: {mend(key, 'edge_index', '{}[:2]')}; further ones are attributes: first {attributes}"
        )
    if len(shape) == 2 and 2 < shape[1] <= min(_COLUMNS, shape[0]):
        ends, attributes = "{}[:, :2].t().contiguous()", f"`{python(key, 'edge_attr')} = {target}[:, 2:]`"
        return f"two columns are ends: {mend(key, 'edge_index', ends)}; further ones are attributes: first {attributes}"
    if len(shape) == 1 and shape[0] % 2 == 0:
        pairs = mend(key, "edge_index", "{}.view(-1, 2).t().contiguous()")
        return f"if pairs follow each other: {pairs}; if all sources come first: `.view(2, -1)`"
    if len(shape) > 2 and sorted(shape)[-2:] == sorted(index.squeeze().shape) and 2 in shape:
        turn = "" if index.squeeze().size(0) == 2 else ".t().contiguous()"
        return mend(key, "edge_index", "{}.squeeze()" + turn)
    return f"put the ends side by side: `{target} = torch.stack([sources, targets])`"


def _check_range(edge: EdgeType, index: Tensor, view: Survey) -> Iterator[Diagnostic]:
    found = view.ends(edge.key)
    assert found is not None
    sizes = view.count(edge.source), view.count(edge.target)
    known = (
        found.sources[1] + 1 if sizes[0] is None else sizes[0],
        found.targets[1] + 1 if sizes[1] is None else sizes[1],
    )
    if found.fit(known):
        return
    if None not in sizes and found.fit((known[1], known[0])):
        yield _swapped(edge, found, known)
        return
    if index.size(1) == 2 and edge_ends(index.t()).fit(known):
        message = f"the `edge_index` of `{show_place(edge.key)}` fits only when it is transposed: are its rows edges?"
        yield say_of_edges("GNN607", edge, message, mend(edge.key, "edge_index", "{}.t().contiguous()"))
        return
    yield from _check_end(edge, index[0], "source", found.sources, known[0])
    yield from _check_end(edge, index[1], "target", found.targets, known[1])


def _swapped(edge: EdgeType, found: EdgeEnds, sizes: tuple[int, int]) -> Diagnostic:
    message = (
        f"the ends of `{show_place(edge.key)}` look swapped: source ids reach {found.sources[1]:,} with "
        f"{number(sizes[0], 'node')} of `{edge.source}`, target ids {found.targets[1]:,} with {number(sizes[1], 'node')} of "
        f"`{edge.target}`"
    )
    return say_of_edges("GNN606", edge, message, mend(edge.key, "edge_index", "{}.flip(0)"))


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
    facts = Facts(accepted, f"{low:,} … {high:,}", count, tuple(where.tolist()))
    yield say_of_edges("GNN606", edge, message, _mend_ids(edge, node_type, end, found, size), facts=facts)


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
