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
        self.found.append(
            report(
                "GNN501",
                f"`{name}` has no features to read",
                rule,
                "this rule reads them",
                also=((self.schema.nodes[name].span, f"`{name}` has no `x`"),),
                helps=(f"give it an embedding first: `nodes {{ {name}: Embedding(64) … }}`",),
            )
        )
        return None

    def unequal(
        self, message: str, rule: Span, text: str, also: list[tuple[Span, str]], helps: tuple[str, ...] = ()
    ) -> None:
        """Report values of different widths that meet."""
        self.found.append(report("GNN502", message, rule, text, also=also, helps=helps))
