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
        kinds: of each relation, which matrices are its own: relations of one kind share them.

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
        kinds: Sequence[int] | None = None,
    ) -> None:
        self.index = tuple(index)
        self.source = tuple(source)
        self.target = tuple(target)
        self.source_rows = tuple(source_rows)
        self.target_rows = tuple(target_rows)
        self.kinds = tuple(range(len(self.index)) if kinds is None else kinds)
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
        kinds = [self.kinds[r] for r in members]
        return Union(index, source, target, self.source_rows, self.target_rows, kinds)

    @property
    def relations(self) -> int:
        """Number of relations."""
        return len(self.counts)

    def classes(self, blocks: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Which relations do the same with a node at one end: those of one kind that have the same block there.

        Args:
            blocks: of each relation, its block at that end.

        Returns:
            The class of each relation, and the first relation of each class.

        >>> index = [torch.zeros(2, 1, dtype=torch.long)] * 3
        >>> Union(index, [0, 1, 0], [0, 0, 0], [1, 1], [1], kinds=[0, 0, 0]).classes([0, 1, 0])
        ((0, 1, 0), (0, 1))
        """
        ends = list(zip(self.kinds, blocks, strict=True))
        distinct = list(dict.fromkeys(ends))
        number = {end: place for place, end in enumerate(distinct)}
        return tuple(number[end] for end in ends), tuple(ends.index(end) for end in distinct)

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
        """Pairs of a class of relations and a node that sends along one of them, and the pair of each edge.

        The first [source pairs] holds the number of each among the sources of all classes, class by class.
        """
        of, starts = self.classes(self.source)[0], self._source_starts
        return number_distinct(self._from + self.each([starts[number] for number in of]), starts[-1])

    @property
    def _source_starts(self) -> list[int]:
        first = self.classes(self.source)[1]
        return list(accumulate((self.source_rows[self.source[r]] for r in first), initial=0))

    def source_of(self, number: Tensor) -> Tensor:
        """Rows among all blocks of sources of some numbers among the sources of all classes, class by class."""
        starts = torch.tensor(self._source_starts, device=self.device)
        own = torch.searchsorted(starts, number, right=True) - 1
        first = self.classes(self.source)[1]
        at = torch.tensor([self.source_at[self.source[r]] for r in first], device=self.device)
        return number - starts[own] + at[own]

    @cached_property
    @lasting
    def target_pairs(self) -> tuple[Tensor, Tensor]:
        """Pairs of a class of relations and a node that one of them leads to, and which of them each of `pair_row` is.

        The first holds the number of each among the destinations of all classes, class by class.
        """
        numbers, _, starts = self._dense
        of, first = self.classes(self.target)
        if len(first) == self.relations:
            return numbers, torch.arange(numbers.numel(), device=self.device)
        own = list(accumulate((self.target_rows[self.target[r]] for r in first), initial=0))
        shift = torch.tensor(
            [own[number] - start for number, start in zip(of, starts, strict=False)], device=self.device
        )
        sizes = torch.tensor(self.pair_bounds, device=self.device).diff()
        moved = numbers + shift.repeat_interleave(sizes, output_size=numbers.numel())
        return number_distinct(moved, own[-1])

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

    @lasting
    def by_target(self) -> tuple[tuple[int, ...], tuple[int, ...], Tensor, Layout]:
        """What classes of relations add up in each destination, as a matrix that they share can be applied to.

        Returns:
            The first relation of each class, where the pairs of each class begin, the pair of each edge [edges], and the
            layout from pairs to destinations.

        >>> index = [torch.tensor([[0], [1]]), torch.tensor([[0, 0], [1, 0]])]
        >>> Union(index, [0, 0], [0, 0], [1], [2], kinds=[0, 0]).by_target()[:3]
        ((0,), (0, 2), tensor([1, 1, 0]))
        """
        first = self.classes(self.target)[1]
        numbers, place = self.target_pairs
        starts = list(accumulate((self.target_rows[self.target[r]] for r in first), initial=0))
        bounds = torch.searchsorted(numbers, torch.tensor(starts, device=self.device))
        at = [self.target_at[self.target[r]] - start for r, start in zip(first, starts, strict=False)]
        row = numbers + torch.tensor(at, device=self.device).repeat_interleave(
            bounds.diff(), output_size=numbers.numel()
        )
        join = Layout.of(row, torch.arange(numbers.numel(), device=self.device), self.target_at[-1], numbers.numel())
        return first, tuple(bounds.tolist()), place.index_select(0, self.pair_of_edge), join

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
