"""Blocks and statements of other languages: Python's `def`, `for` and `class`, blocks by indentation, their comments."""

import re

from graphdsl.syntax.draft import Draft, Mistake
from graphdsl.syntax.notation import NO_CONDITIONS
from graphdsl.syntax.recovery import Blank, Replace, Skip, line_bounds
from graphdsl.text import Span, report

STATEMENTS = {
    "return": "a model ends with what it predicts: `predict TYPE.LABEL`",
    "def": "a model is declared as `model NAME(parameter: type = default) on SCHEMA { … }`",
    "class": "a model is declared as `model NAME(parameter: type = default) on SCHEMA { … }`",
    "for": "layers are repeated with `repeat 3 { … }`",
    "while": "layers are repeated with `repeat 3 { … }`",
    "if": NO_CONDITIONS,
    "elif": NO_CONDITIONS,
    "else": NO_CONDITIONS,
    "from": 'layers of PyG are there by their names; other specs come with `import "file.gnn"`',
    "print": "`gnn plan` prints what a model computes",
    "let": "a state is named without a word before it: `h0 = nodes { … }`",
    "var": "a state is named without a word before it: `h0 = nodes { … }`",
    "const": "a state is named without a word before it: `h0 = nodes { … }`",
    "pass": "leave it out: a block may be empty",
    "assert": "leave it out: `gnn check` finds what is wrong",
    "with": "leave it out: a spec says what is computed, not when",
    "try": "leave it out: `gnn check` finds what is wrong before anything runs",
}
"""Words that start statements of Python and its like, and what a spec has instead."""

_WORD = re.compile(r"[ \t]*(?P<word>[a-z]+)\b(?![ \t]*[:={(.|,\]-])")
_CALLED = re.compile(r"[ \t]*(?P<word>print|if|while|for|return|assert)[ \t]*\(|[ \t]*(?P<other>else|try)[ \t]*[:{]")
_OPENS = re.compile(
    r"(?P<head>[ \t]*(?:(?:optional[ \t]+)?(?:schema|model|train|node)[ \t]+\S.*?|repeat[ \t]+[^:{}\n]+?|(?:nodes|edges)"
    r"(?:[ \t]*\([^()\n]*\))?|[^\W\d]\w*[ \t]*=[ \t]*(?:nodes|edges)))[ \t]*:[ \t]*(?P<comment>#.*)?"
)
_MARKED = re.compile(r"[ \t]*(?P<at>[@%!](?=\w)|--+(?!\[)|>>>|\.\.\.|<!--|#!|\$ )")
_NAMELESS = re.compile(r"(?P<word>schema|model|train)[ \t]*:")
_BLOCKS = {
    "schema": "write `schema NAME { … }`",
    "model": "write `model NAME on SCHEMA { … }`",
    "train": "write `train MODEL { … }`",
}
_LONG = (("/*", "*/"), ('"""', '"""'), ("'''", "'''"))


def _indent(text: str, start: int) -> int | None:
    """Blanks at the start of the line at an offset; None for a line without code."""
    end = line_bounds(text, start)[1]
    line = text[start:end]
    return len(line) - len(line.lstrip()) if line.strip() else None


def _block_end(text: str, start: int) -> int:
    """The end of the lines that stand further to the right than the line at `start`, and follow it."""
    depth = _indent(text, start) or 0
    end = line_bounds(text, start)[1]
    while end < len(text):
        following = _indent(text, end + 1)
        if following is not None and following <= depth:
            break
        end = line_bounds(text, end + 1)[1]
    return min(end, len(text))


def long_comment(here: Draft, offset: int) -> Mistake | None:
    """`/* … */`, and strings in three quotes, which are Python's comments."""
    line = line_bounds(here.text, offset)[0]
    for opener, closer in _LONG:
        start = here.text.find(opener, line, offset + len(opener))
        if start < 0 or here.text[line:start].count('"') % 2:
            continue
        end = here.text.find(closer, start + len(opener))
        end = line_bounds(here.text, start)[1] if end < 0 else end + len(closer)
        if offset > end:
            continue
        helps = ("every line of a comment starts with `#`",)
        place = here.span(start, start + len(opener))
        return Mistake(report("GNN014", f"`{opener}` starts no comment", place, helps=helps), Skip(start, end))
    return None


