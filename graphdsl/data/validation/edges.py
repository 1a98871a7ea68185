"""Edges that are sound one by one, and yet not what they should be: none at all, twice, loops, scattered in memory."""

from collections.abc import Iterator

from graphdsl.data.phrases import SHOWN, mend, number
from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.data.validation.finding import say_of_edges
from graphdsl.data.validation.offenders import Offenders, where_true
from graphdsl.kernels.sweeping import count_loops, repeated_edges
from graphdsl.model import EdgeType, Schema
from graphdsl.text import Diagnostic, Facts


def check_edges(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Look at the edges of every declared relation whose `edge_index` is sound."""
    for edge in schema.edges.values():
        if edge.key in view.edge_types and view.edges(edge.key) is not None:
            yield from _check_emptiness(edge, view)
            yield from _check_layout(edge, view)
            yield from _check_repetitions(edge, view)
            yield from _check_loops(edge, view)


def _check_emptiness(edge: EdgeType, view: Survey) -> Iterator[Diagnostic]:
    """A relation without edges sends nothing. In a batch, or where one graph of many has none, that is as it may be."""
    if view.is_part or edge.optional or view.count(edge.key) or 0 in (view.sizes(edge.key) or ()):
        return
    yield say_of_edges(
        "GNN656",
        edge,
        f"`{show_place(edge.key)}` has no edges: its layers learn nothing",
        "look where the edges got lost, or leave the relation out of the schema",
        facts=Facts("edges", "none"),
    )


def _check_layout(edge: EdgeType, view: Survey) -> Iterator[Diagnostic]:
    index = view.connectivity(edge.key)
    # Rows that are a piece of longer ones are as good: so PyG gives out the graphs of a dataset.
    if index.size(1) > 1 and not index.is_contiguous() and index.stride(1) != 1:
        yield say_of_edges(
            "GNN657",
            edge,
            f"the `edge_index` of `{show_place(edge.key)}` is not contiguous in memory, as `.t()` leaves it: loaders "
            "copy it and transforms of PyG refuse it",
            mend(edge.key, "edge_index", "{}.contiguous()"),
            facts=Facts("contiguous memory", f"strides {list(index.stride())}"),
        )


def _check_repetitions(edge: EdgeType, view: Survey) -> Iterator[Diagnostic]:
    """Parallel edges with attributes may be events; without, nothing tells them apart."""
    if edge.attributes or view.keys(edge.key) or (edge.derived and edge.inverse in view.edge_types):
        return  # An inverse is compared with its original.
    count, sizes = view.repeated(edge.key), view.sizes(edge.key)
    if not count or sizes is None:
        return
    first = repeated_edges(view.connectivity(edge.key), *sizes, SHOWN)
    found = Offenders(count, tuple(first.tolist()), "edge")
    yield say_of_edges(
        "GNN658",
        edge,
        f"{found.counted} of `{show_place(edge.key)}` {'repeats' if count == 1 else 'repeat'} the pair of another: "
        f"{found.listed}",
        mend(edge.key, "edge_index", "torch_geometric.utils.coalesce({})"),
        facts=found.facts("each pair once", "repetitions"),
    )


def _check_loops(edge: EdgeType, view: Survey) -> Iterator[Diagnostic]:
    if edge.source != edge.target:
        return
    index = view.connectivity(edge.key)
    if not count_loops(index):
        return
    found = where_true(index[0] == index[1], "edge")
    yield say_of_edges(
        "GNN659",
        edge,
        f"`{show_place(edge.key)}` has {number(found.count, 'self-loop')}: {found.listed}",
        mend(edge.key, "edge_index", "torch_geometric.utils.remove_self_loops({})[0]"),
        facts=found.facts("no node joined to itself", "self-loops"),
    )
