"""All node types of a graph numbered together, type after type."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def stack_types(x_dict: Mapping[str, Tensor], types: Sequence[str]) -> tuple[Tensor, dict[str, int]]:
    """Features of all types below each other [nodes of all types, width], and where each type begins.

    >>> x, starts = stack_types({"a": torch.zeros(2, 1), "b": torch.ones(3, 1)}, ["a", "b"])
    >>> x.size(0), starts
    (5, {'a': 0, 'b': 2})
    """
    starts: dict[str, int] = {}
    total = 0
    for name in types:
        starts[name] = total
        total += x_dict[name].size(0)
    return torch.cat([x_dict[name] for name in types]), starts
