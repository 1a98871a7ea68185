"""Which rows the relations of a stage lead from and into."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from torch import Tensor, nn

from graphdsl.backends.graph import Values
from graphdsl.kernels import KeptResults
from graphdsl.kernels.unions import EdgeOutside, Union
from graphdsl.plan import RelationStep
from graphdsl.text import Diagnostic, EdgeKey, Span, SpecError, report, show_edge, show_name

Result = TypeVar("Result")

LAYOUTS = KeptResults()
"""Layouts of the graphs that are alive, shared by all models: they follow from the edges and from numbers alone."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Where messages go: one slot for each node type, or for each step where messages do not add up.

    Attributes:
        types: node type of each slot.
        of_step: slot of each step.
        rows: rows of each slot.
    """

    types: tuple[str, ...]
    of_step: tuple[int, ...]
    rows: tuple[int, ...]

    @classmethod
    def of(cls, steps: Sequence[RelationStep], together: bool, values: Values) -> Self:
        """The slots of some steps.

        Args:
            steps: the steps.
            together: whether messages into a type are added up.
            values: of the nodes that get messages.
        """
        targets = [step.edge[2] for step in steps]
        types = tuple(dict.fromkeys(targets)) if together else tuple(targets)
        of_step = tuple(types.index(name) for name in targets) if together else tuple(range(len(steps)))
        return cls(types, of_step, tuple(values[name].size(0) for name in types))


@dataclass(frozen=True, slots=True)
class Bucket:
    """Steps that one kernel serves together.

    Attributes:
        steps: in canonical order.
        modules: the layer of each.
        sources: node types that they read, the blocks of sources.
        source: block of sources of each step.
        slots: of these steps.
        target: of each step, its place in `slots`.
        rows: rows of each of `slots`.
        values: what the stage reads.
        made: the same of the nodes that get messages: of a trimmed batch, the leading ones.
    """

    steps: tuple[RelationStep, ...]
    modules: tuple[nn.Module, ...]
    sources: tuple[str, ...]
    source: tuple[int, ...]
    slots: tuple[int, ...]
    target: tuple[int, ...]
    rows: tuple[int, ...]
    values: Values
    made: Values

    @classmethod
    def of(
        cls,
        members: Sequence[int],
        steps: Sequence[RelationStep],
        modules: Sequence[nn.Module],
        slots: Slots,
        values: Values,
        made: Values,
    ) -> Self:
        """Some of the steps of a stage."""
        chosen = tuple(steps[number] for number in members)
        sources = tuple(dict.fromkeys(step.edge[0] for step in chosen))
        used = tuple(dict.fromkeys(slots.of_step[number] for number in members))
        return cls(
            chosen,
            tuple(modules[number] for number in members),
            sources,
            tuple(sources.index(step.edge[0]) for step in chosen),
            used,
            tuple(used.index(slots.of_step[number]) for number in members),
            tuple(slots.rows[slot] for slot in used),
            values,
            made,
        )

    def items(self) -> Iterator[tuple[RelationStep, nn.Module]]:
        """Steps and their layers."""
        return zip(self.steps, self.modules, strict=True)

    @property
    def source_rows(self) -> tuple[int, ...]:
        """Rows of each block of sources."""
        return tuple(self.values[name].size(0) for name in self.sources)

    @property
    def target_values(self) -> list[Tensor]:
        """What each slot's nodes have [nodes, width]."""
        return [self.made[self.steps[self.target.index(place)].edge[2]] for place in range(len(self.slots))]

    @property
    def kinds(self) -> tuple[int, ...]:
        """Of each step, the first that has the same layer, weights and all."""
        first: dict[int, int] = {}
        return tuple(first.setdefault(id(module), place) for place, module in enumerate(self.modules))

    def union(self, index: Sequence[Tensor], shared: bool = True) -> Union:
        """The steps as one, with these edges.

        Args:
            index: edges [2, edges] of each.
            shared: whether what several steps make of a node with one layer may be one row.

        Raises:
            EdgeOutside: if an edge leads from or to a node that is not there.
        """
        return Union(index, self.source, self.target, self.source_rows, self.rows, self.kinds if shared else None)

    def keep(self, name: Hashable, index: Sequence[Tensor], make: Callable[[], Result]) -> Result:
        """A layout of these steps' edges, kept while the edges live.

        Args:
            name: what else it depends on.
            index: edges [2, edges] of each step, as they were given.
            make: makes it.

        Raises:
            SpecError: GNN606 if an edge leads from or to a node that is not there.
        """
        places = [(step.edge, step.rule) for step in self.steps]
        where = (name, tuple(edge for edge, _ in places), self.target, self.kinds)
        return keep_layout(where, places, index, (*self.source_rows, -1, *self.rows), make)


def keep_layout(
    name: Hashable,
    places: Sequence[tuple[EdgeKey, Span]],
    index: Sequence[Tensor],
    sizes: Sequence[int],
    make: Callable[[], Result],
) -> Result:
    """A layout, kept while the edges live.

    Args:
        name: what else it depends on.
        places: relation and line of the spec of each edge index.
        index: edges [2, edges], as they were given.
        sizes: numbers of nodes that it depends on.
        make: makes it.

    Raises:
        SpecError: GNN606 if an edge leads from or to a node that is not there.
    """
    try:
        return LAYOUTS.fetch((name, len(index)), index, sizes, make)
    except EdgeOutside as wrong:
        raise SpecError([_outside(wrong, *places[wrong.relation])]) from wrong


def _outside(wrong: EdgeOutside, edge: EdgeKey, span: Span) -> Diagnostic:
    name = edge[0] if wrong.end == "source" else edge[2]
    message = (
        f"`{show_edge(edge)}` has {wrong.count} edge{'s' * (wrong.count > 1)} with a {wrong.end} that is no "
        f"`{show_name(name)}` (the first is {wrong.value}, of {wrong.size} nodes)"
    )
    return report("GNN606", message, span, "sends along it", helps=("`gnn validate SPEC DATA` finds all of them",))
