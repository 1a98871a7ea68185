"""From Lark's tree to the records of `nodes`."""
# Lark calls these methods by the names of the grammar's rules; children are records, tokens or lists thereof.

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar, get_args

from lark import Token, Tree

from graphdsl.syntax import nodes as n
from graphdsl.text import Span

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SUFFIX = {"K": 10**3, "M": 10**6, "G": 10**9}
_MAX_DIGITS = 30
_STATEMENTS = get_args(n.Statement)
_T = TypeVar("_T")


def unquote(text: str) -> str:
    r"""What a quoted string means; `\n`, `\t`, `\r` are the usual characters, any other escaped one is itself.

    >>> unquote('"a\\"b"')
    'a"b'
    """
    out: list[str] = []
    characters = iter(text[1:-1])
    for character in characters:
        if character == "\\":
            escaped = next(characters, "\\")
            character = _ESCAPES.get(escaped, escaped)
        out.append(character)
    return "".join(out)


def read_integer(text: str) -> int:
    """A whole number with optional `_` between digits and `K`, `M` or `G` behind it.

    >>> read_integer("20M")
    20000000
    """
    factor = _SUFFIX.get(text[-1], 1)
    digits = text.rstrip("KMG")[:_MAX_DIGITS].replace("_", "")
    return int(digits) * factor


def _of(kind: type[_T] | tuple[type[_T], ...], children: list[Any]) -> list[_T]:
    return [child for child in children if isinstance(child, kind)]


def _first(kind: type[_T], children: list[Any]) -> _T | None:
    return next((child for child in children if isinstance(child, kind)), None)


def _has(children: list[Any], terminal: str) -> bool:
    return any(isinstance(child, Token) and child.type == terminal for child in children)


class _Parameters(tuple[n.ParameterDecl, ...]):
    """Parameters of a schema or model, between parentheses."""


class _Arguments(tuple[n.Argument, ...]):
    """Arguments of a call, between parentheses."""


class _Attributes(tuple[n.AttributeDecl, ...]):
    """Attributes of a type, between braces."""


class _Rules(tuple[n.Rule, ...]):
    """Rules of a map, between braces."""


class _Slots(tuple[n.Name | n.Literal, ...]):
    """What a step reads or gives."""


class _Option(NamedTuple):
    """What stands behind a prediction's head."""

    kind: str
    value: Any
    span: Span


class _Bounds(NamedTuple):
    """The first and last token of a part of the tree: every token of the grammar is kept, so they bound its text."""

    first: Token
    last: Token


_NOWHERE = _Bounds(Token("$END", ""), Token("$END", ""))


def _edge(child: Token | Tree[Token], bounds: Mapping[int, _Bounds]) -> _Bounds:
    return bounds[id(child)] if isinstance(child, Tree) else _Bounds(child, child)


