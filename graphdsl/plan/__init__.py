"""The plan between meaning and backend: stages in order, widths, origins, liveness."""

from graphdsl.plan.attribute_reads import AttributeRead, attribute_reads
from graphdsl.plan.checks import sampled_walks
from graphdsl.plan.events import event_head, unordered_events
from graphdsl.plan.forecasts import forecast_head, unforeseen_settings
from graphdsl.plan.head_types import (
    AnyHead,
    EventAttributes,
    GraphHead,
    Head,
    LinkHead,
    ObjectiveHead,
    Readout,
    ShownLabels,
    Spread,
    WalkedLabels,
)
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
    SequenceStage,
    SequenceStep,
    Stage,
    StageBase,
)
from graphdsl.plan.lowering import lower
from graphdsl.plan.masked_labels import given_labels, read_labels, shown_labels
from graphdsl.plan.module_spec import Ids, ModuleSpec, Stacked, Width
from graphdsl.plan.pair_graphs import asked_at_once, graph_scorers
from graphdsl.plan.penalty import Penalty
from graphdsl.plan.reach import depths, receptive_hops
from graphdsl.plan.targets import PredictedLabel, predicted_labels

__all__ = [
    "AnyHead",
    "AttributeRead",
    "Combine",
    "Derived",
    "DropStage",
    "EventAttributes",
    "GraphHead",
    "Head",
    "Ids",
    "InputBinding",
    "JoinStage",
    "JointStep",
    "LinkHead",
    "ModuleSpec",
    "NodeStage",
    "NodeStep",
    "ObjectiveHead",
    "Penalty",
    "PipeStep",
    "Plan",
    "PredictedLabel",
    "Readout",
    "RelationStage",
    "RelationStep",
    "SequenceStage",
    "SequenceStep",
    "ShownLabels",
    "Spread",
    "Stacked",
    "Stage",
    "StageBase",
    "WalkedLabels",
    "Width",
    "asked_at_once",
    "attribute_reads",
    "depths",
    "event_head",
    "forecast_head",
    "given_labels",
    "graph_scorers",
    "lower",
    "predicted_labels",
    "read_labels",
    "receptive_hops",
    "sampled_walks",
    "shown_labels",
    "unforeseen_settings",
    "unordered_events",
]
