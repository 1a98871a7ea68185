"""The one small change after which a faulty line can be read: what a machine may make of it.

A change counts only if the parser then reads the line to its end; a guess that moves the mistake elsewhere is none.
"""

import re
from collections.abc import Iterator

from lark import Token

from graphdsl.syntax.draft import Draft, fix_of, reads_on
from graphdsl.syntax.messages import WORDLIKE, WORDS
from graphdsl.syntax.recovery import Replace, line_bounds
from graphdsl.text import Fix, certain

_SWAPS = (
    ("EQUAL", "COLON", re.compile(r"[ \t]*=\Z"), ":"),
    ("COLON", "EQUAL", re.compile(r"[ \t]*:\Z"), " ="),
    ("RBACK", "RARROW", re.compile(r"\]-\Z"), "]->"),
)
"""Found, could stand there, the text up to the end of what was found, what is written instead."""


def mend(here: Draft, token: Token, accepted: frozenset[str]) -> Fix | None:
    """The first small change at a token with which the line can be read."""
    for title, edit in _changes(here, token, accepted):
        if reads_on(here, edit, token.start_pos or 0):
            return fix_of(here, title, edit)
    return None


def _changes(here: Draft, token: Token, accepted: frozenset[str]) -> Iterator[tuple[str, Replace]]:
    start = token.start_pos or 0
    end = start + len(token)
    line = line_bounds(here.text, start)[0]
    for found, wanted, pattern, text in _SWAPS:
        if token.type == found and wanted in accepted and (match := pattern.search(here.text, line, end)):
            yield f"write `{text.strip()}`", Replace(match.start(), end, text)
    if token.type == "DOT" and "INT" in accepted:
        yield "write `0.`", Replace(start, start, "0")
    if token.type == "DOT" and "PLUS" in accepted:
        yield "write `.0`", Replace(end, end, "0")
    if token.type == "STRING" and token[1:-1].isidentifier():
        yield "leave the quotes out", Replace(start, end, token[1:-1])
    if token.type == "IDENTIFIER" or token.type in WORDLIKE:
        words = [WORDS[name].strip("`") for name in sorted(accepted & WORDLIKE)]
        if (word := certain(str(token), words)) and word != token:
            yield f"write `{word}`", Replace(start, end, word)
    before = line + len(here.text[line:start].rstrip())
    opened = here.brackets.open_at(start)
    if "COMMA" in accepted and before > line and opened and opened[-1].sign in "([":
        yield "insert `,`", Replace(before, before, ",")
