"""Whose messages a joint layer sends: where those of each relation stand among all of one call of `propagate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch_geometric.nn import FastRGCNConv, HANConv, MessagePassing, RGCNConv

from graphdsl.backends.naming import edge_key, module_key
from graphdsl.plan import JointStep
from graphdsl.text import EdgeKey


@dataclass(frozen=True, slots=True)
class Part:
    """Messages of one relation.

    Attributes:
        edge: the relation.
        rows: where its messages stand.
        kept: which of its edges send one, [num_edges], where the layer leaves out some; None for all.
    """

    edge: EdgeKey
    rows: slice
    kept: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Loops:
    """Messages of self-loops that the layer adds, one for each node of a type."""

    type: str
    rows: slice


def layers_of(module: nn.Module) -> dict[str, MessagePassing]:
    """What sends messages in a module, by its name there: "" for the module itself, or where there is only one."""
    found = {name: item for name, item in module.named_modules() if isinstance(item, MessagePassing)}
    return {"": next(iter(found.values()))} if len(found) == 1 else found


def sends_one_by_one(module: nn.Module) -> bool:
    """Whether a layer calls `propagate` for each of its relations in turn."""
    return isinstance(module, HANConv | RGCNConv) and not isinstance(module, FastRGCNConv)


def order_of(module: nn.Module, step: JointStep) -> tuple[EdgeKey, ...]:
    """The relations of a joint step in the order in which its module sends."""
    own: Any = getattr(module, "edges", None)
    if own is None:
        return step.relations
    named = {edge_key(edge): edge for edge in step.relations}
    return tuple(named[tuple(edge)] for edge in own)


def arrange(
    module: nn.Module, step: JointStep, edges: Mapping[EdgeKey, Tensor], nodes: Mapping[str, int], count: int
) -> tuple[Sequence[Part], Sequence[Loops]] | None:
    """Tell apart the messages of a call that serves all relations; None where their number tells nothing.

    Args:
        module: the layer of the step.
        step: the step.
        edges: edge index [2, num_edges] by relation.
        nodes: number of nodes by type.
        count: how many messages there are.
    """
    how = getattr(module, "loops", None) if getattr(module, "add_self_loops", False) else None
    parts: list[Part] = []
    at = 0
    for edge in order_of(module, step):
        index = edges[edge]
        kept = index[0] != index[1] if how == "replaced" and edge[0] == edge[2] else None
        size = index.size(1) if kept is None else int(kept.sum())
        parts.append(Part(edge, slice(at, at + size), kept))
        at += size
    loops: list[Loops] = []
    if how is not None:
        own: Any = getattr(module, "targets", None)
        for name in step.types if own is None else sorted(step.targets, key=lambda name: own.index(module_key(name))):
            loops.append(Loops(name, slice(at, at + nodes[name])))
            at += nodes[name]
    return (parts, loops) if at == count else None
