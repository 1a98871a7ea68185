"""The splits, and graphs drawn for them in shares."""

from typing import Literal

import torch
from torch import Tensor

from graphdsl.model import Training
from graphdsl.training.order import mix

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def draw_graphs(labelled: Tensor, training: Training) -> dict[str, Tensor]:
    """Labelled graphs at random, in shares; a split without a share does not exist."""
    numbers = labelled.nonzero().reshape(-1)
    order = torch.randperm(len(numbers), generator=torch.Generator().manual_seed(mix(training.seed, 0x5B117)))
    found: dict[str, Tensor] = {}
    start, total = 0, 0.0
    for split, share in zip(SPLITS, training.split, strict=False):
        total += share
        end = len(numbers) if abs(total - 1) < 1e-9 else round(total * len(numbers))
        if share > 0:
            found[split] = numbers[order[start:end]].sort().values
        start = end
    return found
