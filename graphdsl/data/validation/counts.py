"""How many nodes there are: known, and as many as declared."""

from collections.abc import Iterator

from torch import Tensor

from graphdsl.data.phrases import number, python
from graphdsl.data.view import GraphView, UnreadableTensorError, show_place
from graphdsl.model import Schema
from graphdsl.text import Diagnostic, report


def check_counts(schema: Schema, view: GraphView) -> Iterator[Diagnostic]:
    """Every declared type that is there needs a number of nodes; a declared `count` must agree with it."""
    for node in schema.nodes.values():
        if node.name not in view.node_types:
            continue
        count = view.count(node.name)
        if count is None:
            least = _least_count(view, node.name)
            needed = f"; relations need {least:,} or more" if least else ""
            yield report(
                "GNN610",
                f"the number of `{node.name}` nodes cannot be told: there are no attributes, and no `num_nodes`",
                node.span,
                "declared here",
                where=show_place(node.name),
                helps=(f"`{python(node.name, 'num_nodes')} = {least or '…'}`{needed}",),
            )
        elif node.count is not None and count != node.count:
            yield report(
                "GNN623",
                f"the data has {number(count, 'node')} of type `{node.name}`, the schema fixes {node.count:,}",
                node.span,
                "declared here",
                where=show_place(node.name),
                helps=(f"write `count = {count}`, or leave it out: data tells it",),
            )


def _least_count(view: GraphView, node_type: str) -> int:
    """Largest id in any relation + 1."""
    least = 0
    for edge in view.edge_types:
        try:
            index = view.connectivity(edge)
        except UnreadableTensorError:
            continue
        if isinstance(index, Tensor) and index.dim() == 2 and index.size(0) == 2 and index.numel():
            ends = [int(row.max()) for row, end in zip(index, (edge[0], edge[2]), strict=True) if end == node_type]
            least = max([least, *(end + 1 for end in ends)])
    return least
