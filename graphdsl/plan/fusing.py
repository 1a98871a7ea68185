"""Which steps of a plan the fused backend serves with its own kernels, and why not the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from graphdsl.plan.ir import JointStep, Plan, RelationStage, RelationStep
from graphdsl.plan.module_spec import Ids, ModuleSpec
from graphdsl.plan.reducing import is_own, is_sum, is_zero_of_nothing, why_not_reduced

Family = Literal[
    "linear",  # sums behind a linear map
    "aggregating",  # other aggregations before a linear map
    "summing",  # aggregations without a matrix: SimpleConv, LGConv, GIN
    "gated",  # sums behind gates of both ends: ResGatedGraphConv
    "attention",  # of a number of the source plus one of the destination: GAT
    "dynamic",  # of all columns of both ends together: GATv2
    "dot-attention",  # of a scalar product: TransformerConv
    "dot-attention-attributes",  # the same, where attributes of edges are part of keys and values
    "similarity",  # of how similar both ends are: AGNN
    "relational",  # R-GCN
    "transformer",  # HGT
    "semantic",  # HAN
    "relational-attention",  # RGAT
    "residual-attention",  # SimpleHGN
]
"""Layers that one kernel serves."""

Refuse = Callable[[RelationStep | JointStep], str]
"""Says why a step cannot be served, or ""."""


def _reduced(step: RelationStep | JointStep) -> str:
    aggr = step.module.arguments.get("aggr", "sum")
    if isinstance(step, RelationStep) and is_own(aggr):
        return "each relation has an aggregation of its own"
    return why_not_reduced(aggr, bool(step.inputs))


def _relational(step: RelationStep | JointStep) -> str:
    if not is_zero_of_nothing(step.module.arguments.get("aggr", "mean")):
        return "a node without neighbours gets something, of relations into other types, too"
    return _reduced(step)


def _adds(step: RelationStep | JointStep) -> str:
    aggr = step.module.arguments.get("aggr", "add")
    return "" if aggr in ("sum", "add") else f"aggr = {aggr!r} is no sum"


def _gated(step: RelationStep | JointStep) -> str:
    act = step.module.arguments.get("act")
    if isinstance(act, ModuleSpec) and act.path != "torch.nn.Sigmoid":
        return f"its gates are no sigmoids but `{act.name}`"
    return "its gates read attributes of edges, at each edge through a matrix" if step.inputs else _adds(step)


def _any(step: RelationStep | JointStep) -> str:
    return ""


_STEPS: Final[Mapping[str, tuple[Family, Refuse]]] = {
    "SAGEConv": ("linear", _reduced),
    "GraphConv": ("linear", _reduced),
    "GCNConv": ("linear", _adds),
    "SimpleConv": ("summing", _reduced),
    "LGConv": ("summing", _adds),
    "GINConv": ("summing", _reduced),
    "ResGatedGraphConv": ("gated", _gated),
    "GATConv": ("attention", _adds),
    "GATv2Conv": ("dynamic", _adds),
    "TransformerConv": ("dot-attention", _adds),
    "AGNNConv": ("similarity", _adds),
}
_JOINTS: Final[Mapping[str, tuple[Family, Refuse]]] = {
    "RGCNConv": ("relational", _relational),
    "FastRGCNConv": ("relational", _relational),
    "HGTConv": ("transformer", _any),
    "HANConv": ("semantic", _any),
    "RGATConv": ("relational-attention", _adds),
    "SimpleHGNConv": ("residual-attention", _any),
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
    if reason:
        return None, f"{name}: {reason}"
    if family == "dot-attention" and step.inputs:
        return "dot-attention-attributes", ""
    return ("aggregating" if family == "linear" and not _is_linear(step) else family), ""


def _is_linear(step: RelationStep | JointStep) -> bool:
    """Whether neighbours are summed as they are, so that a matrix may come before or behind the sum."""
    arguments = step.module.arguments
    return is_sum(arguments.get("aggr", "sum")) and not arguments.get("project")


def adds_up(stage: RelationStage) -> bool:
    """Whether messages of several relations are added up, so that a kernel may do it on the way.

    Beside joint layers averages are taken over single messages.
    """
    return stage.combine.kind == "sum" or (stage.combine.kind == "mean" and not stage.joints)


def divide(steps: Sequence[RelationStep], together: bool) -> tuple[list[RelationStep], dict[int, str]]:
    """Steps that kernels serve, and by `id` of each other step the reason why they do not.

    Where messages do not add up, they must stay in order: then all steps into a type are served, or none.

    Args:
        steps: of one stage.
        together: whether messages of several relations are added up.
    """
    reasons = {id(step): reason for step in steps for family, reason in (fused_family(step),) if family is None}
    if not together:
        kept = {step.edge[2]: step for step in steps if id(step) in reasons}
        for step in steps:
            if step.edge[2] in kept and id(step) not in reasons:
                reasons[id(step)] = f"stays in order with {kept[step.edge[2]].module.name}"
    return [step for step in steps if id(step) not in reasons], reasons


@dataclass(frozen=True, slots=True)
class Decision:
    """How the layers of one kind in a stage are computed.

    Attributes:
        stage: its key.
        layer: catalogue name.
        relations: how many of them.
        family: of the kernel, or None for the reference.
        reason: why it is the reference.
    """

    stage: str
    layer: str
    relations: int
    family: Family | None
    reason: str = ""


def list_decisions(plan: Plan) -> tuple[Decision, ...]:
    """How each live layer of a plan is computed by `backend="fused"`, stage by stage."""
    found: dict[tuple[str, str, Family | None, str], int] = {}
    for _, stage in plan.relation_stages():
        steps = [step for step in stage.steps if step.live]
        _, reasons = divide(steps, adds_up(stage))
        for step in steps:
            reason = reasons.get(id(step), "")
            key = (stage.key, step.module.name, None if reason else fused_family(step)[0], reason)
            found[key] = found.get(key, 0) + 1
        for joint in stage.joints:
            if joint.live:
                family, reason = fused_family(joint)
                key = (stage.key, joint.module.name, family, reason)
                found[key] = found.get(key, 0) + len(joint.edges)
    return tuple(Decision(stage, layer, count, by, why) for (stage, layer, by, why), count in found.items())
