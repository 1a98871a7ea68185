"""A `GraphSchema` of TensorFlow GNN, in the text form of protocol buffers, as a draft; without TensorFlow or protobuf.

Read is what a schema has a place for: `node_sets`, `edge_sets` with `source` and `target`, `context`, `features` with `dtype`
and `shape`, and the `cardinality` of nodes. A `description` is a comment; any other field is told of.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphdsl.drafting.draft import Draft, DraftAttribute, DraftEdges, DraftNodes, Remark
from graphdsl.drafting.kinds import Numbers, guess_type, without_classes
from graphdsl.model import TensorInfo
from graphdsl.text import SpecError, report, show_edge, show_name

_TOKEN: Final = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[A-Za-z_][\w.]*)|(?P<number>-?[\d.]+(?:[eE][+-]?\d+)?)"""
    r"""|(?P<mark>[{}<>:,;\[\]])"""
)
_SHOWN: Final = 60
_AUXILIARY: Final = ("_", "#", "!", "%", ".", "^", "~")
"""How names of sets begin that help TensorFlow GNN itself."""
_OPEN: Final = {"{": "}", "<": ">"}
_DTYPES: Final = {
    "DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16", "DT_BFLOAT16": "bfloat16", "DT_INT64": "int64",
    "DT_INT32": "int32", "DT_INT16": "int16", "DT_INT8": "int8", "DT_UINT8": "uint8", "DT_BOOL": "bool",
}  # fmt: skip
_NUMBERED: Final = {
    "1": "DT_FLOAT", "2": "DT_DOUBLE", "3": "DT_INT32", "4": "DT_UINT8", "5": "DT_INT16", "6": "DT_INT8", "7": "DT_STRING",
    "9": "DT_INT64", "10": "DT_BOOL", "14": "DT_BFLOAT16", "19": "DT_HALF",
}  # fmt: skip
"""TensorFlow's numbers of dtypes, which the text form may give in place of their names."""


@dataclass(slots=True)
class _Message:
    """Fields of a message by name, each as often as it was given."""

    fields: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def all(self, name: str) -> list[Any]:
        """Everything given under a name."""
        return self.fields.get(name, [])

    def first(self, name: str, default: Any = None) -> Any:
        """What is given first."""
        return next(iter(self.all(name)), default)


def read_graph_schema(text: str, name: str = "data") -> Draft:
    """The draft of a schema in text form.

    Node sets become node types, edge sets relations under their own names; features are attributes, guessed at as those of
    data are. Context features are what a graph carries. Strings and ragged shapes are remarks, and so are fields that a
    schema has no place for: `info`, `metadata`, which context features a set goes with, where a feature comes from, and
    whatever else is there.

    Args:
        text: what a `schema.pbtxt` holds.
        name: of the schema.

    Raises:
        SpecError: GNN611: it is no such text, or an edge set names a node set that is not there.

    >>> draft = read_graph_schema('''
    ... node_sets { key: "paper" value { features { key: "x" value { dtype: DT_FLOAT shape { dim { size: 8 } } } } } }
    ... edge_sets { key: "cites" value { source: "paper" target: "paper" } }''')
    >>> draft.edges[0].key, str(draft.nodes[0].attributes[0].type)
    (('paper', 'cites', 'paper'), 'float[8]')
    """
    whole = _parse(text)
    nodes = _entries(whole, "node_sets")
    edges = _entries(whole, "edge_sets")
    if not nodes:
        raise _refuse("it declares no `node_sets`")
    context = whole.first("context", _Message())
    context = context if isinstance(context, _Message) else _Message()
    found = _Found([*_untold(whole, ("node_sets", "edge_sets", "context"), "schema")])
    found.remarks += _untold(context, ("features",), "graph")
    return Draft(
        name,
        tuple(_node_set(key, value, found) for key, value in nodes.items()),
        tuple(_edge_set(key, value, nodes, found) for key, value in edges.items()),
        _features(context, "graph", found, []),
        tuple(found.remarks),
    )


