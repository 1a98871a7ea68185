"""What a step computes and compares, whatever it was made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the work is this process's: that of number `rank` of `processes`."""

    rank: int = 0
    processes: int = 1


class Batch:
    """Inputs of a model and what its outputs are compared with.

    It is no dataclass or tuple, whose numbers Lightning would convert to half precision, labels included.

    Attributes:
        inputs: keyword arguments of the compiled model.
        rows: by prediction, the rows of its output that count; predictions of other types than the seeds' are absent.
        labels: by prediction, the labels of those rows, if there are any to compare with.
        nodes: by prediction, the node numbers of those rows in the whole graph, on the CPU.
        is_whole: whether it is the whole graph.
    """

    __slots__ = ("inputs", "is_whole", "labels", "nodes", "rows")

    def __init__(
        self,
        inputs: Mapping[str, Any],
        rows: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        nodes: Mapping[str, Tensor],
        is_whole: bool = False,
    ) -> None:
        self.inputs, self.rows, self.labels, self.nodes = inputs, rows, labels, nodes
        self.is_whole = is_whole

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        inputs, rows, labels = (move(part, device) for part in (self.inputs, self.rows, self.labels))
        return Batch(inputs, rows, labels, self.nodes, self.is_whole)


class Batches(Protocol):
    """Batches of one pass."""

    epoch: int

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


def move(value: Any, device: torch.device) -> Any:
    """Tensors, also inside mappings, on another device."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {key: move(item, device) for key, item in value.items()}
    return value
