"""Predictions of a plan: what each reads, its module, and what its label asks for.

All kinds have `name`, `key`, `kind`, `size`, `state`, `types`, `module`, `weight` and `span`; passes and printing need no
more than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from graphdsl.catalog import ScorerName
from graphdsl.model import MetapathHop
from graphdsl.plan.module_spec import ModuleSpec
from graphdsl.text import EdgeKey, Span


@dataclass(frozen=True, slots=True)
class ShownLabels:
    """Labels of training nodes that a step reads.

    Attributes:
        attribute: the label.
        ratio: the share of them that is shown in training, while the others are learned.
    """

    attribute: str
    ratio: float


@dataclass(frozen=True, slots=True)
class WalkedLabels:
    """Labels of training nodes that a walk carries along its metapaths, and a node's own never to itself.

    Attributes:
        attribute: the label.
        kinds: its kind by the type that has it, class or multilabel.
        sizes: its columns by type; None while unknown.
        span: where it is bound.
    """

    attribute: str
    kinds: Mapping[str, str]
    sizes: Mapping[str, int | None]
    span: Span


@dataclass(frozen=True, slots=True)
class Spread:
    """What labels of training nodes do to a prediction.

    Attributes:
        edge: the relation that they spread along, within one type.
        module: PyG's module.
        alone: whether it predicts by itself: no head learns, and no state is read. Otherwise it corrects what the head
            predicts, in evaluation.
        weight: the attribute of the edges that weighs them; empty for none.
        normalize: whether weights are normalized as edges without weights are.
    """

    edge: EdgeKey
    module: ModuleSpec
    alone: bool
    weight: str
    normalize: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Head:
    """A prediction of a label of the nodes of one type.

    Attributes:
        name: `author.y`.
        key: name in the state dict: encoded `author__y`.
        type: predicted node type.
        attribute: the label's attribute.
        kind: kind of the label: class, multilabel or real.
        size: classes, labels or targets; None while unknown.
        state: number of the state that it reads.
        module: the head's module.
        weight: weight of its loss.
        spread: what labels of training nodes do to it.
        value: name of the value of a `sequential` block that it reads; empty for what the last step gives, and elsewhere.
    """

    name: str
    key: str
    type: str
    attribute: str
    kind: Literal["class", "multilabel", "real"]
    size: int | None
    state: int
    module: ModuleSpec
    weight: float
    span: Span
    spread: Spread | None = None
    value: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads."""
        return () if self.spread is not None and self.spread.alone else (self.type,)


@dataclass(frozen=True, slots=True)
class EventAttributes:
    """What a prediction of the next events reads of each event.

    Attributes:
        time: the attribute that orders them.
        message: the attribute that they carry, or that says of which kind they are; empty for none.
    """

    time: str
    message: str


@dataclass(frozen=True, slots=True)
class LinkHead:
    """A prediction of a relation's edges: whether there is one between two nodes, or what an edge carries.

    Attributes:
        name: `author -[writes]-> paper`, or `user -[rates]-> film.rating`.
        key: name in the state dict: encoded `author__writes__paper`, `user__rates__film__rating`.
        edge: the relation.
        attribute: the label that edges carry; None for whether there is an edge.
        kind: `link`, `signed` where the sign of edges is predicted, `event` where the ends of events are, or the kind of
            the label.
        size: numbers for each pair: 1 for a link; classes, labels or targets of an attribute; of an event, all nodes; None
            while unknown.
        state: number of the state that it reads.
        scorer: a scorer's name (`dot`, `distmult`, …) takes both ends; `module` takes their concatenation.
        module: the scorer's module.
        negatives: pairs without an edge for each edge that trains or is tested.
        keep_target: the predicted edges stay in the message passing graph.
        negative: the relation of edges of negative sign, where signs are predicted; `edge` holds the positive ones.
        weight: weight of its loss.
        value: name of the value of a `sequential` block that it reads; empty for what the last step gives, and elsewhere.
        events: what is read of each event, where edges are events that are learned in the order of time.
    """

    name: str
    key: str
    edge: EdgeKey
    attribute: str | None
    kind: Literal["link", "signed", "event", "class", "multilabel", "real"]
    size: int | None
    state: int
    scorer: ScorerName | Literal["module"]
    module: ModuleSpec
    negatives: int
    keep_target: bool
    weight: float
    span: Span
    value: str = ""
    negative: EdgeKey | None = None
    events: EventAttributes | None = None

    @property
    def reads_graph(self) -> bool:
        """Whether its scorer reads the edges around both ends, too."""
        return self.scorer == "lpformer"

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads, the source first; none where it has a memory of its own."""
        return () if self.events is not None else tuple(dict.fromkeys((self.edge[0], self.edge[2])))


@dataclass(frozen=True, slots=True)
class Readout:
    """How the nodes of one type become one row of each graph.

    Attributes:
        type: node type.
        module: an aggregation of PyG.
        width_in: columns of the type's value.
        width_out: columns of the row.
    """

    type: str
    module: ModuleSpec
    width_in: int | None
    width_out: int | None


@dataclass(frozen=True, slots=True)
class GraphHead:
    """A prediction of a label of whole graphs.

    Attributes:
        name: `graph.y`.
        key: name in the state dict: encoded `graph__y`.
        attribute: the label's attribute.
        kind: kind of the label: class, multilabel or real.
        size: classes, labels or targets; None while unknown.
        state: number of the state that it reads.
        readouts: by type, sorted; their rows stand side by side in this order. None behind a `sequential` block, whose
            output is the prediction.
        module: what comes behind the readouts.
        weight: weight of its loss.
        value: name of the value of a `sequential` block that it reads; empty for what the last step gives, and elsewhere.
    """

    name: str
    key: str
    attribute: str
    kind: Literal["class", "multilabel", "real"]
    size: int | None
    state: int
    readouts: tuple[Readout, ...]
    module: ModuleSpec
    weight: float
    span: Span
    value: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads."""
        return tuple(item.type for item in self.readouts)


@dataclass(frozen=True, slots=True)
class ObjectiveHead:
    """What is learned without labels.

    Attributes:
        name: a type, a metapath or a relation, as in the spec.
        key: name in the state dict: the encoded type or metapath, or encoded `paper__cites__paper`.
        kind: "infomax" reads a state of one type; "walks" has vectors of its own and reads nothing.
        type: the type that is learned of, or where walks begin.
        along: key of the metapath or relation that walks follow.
        path: its hops, taken again and again.
        opposites: for each hop the relation that leads the other way, if the schema declares one.
        embedded: types that get vectors, sorted.
        size: columns of the vectors; None while unknown.
        state: number of the state that it reads.
        module: PyG's module, or the twin of one.
        weight: weight of its loss.
    """

    name: str
    key: str
    kind: Literal["infomax", "walks"]
    type: str
    along: EdgeKey | None
    path: tuple[MetapathHop, ...]
    embedded: tuple[str, ...]
    size: int | None
    state: int
    module: ModuleSpec
    weight: float
    span: Span
    opposites: tuple[EdgeKey | None, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """Node types whose values it reads."""
        return (self.type,) if self.kind == "infomax" else ()

    @property
    def value(self) -> str:
        """No value of a `sequential` block: objectives read states."""
        return ""


AnyHead = Head | LinkHead | GraphHead | ObjectiveHead
