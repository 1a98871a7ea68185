"""How many nodes there are: known, and as many as declared."""

from collections.abc import Iterator

from graphdsl.data.holdings import Holdings
from graphdsl.data.phrases import number, python
from graphdsl.data.places import show_place
from graphdsl.model import NodeType, Schema
from graphdsl.text import Diagnostic, Facts, report


def check_counts(schema: Schema, view: Holdings) -> Iterator[Diagnostic]:
    """Every declared type that is there needs a whole number of nodes; a declared `count` must agree with it."""
    for node in schema.nodes.values():
        if node.name not in view.node_types:
            continue
        count, misstated = view.count(node.name), view.misstated_count(node.name)
        if misstated and count is not None:
            yield _misstated(node, misstated, count)
        if count is None:
            # Where attributes are no tensors, that is said of each of them.
            if misstated or not any(key in node.attributes for key in view.keys(node.name)):
                yield _unknown(node, misstated, view.needed_count(node.name))
        elif node.count is not None and count != node.count:
            yield report(
                "GNN623",
                f"the data has {number(count, 'node')} of type `{node.name}`, the schema fixes {node.count:,}",
                node.span,
                "declared here",
                where=show_place(node.name),
                helps=(f"write `count = {count}`, or leave it out: data tells it",),
            )


def _misstated(node: NodeType, misstated: str, count: int) -> Diagnostic:
    """PyG takes what stands there for the number of nodes, whatever the attributes tell."""
    rows = f"its attributes have {number(count, 'row')}"
    return report(
        "GNN610",
        f"the `num_nodes` of `{node.name}` is {misstated}, no whole number of nodes; {rows}",
        node.span,
        "declared here",
        where=show_place(node.name),
        helps=(f"`{python(node.name, 'num_nodes')} = {count}`, or leave it out: attributes tell it",),
        facts=Facts(str(count), misstated.strip("`")),
    )


def _unknown(node: NodeType, misstated: str, least: int) -> Diagnostic:
    needed = f"; relations need {least:,} or more" if least else ""
    got = f" (got {misstated})" if misstated else ""
    return report(
        "GNN610",
        f"the number of `{node.name}` nodes cannot be told: there are no attributes, and no whole `num_nodes`{got}",
        node.span,
        "declared here",
        where=show_place(node.name),
        helps=(f"`{python(node.name, 'num_nodes')} = {least or '…'}`{needed}",),
    )
