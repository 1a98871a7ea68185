"""What a model says once its parameters have values: stages in order, each rule matched to types and relations.

Repeats are unrolled, names are resolved, arguments are values. Widths are not known here: they follow from schema and
data when a program is lowered to a plan. States are numbered as in the plan: 0 is the input, stage *i* makes *i* + 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from graphdsl.catalog import Entry, ForwardInput, Scorer, SlotKind
from graphdsl.model.schema import MetapathHop, Schema
from graphdsl.text import EdgeKey, Span

CombineKind = Literal["sum", "mean", "max", "min", "cat", "attention"]
JoinKind = Literal["cat", "add", "mul", "mean", "max", "jump", "stack", "same"]


@dataclass(frozen=True, slots=True)
class BoundInput:
    """A forward input bound by keyword: to an attribute, to what a layer makes of attributes, or to an earlier state."""

    input: ForwardInput
    attribute: str
    state: int
    span: Span
    encoder: "LayerUse | None" = None

    @property
    def read(self) -> tuple["BoundInput", ...]:
        """What is bound in the end: the attributes that the encoder reads, or the input itself."""
        return self.encoder.inputs if self.encoder is not None else (self,)


@dataclass(frozen=True, slots=True)
class LayerUse:
    """A layer as a spec asks for it.

    Attributes:
        arguments: values by PyG's parameter name, only those that were written; nested layers are `LayerUse`s.
        places: where each argument is written.
        inputs: forward inputs bound by keyword.
    """

    entry: Entry
    arguments: Mapping[str, Any]
    places: Mapping[str, Span]
    inputs: tuple[BoundInput, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ScorerUse:
    """A scorer of links as a spec asks for it; `arguments` are those that were written, by name."""

    scorer: Scorer
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TypeRule:
    """The layer that serves one node type; `named` when its pattern names the type, not `*`."""

    type: str
    layer: LayerUse
    span: Span
    named: bool


@dataclass(frozen=True, slots=True)
class RelationRule:
    """A rule of a relation map and the relations it decides."""

    edges: tuple[EdgeKey, ...]
    layer: LayerUse
    share: bool
    span: Span
    named: bool


@dataclass(frozen=True, slots=True)
class Pipe:
    """A step of a pipe: one layer for all types, a map, or the residual."""

    kind: Literal["layer", "map", "residual"]
    layer: LayerUse | None
    rules: tuple[TypeRule, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ProgramStage:
    """What all stages of a program have.

    Attributes:
        key: unique name: the state's name, or `nodes1`, `edges2`, …
        name: the state's name in the spec, if it has one.
        reads: the state it transforms.
        shares: index of the stage whose weights it uses, in a shared repeat.
        pipe: what follows.
    """

    key: str
    name: str | None
    reads: int
    shares: int | None
    pipe: tuple[Pipe, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class NodesStage(ProgramStage):
    """A node map."""

    rules: tuple[TypeRule, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgesStage(ProgramStage):
    """A relation map."""

    rules: tuple[RelationRule, ...] = ()
    combine: CombineKind = "sum"
    combine_arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    combine_span: Span | None = None


@dataclass(frozen=True, slots=True)
class JoinedStage(ProgramStage):
    """A join of several states."""

    kind: JoinKind = "same"
    states: tuple[int, ...] = ()
    mode: str = "cat"


@dataclass(frozen=True, slots=True)
class DroppedStage(ProgramStage):
    """Types that end here."""

    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceInput:
    """A name in the header of a `sequential` block, and where it comes from.

    Attributes:
        source: an attribute of the nodes, the edges or the graph; or what PyG itself calls so.
    """

    name: str
    kind: SlotKind
    source: Literal["node", "edge", "graph", "edge_index", "batch", "batch_size"]
    span: Span


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """A step of a `sequential` block, its names resolved.

    Attributes:
        layer: what it is, unless it is a join.
        join: `cat`, `add`, `mul`, `mean`, `max` or `jump`; empty for a layer.
        mode: of a `jump`.
        inputs: names that it reads; None for `none`.
        outputs: names that it gives; None for `_`.
        kind: of the first value that it gives.
        shares: an earlier step whose weights it uses, in a shared repeat.
    """

    layer: LayerUse | None
    join: str
    mode: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str | None, ...]
    kind: SlotKind
    shares: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class SequenceStage(ProgramStage):
    """A `sequential` block on the only node type and relation of its schema."""

    type: str = ""
    edge: EdgeKey = ("", "", "")
    inputs: tuple[SequenceInput, ...] = ()
    steps: tuple[SequenceStep, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphPrediction:
    """A predicted label of whole graphs.

    Attributes:
        sources: node types that are read, sorted; empty behind a `sequential` block, of which it reads a value.
        readout: how the nodes of each graph become one row.
        head: the layer behind it; None = `Linear`, or nothing behind a `sequential` block.
        value: name of the value of a `sequential` block that it reads; empty for what the last step gives.
    """

    attribute: str
    sources: tuple[str, ...]
    readout: LayerUse | None
    head: LayerUse | None
    weight: float
    state: int
    span: Span
    value: str = ""

    @property
    def label(self) -> str:
        """What is predicted, in words of the spec."""
        return f"graph.{self.attribute}"

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads."""
        return self.sources


