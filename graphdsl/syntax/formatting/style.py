"""How each construct of the grammar is laid out: one method per rule, from the parts of its children."""
# Lark calls the rules by these names; children are in the order of the text, tokens included.

from collections.abc import Sequence
from typing import cast

from lark import Token, Tree

from graphdsl.syntax.formatting.lists import block, braced, bracketed, filled, is_sign, stacked, without_commas
from graphdsl.syntax.formatting.parts import (
    BLANK,
    Break,
    Chain,
    Column,
    Dangling,
    Group,
    Inside,
    Part,
    Row,
    Word,
    join,
    words,
)
from graphdsl.syntax.formatting.pieces import Piece

Parts = Sequence[Part]
_CONTINUED = 4


def _place(children: Parts, sign: str) -> int:
    """Where a sign stands among the children; behind the last if nowhere."""
    return next((i for i, part in enumerate(children) if is_sign(part, sign)), len(children))


def _broken_pipe(source: Part, steps: Parts) -> Part:
    """A pipe with a map of several lines in it, or a comment: nothing else is broken, and what follows a comment must."""
    parts = [source]
    for step in steps:
        before, first = parts[-1].last, step.first
        if (before is not None and before.after) or (first is not None and first.before):
            parts.append(Inside(join(Break(kept=False), step)))
        else:
            parts += [BLANK, step]
    return Chain(parts)


