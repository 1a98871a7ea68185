"""What destinations add to the messages they get: themselves behind a matrix, and a shift."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from graphdsl.backends.fused.relations import Bucket


def with_roots(
    bucket: Bucket, total: Tensor, roots: Sequence[Tensor | None], biases: Sequence[Tensor | None]
) -> dict[int, Tensor]:
    """Messages by slot, with what the destinations themselves add.

    Args:
        bucket: the steps.
        total: messages [rows of all slots, width].
        roots: of each step, a matrix [width, width of the destination].
        biases: of each step, [width].
    """
    found: dict[int, Tensor] = {}
    for place, (slot, message) in enumerate(zip(bucket.slots, total.split(bucket.rows), strict=True)):
        members = [number for number, target in enumerate(bucket.target) if target == place]
        matrices = [matrix for number in members if (matrix := roots[number]) is not None]
        shifts = [shift for number in members if (shift := biases[number]) is not None]
        shift = torch.stack(shifts).sum(0) if shifts else None
        if matrices:
            value = bucket.made[bucket.steps[members[0]].edge[2]]
            message = message + functional.linear(value, torch.stack(matrices).sum(0), shift)
        elif shift is not None:
            message = message + shift
        found[slot] = message
    return found