@dataclass(frozen=True, slots=True)
class Spread:
    """What spreads labels of training nodes: one of `SPREADERS`, and the relation or metapath that it follows."""

    layer: LayerUse
    edge: EdgeKey

    @property
    def alone(self) -> bool:
        """Whether it predicts without a head that learns."""
        return self.layer.entry.name == "LabelPropagation"


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted label of the nodes of one type; `value` as in `GraphPrediction`.

    `spread` is what labels of training nodes do to it.
    """

    type: str
    attribute: str
    head: LayerUse | None
    weight: float
    state: int
    span: Span
    spread: Spread | None = None
    value: str = ""

    @property
    def label(self) -> str:
        """What is predicted, in words of the spec."""
        return f"{self.type}.{self.attribute}"

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads."""
        return () if self.spread is not None and self.spread.alone else (self.type,)


@dataclass(frozen=True, slots=True)
class LinkPrediction:
    """A relation's predicted edges.

    Attributes:
        edge: the relation.
        attribute: the label that edges carry; None for whether there is an edge.
        scorer: a scorer of the catalogue that takes both ends, or a layer that takes their concatenation ("Linear"
            where nothing is written behind a label).
        negatives: pairs without an edge for each edge.
        keep_target: the predicted edges stay in the message passing graph.
        place: where the head is written, or the prediction.
        value: as in `GraphPrediction`.
    """

    edge: EdgeKey
    attribute: str | None
    scorer: ScorerUse | LayerUse | str
    negatives: int
    keep_target: bool
    weight: float
    state: int
    place: Span
    span: Span
    value: str = ""

    @property
    def label(self) -> str:
        """What is predicted, in words of the spec."""
        source, relation, target = self.edge
        return f"{source} -[{relation}]-> {target}" + (f".{self.attribute}" if self.attribute else "")

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads, the source first."""
        return tuple(dict.fromkeys((self.edge[0], self.edge[2])))


@dataclass(frozen=True, slots=True)
class Penalty:
    """A loss that training adds to those of the predictions.

    Attributes:
        name: as it is written: `mincut_loss`, `SuperGATConv(h1)`, `gini(h1.author)`.
        kind: "output": steps of a `sequential` block give it; "layer": layers have it of their own; "function": it is
            computed from a type's values in a state.
        outputs: of "output": number of each step, and the place among what it gives.
        own: of "layer": the class.
        stages: of "layer": numbers of the stages whose layers count.
        layer: of "function": what computes it.
        state: of "function": number of the state.
        type: of "function": the node type.
    """

    name: str
    kind: Literal["output", "layer", "function"]
    weight: float
    span: Span
    outputs: tuple[tuple[int, int], ...] = ()
    own: str = ""
    stages: tuple[int, ...] = ()
    layer: LayerUse | None = None
    state: int = 0
    type: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """What is learned without labels.

    Attributes:
        name: as the spec names it: a type, a metapath or a relation.
        layer: the objective and its arguments.
        type: the type that is learned of, or where walks begin.
        along: key of the metapath or relation that walks follow; None where a state of the type is learned.
        path: its hops, taken again and again.
    """

    name: str
    layer: LayerUse
    type: str
    along: EdgeKey | None
    path: tuple[MetapathHop, ...]
    weight: float
    state: int
    span: Span

    @property
    def label(self) -> str:
        """What is learned, in words of the spec; never that of a prediction."""
        return f"learn {self.name}"

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads."""
        return () if self.path else (self.type,)


AnyStage = NodesStage | EdgesStage | JoinedStage | DroppedStage | SequenceStage
AnyPrediction = Prediction | LinkPrediction | GraphPrediction | Objective


@dataclass(frozen=True, slots=True)
class Program:
    """A model with values for its parameters."""

    model: str
    schema: Schema
    parameters: Mapping[str, Any]
    stages: tuple[AnyStage, ...]
    predictions: tuple[AnyPrediction, ...]
    span: Span
    penalties: tuple[Penalty, ...] = ()
