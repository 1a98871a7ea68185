"""The tree of a spec as written: frozen records, each with the span it came from."""

from dataclasses import dataclass

from graphdsl.text import SourceText, Span

# --- expressions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """A name, bare or quoted; `text` is what it means, without quotes."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, string, boolean or `none`."""

    value: int | float | str | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """A name read as a value: a parameter, an attribute, a state or an activation."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`."""

    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right` with `+ - * / ** %`."""

    operator: str
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b, c]`."""

    items: tuple["Expression", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*`: any name, or any size."""

    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """`value` or `name = value`."""

    name: Name | None
    value: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`Name` or `Name(arguments)`: a layer, a join, an optimizer."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


Expression = Literal | Reference | Unary | Binary | ListLiteral | Call

# --- schema ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TypeExpression:
    """`float[334]`, `class[4]?`, `mask`."""

    name: Name
    size: Expression | Wildcard | None
    optional: bool
    span: Span


@dataclass(frozen=True, slots=True)
class AttributeDecl:
    """`x: float[334]`."""

    name: Name
    type: TypeExpression
    span: Span


@dataclass(frozen=True, slots=True)
class NodeDecl:
    """`node paper(count = 3000) { x: float[334] }`."""

    name: Name
    options: tuple[Argument, ...]
    attributes: tuple[AttributeDecl, ...]
    optional: bool
    span: Span


@dataclass(frozen=True, slots=True)
class EdgeDecl:
    """`edge author -[writes]-> paper reverse written_by { year: float }`."""

    source: Name
    relation: Name
    target: Name
    reverse: Name | None
    attributes: tuple[AttributeDecl, ...]
    optional: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Hop:
    """`-[writes]-> paper`, or `<-[writes]- author` (backward)."""

    relation: Name
    target: Name
    backward: bool
    span: Span


@dataclass(frozen=True, slots=True)
class MetapathDecl:
    """`metapath APA(count) = author -[writes]-> paper <-[writes]- author budget 20M`."""

    name: Name
    start: Name
    options: tuple[Argument, ...]
    hops: tuple[Hop, ...]
    budget: Literal | None
    span: Span


@dataclass(frozen=True, slots=True)
class ParameterDecl:
    """`hidden: int = 64`."""

    name: Name
    type: Name
    default: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class SchemaDecl:
    """`schema dblp(width: int = 334) { … }`."""

    name: Name
    parameters: tuple[ParameterDecl, ...]
    members: tuple[NodeDecl | EdgeDecl | MetapathDecl, ...]
    span: Span


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
class PredictStatement:
    """`predict author.y: MLP(64, 4) weight 0.5`."""

    type: Name
    attribute: Name
    head: Call | None
    weight: Expression | None
    span: Span


Statement = StageStatement | RepeatStatement | DropStatement | PredictStatement


@dataclass(frozen=True, slots=True)
class ModelDecl:
    """`model mixed(hidden: int = 64) on dblp { … }`."""

    name: Name
    parameters: tuple[ParameterDecl, ...]
    schema: Name
    body: tuple[Statement, ...]
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


Declaration = SchemaDecl | ModelDecl | TrainDecl


@dataclass(frozen=True, slots=True)
class File:
    """A whole spec as written."""

    source: SourceText
    declarations: tuple[Declaration, ...]
