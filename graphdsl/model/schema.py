"""What a schema means: node types, edge types, attributes, metapaths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from graphdsl.text import EdgeKey, Span, show_name

Kind = Literal["float", "int", "bool", "class", "multilabel", "real", "mask", "time"]
Multiplicity = Literal["set", "count", "mean"]
KINDS: tuple[Kind, ...] = ("float", "int", "bool", "class", "multilabel", "real", "mask", "time")
LABEL_KINDS: tuple[Kind, ...] = ("class", "multilabel", "real")
TAKEN_NAMES: Final = ("num_nodes", "edge_index", "adj", "adj_t")
"""Names under which PyG keeps the structure of a graph, so that no attribute can have them."""


@dataclass(frozen=True, slots=True)
class AttributeType:
    """The type of an attribute.

    Attributes:
        kind: one of `KINDS`.
        size: width or number of classes; None for a scalar (`float`, `mask`), "*" for any size, told by the data.
        optional: the attribute may be absent from the data.
    """

    kind: Kind
    size: int | Literal["*"] | None = None
    optional: bool = False

    @property
    def width(self) -> int | None:
        """Columns of the tensor: 1 for a scalar, None while it is `*`."""
        if self.kind == "class":
            return 1
        if self.size == "*":
            return None
        return 1 if self.size is None else self.size

    def __str__(self) -> str:
        size = "" if self.size is None else f"[{self.size}]"
        return f"{self.kind}{size}{'?' if self.optional else ''}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a node or edge type, under the key that it has in the `HeteroData` store."""

    name: str
    type: AttributeType
    span: Span


@dataclass(frozen=True, slots=True)
class NodeType:
    """A node type.

    Attributes:
        count: the fixed number of nodes, if the schema states one.
        optional: a graph or a sampled batch may lack the type.
    """

    name: str
    attributes: Mapping[str, Attribute]
    count: int | None
    optional: bool
    span: Span

    @property
    def features(self) -> Attribute | None:
        """The attribute that models read: `x`."""
        return self.attributes.get("x")


@dataclass(frozen=True, slots=True)
class EdgeType:
    """An edge type (relation).

    Attributes:
        inverse: the key of the declared inverse relation, on both sides of the pair.
        derived: True for the side declared by `reverse`: the runtime adds it from the other when the data lacks it.
    """

    source: str
    relation: str
    target: str
    attributes: Mapping[str, Attribute]
    inverse: EdgeKey | None
    derived: bool
    optional: bool
    span: Span

    @property
    def key(self) -> EdgeKey:
        """The triple that PyG uses."""
        return (self.source, self.relation, self.target)


@dataclass(frozen=True, slots=True)
class MetapathHop:
    """One hop: an edge type, walked along its direction or backwards."""

    edge: EdgeKey
    backward: bool


@dataclass(frozen=True, slots=True)
class Metapath:
    """A named composite relation.

    Attributes:
        hops: edge types in walking order.
        multiplicity: set = distinct pairs, count = pairs weighted by path counts, mean = row-normalised counts.
        budget: most edges that may be materialised.
        sample: most pairs of each destination, drawn from all; None = all.
        seed: of the drawing.
    """

    name: str
    source: str
    target: str
    hops: tuple[MetapathHop, ...]
    multiplicity: Multiplicity
    budget: int | None
    span: Span
    sample: int | None = None
    seed: int = 0

    @property
    def key(self) -> EdgeKey:
        """The triple under which the composite relation stands in an `edge_index_dict`."""
        return (self.source, self.name, self.target)

    @property
    def written_hops(self) -> tuple[str, ...]:
        """Each hop as the spec writes it, with the type that it leads to."""
        return tuple(
            f"`<-[{show_name(hop.edge[1])}]- {show_name(hop.edge[0])}`"
            if hop.backward
            else f"`-[{show_name(hop.edge[1])}]-> {show_name(hop.edge[2])}`"
            for hop in self.hops
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """Node types, edge types and metapaths, in the order of declaration.

    `edges` holds the inverse relations declared by `reverse` too, each after its original. `lost` are names whose
    declaration was refused, so that nothing is said about their uses. `graph` is what a whole graph carries.
    """

    name: str
    nodes: Mapping[str, NodeType]
    edges: Mapping[EdgeKey, EdgeType]
    metapaths: Mapping[str, Metapath]
    span: Span
    lost: frozenset[str] = frozenset()
    graph: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])

    def relations(self) -> Iterator[EdgeKey]:
        """Keys of all edge types and metapaths."""
        yield from self.edges
        yield from (path.key for path in self.metapaths.values())

    def place(self, key: EdgeKey) -> Span:
        """Where an edge type or metapath is declared."""
        return self.edges[key].span if key in self.edges else self.metapaths[key[1]].span

    def hops(self, key: EdgeKey) -> tuple[MetapathHop, ...]:
        """The way of a metapath; a relation is one hop."""
        return (MetapathHop(key, False),) if key in self.edges else self.metapaths[key[1]].hops

    def fingerprint_text(self) -> str:
        """A canonical text of everything that decides whether weights fit: independent of order, spans and counts."""
        lines = [f"node {name!r} {_attributes(node.attributes)}" for name, node in self.nodes.items()]
        lines += [
            f"edge {key!r} {_attributes(edge.attributes)} inverse={edge.inverse!r}" for key, edge in self.edges.items()
        ]
        lines += [
            f"metapath {path.key!r} {[(hop.edge, hop.backward) for hop in path.hops]!r} {path.multiplicity}"
            + ("" if path.sample is None else f" sample={path.sample} seed={path.seed}")
            for path in self.metapaths.values()
        ]
        lines += [f"graph {_attributes(self.graph)}"] if self.graph else []
        return "\n".join(sorted(lines))


def _attributes(attributes: Mapping[str, Attribute]) -> str:
    """Attributes in order of their names, without masks: a split decides nothing about weights."""
    return ", ".join(f"{name!r}: {item.type}" for name, item in sorted(attributes.items()) if item.type.kind != "mask")
