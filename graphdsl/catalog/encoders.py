"""Layers that read an attribute by name, `TemporalEncoding(16, x = joined)`, and several of them side by side."""

from dataclasses import replace
from typing import Final, Literal

from graphdsl.catalog.entry import Entry, ForwardInput, Parameter
from graphdsl.catalog.registry import find, names

ATTRIBUTE: Final = "x"
"""The keyword that binds the attribute: what PyG's layers call their input."""


def encoders() -> tuple[str, ...]:
    """Names of the layers that can read an attribute, sorted."""
    return tuple(name for name in names("node") if encoder(name, "node") is not None)


def encoder(name: str, source: Literal["edge", "node"]) -> Entry | None:
    """A layer as it reads an attribute: `Embedding` then looks numbers up. None for other layers.

    >>> encoder("Embedding", "edge").parameters[0].name
    'num_embeddings'
    """
    entry = find(name)
    if entry is None or entry.kind != "node" or entry.loss:
        return None
    return replace(entry.as_step or entry, inputs=(ForwardInput(ATTRIBUTE, source, required=True),))


def looks_up(entry: Entry) -> bool:
    """Whether a layer reads whole numbers, one for each row."""
    return any("numbers" in slot.kinds for slot in entry.takes)


RAW: Final = Entry("identity", "node", "torch.nn.Identity", "An attribute as it is, among several side by side.")

SIDE_BY_SIDE: Final = Entry(
    "cat",
    "node",
    "torch.nn.ModuleList",
    "Attributes side by side: each by its name, or through a layer of its own.",
    parameters=(Parameter("modules", "module", variadic=True),),
)
"""Written `cat(age, TemporalEncoding(16, x = joined))` where an encoder can stand; each module has an input of its own."""
