"""What lowering knows while it walks through a program."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphdsl.model import Metadata, Schema
from graphdsl.plan.ir import Ids, Stage, Width
from graphdsl.text import Diagnostic, Span, report


@dataclass(slots=True)
class Flow:
    """The states so far (width by type), the stages that made them, and where problems go."""

    schema: Schema
    metadata: Metadata | None
    states: list[Mapping[str, Width]]
    stages: list[Stage]
    found: list[Diagnostic]

    def count(self, name: str) -> int | None:
        """Number of nodes of a type: from the schema, or from the data."""
        declared = self.schema.nodes[name].count
        if declared is not None:
            return declared
        store = self.metadata.nodes.get(name) if self.metadata else None
        return store.count if store else None

    def columns(self, name: str, width: Width, rule: Span) -> int | None:
        """Columns of a type's value where a layer needs some; reports types that have no features."""
        if not isinstance(width, Ids):
            return width
        node = self.schema.nodes[name]
        said = f"`{name}` has no `x`" if node.features is None else f"`{name}` is read by number: it has an embedding"
        helps = (f"give it an embedding first: `nodes {{ {name}: Embedding(64) … }}`",)
        if node.features is not None:
            helps = ("place the embedding before this rule, or leave it out to read the features",)
        message = f"`{name}` has no features to read"
        also = ((node.span, said),)
        self.found.append(report("GNN501", message, rule, "this rule reads them", also=also, helps=helps))
        return None

    def unequal(
        self, message: str, rule: Span, text: str, also: list[tuple[Span, str]], helps: tuple[str, ...] = ()
    ) -> None:
        """Report values of different widths that meet."""
        self.found.append(report("GNN502", message, rule, text, also=also, helps=helps))
