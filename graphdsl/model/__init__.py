"""The meaning of a spec: schema, metadata, parameters, programs, train settings."""

from graphdsl.model.leakage import find_leaks, mirrored
from graphdsl.model.metadata import Metadata, StoreInfo, TensorInfo
from graphdsl.model.parameters import Parameter, parse_assignment, read_parameters
from graphdsl.model.program import (
    AnyPrediction,
    AnyStage,
    BoundInput,
    DroppedStage,
    EdgesStage,
    JoinedStage,
    LayerUse,
    LinkPrediction,
    NodesStage,
    Pipe,
    Prediction,
    Program,
    RelationRule,
    TypeRule,
)
from graphdsl.model.resolution import Model, ResolvedSpec, resolve
from graphdsl.model.schema import (
    KINDS,
    LABEL_KINDS,
    Attribute,
    AttributeType,
    EdgeType,
    Metapath,
    MetapathHop,
    NodeType,
    Schema,
)
from graphdsl.model.settings import can_override, override_training
from graphdsl.model.training import ClassUse, DataSource, Training
from graphdsl.model.values import UNKNOWN

__all__ = [
    "KINDS",
    "LABEL_KINDS",
    "UNKNOWN",
    "AnyPrediction",
    "AnyStage",
    "Attribute",
    "AttributeType",
    "BoundInput",
    "ClassUse",
    "DataSource",
    "DroppedStage",
    "EdgeType",
    "EdgesStage",
    "JoinedStage",
    "LayerUse",
    "LinkPrediction",
    "Metadata",
    "Metapath",
    "MetapathHop",
    "Model",
    "NodeType",
    "NodesStage",
    "Parameter",
    "Pipe",
    "Prediction",
    "Program",
    "RelationRule",
    "ResolvedSpec",
    "Schema",
    "StoreInfo",
    "TensorInfo",
    "Training",
    "TypeRule",
    "can_override",
    "find_leaks",
    "mirrored",
    "override_training",
    "parse_assignment",
    "read_parameters",
    "resolve",
]
