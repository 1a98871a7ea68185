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
class StoreInfo:
    """One node type or edge type of the data.

    Attributes:
        count: number of nodes or edges; None where it cannot be told.
        tensors: by key; an edge type's connectivity is not among them.
    """

    count: int | None
    tensors: Mapping[str, TensorInfo] = field(default_factory=dict[str, TensorInfo])


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the data holds, by node type and by edge type, and what whole graphs carry.

    Attributes:
        graph: of a list of graphs, how many there are and what each carries.
    """

    nodes: Mapping[str, StoreInfo]
    edges: Mapping[EdgeKey, StoreInfo]
    graph: StoreInfo = field(default_factory=lambda: StoreInfo(None))