@dataclass(slots=True)
class _Found:
    """What was met on the way that a schema has no place for."""

    remarks: list[Remark]


def _untold(message: _Message, read: Collection[str], where: str) -> Iterator[Remark]:
    """The fields of a message beside those that are read."""
    for name, values in message.fields.items():
        if name not in read:
            said = ", ".join(map(_shown, values))
            said = said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…"
            yield Remark(where, f"has `{name}: {said}`, for which a schema has no place")


def _shown(value: Any) -> str:
    if not isinstance(value, _Message):
        return str(value)
    inside = (f"{name}: {_shown(item)}" for name, items in value.fields.items() for item in items)
    return f"{{ {', '.join(inside)} }}"


def _node_set(key: str, value: _Message, found: _Found) -> DraftNodes:
    where, notes = show_name(key), list[str]()
    metadata = value.first("metadata", _Message())
    count = str(metadata.first("cardinality")) if isinstance(metadata, _Message) else ""
    if count.isdecimal() and isinstance(metadata, _Message):
        found.remarks += _untold(metadata, ("cardinality",), f"{where}.metadata")
        notes.append(f"{int(count):,} nodes")
    _note_set(key, value, where, ("metadata",) if count.isdecimal() else (), found, notes)
    attributes = _features(value, where, found, notes)
    return DraftNodes(key, attributes, count=int(count) if count.isdecimal() else None, notes=tuple(notes))


def _note_set(key: str, value: _Message, where: str, read: tuple[str, ...], found: _Found, notes: list[str]) -> None:
    """The description of a set, and what is told of no other."""
    if value.first("description"):
        notes.append(_shown(value.first("description")))
    found.remarks += _untold(value, ("features", "description", *read), where)
    if key.startswith(_AUXILIARY):
        found.remarks.append(Remark(where, "is an auxiliary set, which models of TensorFlow GNN leave aside"))


def _edge_set(key: str, value: _Message, nodes: Mapping[str, _Message], found: _Found) -> DraftEdges:
    ends = [value.first("source"), value.first("target")]
    for end in ends:
        if end not in nodes:
            raise _refuse(f"the edge set `{key}` runs to `{end}`, which is no node set")
    edge, notes = (ends[0], key, ends[1]), list[str]()
    _note_set(key, value, show_edge(edge), ("source", "target"), found, notes)
    attributes = _features(value, f"({show_edge(edge)})", found, notes)
    return DraftEdges(edge, attributes, notes=tuple(notes))


def _features(value: _Message, where: str, met: _Found, notes: list[str]) -> tuple[DraftAttribute, ...]:
    found: list[DraftAttribute] = []
    for name, item in _entries(value, "features").items():
        place, dtype = f"{where}.{show_name(name)}", str(item.first("dtype", "DT_INVALID"))
        dtype, sizes = _NUMBERED.get(dtype, dtype), _sizes(item, place)
        if name.startswith("#"):  # TensorFlow's own: sizes of the set.
            continue
        met.remarks += _untold(item, ("dtype", "shape", "description"), place)
        for dim in [dim for shape in item.all("shape") if isinstance(shape, _Message) for dim in shape.all("dim")]:
            met.remarks += _untold(dim, ("size",), place) if isinstance(dim, _Message) else ()
        if item.first("description"):
            notes.append(f"{show_name(name)}: {item.first('description')}")
        if dtype not in _DTYPES:
            found.append(DraftAttribute(name, None, Remark(place, f"is {dtype}, for which there is no type")))
        elif sizes is None:
            found.append(DraftAttribute(name, None, Remark(place, "has a shape that the schema does not tell")))
        elif any(size < 0 for size in sizes):
            found.append(DraftAttribute(name, None, Remark(place, "has rows of different lengths")))
        else:
            found.append(guess_type(name, TensorInfo((1, *sizes), _DTYPES[dtype]), Numbers(), place))
    return tuple(without_classes(item) for item in found)


