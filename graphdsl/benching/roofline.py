"""The roofline of memory: how many bytes a step has to move, and how many the device could have moved in its time.

Layers of graphs compute little for what they read, so bytes bound them. Counted is what a step moves if each value is
made once and nothing else is stored: for each edge the row of its source, at the narrower side of the layer's linear map,
and a number of four bytes; each value that a stage reads or makes, and each parameter, once. Where rows of sources stay in
the cache of the device, the share exceeds one.
"""

import time
from collections.abc import Mapping

import torch
from torch import nn

from graphdsl.plan import JointStep, NodeStage, Plan, RelationStage, RelationStep
from graphdsl.plan.requirements import running
from graphdsl.text import EdgeKey

_INDEX = 4
_COPIED = 1 << 28
_BACK = 2  # Of edges, a gradient goes back as the value came; nodes and parameters are read once more, too.


def least_bytes(
    plan: Plan, module: nn.Module, nodes: Mapping[str, int], edges: Mapping[EdgeKey, int]
) -> dict[str, float]:
    """Bytes that a forward pass, and one with a backward pass, have to move.

    Args:
        plan: of the model.
        module: has the parameters, and tells how many bytes a number has.
        nodes: rows by type.
        edges: edges by relation.

    Returns:
        By pass, "forward" and "step".
    """
    size = next((item.element_size() for item in module.parameters()), 4)
    along, at_nodes = 0.0, 0.0
    for stage in plan.stages:
        if isinstance(stage, RelationStage):
            moved = [_of_step(step, edges, size) for step in running(stage, live=True)]
            along += sum(moved)
            names = {name for step in running(stage, live=True) for name in _ends(step)}
            at_nodes += size * sum(_cells(name, plan.widths(stage.reads), nodes) for name in names)
            made = {name for step in running(stage, live=True) for name in _targets(step)}
            at_nodes += size * sum(_cells(name, stage.widths, nodes) for name in made)
        elif isinstance(stage, NodeStage):
            for step in stage.steps:
                if step.live:
                    widths = (plan.widths(stage.reads), stage.widths)
                    at_nodes += size * sum(_cells(step.type, each, nodes) for each in widths)
    weights = float(sum(item.numel() * item.element_size() for item in module.parameters()))
    forward = along + at_nodes + weights
    return {"forward": forward, "step": forward + (_BACK - 1) * along + _BACK * (at_nodes + weights)}


def _of_step(step: RelationStep | JointStep, edges: Mapping[EdgeKey, int], size: int) -> float:
    """Bytes that go along the edges of a step."""
    if isinstance(step, RelationStep):
        return edges.get(step.edge, 0) * (_INDEX + size * _narrow(step.width_in[0], step.width_out))
    return sum(
        edges.get(edge, 0) * (_INDEX + size * _narrow(step.width_in.get(edge[0]), step.width_out))
        for edge in step.edges
    )


def _narrow(before: object, after: int | None) -> int:
    known = [width for width in (before, after) if isinstance(width, int)]
    return min(known, default=0)


def _ends(step: RelationStep | JointStep) -> tuple[str, ...]:
    return (step.edge[0], step.edge[2]) if isinstance(step, RelationStep) else step.types


def _targets(step: RelationStep | JointStep) -> tuple[str, ...]:
    return (step.edge[2],) if isinstance(step, RelationStep) else step.targets


def _cells(name: str, widths: Mapping[str, object], nodes: Mapping[str, int]) -> int:
    """Numbers in the value of a type; one a node where nodes are but numbered."""
    width = widths.get(name)
    return nodes.get(name, 0) * (width if isinstance(width, int) else 1)


def bandwidth(device: torch.device) -> float:
    """Bytes a second that a device moves in a copy: read and written, the best of ten."""
    source = torch.empty(_COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(10):
        _wait(device)
        start = time.perf_counter()
        target.copy_(source)
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * _COPIED / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


__all__ = ["bandwidth", "least_bytes"]
