"""Names of classes and variables in a written program."""

import keyword
import re
from typing import Final

from graphdsl.text import encode

_LOCAL: Final = frozenset(
    {
        "self", "stage", "x", "name", "like", "sent", "torch", "F", "edges", "num_nodes", "edge_index", "edge_type",
        "node_type", "sizes", "edge_index_dict", "edge_label_index", "num_graphs", "batch_dict", "n_id_dict", "x_dict",
        "outputs", "scores", "graphs", "layer", "source", "target", "given_x_dict", "key", "value",
    }
)  # fmt: skip
"""Names that the forward pass uses for itself."""


def identifier(name: str) -> str:
    """A name as a Python identifier; usual names stay.

    >>> identifier("h0"), identifier("web page"), identifier("class")
    ('h0', 'webZ20Zpage', 'class_')
    """
    found = name if name.isidentifier() and name.isascii() else encode(name)
    if not found.isidentifier():
        found = f"n{found}"
    return f"{found}_" if keyword.iskeyword(found) or keyword.issoftkeyword(found) else found


def class_name(model: str, taken: frozenset[str]) -> str:
    """The class of a model: `hetero_sage` becomes `HeteroSage`.

    Args:
        model: name of the model.
        taken: names that mean something else.
    """
    words = [word for word in re.split(r"[\W_]+", model) if word]
    name = "".join(word[:1].upper() + word[1:] for word in words)
    if not name.isidentifier():
        name = f"Model{identifier(name)}" if name else "Model"
    return f"{name}Model" if name in taken or keyword.iskeyword(name) else name


class Names:
    """Variables in use: each asked for gets a name of its own."""

    def __init__(self) -> None:
        self._taken = set(_LOCAL)

    def variable(self, wanted: str) -> str:
        """A variable that nothing else uses."""
        name = identifier(wanted)
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name
