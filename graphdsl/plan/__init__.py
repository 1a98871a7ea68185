"""The plan between meaning and backend: stages in order, widths, origins, liveness."""

from graphdsl.plan.ir import (
    Combine,
    Derived,
    DropStage,
    Head,
    Ids,
    InputBinding,
    JoinStage,
    JointStep,
    ModuleSpec,
    NodeStage,
    NodeStep,
    PipeStep,
    Plan,
    RelationStage,
    RelationStep,
    Stage,
    StageBase,
    Width,
)
from graphdsl.plan.lowering import lower
from graphdsl.plan.reach import depths, receptive_hops

__all__ = [
    "Combine",
    "Derived",
    "DropStage",
    "Head",
    "Ids",
    "InputBinding",
    "JoinStage",
    "JointStep",
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
