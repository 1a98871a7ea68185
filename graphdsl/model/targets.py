"""Which labels of nodes a model predicts, and along which relations it looks at other nodes meanwhile."""

from dataclasses import dataclass

from graphdsl.model.program import EdgesStage, Prediction, Program, SequenceStage
from graphdsl.text import EdgeKey, Span


@dataclass(frozen=True, slots=True)
class PredictedLabel:
    """A predicted label of the nodes of a type.

    Attributes:
        type: the node type.
        attribute: the label.
        read: relations and metapaths that rules of the model read.
        span: where it is predicted.
    """

    type: str
    attribute: str
    read: frozenset[EdgeKey]
    span: Span


def predicted_labels(program: Program) -> tuple[PredictedLabel, ...]:
    """The labels of nodes that a model predicts."""
    read: set[EdgeKey] = set()
    for stage in program.stages:
        if isinstance(stage, EdgesStage):
            read.update(edge for rule in stage.rules for edge in rule.edges)
        elif isinstance(stage, SequenceStage):
            read.update(program.schema.edges)
    found = (item for item in program.predictions if isinstance(item, Prediction))
    return tuple(PredictedLabel(item.type, item.attribute, frozenset(read), item.span) for item in found)
