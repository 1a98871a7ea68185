"""A spec as plain data for YAML or JSON: the structure as lists and mappings, everything smaller as it is in `.gnn`."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from lark import Token, Tree

from graphdsl.syntax.build import unquote
from graphdsl.syntax.formatting.parts import Break, Chain, Column, Group, Inside, Mark, Part, Row, Word
from graphdsl.syntax.formatting.pieces import read_pieces, tokens_of
from graphdsl.syntax.formatting.style import parts_of
from graphdsl.syntax.grammar import read_tree
from graphdsl.text import Diagnostic, SourceText, Span, report

_Child = Tree[Token] | Token
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "none": None}


def one_line(part: Part) -> str:
    """A part on one line, without its comments."""
    out: list[str] = []
    stack = [part]
    while stack:
        item = stack.pop()
        match item:
            case Word():
                out.append(item.piece.text)
            case Mark():
                out.append("" if item.broken else item.text)
            case Break():
                out.append(item.flat or "")
            case Column():
                out.append(" " * item.gap)
            case Group() | Inside() | Row():
                stack.append(item.part)
            case Chain():
                stack += reversed(item.parts)
            case _:
                pass
    return "".join(out)


def _is(child: _Child, *kinds: str) -> bool:
    return (child.type if isinstance(child, Token) else str(child.data)) in kinds


class _Writer:
    """One method per construct: from its tree to plain data."""

    def __init__(self, source: SourceText, text: str, tree: Tree[Token]) -> None:
        self.source = source
        self.tree = tree
        self.parts = parts_of(tree, *read_pieces(text, tree))
        self.found: list[Diagnostic] = []

    # --- small parts ---

    def said(self, child: _Child) -> str:
        """How something is spelled."""
        return str(child) if isinstance(child, Token) else one_line(self.parts[id(child)])

    def name(self, child: _Child) -> str:
        """What a name says."""
        token = child if isinstance(child, Token) else cast(Token, child.children[0])
        return unquote(str(token)) if token.type == "STRING" else str(token)

    def value(self, child: _Child) -> Any:
        """A value: a number, truth value or list as such where that spells the same again, other values as text."""
        said = self.said(child)
        if said in _CONSTANTS and not _is(child, "reference"):
            return _CONSTANTS[said]
        if _is(child, "list_literal"):
            return [self.value(item) for item in cast(Tree[Token], child).children if isinstance(item, Tree)]
        digits = said.removeprefix("-")
        for kind in (int, float):
            try:
                if repr(kind(digits)) == digits and digits[0].isdigit():
                    return kind(said)
            except ValueError:
                continue
        return said

    def only(self, tree: Tree[Token], *kinds: str) -> list[Tree[Token]]:
        """The children of some kinds."""
        return [child for child in tree.children if isinstance(child, Tree) and _is(child, *kinds)]

    def names(self, tree: Tree[Token]) -> list[str]:
        return [self.name(child) for child in self.only(tree, "name")]

    def behind(self, tree: Tree[Token], sign: str) -> _Child | None:
        """What stands behind a sign or word, directly in a construct."""
        places = [i for i, child in enumerate(tree.children) if isinstance(child, Token) and child.type == sign]
        return tree.children[places[0] + 1] if places else None

    def mapping(self, items: Sequence[Tree[Token]], each: Callable[[Tree[Token]], Any]) -> dict[str, Any]:
        """A mapping by name; a name that is there twice cannot be written so."""
        out: dict[str, Any] = {}
        for item in items:
            key = self.name(item.children[0])
            if key in out:
                self.refuse(tokens_of(item)[0], f"`{key}` stands here twice, and a mapping has each key once")
            out[key] = each(item)
        return out

    def refuse(self, token: Token, message: str) -> None:
        line, column = token.line or 1, token.column or 1
        place = Span(self.source.name, line, column, token.end_line or line, token.end_column or column + len(token))
        self.found.append(report("GNN016", message, place, helps=("mend what `gnn check` finds first",)))

    def parameters(self, tree: Tree[Token]) -> dict[str, Any]:
        lists = self.only(tree, "parameters")
        if not lists:
            return {}
        items = self.only(lists[0], "parameter")
        return {"parameters": self.mapping(items, lambda item: self.said(item).split(":", 1)[1].strip())}

    def attributes(self, tree: Tree[Token]) -> dict[str, Any]:
        lists = self.only(tree, "attributes")
        if not lists:
            return {}
        items = self.only(lists[0], "attribute")
        return {"attributes": self.mapping(items, lambda item: self.said(item.children[2]))}

    # --- schema ---

    def schema(self, tree: Tree[Token]) -> dict[str, Any]:
        members = self.only(tree, "node", "edge", "metapath", "graph")
        written = [getattr(self, str(member.data))(member) for member in members]
        return {"schema": self.names(tree)[0], **self.parameters(tree), "members": written}

    def optional(self, tree: Tree[Token]) -> dict[str, Any]:
        return {"optional": True} if _is(tree.children[0], "OPTIONAL") else {}

    def node(self, tree: Tree[Token]) -> dict[str, Any]:
        out = {"node": self.names(tree)[0], **self.optional(tree)}
        for given in self.only(tree, "arguments"):
            items = self.only(given, "argument")
            if len(items) == 1 and len(items[0].children) == 3 and str(items[0].children[0]) == "count":
                out["count"] = self.value(items[0].children[2])
            elif items:
                self.refuse(cast(Token, given.children[0]), "a node type has `count` only")
        return out | self.attributes(tree)

    def edge(self, tree: Tree[Token]) -> dict[str, Any]:
        start = 2 if _is(tree.children[0], "OPTIONAL") else 1
        source, opened, relation, closed, target = map(self.said, tree.children[start : start + 5])
        out: dict[str, Any] = {"edge": f"{source} {opened}{relation}{closed} {target}", **self.optional(tree)}
        inverse = self.behind(tree, "REVERSE")
        return out | ({"reverse": self.name(inverse)} if inverse else {}) | self.attributes(tree)

    def metapath(self, tree: Tree[Token]) -> dict[str, Any]:
        out: dict[str, Any] = {"metapath": self.names(tree)[0]}
        for given in self.only(tree, "arguments"):
            for item in self.only(given, "argument"):
                key = str(self.said(item.children[0])) if len(item.children) > 1 else "kind"
                if key in out or key not in ("kind", "sample", "seed"):
                    said = "a metapath has one of `set`, `count` and `mean`, `sample` and `seed` only"
                    self.refuse(cast(Token, given.children[0]), said)
                out[key] = self.value(item.children[-1])
        start = [self.behind(tree, "EQUAL"), *self.only(tree, "forward_hop", "backward_hop")]
        out["path"] = " ".join(self.said(child) for child in start if child is not None)
        budget = self.behind(tree, "BUDGET")
        return out | ({"budget": self.value(budget)} if budget else {})

    def graph(self, tree: Tree[Token]) -> dict[str, Any]:
        return {"graph": self.attributes(tree).get("attributes", {})}

    # --- models ---

    def model(self, tree: Tree[Token]) -> dict[str, Any]:
        name, schema = self.names(tree)[:2]
        body = self.statements(tree)
        return {"model": name, "schema": schema, **self.parameters(tree), "statements": body}

    def amended(self, tree: Tree[Token]) -> dict[str, Any]:
        name, base, *schema = self.names(tree)
        out: dict[str, Any] = {"model": name, "amends": base, **({"schema": schema[0]} if schema else {})}
        return out | self.parameters(tree) | {"changes": self.statements(tree)}

    def statements(self, tree: Tree[Token]) -> list[Any]:
        kinds = ("stage", "repeat", "drop", "predict", "penalty", "learn", "sequence", "override", "replacement")
        return [getattr(self, str(child.data))(child) for child in self.only(tree, *kinds)]

    def override(self, tree: Tree[Token]) -> dict[str, Any]:
        return {"parameter": str(tree.children[0]), "value": self.value(tree.children[2])}

    def replacement(self, tree: Tree[Token]) -> dict[str, Any]:
        inner = cast(Tree[Token], tree.children[1])
        return {"replace": getattr(self, str(inner.data))(inner)}

    def stage(self, tree: Tree[Token]) -> dict[str, Any]:
        named = len(tree.children) > 1 and _is(tree.children[1], "EQUAL")
        out: dict[str, Any] = {"name": str(tree.children[0])} if named else {}
        source = self.only(tree, "nodes_map", "edges_map", "join")[0]
        if _is(source, "join"):
            out["join"] = self.said(source)
        else:
            kind = "nodes" if _is(source, "nodes_map") else "edges"
            of = self.only(source, "of")
            out |= {"of": str(of[0].children[1])} if of else {}
            out[kind] = self.rules(self.only(source, "rules")[0])
            combine = self.behind(source, "COMBINE")
            out |= {"combine": self.said(combine)} if combine else {}
        pipe = [self.pipe(child) for child in self.only(tree, "pipe_layer", "pipe_map")]
        return out | ({"pipe": pipe} if pipe else {})

    def pipe(self, tree: Tree[Token]) -> Any:
        inner = cast(Tree[Token], tree.children[0])
        return {"rules": self.rules(inner)} if _is(inner, "rules") else self.said(inner)

    def rules(self, tree: Tree[Token]) -> list[Any]:
        return [self.rule(child) for child in self.only(tree, "rule")]

    def rule(self, tree: Tree[Token]) -> dict[str, Any]:
        patterns = [self.said(child) for child in tree.children if isinstance(child, Tree) and not _is(child, "call")]
        share = {"share": True} if any(_is(child, "SHARE") for child in tree.children) else {}
        return {"pattern": ", ".join(patterns), **share, "layer": self.said(tree.children[-1])}

    def repeat(self, tree: Tree[Token]) -> dict[str, Any]:
        share = {"share": True} if any(_is(child, "SHARE") for child in tree.children) else {}
        inner = {"steps": self.steps(tree)} if _is(tree, "repeated_steps") else {"statements": self.statements(tree)}
        return {"repeat": self.value(tree.children[1]), **share, **inner}

    def drop(self, tree: Tree[Token]) -> dict[str, Any]:
        return {"drop": self.names(tree)}

    def predict(self, tree: Tree[Token]) -> dict[str, Any]:
        out: dict[str, Any] = {"predict": self.said(tree.children[1])}
        head = self.behind(tree, "COLON")
        out |= {"head": self.said(head)} if head else {}
        for option in self.only(tree, "weight", "negatives", "keep_target"):
            if str(option.data) in out:
                self.refuse(cast(Token, option.children[0]), f"`{option.data}` stands here twice")
            out[str(option.data)] = self.value(option.children[1]) if len(option.children) > 1 else True
        return out

    def penalty(self, tree: Tree[Token]) -> dict[str, Any]:
        weight = self.only(tree, "weight")
        share = {"weight": self.value(weight[0].children[1])} if weight else {}
        return {"penalty": self.said(tree.children[1]), **share}

    def learn(self, tree: Tree[Token]) -> dict[str, Any]:
        weight = self.behind(tree, "WEIGHT")
        out: dict[str, Any] = {"learn": self.said(tree.children[1]), "by": self.said(tree.children[3])}
        return out | ({"weight": self.value(weight)} if weight else {})

    def sequence(self, tree: Tree[Token]) -> dict[str, Any]:
        return {"sequential": self.said(self.only(tree, "slots")[0]), "steps": self.steps(tree)}

    def steps(self, tree: Tree[Token]) -> list[Any]:
        return [
            self.repeat(child) if _is(child, "repeated_steps") else self.step(child)
            for child in self.only(tree, "layer_step", "repeated_steps")
        ]

    def step(self, tree: Tree[Token]) -> Any:
        layer = self.said(tree.children[0])
        if len(tree.children) == 1:
            return layer
        return {"step": layer, "inputs": self.said(tree.children[2]), "outputs": self.said(tree.children[4])}

    # --- the rest ---

    def train(self, tree: Tree[Token]) -> dict[str, Any]:
        settings = self.mapping(self.only(tree, "setting"), lambda item: self.value(item.children[2]))
        return {"train": self.names(tree)[0], "settings": settings}

    def import_file(self, tree: Tree[Token]) -> dict[str, Any]:
        return {"import": unquote(str(tree.children[1]))}

    def document(self) -> dict[str, Any]:
        version = self.only(self.tree, "version")
        kinds = ("import_file", "schema", "model", "amended", "train")
        declarations = [getattr(self, str(child.data))(child) for child in self.only(self.tree, *kinds)]
        stated = {"gnn": int(str(version[0].children[1]))} if version else {}
        return {**stated, "declarations": declarations}


def to_plain(source: SourceText) -> tuple[dict[str, Any], list[Diagnostic]]:
    """A spec without syntax errors as plain data, and what cannot be written so."""
    text = source.text.replace("\r\n", "\n")
    writer = _Writer(source, text, read_tree(text))
    return writer.document(), writer.found
