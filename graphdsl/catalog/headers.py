"""What stands in the header of a step of a `sequential` block: what a layer reads and gives, in PyG's order."""

from dataclasses import dataclass, replace
from typing import Final

from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Slot, SlotKind

ROWS: Final[tuple[SlotKind, ...]] = ("nodes", "graphs", "dense", "edge values")
"""Values that a layer of single rows works on."""

X: Final = Slot("x", ("nodes",))
EDGES: Final = Slot("edge_index", ("edges",))
BATCH: Final = Slot("batch", ("batch",), optional=True)
BATCH_SIZE: Final = Slot("batch_size", ("count",), optional=True)
_NO_DENSE: Final[tuple[SlotKind, ...]] = ("nodes", "graphs", "edge values")
_GRAPHWISE: Final = {
    "LayerNorm": ("batch", "batch_size"),
    "GraphNorm": ("batch", "batch_size"),
    "InstanceNorm": ("batch", "batch_size"),
    "GraphSizeNorm": ("batch", "batch_size"),
    "PairNorm": ("batch", "batch_size"),
    "MeanSubtractionNorm": ("batch", "dim_size"),
}
"""Norms over all nodes of a graph, and how they are told which nodes make one."""
_DEAF: Final = ("GIN", "EdgeCNN")
"""Models whose convolutions have an `MLP` of their own, with the norm of the model."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a layer reads and gives."""

    takes: tuple[Slot, ...]
    gives: tuple[Slot, ...]
    unpools: bool = False
    chooses: bool = False

    @property
    def needed(self) -> int:
        """How many inputs cannot be left out at the end."""
        return max((place + 1 for place, slot in enumerate(self.takes) if not slot.optional), default=0)

    @property
    def example(self) -> str:
        """How a header is usually written: with `batch`, without other optional inputs.

        >>> from graphdsl.catalog import find
        >>> header_of(find("TopKPooling")).example
        'x, edge_index, none, batch -> x, edge_index, _, batch, _, _'
        """
        batch = (place + 1 for place, slot in enumerate(self.takes) if slot.kinds == ("batch",))
        last = max(self.needed, next(batch, 0))
        told = [slot for slot in self.takes[:last] if not slot.optional or slot.kinds == ("batch",)]
        reads = [_usual(slot) if slot in told else "none" for slot in self.takes[:last]]
        kept = ("nodes", "edges", "batch", "graphs", "dense", "adjacency", "mask", "loss")
        gives = [_usual(slot) if not slot.kinds or slot.kinds[0] in kept else "_" for slot in self.gives]
        return f"{', '.join(reads)} -> {', '.join(gives)}"

    def told(self, arguments: Arguments) -> "Header":
        """With these arguments: a value that a network makes is there whether or not the layer was given an old one."""
        gives = (replace(slot, optional=slot.optional and arguments.get(slot.width) is None) for slot in self.gives)
        return replace(self, gives=tuple(gives))

    @property
    def alone(self) -> bool:
        """Whether the layer can do with the value before it: one input is enough, and it gives one value."""
        return self.needed <= 1 and len(self.gives) == 1


def _usual(slot: Slot) -> str:
    return "batch" if slot.kinds == ("batch",) else slot.name


def header_of(entry: Entry) -> Header | None:
    """What an entry reads and gives in a `sequential` block; None for one that cannot stand there.

    >>> from graphdsl.catalog import find
    >>> [slot.name for slot in header_of(find("GCNConv")).takes]
    ['x', 'edge_index', 'edge_weight']
    """
    if entry.takes:
        return Header(entry.takes, entry.gives or (Slot("x"),), entry.unpools, entry.chooses)
    if entry.kind == "conv":
        return _convolution(entry)
    if entry.accepts_ids or entry.kind in ("objective", "label"):
        return None
    return Header(_single(entry), (Slot("x"),))


def is_graphwise(entry: Entry, arguments: Arguments) -> bool:
    """Whether an entry works on all nodes of a graph together, and would take a mini-batch of graphs for one."""
    if has_norm(entry):
        return arguments["norm"] not in (None, "batch_norm")
    return entry.name in _GRAPHWISE and not (entry.name == "LayerNorm" and arguments["mode"] == "node")


def has_norm(entry: Entry) -> bool:
    """Whether an entry has norms inside that its argument `norm` names, and cannot be told which nodes make a graph."""
    norm = entry.parameter("norm")
    return norm is not None and not entry.batch and "graph_norm" in norm.choices


def is_deaf(entry: Entry, arguments: Arguments) -> bool:
    """Whether norms inside would not hear which nodes make a graph: PyG does not pass `batch` on to them."""
    return entry.name in _DEAF and is_graphwise(entry, arguments)


def _convolution(entry: Entry) -> Header | None:
    """PyG's convolutions read the nodes, earlier or further values of them, the edges, and then values of the edges."""
    if entry.scope != "relation":
        return None
    x = Slot("x", ("stack",)) if entry.stacked else X
    edges = EDGES
    if entry.bipartite and not entry.stacked:
        x, edges = Slot("x", ("nodes", "pair"), optional=entry.featureless), Slot("edge_index", ("edges", "links"))
    states = tuple(_slot(item, entry.bipartite) for item in entry.inputs if item.source != "edge")
    values = tuple(_slot(item, False) for item in entry.inputs if item.source == "edge")
    return Header((x, *states, edges, *values), (X,))


def _slot(item: ForwardInput, bipartite: bool) -> Slot:
    kinds: tuple[SlotKind, ...] = ("edge values",) if item.source == "edge" else ("nodes",)
    kinds = ("nodes", "pair") if bipartite and item.source == "node" else kinds
    return Slot(item.name, kinds, optional=not item.required, scalar=item.scalar, own=item.source == "node")


def _single(entry: Entry) -> tuple[Slot, ...]:
    if entry.name in _GRAPHWISE:
        batch, size = _GRAPHWISE[entry.name]
        return X, Slot(batch, ("batch",), optional=True), Slot(size, ("count",), optional=True)
    if entry.name == "MLP":
        return Slot("x", _NO_DENSE), BATCH, BATCH_SIZE
    plain = entry.kind == "norm"
    return (Slot("x", _NO_DENSE if plain else ROWS),)