class _TreeBuilder:
    """One method per rule of the grammar: the rule's place and its children, already built, become a record."""

    def __init__(self, file: str) -> None:
        self.file = file

    def build(self, tree: Tree[Token]) -> Any:
        """Build bottom-up; no recursion, so no input is too deep."""
        inner: list[Tree[Token]] = [tree]
        for node in inner:  # grows while it is walked: parents before children
            inner += [child for child in node.children if isinstance(child, Tree)]
        built: dict[int, Any] = {}
        bounds: dict[int, _Bounds] = {}
        for node in reversed(inner):
            children = node.children
            ends = _Bounds(_edge(children[0], bounds).first, _edge(children[-1], bounds).last) if children else _NOWHERE
            bounds[id(node)] = ends
            values = [built.pop(id(child)) if isinstance(child, Tree) else child for child in children]
            built[id(node)] = getattr(self, node.data)(ends, values)
        return built[id(tree)]

    def span(self, at: _Bounds) -> Span:
        first, last = self.of_token(at.first), self.of_token(at.last)
        return first.to(last)

    def of_token(self, token: Token) -> Span:
        line, column = token.line or 1, token.column or 1
        return Span(self.file, line, column, token.end_line or line, token.end_column or column + len(token))

    def word(self, token: Token) -> n.Name:
        text = unquote(str(token)) if token.type == "STRING" else str(token)
        return n.Name(text, self.of_token(token))

    def words(self, children: list[Any]) -> list[n.Name]:
        return [self.word(child) for child in children if isinstance(child, Token) and child.type == "IDENTIFIER"]

    def start(self, _at: _Bounds, children: list[Any]) -> list[Any]:
        return children

    def version(self, at: _Bounds, children: list[Any]) -> n.Literal:
        return n.Literal(read_integer(children[1]), self.span(at))

    def import_file(self, at: _Bounds, c: list[Any]) -> n.ImportDecl:
        return n.ImportDecl(n.Literal(unquote(str(c[1])), self.of_token(c[1])), self.span(at))

    # --- schema ---

    def schema(self, at: _Bounds, c: list[Any]) -> n.SchemaDecl:
        members = _of((n.NodeDecl, n.EdgeDecl, n.MetapathDecl, n.GraphDecl), c)
        return n.SchemaDecl(_of(n.Name, c)[0], tuple(_first(_Parameters, c) or ()), tuple(members), self.span(at))

    def node(self, at: _Bounds, c: list[Any]) -> n.NodeDecl:
        return n.NodeDecl(
            _of(n.Name, c)[0],
            tuple(_first(_Arguments, c) or ()),
            tuple(_first(_Attributes, c) or ()),
            _has(c, "OPTIONAL"),
            self.span(at),
        )

    def edge(self, at: _Bounds, c: list[Any]) -> n.EdgeDecl:
        source, relation, target, *reverse = _of(n.Name, c)
        return n.EdgeDecl(
            source,
            relation,
            target,
            reverse[0] if reverse else None,
            tuple(_first(_Attributes, c) or ()),
            _has(c, "OPTIONAL"),
            self.span(at),
        )

    def metapath(self, at: _Bounds, c: list[Any]) -> n.MetapathDecl:
        name, start = _of(n.Name, c)[:2]
        budget = next((self.integer(at, [t]) for t in c if isinstance(t, Token) and t.type == "INT"), None)
        return n.MetapathDecl(
            name, start, tuple(_first(_Arguments, c) or ()), tuple(_of(n.Hop, c)), budget, self.span(at)
        )

    def graph(self, at: _Bounds, c: list[Any]) -> n.GraphDecl:
        return n.GraphDecl(tuple(_first(_Attributes, c) or ()), self.span(at))

    def forward_hop(self, at: _Bounds, c: list[Any]) -> n.Hop:
        return n.Hop(*_of(n.Name, c), backward=False, span=self.span(at))

    def backward_hop(self, at: _Bounds, c: list[Any]) -> n.Hop:
        return n.Hop(*_of(n.Name, c), backward=True, span=self.span(at))

    def attributes(self, _at: _Bounds, c: list[Any]) -> _Attributes:
        return _Attributes(_of(n.AttributeDecl, c))

    def attribute(self, at: _Bounds, c: list[Any]) -> n.AttributeDecl:
        return n.AttributeDecl(c[0], c[2], self.span(at))

    def attribute_type(self, at: _Bounds, c: list[Any]) -> n.TypeExpression:
        size = c[2] if _has(c, "LSQB") else None
        if isinstance(size, Token):
            size = n.Wildcard(self.of_token(size))
        return n.TypeExpression(self.word(c[0]), size, _has(c, "QUESTION"), self.span(at))

    # --- model ---

    def model(self, at: _Bounds, c: list[Any]) -> n.ModelDecl:
        name, schema = _of(n.Name, c)[:2]
        body = tuple(_of(_STATEMENTS, c))
        return n.ModelDecl(name, tuple(_first(_Parameters, c) or ()), schema, body, self.span(at))

    def amended(self, at: _Bounds, c: list[Any]) -> n.AmendedDecl:
        name, base, *schema = _of(n.Name, c)
        changes = _of(get_args(n.Amendment), c)
        parameters = tuple(_first(_Parameters, c) or ())
        return n.AmendedDecl(name, parameters, base, schema[0] if schema else None, tuple(changes), self.span(at))

    def override(self, at: _Bounds, c: list[Any]) -> n.Override:
        return n.Override(self.word(c[0]), c[2], self.span(at))

    def replacement(self, at: _Bounds, c: list[Any]) -> n.Replacement:
        return n.Replacement(c[1], self.span(at))

    def parameters(self, _at: _Bounds, c: list[Any]) -> _Parameters:
        return _Parameters(_of(n.ParameterDecl, c))

    def parameter(self, at: _Bounds, c: list[Any]) -> n.ParameterDecl:
        name, kind = self.words(c)
        return n.ParameterDecl(name, kind, c[4] if _has(c, "EQUAL") else None, self.span(at))

    def stage(self, at: _Bounds, c: list[Any]) -> n.StageStatement:
        name = self.words(c)[0] if _has(c, "EQUAL") else None
        source = _of((n.NodesMap, n.EdgesMap, n.JoinCall), c)[0]
        return n.StageStatement(name, source, tuple(_of((n.PipeLayer, n.PipeMap), c)), self.span(at))

    def of(self, _at: _Bounds, c: list[Any]) -> n.Name:
        return self.words(c)[0]

    def nodes_map(self, at: _Bounds, c: list[Any]) -> n.NodesMap:
        return n.NodesMap(_first(n.Name, c), tuple(_first(_Rules, c) or ()), self.span(at))

    def edges_map(self, at: _Bounds, c: list[Any]) -> n.EdgesMap:
        return n.EdgesMap(_first(n.Name, c), tuple(_first(_Rules, c) or ()), _first(n.Call, c), self.span(at))

    def join(self, at: _Bounds, c: list[Any]) -> n.JoinCall:
        return n.JoinCall(c[0], self.span(at))

    def rules(self, _at: _Bounds, c: list[Any]) -> _Rules:
        return _Rules(_of(n.Rule, c))

    def rule(self, at: _Bounds, c: list[Any]) -> n.Rule:
        patterns = _of((n.Wildcard, n.NamePattern, n.RelationPattern), c)
        return n.Rule(tuple(patterns), _of(n.Call, c)[0], _has(c, "SHARE"), self.span(at))

    def any_pattern(self, at: _Bounds, _children: list[Any]) -> n.Wildcard:
        return n.Wildcard(self.span(at))

    def name_pattern(self, at: _Bounds, c: list[Any]) -> n.NamePattern:
        return n.NamePattern(c[0], self.span(at))

    def relation_pattern(self, at: _Bounds, c: list[Any]) -> n.RelationPattern:
        places = [
            child if isinstance(child, n.Name) else n.Wildcard(self.of_token(child))
            for child in c
            if isinstance(child, n.Name) or child.type == "STAR"
        ]
        return n.RelationPattern(*places, span=self.span(at))

    def pipe_layer(self, at: _Bounds, c: list[Any]) -> n.PipeLayer:
        return n.PipeLayer(c[0], self.span(at))

    def pipe_map(self, at: _Bounds, c: list[Any]) -> n.PipeMap:
        return n.PipeMap(tuple(c[0]), self.span(at))

    def repeat(self, at: _Bounds, c: list[Any]) -> n.RepeatStatement:
        return n.RepeatStatement(c[1], _has(c, "SHARE"), tuple(_of(_STATEMENTS, c[2:])), self.span(at))

    def drop(self, at: _Bounds, c: list[Any]) -> n.DropStatement:
        return n.DropStatement(tuple(_of(n.Name, c)), self.span(at))

    def predict(self, at: _Bounds, c: list[Any]) -> n.PredictStatement:
        given = _of(_Option, c)
        options = {item.kind: item for item in reversed(given)}
        weight, negatives, kept = (options.get(kind) for kind in ("weight", "negatives", "keep_target"))
        return n.PredictStatement(
            c[1],
            _first(n.Call, c),
            weight.value if weight else None,
            negatives.value if negatives else None,
            kept.span if kept else None,
            tuple(item.span for item in given if options[item.kind] is not item),
            self.span(at),
        )

    def penalty(self, at: _Bounds, c: list[Any]) -> n.PenaltyStatement:
        weight = _first(_Option, c)
        return n.PenaltyStatement(c[1], weight.value if weight else None, self.span(at))

    def penalised(self, at: _Bounds, c: list[Any]) -> n.Penalised:
        values, options = _of(n.PenalisedValue, c), _of(n.Argument, c)
        return n.Penalised(self.word(c[0]), tuple(values), tuple(options), self.span(at))

    def penalised_value(self, at: _Bounds, c: list[Any]) -> n.PenalisedValue:
        *state, name = _of(n.Name, c)
        return n.PenalisedValue(state[0] if state else None, name, self.span(at))

    def learn(self, at: _Bounds, c: list[Any]) -> n.LearnStatement:
        return n.LearnStatement(c[1], c[3], c[5] if _has(c, "WEIGHT") else None, self.span(at))

    def label(self, at: _Bounds, c: list[Any]) -> n.LabelTarget:
        kind, attribute, *sources = _of(n.Name, c)
        read = tuple(sources) or next((n.Wildcard(self.of_token(t)) for t in c[3:] if str(t) == "*"), None)
        return n.LabelTarget(kind, attribute, read, self.span(at))

    def link(self, at: _Bounds, c: list[Any]) -> n.LinkTarget:
        source, relation, target, *attribute = (*_of(n.Name, c), None)
        return n.LinkTarget(source, relation, target, attribute[0], next(iter(self.words(c)), None), self.span(at))

    def weight(self, at: _Bounds, c: list[Any]) -> "_Option":
        return _Option("weight", c[1], self.span(at))

    def negatives(self, at: _Bounds, c: list[Any]) -> "_Option":
        return _Option("negatives", c[1], self.span(at))

    def keep_target(self, at: _Bounds, _children: list[Any]) -> "_Option":
        return _Option("keep_target", None, self.span(at))

    # --- the sequential form ---

    def sequence(self, at: _Bounds, c: list[Any]) -> n.SequenceStatement:
        return n.SequenceStatement(tuple(_of(_Slots, c)[0]), tuple(_of(get_args(n.SequenceStep), c)), self.span(at))

    def layer_step(self, at: _Bounds, c: list[Any]) -> n.LayerStep:
        inputs, outputs = _of(_Slots, c) or (None, None)
        read = None if inputs is None else tuple(inputs)
        return n.LayerStep(c[0], read, None if outputs is None else tuple(outputs), self.span(at))

    def repeated_steps(self, at: _Bounds, c: list[Any]) -> n.RepeatedSteps:
        return n.RepeatedSteps(c[1], _has(c, "SHARE"), tuple(_of(get_args(n.SequenceStep), c[2:])), self.span(at))

    def slots(self, _at: _Bounds, c: list[Any]) -> "_Slots":
        return _Slots(_of((n.Name, n.Literal), c))

    def slot(self, at: _Bounds, c: list[Any]) -> n.Name | n.Literal:
        return n.Literal(None, self.span(at)) if c[0].type == "NONE" else self.word(c[0])

    # --- train ---

    def train(self, at: _Bounds, c: list[Any]) -> n.TrainDecl:
        return n.TrainDecl(_of(n.Name, c)[0], tuple(_of(n.Setting, c)), self.span(at))

    def setting(self, at: _Bounds, c: list[Any]) -> n.Setting:
        return n.Setting(self.word(c[0]), c[2], self.span(at))

    # --- expressions ---

    def binary(self, at: _Bounds, c: list[Any]) -> n.Binary:
        return n.Binary(str(c[1]), c[0], c[2], self.span(at))

    def negative(self, at: _Bounds, c: list[Any]) -> n.Unary:
        return n.Unary(c[1], self.span(at))

    def parenthesised(self, _at: _Bounds, c: list[Any]) -> n.Expression:
        return c[1]

    def integer(self, _at: _Bounds, c: list[Any]) -> n.Literal:
        return n.Literal(read_integer(str(c[0])), self.of_token(c[0]))

    def decimal(self, _at: _Bounds, c: list[Any]) -> n.Literal:
        return n.Literal(float(c[0]), self.of_token(c[0]))

    def string(self, _at: _Bounds, c: list[Any]) -> n.Literal:
        return n.Literal(unquote(str(c[0])), self.of_token(c[0]))

    def true(self, at: _Bounds, _children: list[Any]) -> n.Literal:
        return n.Literal(True, self.span(at))

    def false(self, at: _Bounds, _children: list[Any]) -> n.Literal:
        return n.Literal(False, self.span(at))

    def none(self, at: _Bounds, _children: list[Any]) -> n.Literal:
        return n.Literal(None, self.span(at))

    def reference(self, at: _Bounds, c: list[Any]) -> n.Reference:
        return n.Reference(self.word(c[0]), self.span(at))

    def list_literal(self, at: _Bounds, c: list[Any]) -> n.ListLiteral:
        return n.ListLiteral(tuple(child for child in c if not isinstance(child, Token)), self.span(at))

    def call(self, at: _Bounds, c: list[Any]) -> n.Call:
        return n.Call(self.word(c[0]), tuple(_first(_Arguments, c) or ()), self.span(at))

    def arguments(self, _at: _Bounds, c: list[Any]) -> _Arguments:
        return _Arguments(_of(n.Argument, c))

    def argument(self, at: _Bounds, c: list[Any]) -> n.Argument:
        return n.Argument(self.word(c[0]) if len(c) == 3 else None, c[-1], self.span(at))

    def name(self, _at: _Bounds, c: list[Any]) -> n.Name:
        return self.word(c[0])


def build(tree: Tree[Token], file: str) -> list[Any]:
    """Declarations of a parsed file, a version first if it has one."""
    return _TreeBuilder(file).build(tree)
