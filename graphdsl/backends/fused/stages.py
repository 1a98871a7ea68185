"""Which module runs which stage."""

from torch import nn

from graphdsl.backends.fused.choosing import Choice
from graphdsl.backends.fused.relation_map import FusedRelationMap
from graphdsl.backends.pyg import build_stage as build_reference
from graphdsl.plan import RelationStage, Stage


def build_stage(stage: Stage) -> nn.Module:
    """The module of a stage: relation maps on kernels, all others as in the reference."""
    return FusedRelationMap(stage) if isinstance(stage, RelationStage) else build_reference(stage)


def choose_stage(stage: Stage) -> nn.Module:
    """The same, but for each graph whichever of kernels and the reference is faster."""
    return FusedRelationMap(stage, Choice()) if isinstance(stage, RelationStage) else build_reference(stage)
