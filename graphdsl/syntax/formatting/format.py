"""A spec's text laid out anew: every token and comment stays, in order, but for commas that only separate."""

from dataclasses import dataclass

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from graphdsl.syntax.brackets import scan
from graphdsl.syntax.formatting.alignment import align
from graphdsl.syntax.formatting.layout import lay_out
from graphdsl.syntax.formatting.pieces import read_pieces
from graphdsl.syntax.formatting.style import parts_of
from graphdsl.syntax.grammar import read_tree
from graphdsl.syntax.parsing import LANGUAGE_VERSION, MAX_DEPTH, parse
from graphdsl.text import Diagnostic, SourceText


def _tree(text: str) -> Tree[Token] | None:
    """What a text says, if it is plain that nothing is wrong with it."""
    if scan(text, MAX_DEPTH).deepest is not None:
        return None
    try:
        tree = read_tree(text)
    except UnexpectedInput:
        return None
    first = tree.children[0] if tree.children else None
    stated = first.children[1] if isinstance(first, Tree) and first.data == "version" else None
    return tree if stated is None or stated == str(LANGUAGE_VERSION) else None


@dataclass(frozen=True, slots=True)
class Formatted:
    """What formatting gives.

    Attributes:
        text: the text laid out; the text as it was when something is wrong with it.
        diagnostics: why it was left alone.
    """

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()


def format_source(source: SourceText) -> Formatted:
    r"""Lay out a spec.

    Formatting again changes nothing, and the tree stays the same but for its places. Lines end as the first one does,
    the last one too; a text with syntax errors is left alone.

    >>> print(format_source(SourceText("a.gnn", "schema s{node a{x:float[3]}edge a-[r]->a}")).text, end="")
    schema s {
      node a { x: float[3] }
      edge a -[r]-> a
    }
    """
    text = source.text.replace("\r\n", "\n")
    tree = _tree(text)
    if tree is None and (found := tuple(item for item in parse(source).diagnostics if item.is_error)):
        return Formatted(source.text, found)
    tree = tree or read_tree(text)
    lines = align(lay_out(parts_of(tree, *read_pieces(text, tree))[id(tree)]))
    end = "\r\n" if source.text.partition("\n")[0].endswith("\r") else "\n"
    return Formatted("".join(line + end for line in lines))
