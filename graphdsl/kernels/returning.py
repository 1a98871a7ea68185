"""What of a walk comes back to the node where it began: the diagonal of a product of sparse matrices, which is never made."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphdsl.kernels.propagation import EntryList, SparseMatrix

PIECE = 1 << 20
"""Steps of walks that are made at once, unless a single node has more."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """A sparse matrix by rows."""

    pointer: Tensor
    column: Tensor
    value: Tensor
    columns: int


def returning_share(hops: Sequence[SparseMatrix | EntryList]) -> Tensor:
    r"""The diagonal of :math:`\mathbf{M}_l \cdots \mathbf{M}_1`, whose ends are the same nodes: [nodes], float64.

    Half of the walk is made from its end, half from its beginning, for some nodes at once; where both halves meet, their
    shares are multiplied. So memory holds what lies half of the walk away from some nodes.

    In a program that torch exports, which knows no operator of ours, both halves are dense: [nodes in the middle, nodes].

    Args:
        hops: matrices [nodes after the hop, nodes before it], in the order of the walk.

    >>> from graphdsl.kernels import averaging
    >>> writes = torch.tensor([[0, 0, 1], [0, 1, 1]])
    >>> returning_share([averaging(writes, 2, 2, torch.float32), averaging(writes.flip(0), 2, 2, torch.float32)])
    tensor([0.7500, 0.5000], dtype=torch.float64)
    """
    row = [_entries(hop)[0] for hop in hops]
    column = [_entries(hop)[1] for hop in hops]
    value = [_entries(hop)[2] for hop in hops]
    sizes = [*(_shape(hop)[1] for hop in hops), _shape(hops[-1])[0]]
    if _is_exporting():
        return _dense_share(row, column, value, sizes)
    if torch.compiler.is_compiling():  # One operator in the graph: how far pieces reach is a value.
        made: Tensor = torch.ops.graphdsl.returning_share(row, column, value, sizes)
        return made
    return _share(row, column, value, sizes)


def _is_exporting() -> bool:
    """Whether a program is made that runs without us; an older torch does not tell that from compiling."""
    told = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)
    return bool(told())


def _entries(hop: SparseMatrix | EntryList) -> tuple[Tensor, Tensor, Tensor]:
    if isinstance(hop, EntryList):
        return hop.row, hop.column, hop.value
    pointer = hop.forward.crow_indices()
    row = torch.repeat_interleave(torch.arange(pointer.numel() - 1, device=pointer.device), pointer.diff())
    return row, hop.forward.col_indices(), hop.forward.values()


def _shape(hop: SparseMatrix | EntryList) -> tuple[int, int]:
    return (hop.rows, hop.columns) if isinstance(hop, EntryList) else (hop.forward.size(0), hop.forward.size(1))


def _share(row: list[Tensor], column: list[Tensor], value: list[Tensor], sizes: Sequence[int]) -> Tensor:
    middle = len(row) // 2
    back = [_by_rows(row[k], column[k], value[k], sizes[k + 1], sizes[k]) for k in reversed(range(middle, len(row)))]
    forth = [_by_rows(column[k], row[k], value[k], sizes[k], sizes[k + 1]) for k in range(middle)]
    nodes, device = sizes[-1], row[0].device
    share = torch.zeros(nodes, dtype=torch.float64, device=device)
    if not nodes:
        return share
    steps = torch.maximum(_steps(back, sizes[middle], device), _steps(forth, sizes[middle], device))
    _, counts = torch.unique_consecutive((steps.cumsum(0) / PIECE).floor(), return_counts=True)
    for begun in torch.arange(nodes, device=device).split(counts.tolist()):
        ones = torch.ones(begun.numel(), dtype=torch.float64, device=device)
        there, shares = _follow(begun - begun[0], begun, ones, back, sizes[middle])
        here, others = _follow(begun - begun[0], begun, ones, forth, sizes[middle])
        if not here.numel():
            continue
        place = torch.searchsorted(here, there).clamp(max=here.numel() - 1)
        both = here[place] == there
        owner = torch.div(there[both], sizes[middle], rounding_mode="floor")
        share.index_add_(0, owner + begun[0], shares[both] * others[place[both]])
    return share


def _dense_share(row: list[Tensor], column: list[Tensor], value: list[Tensor], sizes: Sequence[int]) -> Tensor:
    """The same in operators of torch, whose sizes do not hang on values."""
    middle = len(row) // 2
    every = torch.arange(sizes[-1], device=row[0].device)
    forth = back = (every.unsqueeze(1) == every).double()
    for k in range(middle):
        forth = _dense(row[k], column[k], value[k], sizes[k + 1], sizes[k]) @ forth
    for k in reversed(range(middle, len(row))):
        back = _dense(column[k], row[k], value[k], sizes[k], sizes[k + 1]) @ back
    return (forth * back).sum(0)


def _dense(row: Tensor, column: Tensor, value: Tensor, rows: int, columns: int) -> Tensor:
    zeros = torch.zeros(rows * columns, dtype=torch.float64, device=row.device)
    return zeros.index_add(0, row * columns + column, value.double()).view(rows, columns)


def _steps(hops: Sequence[_Rows], last: int, device: torch.device) -> Tensor:
    """How many walks along some hops begin at each node."""
    ahead = torch.ones(last, dtype=torch.float64, device=device)
    for hop in reversed(hops):
        total = torch.nn.functional.pad(ahead[hop.column].cumsum(0), (1, 0))
        ahead = total[hop.pointer[1:]] - total[hop.pointer[:-1]]
    return ahead


def _by_rows(row: Tensor, column: Tensor, value: Tensor, rows: int, columns: int) -> _Rows:
    order = torch.argsort(row, stable=True)
    pointer = torch.zeros(rows + 1, dtype=torch.long, device=row.device)
    pointer[1:] = torch.bincount(row, minlength=rows).cumsum(0)
    return _Rows(pointer, column[order], value[order].double(), columns)


def _follow(first: Tensor, node: Tensor, share: Tensor, hops: Sequence[_Rows], columns: int) -> tuple[Tensor, Tensor]:
    """Where walks arrive: sorted numbers `first * columns + node` and their shares, equal ones added up."""
    key = first * max(columns, 1) + node
    for hop in hops:
        degree = hop.pointer[node + 1] - hop.pointer[node]
        walk = torch.repeat_interleave(torch.arange(node.numel(), device=node.device), degree)
        begins = hop.pointer[node] - torch.nn.functional.pad(degree.cumsum(0), (1, 0))[:-1]
        edge = torch.arange(walk.numel(), device=node.device) + begins[walk]
        key, place = torch.unique(first[walk] * max(hop.columns, 1) + hop.column[edge], return_inverse=True)
        share = share.new_zeros(key.numel()).index_add_(0, place, share[walk] * hop.value[edge])
        first, node = torch.div(key, max(hop.columns, 1), rounding_mode="floor"), key % max(hop.columns, 1)
    return key, share


@torch.library.custom_op("graphdsl::returning_share", mutates_args=())
def _operator(row: list[Tensor], column: list[Tensor], value: list[Tensor], sizes: list[int]) -> Tensor:
    return _share(row, column, value, sizes)


@_operator.register_fake
def _(row: list[Tensor], column: list[Tensor], value: list[Tensor], sizes: list[int]) -> Tensor:
    return value[0].new_zeros(sizes[-1], dtype=torch.float64)
