"""Relations whose ends may be swapped although all ids are nodes, and inverses that repeat what is there already."""

from collections.abc import Iterator

from graphdsl.data.phrases import mend, number
from graphdsl.data.places import show_place
from graphdsl.data.survey import Survey
from graphdsl.kernels.sweeping import pair_digest
from graphdsl.model import EdgeType, Schema
from graphdsl.text import Diagnostic, Facts, report


def check_direction(schema: Schema, view: Survey) -> Iterator[Diagnostic]:
    """Look for relations that run the other way than declared, and for those that run both ways by themselves."""
    for edge in schema.edges.values():
        if edge.key not in view.edge_types or view.edges(edge.key) is None or view.is_part:
            continue
        if edge.source != edge.target:
            yield from _check_ends(edge, view)
        elif edge.inverse is not None and not edge.derived:
            yield from _check_symmetry(edge, view)


def _check_ends(edge: EdgeType, view: Survey) -> Iterator[Diagnostic]:
    """Swapped ends fit where ids happen to be small; then the ids of one row stop exactly where the other type's do.

    Sources that reach the last target and none beyond, while most sources have no edge: if the rows are turned around,
    the largest type has edges at last, and both rows are used up to their ends.
    """
    sizes, found = view.sizes(edge.key), view.ends(edge.key)
    assert sizes is not None
    assert found is not None
    sources, targets = sizes
    reach = found.sources[1] + 1, found.targets[1] + 1
    straight = (reach[0] == sources) + (reach[1] == targets)
    turned = (reach[0] == targets) + (reach[1] == sources)
    edges = view.count(edge.key) or 0
    if sources == targets or straight or not turned or min(sizes) < 2 or edges < min(sizes):  # Few ids stop anywhere.
        return
    yield report(
        "GNN660",
        f"the ends of `{show_place(edge.key)}` may be swapped: source ids stop at {reach[0] - 1:,} with "
        f"{number(sources, 'node')} of `{edge.source}`, target ids at {reach[1] - 1:,} with {number(targets, 'node')} of "
        f"`{edge.target}`",
        edge.span,
        "declared here",
        where=show_place(edge.key),
        helps=(f"if rows are turned around: {mend(edge.key, 'edge_index', '{}.flip(0)')}",),
        facts=Facts(
            f"ids up to {sources - 1:,} and {targets - 1:,}", f"ids up to {reach[0] - 1:,} and {reach[1] - 1:,}"
        ),
    )


def _check_symmetry(edge: EdgeType, view: Survey) -> Iterator[Diagnostic]:
    """A relation that holds each edge both ways has itself as inverse."""
    index = view.connectivity(edge.key)
    if not index.size(1) or pair_digest(index) != pair_digest(index.flip(0)) or bool((index[0] == index[1]).all()):
        return
    assert edge.inverse is not None
    yield report(
        "GNN661",
        f"`{show_place(edge.key)}` holds every edge both ways, so its inverse `{show_place(edge.inverse)}` is the same again",
        edge.span,
        "the inverse is declared here",
        where=show_place(edge.key),
        helps=("leave `reverse` out: messages run both ways without it",),
    )
