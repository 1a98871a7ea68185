"""How many nodes there are: known, and as many as declared."""

from collections.abc import Iterator

from graphdsl.data.holdings import Holdings
from graphdsl.data.phrases import number, python
from graphdsl.data.places import show_place
from graphdsl.model import Schema
from graphdsl.text import Diagnostic, report


def check_counts(schema: Schema, view: Holdings) -> Iterator[Diagnostic]:
    """Every declared type that is there needs a number of nodes; a declared `count` must agree with it."""
    for node in schema.nodes.values():
        if node.name not in view.node_types:
            continue
        count = view.count(node.name)
        if count is None:
            if any(
                key in node.attributes for key in view.keys(node.name)
            ):  # No tensors, which is said of each of them.
                continue
            least = view.needed_count(node.name)
            needed = f"; relations need {least:,} or more" if least else ""
            yield report(
                "GNN610",
                f"the number of `{node.name}` nodes cannot be told: there are no attributes, and no whole `num_nodes`",
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
