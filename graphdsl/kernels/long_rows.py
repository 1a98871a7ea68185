"""Rows with very many edges, in chunks, so that no program on a GPU works long on one row while the others are done."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class LongRows:
    """Chunks of the rows with more than some number of edges.

    Attributes:
        row: which rows these are [long rows].
        pointer: where the chunks of each begin [long rows + 1].
        owner: place in `row` of the row that each chunk belongs to [chunks].
        begin: first edge of each chunk [chunks].
        end: behind its last edge [chunks].
    """

    row: Tensor
    pointer: Tensor
    owner: Tensor
    begin: Tensor
    end: Tensor

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return self.owner.numel()


def cut_long_rows(offsets: Tensor, most: int) -> LongRows | None:
    """Chunks of at most `most` edges, of the rows with more edges than that; None where no row has.

    Args:
        offsets: where the edges of each row begin [rows + 1], int64.
        most: edges.

    >>> found = cut_long_rows(torch.tensor([0, 1, 6, 8]), 2)
    >>> found.row.tolist(), found.pointer.tolist(), found.begin.tolist(), found.end.tolist()
    ([1], [0, 3], [1, 3, 5], [3, 5, 6])
    """
    degree = offsets.diff()
    row = (degree > most).nonzero().squeeze(1)
    if row.numel() == 0:
        return None
    pieces = (degree[row] + most - 1).div(most, rounding_mode="floor")
    ends = pieces.cumsum(0)
    pointer = torch.cat([ends.new_zeros(1), ends])
    owner = torch.arange(row.numel(), device=row.device).repeat_interleave(pieces)
    number = torch.arange(owner.numel(), device=row.device) - pointer[owner]
    begin = offsets[row[owner]] + number * most
    end = torch.minimum(begin + most, offsets[row[owner] + 1])
    return LongRows(row, pointer, owner, begin, end)
