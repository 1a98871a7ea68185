"""Which steps of a stage one kernel computes together, so that relations cost a few calls and not a few each."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphdsl.plan.fusing import Family, adds_up, divide, fused_family
from graphdsl.plan.ir import Plan, RelationStep
from graphdsl.plan.module_spec import ModuleSpec, Width


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that one kernel serves.

    Attributes:
        family: of the kernel.
        members: numbers of the steps among those that were grouped.
    """

    family: Family
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a stage, as `gnn plan --passes` shows them.

    Attributes:
        stage: its key.
        family: of the kernel.
        layers: how many relations have which layer.
        targets: node types that the relations lead to.
        roots: matrices of destinations, one for each relation, that become one for each type; 0 where there are none to fold.
        summed: whether the kernel adds up the messages of several relations into a type.
        shared: how many relations share layers, and how many different products of sources these are; 0, 0 where none do.
    """

    stage: str
    family: Family
    layers: Mapping[str, int]
    targets: tuple[str, ...]
    roots: int
    summed: bool
    shared: tuple[int, int] = (0, 0)


def width_pair(step: RelationStep) -> tuple[Width, Width]:
    """Columns of source and destination that a layer is made for."""
    width: Width | tuple[Width, Width] = step.module.arguments.get("in_channels", step.width_in)
    return width if isinstance(width, tuple) else (width, width)


_DOTTED: Final[Mapping[str, Any]] = {
    "heads": 1,
    "concat": True,
    "dropout": 0.0,
    "bias": True,
    "beta": False,
    "root_weight": True,
}
_ALIKE: Final[Mapping[Family, Mapping[str, Any]]] = {
    "linear": {},
    "aggregating": {"aggr": None, "project": False},
    "summing": {"aggr": None},
    "gated": {},
    "attention": {"heads": 1, "concat": True},
    "dot-attention": _DOTTED,
    "dot-attention-attributes": {**_DOTTED, "edge_dim": None},
    "dynamic": {"heads": 1, "concat": True, "dropout": 0.0, "bias": True, "negative_slope": 0.2},
    "similarity": {},
}
"""By family, the arguments that layers of one kernel have in common, and their defaults."""


def group_steps(steps: Sequence[RelationStep]) -> tuple[Group, ...]:
    """Steps that kernels serve, by family, widths and what else layers of one kernel have in common.

    Args:
        steps: of one stage, each served by some kernel.
    """
    found: dict[tuple[Family, Width, tuple[Any, ...]], list[int]] = defaultdict(list)
    for number, step in enumerate(steps):
        family, reason = fused_family(step)
        assert family is not None, reason
        alike = (_plain(step.module.arguments.get(name, default)) for name, default in _ALIKE[family].items())
        found[family, width_pair(step)[0], (step.width_out, stays_apart(step), *alike)].append(number)
    return tuple(Group(family, tuple(members)) for (family, _, _), members in found.items())


def _plain(value: Any) -> Any:
    """An argument to compare by: an aggregation that is a layer by what it prints."""
    return str(value) if isinstance(value, ModuleSpec) else value


def stays_apart(step: RelationStep) -> bool:
    """Whether a layer does something to its messages that is not linear, so that those of several relations stay apart."""
    normalized = step.module.name == "SAGEConv" and bool(step.module.arguments.get("normalize"))
    return normalized or step.module.name == "GINConv"


def list_groups(plan: Plan) -> tuple[Grouping, ...]:
    """What `backend="fused"` computes at once, stage by stage."""
    found: list[Grouping] = []
    for _, stage in plan.relation_stages():
        adds = adds_up(stage)
        steps, _ = divide([step for step in stage.steps if step.live], adds)
        for group in group_steps(steps):
            members = [steps[number] for number in group.members]
            together = adds and not stays_apart(members[0])
            targets = tuple(dict.fromkeys(step.edge[2] for step in members))
            roots = sum(map(_has_root, members))
            found.append(
                Grouping(
                    stage.key,
                    group.family,
                    dict(Counter(step.module.name for step in members)),
                    targets,
                    roots if together and roots > len(targets) else 0,
                    together and len(members) > len(targets),
                    _shared(members) if group.family in _PROJECTED else (0, 0),
                )
            )
        for joint in stage.joints:
            family, _ = fused_family(joint)
            if joint.live and family is not None:
                found.append(
                    Grouping(
                        stage.key,
                        family,
                        {joint.module.name: len(joint.edges)},
                        joint.wanted,
                        0,
                        family == "relational",
                    )
                )
    return tuple(found)


_ROOTS: Final[Mapping[str, tuple[str, bool]]] = {
    "SAGEConv": ("root_weight", True),
    "GraphConv": ("", True),
    "TransformerConv": ("root_weight", True),
    "ResGatedGraphConv": ("root_weight", True),
    "GATConv": ("residual", False),
    "GATv2Conv": ("residual", False),
}
"""By layer: the argument that gives it a matrix for the destination itself, and its default."""


_PROJECTED: Final = frozenset[Family]({"attention", "dynamic", "dot-attention", "dot-attention-attributes", "gated"})
"""Families whose kernels always multiply the sources with matrices first; "linear" may sum first, as a graph has it."""


def _shared(members: Sequence[RelationStep]) -> tuple[int, int]:
    """Relations that have a layer and a source type in common with another, and their different pairs of both."""
    count = Counter((step.instance, step.edge[0]) for step in members)
    repeated = [number for number in count.values() if number > 1]
    return sum(repeated), len(repeated)


def _has_root(step: RelationStep) -> bool:
    name, default = _ROOTS.get(step.module.name, ("", False))
    weighed = bool(step.module.arguments.get("beta", False))  # for each relation anew, so that nothing can be folded
    return bool(step.module.arguments.get(name, default)) and not weighed
