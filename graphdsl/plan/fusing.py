"""Which steps of a plan the fused backend serves with its own kernels, and why not the others."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from graphdsl.plan.ir import JointStep, RelationStep
from graphdsl.plan.module_spec import Ids

Family = Literal["linear", "attention", "relational", "transformer", "semantic"]
"""Layers that one kernel serves: sums behind a linear map; attention of a sum of two scores; R-GCN; HGT; HAN."""

Refuse = Callable[[RelationStep | JointStep], str]
"""Says why a step cannot be served, or ""."""


def _sage(step: RelationStep | JointStep) -> str:
    arguments = step.module.arguments
    if arguments.get("aggr", "mean") not in ("mean", "sum", "add"):
        return f"aggr = {arguments['aggr']!r} is no sum"
    return "it normalizes or projects" if arguments.get("normalize") or arguments.get("project") else ""


def _sums(step: RelationStep | JointStep) -> str:
    arguments = step.module.arguments
    return "" if arguments.get("aggr", "sum") in ("mean", "sum", "add") else f"aggr = {arguments['aggr']!r} is no sum"


def _gcn(step: RelationStep | JointStep) -> str:
    weighted = bool(step.inputs) and step.module.arguments.get("normalize", True)
    return "weights of edges change its normalization with each call" if weighted else ""


def _gat(step: RelationStep | JointStep) -> str:
    loops = bool(step.inputs) and step.module.arguments.get("add_self_loops", True)
    return "self-loops have no attribute of their own" if loops else ""


def _any(step: RelationStep | JointStep) -> str:
    return ""


_STEPS: Final[Mapping[str, tuple[Family, Refuse]]] = {
    "SAGEConv": ("linear", _sage),
    "GraphConv": ("linear", _sums),
    "GCNConv": ("linear", _gcn),
    "GATConv": ("attention", _gat),
}
_JOINTS: Final[Mapping[str, tuple[Family, Refuse]]] = {
    "RGCNConv": ("relational", _sums),
    "FastRGCNConv": ("relational", _sums),
    "HGTConv": ("transformer", _any),
    "HANConv": ("semantic", _any),
}
"""By layer: its family, and a function that says why these arguments keep it out, or ""."""


def fused_family(step: RelationStep | JointStep) -> tuple[Family | None, str]:
    """The family that serves a step, or None and the reason.

    Args:
        step: of a relation stage.
    """
    table = _STEPS if isinstance(step, RelationStep) else _JOINTS
    name = step.module.name
    if name not in table:
        return None, f"{name} has no kernel of ours"
    family, refuse = table[name]
    widths = step.width_in if isinstance(step, RelationStep) else tuple(step.width_in.values())
    if any(isinstance(width, Ids) for width in widths):
        return None, "it reads node numbers"
    reason = refuse(step)
    return (None, f"{name}: {reason}") if reason else (family, "")
