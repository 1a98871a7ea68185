"""The tree of a spec as written: frozen records, each with the span it came from."""

from dataclasses import dataclass

from graphdsl.syntax.expressions import (
    Argument,
    Binary,
    Call,
    Expression,
    ListLiteral,
    Literal,
    Name,
    Reference,
    Unary,
    Wildcard,
)
from graphdsl.syntax.members import (
    AttributeDecl,
    EdgeDecl,
    GraphDecl,
    Hop,
    MetapathDecl,
    NodeDecl,
    ParameterDecl,
    SchemaDecl,
    TypeExpression,
)
from graphdsl.syntax.penalties import Penalised, PenalisedValue, PenaltyStatement
from graphdsl.text import SourceText, Span

# --- model -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A bare name: a node type, a relation or a metapath."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class RelationPattern:
    """`a -[r]-> b`, with a wildcard at any place."""

    source: Name | Wildcard
    relation: Name | Wildcard
    target: Name | Wildcard
    span: Span


Pattern = Wildcard | NamePattern | RelationPattern


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern, pattern: share Layer(…)`."""

    patterns: tuple[Pattern, ...]
    layer: Call
    share: bool
    span: Span


@dataclass(frozen=True, slots=True)
class NodesMap:
    """`nodes(h0) { rules }`."""

    state: Name | None
    rules: tuple[Rule, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EdgesMap:
    """`edges(h0) { rules } combine mean`."""

    state: Name | None
    rules: tuple[Rule, ...]
    combine: Call | None
    span: Span


@dataclass(frozen=True, slots=True)
class JoinCall:
    """`cat(h0, h1)`, `jump(h0, h1, mode = "lstm")`, or a bare state name."""

    call: Call
    span: Span


@dataclass(frozen=True, slots=True)
class PipeLayer:
    """`| relu`, `| LayerNorm(mode = "node")`, `| residual`."""

    call: Call
    span: Span


@dataclass(frozen=True, slots=True)
class PipeMap:
    """`| { author: BatchNorm  *: LayerNorm }`."""

    rules: tuple[Rule, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class StageStatement:
    """`h0 = nodes { … } | relu`; the name may be absent."""

    name: Name | None
    source: NodesMap | EdgesMap | JoinCall
    pipe: tuple[PipeLayer | PipeMap, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RepeatStatement:
    """`repeat n share { … }`."""

    count: Expression
    share: bool
    body: tuple["Statement", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DropStatement:
    """`drop author, term`."""

    types: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class LabelTarget:
    """`author.y`, or `graph.y from author, paper`: `sources` are the types that are read out, or a value of a block."""

    type: Name
    attribute: Name
    sources: tuple[Name, ...] | Wildcard | None
    span: Span


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """`author -[writes]-> paper`: whether there is such an edge; with an attribute, what the edge carries.

    `value` is the value of a `sequential` block that is read: `atom -[bond]-> atom from h`.
    """

    source: Name
    relation: Name
    target: Name
    attribute: Name | None
    value: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class PredictStatement:
    """`predict author.y: MLP(64, 4) weight 0.5`, `predict author -[writes]-> paper: dot negatives 5`.

    `again` are options that were given before.
    """

    target: LabelTarget | LinkTarget
    head: Call | None
    weight: Expression | None
    negatives: Expression | None
    keep_target: Span | None
    again: tuple[Span, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class LearnStatement:
    """`learn APA: MetaPath2Vec(128, …) weight 0.5`: what is learned without labels; no place of a relation is `*`."""

    target: NamePattern | RelationPattern
    objective: Call
    weight: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class LayerStep:
    """`GCNConv(64): x, edge_index -> x`; without a header `inputs` and `outputs` are None.

    A slot is a name, or the literal `none`.
    """

    layer: Call
    inputs: tuple[Name | Literal, ...] | None
    outputs: tuple[Name | Literal, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class RepeatedSteps:
    """`repeat n share { steps }` inside a `sequential`."""

    count: Expression
    share: bool
    body: tuple["SequenceStep", ...]
    span: Span


SequenceStep = LayerStep | RepeatedSteps


@dataclass(frozen=True, slots=True)
class SequenceStatement:
    """`sequential x, edge_index, batch { steps }`."""

    inputs: tuple[Name | Literal, ...]
    steps: tuple[SequenceStep, ...]
    span: Span


Statement = (
    StageStatement
    | RepeatStatement
    | DropStatement
    | PredictStatement
    | PenaltyStatement
    | LearnStatement
    | SequenceStatement
)


@dataclass(frozen=True, slots=True)
class ModelDecl:
    """`model mixed(hidden: int = 64) on dblp { … }`."""

    name: Name
    parameters: tuple[ParameterDecl, ...]
    schema: Name
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Override:
    """`hidden = 256` in a model that amends another: a new default."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Replacement:
    """`replace h0 = nodes { … }`, `replace predict author.y: MLP(64, 4)` or `replace penalty gini(author) weight 0.1`."""

    statement: StageStatement | PredictStatement | PenaltyStatement
    span: Span


Amendment = Override | Replacement | PredictStatement | PenaltyStatement | LearnStatement


@dataclass(frozen=True, slots=True)
class AmendedDecl:
    """`model wide(depth: int = 3) amends mixed on dblp { … }`; the schema may be left out."""

    name: Name
    parameters: tuple[ParameterDecl, ...]
    base: Name
    schema: Name | None
    changes: tuple[Amendment, ...]
    span: Span


# --- train -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """`epochs: 200`."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class TrainDecl:
    """`train mixed { … }`."""

    model: Name
    settings: tuple[Setting, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ImportDecl:
    """`import "schemas/dblp.gnn"`."""

    path: Literal
    span: Span


Declaration = ImportDecl | SchemaDecl | ModelDecl | AmendedDecl | TrainDecl


@dataclass(frozen=True, slots=True)
class File:
    """A whole spec as written."""

    source: SourceText
    declarations: tuple[Declaration, ...]


__all__ = [
    "AmendedDecl",
    "Amendment",
    "Argument",
    "AttributeDecl",
    "Binary",
    "Call",
    "Declaration",
    "DropStatement",
    "EdgeDecl",
    "EdgesMap",
    "Expression",
    "File",
    "GraphDecl",
    "Hop",
    "ImportDecl",
    "JoinCall",
    "LabelTarget",
    "LayerStep",
    "LearnStatement",
    "LinkTarget",
    "ListLiteral",
    "Literal",
    "MetapathDecl",
    "ModelDecl",
    "Name",
    "NamePattern",
    "NodeDecl",
    "NodesMap",
    "Override",
    "ParameterDecl",
    "Pattern",
    "Penalised",
    "PenalisedValue",
    "PenaltyStatement",
    "PipeLayer",
    "PipeMap",
    "PredictStatement",
    "Reference",
    "RelationPattern",
    "RepeatStatement",
    "RepeatedSteps",
    "Replacement",
    "Rule",
    "SchemaDecl",
    "SequenceStatement",
    "SequenceStep",
    "Setting",
    "StageStatement",
    "Statement",
    "TrainDecl",
    "TypeExpression",
    "Unary",
    "Wildcard",
]
