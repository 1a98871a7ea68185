"""Places in data and how they are named, without torch."""

from typing import TypeAlias

from graphdsl.text import EdgeKey, show_edge, show_name

Place: TypeAlias = str | EdgeKey
"""A node type, or an edge type as a triple."""

CONNECTIVITY = frozenset({"edge_index", "adj", "adj_t"})
BOOKKEEPING = frozenset(
    {"num_nodes", "n_id", "e_id", "batch", "ptr", "batch_size", "input_id", "seed_time", "num_sampled_nodes",
     "num_sampled_edges", "edge_label", "edge_label_index", "edge_label_time"}
)  # fmt: skip
"""Keys that PyG's loaders and transforms leave behind; no schema need mention them."""


class UnreadableTensorError(Exception):
    """A store failed to hand out a tensor; the message names it."""


def show_place(place: Place, key: str = "") -> str:
    """A place in data as diagnostics show it.

    >>> show_place("author", "x"), show_place(("paper", "cites", "paper"), "w")
    ('author.x', '(paper -[cites]-> paper).w')
    """
    if isinstance(place, str):
        return f"{show_name(place)}.{show_name(key)}" if key else show_name(place)
    return f"({show_edge(place)}).{show_name(key)}" if key else show_edge(place)
