"""Sizes that data brings: counts, widths and dtypes, without torch.

`graphdsl.data.inspect` makes it from a `HeteroData` or a pair of PyG stores; it can be stored as JSON and used to
compile a model on a machine that does not have the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Shape and dtype of one stored tensor.

    Attributes:
        shape: its full shape; the first number is the count of nodes or edges (2 first for an edge_index).
        dtype: torch's name without the prefix: "float32", "int64", "bool".
        classes: largest value + 1 of an integer tensor that is declared or named as a label, if known.
    """

    shape: tuple[int, ...]
    dtype: str
    classes: int | None = None

    @property
    def width(self) -> int:
        """Columns: the product of all sizes but the first."""
        width = 1
        for size in self.shape[1:]:
            width *= size
        return width


@dataclass(frozen=True, slots=True)
class Degrees:
    """How many nodes have how many edges; or how many graphs how many nodes.

    Attributes:
        counts: (degree, number of nodes that have it), by degree; a degree that no node has is left out.
    """

    counts: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return f"{self.mean:.3g} on average"

    @property
    def mean(self) -> float:
        """Edges of a node on average; 0 where there are no nodes."""
        nodes = sum(count for _, count in self.counts)
        return sum(degree * count for degree, count in self.counts) / nodes if nodes else 0.0

    @property
    def histogram(self) -> list[int]:
        """Number of nodes by degree, from 0: what PyG calls `deg`.

        >>> Degrees(((0, 5), (2, 1))).histogram
        [5, 0, 1]
        """
        counts = dict(self.counts)
        return [counts.get(degree, 0) for degree in range(max(counts, default=0) + 1)]

    def together(self, other: "Degrees") -> "Degrees":
        """Of the nodes of two graphs.

        >>> Degrees(((0, 5), (2, 1))).together(Degrees(((0, 1), (1, 1)))).counts
        ((0, 6), (1, 1), (2, 1))
        """
        total = dict(self.counts)
        for degree, count in other.counts:
            total[degree] = total.get(degree, 0) + count
        return Degrees(tuple(sorted(total.items())))


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """One node type or edge type of the data.

    Attributes:
        count: number of nodes or edges; None where it cannot be told.
        tensors: by key; an edge type's connectivity is not among them.
        sent: of an edge type, how many edges leave its sources; None unless `inspect` was asked for degrees.
        received: likewise, how many edges arrive at its targets.
        sizes: of a node type, likewise, how many graphs have how many of its nodes.
    """

    count: int | None
    tensors: Mapping[str, TensorInfo] = field(default_factory=dict[str, TensorInfo])
    sent: Degrees | None = None
    received: Degrees | None = None
    sizes: Degrees | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the data holds, by node type and by edge type, and what whole graphs carry.

    Attributes:
        graph: of a list of graphs, how many there are and what each carries.
    """

    nodes: Mapping[str, StoreInfo]
    edges: Mapping[EdgeKey, StoreInfo]
    graph: StoreInfo = field(default_factory=lambda: StoreInfo(None))
