"""What a YAML or JSON text holds, with the place of every key and value."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from graphdsl.text import Diagnostic, Enough, SourceText, Span, report

MAX_DEPTH = 60
"""How deep lists and mappings may nest."""
MAX_NODES = 200_000
"""Values that a document may hold, those that aliases repeat counted each time."""
MAX_ERRORS = 20

Scalar = None | bool | int | float | str


@dataclass(slots=True, eq=False)
class Node:
    """A value of a document.

    Attributes:
        start, end: its offsets in the text.
        value: what a scalar says.
        items: of a list.
        pairs: of a mapping: each key's text with the key and its value.
        size: values in it, itself included.
    """

    kind: Literal["scalar", "list", "map"]
    start: int
    end: int
    value: Scalar = None
    items: "list[Node]" = field(default_factory=list["Node"])
    pairs: "dict[str, tuple[Node, Node]]" = field(default_factory=dict[str, "tuple[Node, Node]"])
    size: int = 1

    def get(self, key: str) -> "Node | None":
        """The value of a key."""
        return self.pairs[key][1] if key in self.pairs else None

    def key(self, key: str) -> "Node":
        """The key itself; where there is none, the mapping."""
        return self.pairs[key][0] if key in self.pairs else self

    def plain(self) -> object:
        """The value without places."""
        if self.kind == "scalar":
            return self.value
        if self.kind == "list":
            return [item.plain() for item in self.items]
        return {key: value.plain() for key, (_, value) in self.pairs.items()}


@dataclass(frozen=True, slots=True)
class Event:
    """A step through a document: a value that starts, ends, or is one; `anchor` names it, or what an alias repeats."""

    kind: Literal["scalar", "list", "map", "end", "alias"]
    start: int
    end: int
    value: Scalar = None
    anchor: str | None = None


class Unreadable(Exception):
    """The text is no document: what is wrong, and where."""

    def __init__(self, code: str, message: str, start: int, end: int, helps: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.start, self.end, self.helps = code, message, start, end, helps


def span_of(source: SourceText, start: int, end: int) -> Span:
    """The place of a range of a text; a range of several lines ends with its first."""
    line, column = source.place(start)
    last = min(end, start + len(source.lines[line - 1]) + 1 - column)
    return Span(source.name, line, column, line, column + max(1, last - start))


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended; `key` waits for its value."""

    node: Node
    anchor: str | None
    key: Node | None = None


@dataclass(slots=True)
class _Builder:
    source: SourceText
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    open: list[_Open] = field(default_factory=list[_Open])
    anchors: dict[str, Node | None] = field(default_factory=dict[str, Node | None])
    root: Node | None = None

    def take(self, event: Event) -> None:
        if event.kind == "end":
            done = self.open.pop()
            done.node.end = max(event.end, done.node.start)
            self.add(done.node, done.anchor)
        elif event.kind == "alias":
            self.add(self.repeated(event), None)
        elif event.kind == "scalar":
            self.add(Node("scalar", event.start, event.end, event.value), event.anchor)
        else:
            if len(self.open) == MAX_DEPTH:
                message = f"lists and mappings are nested deeper than {MAX_DEPTH} levels"
                raise Unreadable("GNN005", message, event.start, event.end)
            if event.anchor:
                self.anchors[event.anchor] = None
            self.open.append(_Open(Node(event.kind, event.start, event.end), event.anchor))

    def repeated(self, event: Event) -> Node:
        node = self.anchors.get(event.anchor or "")
        if node is None:
            said = "holds itself" if event.anchor in self.anchors else "is not declared before"
            raise Unreadable("GNN015", f"`*{event.anchor}` {said}", event.start, event.end)
        return node

    def add(self, node: Node, anchor: str | None) -> None:
        """Put a finished value where it belongs."""
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        top.node.size += node.size
        if top.node.size > MAX_NODES:
            message = f"the document holds more than {MAX_NODES} values"
            raise Unreadable("GNN003", message, node.start, node.end, ("leave aliases (`*name`) out",))
        if top.node.kind == "list":
            top.node.items.append(node)
        elif top.key is None:
            top.key = node
        else:
            self.pair(top.node, top.key, node)
            top.key = None

    def pair(self, where: Node, key: Node, value: Node) -> None:
        if key.kind == "scalar" and isinstance(key.value, str):
            first = where.pairs.setdefault(key.value, (key, value))[0]
            if first is key:
                return
            also = [(span_of(self.source, first.start, first.end), "first given here")]
            code, message, helps = "GNN017", f"the key `{key.value}` is given twice", ("keep one of them",)
        else:
            code, message, helps, also = "GNN016", "a key is a text", ("put it in quotes",), []
        place = span_of(self.source, key.start, key.end)
        self.found.append(report(code, message, place, also=also, helps=helps))
        if len(self.found) == MAX_ERRORS:
            raise Enough


def build(source: SourceText, events: Iterable[Event]) -> tuple[Node | None, list[Diagnostic]]:
    """The tree of a document; None when it is empty or cannot be read.

    Args:
        source: the document.
        events: the steps through it.

    Returns:
        The tree, and what is wrong with it: keys that are given twice, what is nested too deeply.
    """
    builder = _Builder(source)
    try:
        for event in events:
            builder.take(event)
    except Enough:
        return None, builder.found
    except Unreadable as error:
        place = span_of(source, error.start, error.end)
        return None, [*builder.found, report(error.code, error.message, place, helps=error.helps)]
    return builder.root, builder.found
