"""The relations of a joint layer whose destinations some prediction depends on, as blocks of nodes."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Self, TypeVar

from torch import Tensor

from graphdsl.backends.fused.relations import keep_layout
from graphdsl.backends.graph import Graph, Values
from graphdsl.backends.pyg.relation_map import made_rows
from graphdsl.kernels.unions import Union
from graphdsl.plan import InputBinding, JointStep
from graphdsl.text import EdgeKey

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class JointEdges:
    """What a joint layer sends along.

    Attributes:
        step: the step.
        edges: the relations, sorted by destination.
        numbers: of each, its index in the step.
        index: edges [2, edges] of each.
        sources: node types that they lead from.
        targets: node types that they lead to.
        values: what the stage reads.
        made: the same of the nodes that get messages: of a trimmed batch, the leading ones.
        graph: edges and attributes.
    """

    step: JointStep
    edges: tuple[EdgeKey, ...]
    numbers: tuple[int, ...]
    index: tuple[Tensor, ...]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    values: Values
    made: Values
    graph: Graph

    @classmethod
    def of(cls, step: JointStep, values: Values, graph: Graph, live: bool, early: bool = False) -> Self:
        """The relations of a step.

        Args:
            step: the step.
            values: what the stage reads.
            graph: edges.
            live: leave out destinations that no prediction depends on.
            early: whether the layer can make rows of some of the nodes that it reads: of a trimmed batch, the leading ones.
        """
        targets = tuple(name for name in step.targets if not live or name in step.wanted)
        numbered = [(number, edge) for number, edge in enumerate(step.edges) if edge[2] in targets]
        numbered.sort(key=lambda item: targets.index(item[1][2]))
        edges = tuple(edge for _, edge in numbered)
        return cls(
            step,
            edges,
            tuple(number for number, _ in numbered),
            tuple(graph.edge_index[edge] for edge in edges),
            tuple(sorted({edge[0] for edge in edges})),
            targets,
            values,
            made_rows(values, graph) if early and _ends_early(step, edges, graph) else values,
            graph,
        )

    @property
    def target_rows(self) -> tuple[int, ...]:
        """Rows of each destination."""
        return tuple(self.made[name].size(0) for name in self.targets)

    @property
    def source_rows(self) -> tuple[int, ...]:
        """Rows of each source."""
        return tuple(self.values[name].size(0) for name in self.sources)

    def union(self) -> Union:
        """The relations as one.

        Raises:
            EdgeOutside: if an edge leads from or to a node that is not there.
        """
        source = [self.sources.index(edge[0]) for edge in self.edges]
        target = [self.targets.index(edge[2]) for edge in self.edges]
        return Union(self.index, source, target, self.source_rows, self.target_rows)

    def edge_inputs(self, binding: InputBinding) -> list[Tensor]:
        """A forward argument of each of the relations."""
        like = self.values[self.sources[0]]
        count = [item.size(1) for item in self.index]
        return [
            self.graph.attribute(binding, edge, rows, self.step.rule, like)
            for edge, rows in zip(self.edges, count, strict=True)
        ]

    def keep(self, name: Hashable, make: Callable[[], Result]) -> Result:
        """A layout of these relations, kept while their edges live.

        Raises:
            SpecError: GNN606 if an edge leads from or to a node that is not there.
        """
        where = (name, self.edges, self.targets)
        places = [(edge, self.step.rule) for edge in self.edges]
        return keep_layout(where, places, self.index, (*self.source_rows, -1, *self.target_rows), make)


def _ends_early(step: JointStep, edges: tuple[EdgeKey, ...], graph: Graph) -> bool:
    """Whether the edges of a trimmed batch end in nodes that get a value: they are counted, and values travel once."""
    return step.hops == 1 and all(edge in graph.kept for edge in edges)
