"""A schema as written: node types, edge types, metapaths, what a graph carries, and parameters."""

from dataclasses import dataclass

from graphdsl.syntax.expressions import Argument, Expression, Literal, Name, Wildcard
from graphdsl.text import Span


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
class GraphDecl:
    """`graph { y: class[2] }`: what a whole graph carries."""

    attributes: tuple[AttributeDecl, ...]
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
    members: tuple[NodeDecl | EdgeDecl | MetapathDecl | GraphDecl, ...]
    span: Span
