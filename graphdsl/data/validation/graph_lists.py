"""Several graphs against a schema: the findings of each, those of one cause together, and what the graphs carry."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from torch_geometric.data import HeteroData

from graphdsl.data.graph_set import GraphSet
from graphdsl.data.survey import Survey
from graphdsl.data.validation.attributes import check_attributes
from graphdsl.data.validation.labels import check_labels
from graphdsl.data.validation.splits import check_splits
from graphdsl.data.validation.values import check_values
from graphdsl.data.view import GraphView, open_data
from graphdsl.model import NodeType, Schema
from graphdsl.text import Diagnostic, Span, SpecError

_SHOWN = 5
_GRAPH = "graph"


def check_graphs(graphs: GraphSet, check: Callable[[Schema, GraphView], Iterable[Diagnostic]]) -> Iterator[Diagnostic]:
    """Check every graph, and the attributes of the graphs themselves.

    What is wrong in the same place of several graphs is one finding: that of the first graph, which names the others.

    Args:
        graphs: with their schema.
        check: the checks of one graph.
    """
    groups: dict[tuple[str, Span | None, str], list[tuple[int, Diagnostic]]] = {}
    for number, graph in enumerate(graphs):
        for item in check(graphs.schema, open_data(graph)):
            place = item.primary.span if item.primary else None
            groups.setdefault((item.code, place, item.where), []).append((number, item))
    yield from (_merge(found, len(graphs)) for found in groups.values())
    yield from _check_carried(graphs)


def _merge(found: Sequence[tuple[int, Diagnostic]], count: int) -> Diagnostic:
    first, item = found[0]
    others = list(dict.fromkeys(number for number, _ in found if number != first))
    shown = ", ".join(map(str, others[:_SHOWN])) + (", …" if len(others) > _SHOWN else "")
    notes = (*item.notes, f"likewise in {len(others)} of {count} graphs: {shown}") if others else item.notes
    where = f"graph {first}: {item.where}" if item.where else f"graph {first}"
    return replace(item, where=where, message=f"graph {first}: {item.message}", notes=notes)


def _check_carried(graphs: GraphSet) -> Iterator[Diagnostic]:
    """Labels and other attributes of the graphs, as if the graphs were nodes of one type: a row for each."""
    schema = graphs.schema
    if not schema.graph:
        return
    table = HeteroData()
    table[_GRAPH].num_nodes = len(graphs)
    for name in schema.graph:
        try:
            values = graphs.values(name)
        except SpecError as error:
            yield from error.diagnostics
            return
        if values is not None:
            table[_GRAPH][name] = values
    span = next(iter(schema.graph.values())).span
    node = NodeType(_GRAPH, schema.graph, None, False, span)
    alone, view = Schema(schema.name, {_GRAPH: node}, {}, {}, schema.span), Survey(open_data(table))
    for check in (check_attributes, check_values, check_splits, check_labels):
        yield from check(alone, view)
