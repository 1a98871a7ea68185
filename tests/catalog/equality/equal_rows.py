"""Rows of the equality table: what a spec says, and the same thing constructed by hand from PyG's class.

A row names its entry by the layer's call in a spec. Its variants follow from the entry: where the layer can stand, with
which inputs, on which graphs. What an entry cannot do is a variant too: it must be refused with the code that is told here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from graphdsl.catalog import Entry, find
from graphdsl.model import Degrees

WIDTH, OTHER, EDGE_WIDTH, PLACES = 6, 8, 3, 3
"""Columns: of the target and its only type, of another source, of edge attributes, of attributes of nodes."""

DEGREES = Degrees(((0, 2), (1, 3), (3, 4)))
"""How many edges arrive at the nodes of every relation, as the data would tell."""


@dataclass(frozen=True)
class Case:
    """What a person knows who constructs the layer by hand.

    Attributes:
        widths: what PyG calls `in_channels`: an int within a type, (source, target) between two.
        edge_dim: columns of the edge attribute, None if none is passed.
        relations: relations of a joint layer, in sorted order.
        types: their types, with the columns of each.
    """

    widths: int | tuple[int, int] = WIDTH
    edge_dim: int | None = None
    relations: tuple[tuple[str, str, str], ...] = ()
    types: Mapping[str, int] = field(default_factory=dict)

    @property
    def loops(self) -> dict[str, bool]:
        """Self-loops mean nothing between two types: PyG wants them switched off."""
        return {"add_self_loops": False} if isinstance(self.widths, tuple) else {}

    @property
    def metadata(self) -> tuple[list[str], list[tuple[str, str, str]]]:
        """PyG's (node types, edge types)."""
        return list(self.types), list(self.relations)


@dataclass(frozen=True)
class Graph:
    """Values of one graph for the hand-written side.

    Attributes:
        x: features, (source, target) between two types.
        edge_index: [2, num_edges].
        inputs: further values by PyG's names.
        batch: the graph of each node.
    """

    x: Any
    edge_index: Tensor
    inputs: Mapping[str, Any] = field(default_factory=dict)
    batch: Tensor | None = None


Call = Callable[[Any, Graph], Any]


def by_keyword(module: Any, graph: Graph) -> Any:
    """How PyG's convolutions are called."""
    return module(graph.x, edge_index=graph.edge_index, **graph.inputs)


@dataclass(frozen=True)
class Row:
    """What all rows say.

    Attributes:
        layer: the call in the spec, without forward inputs: `GATConv(4, heads = 2)`.
        hand: the same from PyG's class.
        refused: variants that cannot be, by the code of the finding that says so.
    """

    layer: str
    hand: Callable[[Case], Any]
    refused: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def entry(self) -> Entry:
        """What the catalogue says of it."""
        found = find(self.layer.partition("(")[0])
        assert found is not None, f"{self.layer} is not in the catalogue"
        return found


@dataclass(frozen=True)
class Relation(Row):
    """A layer with one instance per relation.

    Tried within a type, between two types that are equally wide, between two that are not, and as a step of a `sequential`
    block; each with the inputs that it needs and with all; on a graph with edges and on one without.

    Attributes:
        call: how it is called by hand.
        width: columns of the target.
    """

    call: Call = field(default=by_keyword, kw_only=True)
    width: int = field(default=WIDTH, kw_only=True)


@dataclass(frozen=True)
class Joint(Row):
    """A layer that sees several relations, by dictionaries or with all types numbered together.

    Tried with one relation, with several, without edges, and, where the entry says so, on node numbers.
    """


@dataclass(frozen=True)
class Nodes(Row):
    """A layer, norm, activation or dropout of single types: in `nodes { }`, in a pipe, as a step.

    Attributes:
        width: columns that it reads.
    """

    width: int = field(default=WIDTH, kw_only=True)


@dataclass(frozen=True)
class Readout(Row):
    """Nodes of each graph to one row: as a step, and as the readout of a prediction."""


@dataclass(frozen=True)
class Steps(Row):
    """Steps of a `sequential` block around the layer, so that every value that it gives is read.

    Attributes:
        block: the steps, `LAYER` standing for the layer's call; its inputs are x, edge_index, a, w and batch.
        call: the same by hand; gets the modules and the graph.
        rows: whether the block gives rows of "graph" or "item".
    """

    block: str = field(kw_only=True)
    call: Callable[[Any, Graph], Tensor] = field(kw_only=True)
    rows: str = field(default="graph", kw_only=True)


def modules(*parts: Any) -> nn.ModuleList:
    """Modules in the order of their steps."""
    return nn.ModuleList(parts)


def all_rows() -> tuple[Row, ...]:
    """The rows of every `rows_*.py` in this folder."""
    files = sorted(Path(__file__).parent.glob("rows_*.py"))
    return tuple(row for file in files for row in import_module(file.stem).ROWS)
