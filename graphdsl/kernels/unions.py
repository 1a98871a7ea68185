"""Several relations as one: their edges in one numbering, so that one kernel serves all of them.

Nodes stand in blocks, one for each type. A relation leads from a block of sources to a block of destinations. What is
needed of a graph (its pairs of relation and destination, its layouts) is made when it is first asked for, and once. A union
is what layouts are made from; it holds the edges, so what is kept while they live must not hold it.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

from graphdsl.kernels.layouts import Layout, lasting, number_distinct


class Union:
    """Relations between blocks of nodes.

    Attributes:
        index: edges [2, edges] of each relation.
        source: block of sources of each relation.
        target: block of destinations.
        source_rows: number of nodes of each block of sources.
        target_rows: number of nodes of each block of destinations.

    Raises:
        IndexError: if an edge leads from or to a node that is not there; `relation` and `message` tell which.

    >>> union = Union([torch.tensor([[0, 1], [0, 0]]), torch.tensor([[0], [1]])], [0, 1], [0, 0], [2, 1], [2])
    >>> union.pair_bounds, union.pair_row.tolist(), union.by_pair.column.tolist()
    ([0, 1, 2], [0, 1], [0, 1, 2])
    """

    def __init__(
        self,
        index: Sequence[Tensor],
        source: Sequence[int],
        target: Sequence[int],
        source_rows: Sequence[int],
        target_rows: Sequence[int],
    ) -> None:
        self.index = tuple(index)
        self.source = tuple(source)
        self.target = tuple(target)
        self.source_rows = tuple(source_rows)
        self.target_rows = tuple(target_rows)
        self.source_at = (0, *accumulate(self.source_rows))
        self.target_at = (0, *accumulate(self.target_rows))
        self.counts = tuple(item.size(1) for item in index)
        self.device = index[0].device
        self._from = torch.cat([item[0].long() for item in index])
        self._to = torch.cat([item[1].long() for item in index])
        self._check()

    def _check(self) -> None:
        """One look at all edges; only where it finds something, another at each relation."""
        for ends, rows, which, word in (
            (self._from, self.source_rows, self.source, "source"),
            (self._to, self.target_rows, self.target, "target"),
        ):
            if ends.numel() == 0:
                continue
            most = self.each([rows[block] for block in which])
            if bool((ends.lt(0) | ends.ge(most)).any()):
                raise self._outside(ends, rows, which, word)

    def _outside(self, ends: Tensor, rows: Sequence[int], which: Sequence[int], word: str) -> IndexError:
        for number, part in enumerate(ends.split(self.counts)):
            size = rows[which[number]]
            wrong = part[(part < 0) | (part >= size)]
            if wrong.numel():
                return EdgeOutside(number, word, int(wrong[0]), size, wrong.numel())
        raise AssertionError("some relation has it")

    def each(self, values: Sequence[int]) -> Tensor:
        """A number of each relation at each of its edges [edges]."""
        return torch.tensor(values, device=self.device).repeat_interleave(
            torch.tensor(self.counts, device=self.device), output_size=sum(self.counts)
        )

    def part(self, members: Sequence[int]) -> "Union":
        """Some of the relations, between the same blocks."""
        if len(members) == self.relations:
            return self
        index = [self.index[r] for r in members]
        source, target = [self.source[r] for r in members], [self.target[r] for r in members]
        return Union(index, source, target, self.source_rows, self.target_rows)

    @property
    def relations(self) -> int:
        """Number of relations."""
        return len(self.counts)

    @cached_property
    @lasting
    def column(self) -> Tensor:
        """Source of each edge among the rows of all blocks of sources [edges]."""
        return self._from + self.each([self.source_at[block] for block in self.source])

    @cached_property
    @lasting
    def row(self) -> Tensor:
        """Destination of each edge among the rows of all blocks of destinations [edges]."""
        return self._to + self.each([self.target_at[block] for block in self.target])

    @cached_property
    @lasting
    def _dense(self) -> tuple[Tensor, Tensor, list[int]]:
        starts = list(accumulate((self.target_rows[block] for block in self.target), initial=0))
        found, place = number_distinct(self._to + self.each(starts[:-1]), starts[-1])
        return found, place, starts

    @cached_property
    @lasting
    def _pairs(self) -> tuple[Tensor, Tensor, list[int]]:
        found, place, starts = self._dense
        bounds = torch.searchsorted(found, torch.tensor(starts, device=self.device)).tolist()
        shift = [self.target_at[block] - start for block, start in zip(self.target, starts, strict=False)]
        sizes = torch.tensor(bounds, device=self.device).diff()
        row = found + torch.tensor(shift, device=self.device).repeat_interleave(sizes, output_size=found.numel())
        return row, place, bounds

    @property
    def pair_numbers(self) -> Tensor:
        """Number of each pair among the destinations of all relations, relation by relation [pairs]."""
        return self._dense[0]

    @cached_property
    @lasting
    def source_pairs(self) -> tuple[Tensor, Tensor]:
        """Pairs of a relation and a node that sends along it, and the pair of each edge.

        The first [source pairs] holds the number of each among the sources of all relations, relation by relation.
        """
        starts = list(accumulate((self.source_rows[block] for block in self.source), initial=0))
        return number_distinct(self._from + self.each(starts[:-1]), starts[-1])

    def source_of(self, number: Tensor) -> Tensor:
        """Rows among all blocks of sources of some numbers among the sources of all relations, relation by relation."""
        starts = torch.tensor(
            list(accumulate((self.source_rows[block] for block in self.source), initial=0)), device=self.device
        )
        relation = torch.searchsorted(starts, number, right=True) - 1
        at = torch.tensor([self.source_at[block] for block in self.source], device=self.device)
        return number - starts[relation] + at[relation]

    @property
    def pair_row(self) -> Tensor:
        """Destination of each pair of a relation and a node that it leads to, relation by relation [pairs]."""
        return self._pairs[0]

    @property
    def pair_of_edge(self) -> Tensor:
        """Pair of each edge [edges]."""
        return self._pairs[1]

    @property
    def pair_bounds(self) -> list[int]:
        """Where the pairs of each relation begin, [relations + 1]."""
        return self._pairs[2]

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self.pair_bounds[-1]

    @cached_property
    @lasting
    def by_pair(self) -> Layout:
        """From sources to pairs."""
        return Layout.of(self.pair_of_edge, self.column, self.pairs, self.source_at[-1])

    @cached_property
    @lasting
    def join(self) -> Layout:
        """From pairs to destinations."""
        pairs = torch.arange(self.pairs, device=self.device)
        return Layout.of(self.pair_row, pairs, self.target_at[-1], self.pairs)

    @cached_property
    @lasting
    def pair_degree(self) -> Tensor:
        """Number of edges of each pair [pairs]."""
        return torch.bincount(self.pair_of_edge, minlength=self.pairs)

    def wide(self, columns: Tensor, rows: int) -> Layout:
        """From rows of a table of projected sources to destinations.

        Args:
            columns: of each edge [edges].
            rows: of the table.
        """
        return Layout.of(self.row, columns, self.target_at[-1], rows)


class EdgeOutside(IndexError):
    """An edge of a node that is not there.

    Attributes:
        relation: number of the relation.
        end: "source" or "target".
        value: the first number that is no node.
        size: how many nodes there are.
        count: how many edges have such an end.
    """

    def __init__(self, relation: int, end: str, value: int, size: int, count: int) -> None:
        super().__init__(f"{end} {value} of relation {relation} is not one of {size} nodes")
        self.relation = relation
        self.end = end
        self.value = value
        self.size = size
        self.count = count
