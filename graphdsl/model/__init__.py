"""The meaning of a spec: schema, metadata, parameters, programs, train settings."""

from graphdsl.model.metadata import Metadata, StoreInfo, TensorInfo
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
from graphdsl.model.training import ClassUse, DataSource, Training

__all__ = [
    "KINDS",
    "LABEL_KINDS",
    "Attribute",
    "AttributeType",
    "ClassUse",
    "DataSource",
    "EdgeType",
    "Metadata",
    "Metapath",
    "MetapathHop",
    "NodeType",
    "Schema",
    "StoreInfo",
    "TensorInfo",
    "Training",
]
