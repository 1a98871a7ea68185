"""An attribute of the data under its declaration, and how to say what is wrong with it."""

from dataclasses import dataclass

from graphdsl.data.phrases import mend
from graphdsl.data.places import Place, show_place
from graphdsl.model import Attribute, EdgeType
from graphdsl.text import Diagnostic, Facts, report


def say_of_edges(code: str, edge: EdgeType, message: str, *helps: str, facts: Facts | None = None) -> Diagnostic:
    """A diagnostic about the edges of a relation, at its declaration."""
    return report(code, message, edge.span, "declared here", where=show_place(edge.key), helps=helps, facts=facts)


@dataclass(frozen=True, slots=True)
class Finding:
    """An attribute of the data under its declaration; says what is wrong with it.

    Attributes:
        place: its node type or edge type.
        attribute: the declaration.
        rows: number of nodes or edges, None where it is unknown.
    """

    place: Place
    attribute: Attribute
    rows: int | None

    @property
    def where(self) -> str:
        """The attribute's place in the data."""
        return show_place(self.place, self.attribute.name)

    def say(
        self, code: str, message: str, *helps: str, notes: tuple[str, ...] = (), facts: Facts | None = None
    ) -> Diagnostic:
        """A diagnostic at the declaration; the message starts with the place."""
        return report(
            code,
            f"`{self.where}` {message}",
            self.attribute.span,
            f"declared as `{self.attribute.type}`",
            where=self.where,
            helps=helps,
            notes=notes,
            facts=facts,
        )

    def mend(self, change: str) -> str:
        """The assignment that mends the attribute."""
        return mend(self.place, self.attribute.name, change)
