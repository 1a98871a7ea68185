"""Values, layers, relations and patterns of a document, spelled in `.gnn`."""

import re
from collections.abc import Callable, Iterable

from graphdsl.syntax.documents.fragments import explain, fault
from graphdsl.syntax.documents.places import Spelled, content
from graphdsl.syntax.documents.tree import MAX_ERRORS, Node, span_of
from graphdsl.text import Diagnostic, SourceText, show_name

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def quote(text: str) -> str:
    r"""A text as a string of `.gnn`.

    >>> print(quote('a "b"'))
    "a \"b\""
    """
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(character, escaped)
    return f'"{text}"'


class Speller:
    """One method per kind of value.

    Attributes:
        out: the text so far.
        found: what is wrong with texts that are spelled in `.gnn` already.
    """

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.out = Spelled(source)
        self.found: list[Diagnostic] = []

    # --- small parts ---

    def text(self, node: Node, kind: str) -> None:
        """A text that is spelled in `.gnn`."""
        said = str(node.value)
        wrong = fault(said, kind)
        if wrong is None:
            self.out.put(said.replace("\n", " "), node)
            return
        if len(self.found) == MAX_ERRORS:
            return
        start, end, message, helps = wrong
        places = content(self.source.text[node.start : node.end], said)
        first, last = node.start, node.end
        if places is not None:
            first = node.start + places[min(start, len(places) - 1)]
            last = node.start + places[min(end, len(places) - 1)]
        self.found.append(explain(span_of(self.source, first, last), message, helps, kind))

    def name(self, node: Node) -> None:
        """A name, quoted where it must be."""
        self.out.put(show_name(str(node.value)), node)

    def name_or_any(self, node: Node) -> None:
        """A name, or `*` for any."""
        self.out.put("*" if node.value == "*" else show_name(str(node.value)), node)

    def listed(self, nodes: Iterable[Node], each: Callable[[Node], None], at: Node) -> None:
        """Values with commas between them."""
        for number, node in enumerate(nodes):
            if number:
                self.out.put(",", at)
            each(node)

    def words(self, words: str, at: Node) -> None:
        """Several words and signs."""
        for word in words.split():
            self.out.put(word, at)

    def option(self, node: Node, key: str, word: str, each: Callable[[Node], None]) -> None:
        """A word and a value, where the mapping has the key with a value."""
        value = node.get(key)
        if value is not None and not (value.kind == "scalar" and value.value is None):
            self.words(word, node.key(key))
            each(value)

    def flag(self, node: Node, key: str, word: str) -> None:
        """A word, where the mapping has the key with `true`."""
        value = node.get(key)
        if value is not None and value.value is True:
            self.out.put(word, node.key(key))

    def open(self, node: Node) -> None:
        """The start of a block."""
        self.out.put("{", node)

    def close(self, node: Node) -> None:
        """The end of a block, where its mapping ends."""
        self.out.put("}", Node("scalar", max(node.start, node.end - 1), node.end))

    def begin(self, word: str, node: Node) -> None:
        """The first word of a declaration or statement stands where its mapping starts."""
        self.out.new_line()
        self.out.put(word, Node("scalar", node.start, node.start + 1))

    # --- values and layers ---

    def value(self, node: Node) -> None:
        """A number, truth value, text, list or call."""
        if node.kind == "list":
            self.out.put("[", Node("scalar", node.start, node.start + 1))
            self.listed(node.items, self.value, node)
            self.out.put("]", Node("scalar", node.end - 1, node.end))
        elif node.kind == "map":
            self.mapped_value(node)
        elif isinstance(node.value, str):
            self.text(node, "value")
        elif node.value is None:
            self.out.put("none", node)
        else:
            self.out.put(self.number(node), node)

    def mapped_value(self, node: Node) -> None:
        """`{string: …}`, or a call."""
        string = node.get("string")
        if string is not None:
            self.out.put(quote(str(string.value)), string)
        else:
            self.layer(node)

    def number(self, node: Node) -> str:
        """A number as it is written, if `.gnn` writes it so; a truth value."""
        if isinstance(node.value, bool):
            return "true" if node.value else "false"
        raw = self.source.text[node.start : node.end].removeprefix("-")
        written = raw if _NUMBER.fullmatch(raw) else repr(node.value).removeprefix("-")
        return f"-{written}" if isinstance(node.value, int | float) and str(node.value).startswith("-") else written

    def layer(self, node: Node) -> None:
        """A layer with its arguments."""
        if node.kind == "scalar":
            self.text(node, "layer")
            return
        name = node.pairs["layer"][1]
        self.out.put(str(name.value), name)
        positional, named = node.get("positional"), node.get("arguments")
        given = [(None, item) for item in positional.items] if positional else []
        given += list(named.pairs.values()) if named else []
        if given:
            self.out.put("(", name)
            for number, (key, value) in enumerate(given):
                if number:
                    self.out.put(",", name)
                if key is not None:
                    self.out.put(str(key.value), key)
                    self.out.put("=", key)
                self.value(value)
            self.out.put(")", Node("scalar", node.end - 1, node.end))

    def parameters(self, node: Node) -> None:
        """The parameters of a schema or model, in parentheses."""
        given = node.get("parameters")
        if given is None or given.kind == "scalar":
            return
        self.out.put("(", given)
        for number, (key, value) in enumerate(given.pairs.values()):
            if number:
                self.out.put(",", given)
            self.out.put(str(key.value), key)
            self.out.put(":", key)
            if value.kind == "scalar":
                self.text(value, "parameter")
            else:
                kind = value.pairs["type"][1]
                self.out.put(str(kind.value), kind)
                if "default" in value.pairs:
                    self.out.put("=", value.key("default"))
                    self.value(value.pairs["default"][1])
        self.out.put(")", given)

    def attributes(self, given: Node | None) -> None:
        """Attributes in braces."""
        if given is None or given.kind == "scalar":
            return
        self.open(given)
        for key, value in given.pairs.values():
            self.name(key)
            self.out.put(":", key)
            if value.kind == "scalar":
                self.text(value, "type")
            else:
                self.type(value)
        self.close(given)

    def type(self, node: Node) -> None:
        """The type of an attribute."""
        kind = node.pairs["type"][1]
        self.out.put(str(kind.value), kind)
        size = node.get("size")
        if size is not None and not (size.kind == "scalar" and size.value is None):
            self.out.put("[", node.key("size"))
            if size.value == "*":
                self.out.put("*", size)
            else:
                self.value(size)
            self.out.put("]", node.key("size"))
        self.flag(node, "optional", "?")

    # --- relations and patterns ---

    def triple(self, parts: Iterable[Node], at: Node) -> None:
        """A relation from the names of its parts."""
        source, relation, target = parts
        self.name_or_any(source)
        self.out.put("-[", at)
        self.name_or_any(relation)
        self.out.put("]->", at)
        self.name_or_any(target)

    def relation(self, node: Node, kind: str = "relation") -> None:
        """A relation in any of its forms."""
        if node.kind == "scalar":
            self.text(node, kind)
        elif node.kind == "list":
            self.triple(node.items, node)
        else:
            self.triple((node.pairs[key][1] for key in ("source", "relation", "target")), node)

    def pattern(self, node: Node) -> None:
        """A pattern in any of its forms."""
        named = node.get("name")
        if named is not None:
            self.name_or_any(named)
        else:
            self.relation(node, "patterns")