def _sizes(item: _Message, place: str) -> list[int] | None:
    """The sizes of a feature's dimensions, -1 for one that differs; None where even their number is unknown."""
    shape = item.first("shape", _Message())
    if not isinstance(shape, _Message) or shape.first("unknown_rank") == "true":
        return None
    sizes: list[int] = []
    for dim in shape.all("dim"):
        said = str(dim.first("size", -1) if isinstance(dim, _Message) else dim)
        if re.fullmatch(r"-?[0-9]+", said) is None:
            raise _refuse(f"the size of a dimension of `{place}` is `{said}`, which is no whole number")
        sizes.append(int(said))
    return sizes


def _entries(message: _Message, name: str) -> dict[str, _Message]:
    """A map: repeated messages of `key` and `value`."""
    found: dict[str, _Message] = {}
    for entry in message.all(name):
        if not isinstance(entry, _Message) or not isinstance(entry.first("key"), str):
            raise _refuse(f"an entry of `{name}` has no key")
        if entry.first("key") in found:
            raise _refuse(f"`{name}` has two entries `{entry.first('key')}`")
        value = entry.first("value", _Message())
        if not isinstance(value, _Message):
            raise _refuse(f"`{entry.first('key')}` of `{name}` is `{value}`, not `{{ … }}`")
        found[entry.first("key")] = value
    return found


def _parse(text: str) -> _Message:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refuse(f"line {text.count(chr(10), 0, at) + 1} has `{text[at]}`, which begins nothing")
        at = match.end()
        if match.lastgroup is not None:
            tokens.append((match.lastgroup, match[0]))
    message, rest = _read(tokens, 0, "")
    if rest < len(tokens):
        raise _refuse(f"a bracket is closed that was not opened: `{tokens[rest][1]}`")
    return message


def _read(tokens: list[tuple[str, str]], at: int, end: str) -> tuple[_Message, int]:
    """Fields up to the closing bracket, or the end of the text."""
    message = _Message()
    while at < len(tokens) and tokens[at][1] != end:
        kind, name = tokens[at]
        if kind == "mark" and name in ",;":
            at += 1
            continue
        if name == "[" and [item[1] for item in tokens[at + 2 : at + 3]] == ["]"]:  # An extension: `[package.name]`.
            name, kind, at = f"[{tokens[at + 1][1]}]", "word", at + 2
        if kind != "word":
            return (message, at) if not end else _fail(f"`{name}` stands where a field begins")
        at += 1
        if at < len(tokens) and tokens[at][1] == ":":
            at += 1
        if at >= len(tokens):
            _fail(f"`{name}` has no value")
        value, at = _value(tokens, at)
        message.fields.setdefault(name, []).extend(value)
    if end and at >= len(tokens):
        _fail(f"`{end}` is missing at the end")
    return message, at + 1 if end else at


def _value(tokens: list[tuple[str, str]], at: int) -> tuple[list[Any], int]:
    kind, said = tokens[at]
    if said in _OPEN:
        message, at = _read(tokens, at + 1, _OPEN[said])
        return [message], at
    if said == "[":
        values: list[Any] = []
        at += 1
        while at < len(tokens) and tokens[at][1] != "]":
            if tokens[at][1] == ",":
                at += 1
                continue
            more, at = _value(tokens, at)
            values += more
        return values, at + 1
    if kind == "text":
        text, at = _unquote(said), at + 1
        while at < len(tokens) and tokens[at][0] == "text":  # As in C, strings side by side are one.
            text, at = text + _unquote(tokens[at][1]), at + 1
        return [text], at
    if kind == "mark":
        _fail(f"`{said}` is no value")
    return [said], at + 1


def _unquote(said: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), said[1:-1])


def _fail(problem: str) -> Any:
    raise _refuse(problem)


def _refuse(problem: str) -> SpecError:
    helps = ("a `GraphSchema` of TensorFlow GNN in text form has `node_sets { key: … value { … } }`",)
    return SpecError([report("GNN611", f"this is no graph schema: {problem}", where="data", helps=helps)])
