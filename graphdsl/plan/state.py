"""What lowering knows while it walks through a program."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphdsl.model import Metadata, Schema
from graphdsl.plan.ir import Stage
from graphdsl.plan.module_spec import Ids, Stacked, Width
from graphdsl.text import Diagnostic, Span, report, show_name

_SHOWN = 3


@dataclass(slots=True)
class Flow:
    """The states so far (width by type), the stages that made them, and where problems go.

    Attributes:
        featureless: types without features that a rule reads, by the rule's place.
        late: types with a value that an embedding would replace, by the rule's place.
        stacked: places where a stack is refused already.
    """

    schema: Schema
    metadata: Metadata | None
    states: list[Mapping[str, Width]]
    stages: list[Stage]
    found: list[Diagnostic]
    featureless: dict[Span, list[str]] = field(default_factory=dict[Span, list[str]])
    late: dict[Span, list[str]] = field(default_factory=dict[Span, list[str]])
    stacked: set[Span] = field(default_factory=set[Span])

    def count(self, name: str) -> int | None:
        """Number of nodes of a type: from the schema, or from the data."""
        declared = self.schema.nodes[name].count
        if declared is not None:
            return declared
        store = self.metadata.nodes.get(name) if self.metadata else None
        return store.count if store else None

    def columns(self, name: str, width: Width, rule: Span) -> int | None:
        """Columns of a type's value where a layer needs some; types that have no features are reported once each."""
        if isinstance(width, Stacked):
            self.refuse_stack(name, width, rule)
            return None
        if not isinstance(width, Ids):
            return width
        if all(name not in names for names in self.featureless.values()):
            self.featureless.setdefault(rule, []).append(name)
        return None

    def refuse_stack(self, name: str, width: Stacked, rule: Span) -> None:
        """Report a stack where rows of one width are read, once for each place."""
        if rule not in self.stacked:
            self.stacked.add(rule)
            message = f"`{show_name(name)}` is a stack of {width.layers} states here, which only `DNAConv` reads"
            helps = ("`cat`, `jump`, `add`, `mean` and `max` join states into one that every layer reads",)
            self.found.append(report("GNN510", message, rule, helps=helps))

    def report_types(self) -> None:
        """Report the types that rules could not read, all types of a rule in one finding."""
        for rule, names in self.featureless.items():
            nodes = [self.schema.nodes[name] for name in names]
            featured = [node for node in nodes if node.features is not None]
            also = [
                (
                    node.span,
                    f"`{node.name}` has no `x`" if node.features is None else f"`{node.name}` is read by number",
                )
                for node in nodes[:_SHOWN]
            ]
            helps = (f"give it an embedding first: `nodes {{ {show_name(names[0])}: Embedding(64) … }}`",)
            if featured:
                helps = ("place the embedding before this rule, or leave it out to read the features",)
            verb = "has" if len(names) == 1 else "have"
            message = f"{listed(names)} {verb} no features to read"
            self.found.append(report("GNN501", message, rule, "this reads them", also=also, helps=helps))
        for rule, names in self.late.items():
            verb = "has a value" if len(names) == 1 else "have values"
            message = f"an embedding reads the number of a node, but {listed(names)} {verb} already"
            helps = ("give a type its embedding in the first layer that makes it",)
            self.found.append(report("GNN512", message, rule, helps=helps))

    def unequal(
        self, message: str, rule: Span, text: str, also: Sequence[tuple[Span, str]], helps: tuple[str, ...] = ()
    ) -> None:
        """Report values of different widths that meet."""
        self.found.append(report("GNN502", message, rule, text, also=also, helps=helps))


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, the first few of many."""
    shown = [f"`{name}`" for name in names]
    if len(shown) > _SHOWN:
        shown = [*shown[:_SHOWN], f"{len(shown) - _SHOWN} more"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
