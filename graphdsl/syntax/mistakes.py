"""From the place where the parser is stuck to what the writer did wrong, and how to read on.

The parser stops at the first token that cannot follow; the mistake is often earlier: a bracket that is never closed, a
statement that ends too soon. `_LOOKS` are the patterns that are tried in turn; what none explains is said as it is.
"""

import re
from collections.abc import Callable
from typing import Any, cast

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from graphdsl.syntax.blocks import (
    foreign_statement,
    indented_blocks,
    json_text,
    long_comment,
    marked_line,
    nameless_block,
)
from graphdsl.syntax.bracket_mistakes import (
    never_closed,
    unclosed_call,
    unclosed_rules,
    unopened,
    unopened_block,
    wrong_closer,
)
from graphdsl.syntax.draft import Draft, Mistake, fix_of, reads_on
from graphdsl.syntax.mending import mend
from graphdsl.syntax.messages import RELATION, WORDLIKE, WORDS, character_help, describe, hint, plain_character
from graphdsl.syntax.notation import habit
from graphdsl.syntax.recovery import Blank, Replace, Skip, code_before, code_end, line_bounds
from graphdsl.text import Fix, closest, renaming, report

_STARTER = re.compile(
    r'(schema|model|train|import|node|edge|metapath|drop|predict|penalty|replace|sequential)[ \t]+(?=["\w])'
    r"|(optional)[ \t]+(?=(?:node|edge)\b)|(repeat)[ \t]+(?=[\w(])|(graph)[ \t]*(?=\{)|(nodes|edges)[ \t]*(?=[({])"
    r"|[^\W\d]\w*[ \t]*=[ \t]*(?=(?:nodes|edges)\b|(?:cat|add|mean|max|jump)[ \t]*\()"
)
_STATEMENTS = ("nodes", "edges", "repeat", "drop", "predict", "penalty", "learn", "sequential")
_NAME = re.compile(r'[^\W\d]\w*|"(?:[^"\\\n]|\\.)*"')
_TRIPLE = re.compile(r"\([^(){}\n,]+,[^(){}\n,]+,[^(){}\n,]+\)")
_DECLARATION = re.compile(r"^[ \t]*(import|schema|model|train)\b", re.MULTILINE)
_NAME_PLACE = re.compile(r"(?:\bnode[ \t]+|-\[[ \t]*|\bedge[ \t]+|\]->[ \t]*)(?P<name>[^\W\d]\w*)(?P<gap>[ \t]*)\Z")
_NAME_REST = re.compile(r"[^\s{}()\[\]\"=,|]*[^\s{}()\[\]\"=,|:]")
_AMENDS = re.compile(r"\bmodel\b.*\bamends\b")
_STATEMENT = re.compile(
    r"(?P<name>[^\W\d]\w*)[ \t]*=[ \t]*(?:nodes|edges)\b|(?:nodes|edges|repeat|drop|sequential)\b(?![ \t]*=)"
)
_ARROW = re.compile(r"<-|[-=]+[>\[]")
_BLOCK_ENDS = frozenset({"RBRACE", "RPAR", "RSQB", "$END"})
_LONGEST = 30


# --- where the parser is stuck at a token ----------------------------------------------------------------------------


def _foreign(here: Draft, offset: int, accepted: frozenset[str]) -> Mistake | None:
    """What is written as in another language."""
    return (
        long_comment(here, offset)
        or foreign_statement(here, offset)
        or marked_line(here, offset)
        or nameless_block(here, offset)
        or json_text(here, offset)
        or indented_blocks(here, offset, accepted)
        or habit(here, offset, accepted)
    )


def _other_notation(here: Draft, token: Token, accepted: frozenset[str]) -> Mistake | None:
    return _foreign(here, token.start_pos or 0, accepted)