def marked_line(here: Draft, offset: int) -> Mistake | None:
    """Decorators, magic commands, prompts, comments of SQL: a sign at the start of a line."""
    start, end = line_bounds(here.text, offset)
    match = _MARKED.match(here.text, start, end)
    if match is None or offset < match.start("at"):
        return None
    sign = match.group("at").strip()
    comment = sign.startswith(("--", "<!"))
    message = f"`{sign}` starts no comment" if comment else f"no statement starts with `{sign}`"
    helps = ("comments start with `#`",) if comment else ("a spec holds no code and no commands: leave the line out",)
    return Mistake(report("GNN014", message, here.span(*match.span("at")), helps=helps), Skip(start, end))


def foreign_statement(here: Draft, offset: int) -> Mistake | None:
    """`def`, `for`, `return` and the like at the start of a line: said once for the block that they open."""
    start, end = line_bounds(here.text, offset)
    match = _CALLED.match(here.text, start, end) or _WORD.match(here.text, start, end)
    word = next((text for text in match.groups() if text), "") if match else ""
    if word not in STATEMENTS or here.line_start(offset) > offset:
        return None
    at = here.line_start(offset)
    helps = (STATEMENTS[word],)
    found = report("GNN014", f"a spec has no `{word}`", here.span(at, at + len(word)), helps=helps)
    line = here.text[start:end].rstrip()
    loop = "repeat 1"
    if line.endswith("{") and len(line) - 1 - (at - start) >= len(loop):
        brace = start + len(line) - 1
        return Mistake(found, Replace(at, brace, loop.ljust(brace - at)))
    if line.endswith(":"):
        return Mistake(found, Skip(start, _block_end(here.text, start)))
    return Mistake(found, Blank(at) if "{" in line else Skip(start, end))


def indented_blocks(here: Draft, offset: int, accepted: frozenset[str]) -> Mistake | None:
    """`nodes:` and deeper lines below it: one finding for all such blocks of a file."""
    start, end = line_bounds(here.text, offset)
    first = _OPENS.fullmatch(here.text, start, end)
    if "LBRACE" not in accepted or first is None or here.text[offset : offset + 1] != ":":
        return None
    text, places = _with_braces(here.text, start)
    also: list[tuple[Span, str]] = [(here.span(place, place + 1), "and here") for place in places[1:4]]
    notes = (f"and in {len(places) - 4} more places",) if len(places) > 4 else ()
    message = "a block stands in braces: indentation means nothing"
    helps = (f"write `{first.group('head').strip()} {{ … }}`",)
    found = report(
        "GNN014", message, here.span(offset, offset + 1), "`{` expected", also=also, helps=helps, notes=notes
    )
    return Mistake(found, Replace(0, len(here.text), text))


def _with_braces(text: str, start: int) -> tuple[str, list[int]]:
    """The text with braces around every block by indentation from a line on, and where their colons stand."""
    places: list[int] = []
    closers: dict[int, int] = {}
    while start < len(text):
        end = line_bounds(text, start)[1]
        match = _OPENS.fullmatch(text, start, end)
        if match:
            places.append(text.index(":", match.end("head")))
            last = len(text[: _block_end(text, start)].rstrip())
            closers[max(last, places[-1] + 1)] = closers.get(max(last, places[-1] + 1), 0) + 1
        start = end + 1
    signs = list(text)
    for place in places:
        signs[place] = "{"
    for place in sorted(closers, reverse=True):
        signs.insert(place, " }" * closers[place])
    return "".join(signs), places


def nameless_block(here: Draft, offset: int) -> Mistake | None:
    """`schema:` as in YAML."""
    start, end = line_bounds(here.text, offset)
    match = _NAMELESS.match(here.text, start, end)
    if match is None or here.brackets.open_at(offset):
        return None
    helps = (_BLOCKS[match.group("word")], "a spec in YAML has a name that ends in `.yaml`")
    message = f"a `{match.group('word')}` block has a name, and stands in braces"
    found = report("GNN014", message, here.span(*match.span("word")), helps=helps)
    return Mistake(found, Skip(start, _block_end(here.text, start)))


def json_text(here: Draft, offset: int) -> Mistake | None:
    """A file that starts with a brace or bracket."""
    if here.text[:offset].strip() or here.text[offset : offset + 1] not in ("{", "["):
        return None
    helps = (
        "begin with `schema NAME { node … edge … }`, then `model NAME on SCHEMA { … }`",
        "a spec in JSON has a name that ends in `.json`",
    )
    found = report("GNN014", "a `.gnn` file is no JSON", here.span(offset, offset + 1), helps=helps)
    return Mistake(found, Skip(offset, len(here.text)))
