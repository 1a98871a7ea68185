"""Texts in a document that are spelled as in `.gnn`: each is one whole layer, pattern, type or value, and nothing more."""

import re
from functools import cache, lru_cache
from typing import Any, cast

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput

from graphdsl.syntax.brackets import scan
from graphdsl.syntax.grammar import build_parser, read_word
from graphdsl.syntax.messages import WORDS, character_help, describe
from graphdsl.syntax.parsing import MAX_DEPTH
from graphdsl.text import Diagnostic, Span, report

_RULES = """
parts_patterns: pattern (COMMA pattern)*
parts_path: name hop+
parts_relation: name LARROW name RARROW name
parts_target: label | link
parts_learned: learned
parts_parameter: IDENTIFIER (EQUAL expression)?
"""
KINDS = {
    "value": "expression",
    "layer": "call",
    "type": "attribute_type",
    "patterns": "parts_patterns",
    "path": "parts_path",
    "relation": "parts_relation",
    "prediction": "parts_target",
    "penalty": "penalised",
    "learned": "parts_learned",
    "parameter": "parts_parameter",
    "names": "slots",
}
"""What a text is: the rule of the grammar that it follows."""
_OUTSIDE = re.compile(r'"(?:[^"\\\n]|\\.)*"|(#)')


@cache
def _parser() -> Lark:
    return build_parser(_RULES, list(KINDS.values()))


@lru_cache(4096)
def fault(text: str, kind: str) -> tuple[int, int, str, tuple[str, ...]] | None:
    """Why a text is not of a kind: from where to where, what is wrong, and what to do; None if it is.

    >>> fault("Linear(64", "layer")
    (9, 9, 'expected `,` or `)`, found the end of the text', ())
    """
    comment = next((match.start() for match in _OUTSIDE.finditer(text) if match[1]), None)
    if comment is not None:
        return comment, len(text), "a comment cannot stand inside a value", ("write it as a comment of the file",)
    deepest = scan(text, MAX_DEPTH).deepest
    if deepest is not None:
        return deepest, deepest + 1, f"brackets are nested deeper than {MAX_DEPTH} levels", ()
    reader: Any = _parser()
    try:
        reader.parse(text, start=KINDS[kind], on_error=read_word)
    except UnexpectedInput as error:
        return _explain(text, error)
    return None


def _explain(text: str, error: Any) -> tuple[int, int, str, tuple[str, ...]]:
    if isinstance(error, UnexpectedCharacters):
        place = cast(int, cast(Any, error).pos_in_stream)
        helps = character_help(text[place])
        return place, place + 1, f"`{text[place]}` starts no word of the language", helps
    accepted = frozenset(error.accepts or error.expected) & WORDS.keys()
    ended = error.token.type == "$END"
    start = len(text.rstrip()) if ended else error.token.start_pos
    found = "the end of the text" if ended else f"`{error.token}`"
    wanted = "the end of the text" if "$END" in accepted or not accepted else describe(accepted)
    return start, start if ended else start + len(error.token), f"expected {wanted}, found {found}", ()


def explain(place: Span, message: str, helps: tuple[str, ...], kind: str) -> Diagnostic:
    """The finding for a text that is not of its kind."""
    return report("GNN010", message, place, f"in this {kind}" if kind != "names" else "in these names", helps=helps)