def _comment(here: Draft, token: Token, _accepted: frozenset[str]) -> Mistake | None:
    start = token.start_pos or 0
    if here.text[start : start + 2] != "//":
        return None
    end = code_end(here.text, start)
    fix = fix_of(here, "write `#`", Replace(start, start + 2, "#"))
    span, helps = here.span(start, start + 2), ("comments start with `#`",)
    found = report("GNN010", "`//` starts no comment", span, helps=helps, fix=fix)
    return Mistake(found, Replace(start, end, " " * (end - start)))


def _new_item(here: Draft, token: Token, accepted: frozenset[str]) -> Mistake | None:
    """The line starts something new, so the line before it, or a block around it, should have ended."""
    offset = token.start_pos or 0
    start = here.line_start(offset)
    if start == offset and token.type in ("RBRACE", "RPAR", "RSQB"):
        return _unfinished(here, start, accepted)
    starter = _STARTER.match(here.text, start)
    name = _NAME.match(here.text, start)
    named = name is not None and token.type in ("EQUAL", "COLON") and not here.text[name.end() : offset].strip()
    if starter is None and not named:
        return None
    before = accepted if start == offset else here.accepts(start)
    if not before or (starter is not None and _can_start(starter.group().strip(), before)):
        return None
    if not before & _BLOCK_ENDS:
        return _unfinished(here, start, before)
    opened = here.brackets.open_at(start)
    return never_closed(here, opened[-1], start) if starter is not None and opened else None


def _can_start(starter: str, accepted: frozenset[str]) -> bool:
    """Whether the first word of a line is read as what it looks like."""
    return "PREDICT" in accepted if starter.endswith("=") else starter.upper() in accepted


def _unfinished(here: Draft, start: int, expected: frozenset[str]) -> Mistake | None:
    end = code_before(here.text, start)
    if end is None:
        return None
    wanted = describe(expected & WORDS.keys())
    message = f"expected {wanted}, found the end of the line"
    return Mistake(report("GNN010", message, here.span(end, end), "something is missing here"), Blank(end))


def _outside(here: Draft, token: Token, accepted: frozenset[str]) -> Mistake | None:
    """Behind a block that was closed too early."""
    offset = token.start_pos or 0
    if "$END" not in accepted or here.brackets.open_at(offset):
        return None
    closed = [item for item in here.brackets.items if item.offset < offset and item.sign == "}"]
    extra = any(item.offset > offset and item.sign == "}" and item.partner is None for item in here.brackets.items)
    message = f"{_shown(token)} stands outside of any block"
    span = here.span(offset, offset + len(token))
    if closed and extra:
        early = closed[-1].offset
        also = ((here.span(early, early + 1), "the block ends here"),)
        helps = ("remove the `}` that ends the block too early",)
        fix = fix_of(here, "remove the `}`", Replace(early, early + 1, " "))
        return Mistake(report("GNN010", message, span, also=also, helps=helps, fix=fix), Replace(early, early + 1, " "))
    if str(token) not in (*_STATEMENTS, "node", "edge", "metapath", "graph", "optional"):
        return None
    block = "model" if str(token) in _STATEMENTS else "schema"
    return Mistake(report("GNN010", message, span, helps=(f"put it into a `{block}` block",)), Blank(offset))


def _misspelt(here: Draft, token: Token, _accepted: frozenset[str]) -> Mistake | None:
    """The line starts with something close to the word that starts a statement."""
    offset = token.start_pos or 0
    start = here.line_start(offset)
    first = _NAME.match(here.text, start, offset)
    if first is None or re.search(r"[=|{(:]", here.text[start:offset]):
        return None
    word = first.group()
    near = closest(word, _STATEMENTS)
    if near is None or near == word or "PREDICT" not in here.accepts(start):
        return None
    span = here.span(start, first.end())
    fix = renaming(span, word, _STATEMENTS)
    found = report("GNN010", f"`{word}` starts no statement", span, helps=(f"did you mean `{near}`?",), fix=fix)
    return Mistake(found, Blank(start))


