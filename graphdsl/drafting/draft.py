"""What is known of a graph before there is a spec of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphdsl.model import AttributeType
from graphdsl.text import Diagnostic, EdgeKey, report


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a spec cannot say, or that the data should be rid of first.

    Attributes:
        where: its place in the data, as diagnostics show it.
        text: what it is, in one line: a comment of the spec and a warning.
        help: what to do.
    """

    where: str
    text: str
    help: str = ""

    def as_warning(self) -> Diagnostic:
        """The same as a finding."""
        helps = (self.help,) if self.help else ()
        return report("GNN675", f"`{self.where}` {self.text}", where=self.where, helps=helps)


@dataclass(frozen=True, slots=True)
class DraftAttribute:
    """An attribute of a type; without a type it cannot be declared, and the remark says why."""

    name: str
    type: AttributeType | None
    remark: Remark | None = None


@dataclass(frozen=True, slots=True)
class DraftNodes:
    """A node type.

    Attributes:
        count: number of nodes of a single graph, if it is known.
        notes: what is known of it besides; comments of the spec.
    """

    name: str
    attributes: tuple[DraftAttribute, ...] = ()
    optional: bool = False
    count: int | None = None
    remark: Remark | None = None
    notes: tuple[str, ...] = ()

    def attribute(self, name: str) -> DraftAttribute | None:
        """The attribute of a name, if it is there and can be declared."""
        return next((item for item in self.attributes if item.name == name and item.type is not None), None)


@dataclass(frozen=True, slots=True)
class DraftEdges:
    """An edge type.

    Attributes:
        inverse: name of the relation that holds the same edges the other way round, which then needs no declaration.
        symmetric: within a type, every edge is there both ways.
        notes: as those of `DraftNodes`.
    """

    key: EdgeKey
    attributes: tuple[DraftAttribute, ...] = ()
    inverse: str | None = None
    symmetric: bool = False
    optional: bool = False
    remark: Remark | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A graph, or several, as a schema could declare it.

    Attributes:
        name: of the schema.
        graph: what each of several graphs carries; empty for one graph.
    """

    name: str
    nodes: tuple[DraftNodes, ...]
    edges: tuple[DraftEdges, ...]
    graph: tuple[DraftAttribute, ...] = ()
    remarks: tuple[Remark, ...] = field(default=())

    def all_remarks(self) -> Iterator[Remark]:
        """Everything that a spec cannot say, in the order of the draft."""
        yield from self.remarks
        for item in (*self.nodes, *self.edges):
            if item.remark is not None:
                yield item.remark
            yield from (attribute.remark for attribute in item.attributes if attribute.remark is not None)
        yield from (attribute.remark for attribute in self.graph if attribute.remark is not None)