class _Style:
    """One method per rule of the grammar; a rule without one has a blank between its parts."""

    def __init__(self, pieces: dict[int, Piece], last: Piece) -> None:
        self.pieces = pieces
        self.end = last

    def build(self, tree: Tree[Token]) -> dict[int, Part]:
        inner: list[Tree[Token]] = [tree]
        for node in inner:  # grows while it is walked: parents before children
            inner += [child for child in node.children if isinstance(child, Tree)]
        built: dict[int, Part] = {}
        for node in reversed(inner):
            children = [
                built[id(child)] if isinstance(child, Tree) else Word(self.pieces[cast(int, child.start_pos)])
                for child in node.children
            ]
            if node is tree:
                names = [str(child.data) if isinstance(child, Tree) else child.type for child in node.children]
                built[id(node)] = self.file(names, children)
            else:
                made = getattr(self, str(node.data), None)
                built[id(node)] = made(children) if made else words(*children)
        return built

    def file(self, names: Sequence[str], children: Parts) -> Part:
        parts: list[Part] = []
        for number, child in enumerate(children):
            together = number > 0 and names[number - 1] == names[number] == "import_file"
            parts += [Break(forced=not together)] * (number > 0) + [child]
        if self.end.before:
            parts += [Break()] * bool(parts) + [Dangling(self.end.before)]
        return Chain(parts)

    # --- schema ---

    def _named_block(self, children: Parts) -> Part:
        """`WORD name(parameters) … { members }`."""
        brace = _place(children, "{")
        head, body = children[:brace], children[brace:]
        parts: list[Part] = []
        for part in head:  # parameters stand close to the name before them
            close = part.first is not None and part.first.text == "(" and not isinstance(part, Word)
            parts += [part] if close or not parts else [BLANK, part]
        return block(Chain(parts), body)

    schema = model = amended = train = _named_block

    def node(self, children: Parts) -> Part:
        name = next(i for i, part in enumerate(children) if is_sign(part, "node")) + 1
        head = [words(*children[: name + 1])]
        tail: list[Part] = []
        for part in children[name + 1 :]:
            is_block = part.first is not None and part.first.text == "{"
            tail += [Column("node", "attributes"), part] if is_block else [part]
        return Row("node", join(*head, *tail))

    def edge(self, children: Parts) -> Part:
        arrow = _place(children, "-[")
        parts: list[Part] = [
            words(*children[:arrow]),
            Column("edge", "arrow"),
            join(*children[arrow : arrow + 3]),
            BLANK,
            children[arrow + 3],
        ]
        rest = children[arrow + 4 :]
        inverse = bool(rest) and is_sign(rest[0], "reverse")
        if inverse:
            parts += [Column("edge", "reverse", 2), words(*rest[:2])]
            rest = rest[2:]
        if rest:
            parts += [Column("edge", "attributes" if inverse else "attributes alone"), *rest]
        return Row("edge", Chain(parts))

    def metapath(self, children: Parts) -> Part:
        equal, budget = _place(children, "="), _place(children, "budget")
        head = join(words(*children[:2]), *children[2:equal])
        path = [children[equal + 1]]
        path += [Group(join(Break(" ", kept=False), hop)) for hop in children[equal + 2 : budget]]
        if budget < len(children):
            said = words(*children[budget:])
            path.append(Group(join(Break(" ", kept=False), Column("metapath", "budget"), said)))
        body = Inside(Chain(path), head.width + 3)
        return Row("metapath", join(head, Column("metapath", "path"), children[equal], BLANK, body), hanging=True)

    def forward_hop(self, children: Parts) -> Part:
        return join(*children[:3], BLANK, children[3])

    backward_hop = forward_hop

    def attributes(self, children: Parts) -> Part:
        return braced(children, ", ")

    def attribute(self, children: Parts) -> Part:
        return Row("attribute", join(*children[:2], Column("attribute", "type"), *children[2:]))

    def attribute_type(self, children: Parts) -> Part:
        return join(*children)

    # --- model ---

    def parameters(self, children: Parts) -> Part:
        return bracketed(children)

    arguments = list_literal = parameters

    def parameter(self, children: Parts) -> Part:
        return words(join(*children[:2]), *children[2:])

    def stage(self, children: Parts) -> Part:
        pipe = _place(children, "|")
        source = words(*children[:pipe])
        if pipe == len(children):
            return source
        steps = [words(*children[i : i + 2]) for i in range(pipe, len(children), 2)]
        if any(step.hard for step in steps):
            return _broken_pipe(source, steps)
        first = children[pipe - 1].first
        late = first is not None and first.text in ("nodes", "edges")
        broken = [part for step in steps for part in (Break(" ", kept=False), step)]
        return join(source, Group(Inside(Chain(broken)), late=late))

    def nodes_map(self, children: Parts) -> Part:
        return words(join(*children[:-1]), children[-1])

    def edges_map(self, children: Parts) -> Part:
        combine = _place(children, "combine")
        said = Group(words(*children[combine:]), late=True) if combine < len(children) else None
        return words(join(*children[: combine - 1]), children[combine - 1], said)

    def of(self, children: Parts) -> Part:
        return join(*children)

    def rules(self, children: Parts) -> Part:
        return braced(children, " ", most=1)

    def rule(self, children: Parts) -> Part:
        colon = _place(children, ":")
        patterns = stacked(without_commas([*children[:colon]]))
        layer = words(*children[colon + 1 :])
        return Row("rule", join(patterns, children[colon], Column("rule", "layer"), layer))

    def relation_pattern(self, children: Parts) -> Part:
        return words(children[0], join(*children[1:4]), children[4])

    def _head_and_block(self, children: Parts) -> Part:
        brace = _place(children, "{")
        return block(words(*children[:brace]), children[brace:])

    repeat = repeated_steps = sequence = _head_and_block

    def drop(self, children: Parts) -> Part:
        return words(children[0], filled(without_commas(children[1:])))

    def predict(self, children: Parts) -> Part:
        if len(children) > 2 and is_sign(children[2], ":"):
            return words(children[0], join(*children[1:3]), *children[3:])
        return words(*children)

    def penalised(self, children: Parts) -> Part:
        return join(children[0], bracketed(children[1:])) if len(children) > 1 else children[0]

    learn = predict

    def label(self, children: Parts) -> Part:
        label = join(*children[:3])
        return words(label, children[3], filled(without_commas(children[4:]))) if len(children) > 3 else label

    def link(self, children: Parts) -> Part:
        read = 7 if len(children) > 5 and is_sign(children[5], ".") else 5
        behind = [part for child in children[read:] for part in (BLANK, child)]
        return join(children[0], BLANK, *children[1:4], BLANK, *children[4:read], *behind)

    def layer_step(self, children: Parts) -> Part:
        if len(children) == 1:
            return children[0]
        layer, colon, inputs, arrow, outputs = children
        given = Inside(Group(join(Break(" ", kept=False), words(arrow, outputs))), _CONTINUED)
        return join(layer, colon, BLANK, inputs, given)

    def slots(self, children: Parts) -> Part:
        return filled(without_commas(children))

    # --- train ---

    def setting(self, children: Parts) -> Part:
        return words(join(*children[:2]), *children[2:])

    # --- expressions ---

    def binary(self, children: Parts) -> Part:
        left, operator, right = children
        return Group(join(left, Inside(join(Break(" ", kept=False), words(operator, right)), _CONTINUED)))

    def negative(self, children: Parts) -> Part:
        return join(*children)

    parenthesised = call = penalised_value = negative


def parts_of(tree: Tree[Token], pieces: dict[int, Piece], last: Piece) -> dict[int, Part]:
    """The parts of a file and of everything in it, by the identity of its tree; built from the leaves, not recursively.

    Args:
        tree: what was read.
        pieces: its tokens by the place where they start.
        last: the end of the file, with the comments before it.
    """
    return _Style(pieces, last).build(tree)