def _map_word(here: Draft, token: Token, _accepted: frozenset[str]) -> Mistake | None:
    """A brace behind a word that is close to `nodes` or `edges`: `h0 = node { … }`."""
    offset = token.start_pos or 0
    before = re.search(r"[^\W\d]\w*[ \t]*\Z", here.text[:offset][-80:])
    near = closest(before.group().strip(), ("nodes", "edges")) if before else None
    if token.type != "LBRACE" or before is None or near is None:
        return None
    word = before.group().strip()
    start = offset - len(before.group())
    span, helps = here.span(start, start + len(word)), (f"did you mean `{near} {{ … }}`?",)
    found = report("GNN010", f"`{word}` starts no map", span, helps=helps, fix=renaming(span, word, ("nodes", "edges")))
    return Mistake(found, Blank(offset))


def _amending(here: Draft, token: Token, _accepted: frozenset[str]) -> Mistake | None:
    """A statement of a whole model in one that amends another."""
    offset = token.start_pos or 0
    start = here.line_start(offset)
    opened = here.brackets.open_at(start)
    statement = _STATEMENT.match(here.text, start)
    if statement is None or len(opened) != 1 or offset > line_bounds(here.text, start)[1]:
        return None
    if not _AMENDS.search(here.text, here.line_start(opened[0].offset), opened[0].offset):
        return None
    name = statement.group("name")
    if name is None:
        message = "a model that amends another holds `name = value`, `replace NAME = …`, `predict` and `penalty` only"
        helps = ("name the stage in the base and replace it, or write a whole model: `model NAME on SCHEMA { … }`",)
        return Mistake(report("GNN010", message, here.span(start, statement.end()), helps=helps), Blank(start))
    edit = Replace(start, start, "replace ")
    message = f"a model that amends another says `replace {name} = …` to change a stage"
    span, fix = here.span(start, statement.end()), fix_of(here, "write `replace`", edit)
    return Mistake(report("GNN010", message, span, helps=("write `replace` before it",), fix=fix), edit)


_LOOKS: tuple[Callable[[Draft, Token, frozenset[str]], Mistake | None], ...] = (
    _other_notation,
    _comment,
    _amending,
    wrong_closer,
    unopened_block,
    unclosed_call,
    unclosed_rules,
    _new_item,
    _outside,
    _misspelt,
    _map_word,
)


