"""Which module runs which stage."""

from torch import nn

from graphdsl.backends.pyg.joining import StateJoin
from graphdsl.backends.pyg.node_map import NodeMap
from graphdsl.backends.pyg.relation_map import RelationMap
from graphdsl.plan import JoinStage, NodeStage, RelationStage, Stage


def build_stage(stage: Stage) -> nn.Module:
    """The module of a stage, of PyG's classes.

    Raises:
        TypeError: for a stage that has none (`drop`).
    """
    if isinstance(stage, NodeStage):
        return NodeMap(stage)
    if isinstance(stage, RelationStage):
        return RelationMap(stage)
    if isinstance(stage, JoinStage):
        return StateJoin(stage)
    raise TypeError(f"'{stage.key}' needs no module (got {type(stage).__name__})")
