"""Data against schema: everything that is wrong, in one pass, with the line of Python that mends it.

Each check is one module with one function `(Schema, GraphView) -> findings`; `CHECKS` lists them in order. No check
loops over nodes or edges, and none repeats what another reports.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.validation.attributes import check_attributes
from graphdsl.data.validation.connectivity import check_connectivity
from graphdsl.data.validation.counts import check_counts
from graphdsl.data.validation.graph_lists import check_graphs
from graphdsl.data.validation.inverses import check_inverses
from graphdsl.data.validation.mirrors import check_mirrors
from graphdsl.data.validation.presence import check_presence
from graphdsl.data.validation.report import Report
from graphdsl.data.validation.splits import check_splits
from graphdsl.data.view import GraphView, open_data
from graphdsl.model import HiddenLinks, Schema
from graphdsl.text import Diagnostic, SpecError, order

__all__ = ["CHECKS", "Report", "validate"]

CHECKS: tuple[Callable[[Schema, GraphView], Iterator[Diagnostic]], ...] = (
    check_presence,
    check_counts,
    check_attributes,
    check_connectivity,
    check_inverses,
    check_splits,
)


def validate(schema: Schema, data: Any, links: Iterable[HiddenLinks] = ()) -> tuple[Diagnostic, ...]:
    """Compare data with the schema that it is to serve.

    Args:
        schema: what a spec declares.
        data: a `HeteroData`, or a pair of a PyG `FeatureStore` and `GraphStore`, whose tensors are read one by one; a
            list or dataset of graphs; a homogeneous `Data`, if the schema has one node type and one edge type.
        links: predicted relations, of which no other relation may tell.

    Returns:
        All findings, ordered by their places in the spec; none for data that fits. Errors mean that a model would fail
        or compute nonsense; warnings that something may not be meant so.
    """
    try:
        read = read_data(data, schema)
        if isinstance(read, GraphSet):
            return order(check_graphs(read, _check))
        view = open_data(read)
    except SpecError as error:
        return error.diagnostics
    return order([*_check(schema, view), *check_mirrors(schema, view, links)])


def _check(schema: Schema, view: GraphView) -> Iterator[Diagnostic]:
    return (finding for check in CHECKS for finding in check(schema, view))