def _shown(token: Token) -> str:
    text = str(token)
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[:_LONGEST]}…`"


def _broken_name(text: str, offset: int) -> Replace | None:
    """The quotes that were meant where a name in its place goes on with a blank, a dash or the like."""
    before = _NAME_PLACE.search(text[max(0, offset - 200) : offset])
    rest = _NAME_REST.match(text, offset)
    if before is None or rest is None or _ARROW.match(text, offset) or (rest.group()[0] == "-" and before.group("gap")):
        return None
    quoted = f'"{before.group("name")}{before.group("gap")}{rest.group()}"'
    return Replace(rest.end() + 2 - len(quoted), rest.end(), quoted)


def _plainly(here: Draft, token: Token, accepted: frozenset[str]) -> Mistake:
    offset = token.start_pos or 0
    opened = here.brackets.open_at(offset)
    quotes: Fix | None = None
    said = hint(token.type, str(token), accepted, opened[-1].sign if opened else "")
    keywords = [WORDS[name].strip("`") for name in sorted(accepted) if WORDS[name].strip("`").isalpha()]
    near = closest(str(token), keywords) if token.type in WORDLIKE or token.type == "IDENTIFIER" else None
    if "STRING" in accepted and _TRIPLE.match(here.text, offset):
        said = RELATION
    elif near and not said:
        said = f"did you mean `{near}`?"
    elif name := _broken_name(here.text, offset):
        said = f"a name that is more than one word of letters, digits and `_` stands in double quotes: `{name.text}`"
        quotes = fix_of(here, "quote the name", name) if reads_on(here, name, offset) else None
    helps = [said] if said else []
    message = (
        f"expected {describe(accepted)}, found {_shown(token)}" if accepted else f"{_shown(token)} cannot stand here"
    )
    fix = quotes or mend(here, token, accepted)
    found = report("GNN010", message, here.span(offset, offset + len(token)), helps=helps, fix=fix)
    if "$END" not in accepted or opened:
        return Mistake(found, Blank(offset))
    # Outside of any block nothing can be told apart until the next one starts.
    following = _DECLARATION.search(here.text, offset + 1)
    return Mistake(found, Skip(offset, following.start() if following else len(here.text)))


# --- where it is stuck at a character, or at the end -----------------------------------------------------------------


def _character(here: Draft, offset: int) -> Mistake:
    character = here.text[offset]
    line_end = line_bounds(here.text, offset)[1]
    if character == '"':
        span = here.span(offset, line_end)
        said = 'a closing `"` is missing on this line'
        ends = re.compile(r"[^)\]},|#\n]*").match(here.text, offset + 1)
        end = ends.end() if ends else line_end
        edit = Replace(end, end, '"')
        fix = fix_of(here, 'insert `"`', edit) if reads_on(here, edit, offset) else None
        return Mistake(report("GNN012", "this string is never closed", span, said, fix=fix), edit)
    if quoted := re.compile(r"'([^'\"\n]*)'|[“”„]([^“”\"\n]*)[“”]").match(here.text, offset):
        text = f'"{quoted.group()[1:-1]}"'
        edit = Replace(offset, quoted.end(), text)
        found = report(
            "GNN011", f"strings stand in plain double quotes: `{text}`", here.span(offset, quoted.end()),
            fix=fix_of(here, "use double quotes", edit),
        )  # fmt: skip
        return Mistake(found, edit)
    if block := unopened(here, offset, here.accepts(offset)):
        return block
    if foreign := _foreign(here, offset, here.accepts(offset)):
        return foreign
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    said = character_help(character)
    span, fix = here.span(offset, offset + 1), _plain_character(here, offset)
    found = report("GNN011", f"{shown} starts no word of the language", span, helps=said, fix=fix)
    alone = not character.isprintable() or character.isspace()
    return Mistake(found, Replace(offset, offset + 1, " ") if alone else Blank(offset))


def _plain_character(here: Draft, offset: int) -> Fix | None:
    """The fix that writes what a character only looks like."""
    become = plain_character(here.text[offset])
    if become is None:
        return None
    title = f"write `{become}`" if become.strip() else "write a plain blank" if become else "delete it"
    return fix_of(here, title, Replace(offset, offset + 1, become))


def _end(here: Draft, expected: frozenset[str]) -> Mistake:
    """The file ends too early: point to the bracket that is still open."""
    opened = here.brackets.open_at(len(here.text))
    if opened:
        return never_closed(here, opened[-1], len(here.text))
    end = code_before(here.text, len(here.text)) if here.line_start(len(here.text)) >= len(here.text) else None
    at = code_end(here.text, len(here.text)) if end is None else end
    wanted = describe(expected) if expected else "more"
    message = f"the file ends where {wanted} is expected"
    return Mistake(report("GNN010", message, here.span(at, at), "something is missing here"), Blank(max(0, at - 1)))


def explain(name: str, text: str, error: Any) -> Mistake:
    """What the writer did wrong, from where the parser is stuck.

    Args:
        name: the file's name.
        text: the text that was parsed.
        error: the `UnexpectedInput` that the parser raised.
    """
    here = Draft(name, text)
    if isinstance(error, UnexpectedCharacters):
        return _character(here, cast(int, cast(Any, error).pos_in_stream))
    if not isinstance(error, UnexpectedToken):
        return _end(here, frozenset())
    stuck = cast(Any, error)
    accepted: frozenset[str] = frozenset(stuck.accepts or stuck.expected) & WORDS.keys()
    token: Token = stuck.token
    if token.type == "$END":
        return _end(here, accepted - {"$END"})
    for look in _LOOKS:
        found = look(here, token, accepted)
        if found is not None:
            return found
    return _plainly(here, token, accepted)
