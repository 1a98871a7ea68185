"""The plan between meaning and backend: stages in order, widths, origins, liveness."""

from graphdsl.plan.head_types import AnyHead, Head, LinkHead
from graphdsl.plan.ir import (
    Combine,
    Derived,
    DropStage,
    InputBinding,
    JoinStage,
    JointStep,
    NodeStage,
    NodeStep,
    PipeStep,
    Plan,
    RelationStage,
    RelationStep,
    Stage,
    StageBase,
)
from graphdsl.plan.lowering import lower
from graphdsl.plan.module_spec import Ids, ModuleSpec, Width
from graphdsl.plan.reach import depths, receptive_hops

__all__ = [
    "AnyHead",
    "Combine",
    "Derived",
    "DropStage",
    "Head",
    "Ids",
    "InputBinding",
    "JoinStage",
    "JointStep",
    "LinkHead",
    "ModuleSpec",
    "NodeStage",
    "NodeStep",
    "PipeStep",
    "Plan",
    "RelationStage",
    "RelationStep",
    "Stage",
    "StageBase",
    "Width",
    "depths",
    "lower",
    "receptive_hops",
]
