"""Mistakes with brackets: never closed, never opened, closed by another kind."""

import re

from lark import Token

from graphdsl.syntax.brackets import CLOSERS, Bracket
from graphdsl.syntax.draft import Draft, Mistake, fix_of, reads_on
from graphdsl.syntax.recovery import Replace, code_before, code_end, line_bounds
from graphdsl.text import report

_NAME = re.compile(r'[^\W\d]\w*|"(?:[^"\\\n]|\\.)*"')
_MOST_TRIED = 8


def never_closed(here: Draft, opener: Bracket, before: int) -> Mistake:
    """An opener whose closer is missing before an offset, or one inside of it that took the closer away."""
    suspect = _misaligned(here, opener, before) if opener.sign == "{" else None
    opener, before = suspect or (opener, before)
    sign = CLOSERS[opener.sign]
    edit = _closing(here, opener, before, sign)
    end = here.span(edit.start, edit.start)
    message = f"this `{opener.sign}` is never closed"
    at = here.span(opener.offset, opener.offset + 1)
    also = () if end.line == at.line and end.column <= at.column + 1 else ((end, f"`{sign}` expected"),)
    insert = Replace(edit.start, edit.start, " }" if sign == "}" else sign)
    fix = fix_of(here, f"insert `{sign}`", insert) if reads_on(here, insert, before) else None
    return Mistake(report("GNN012", message, at, "opened here", also=also, fix=fix), edit)


def _closing(here: Draft, opener: Bracket, before: int, sign: str) -> Replace:
    """Where the closer is missing: before an offset, or at the end of the opener's line if only that can be read."""
    edit = here.insertion(before, sign)
    line_end = code_end(here.text, opener.offset)
    if sign == "}" or line_bounds(here.text, line_end)[1] >= before or reads_on(here, edit, before):
        return edit
    sooner = Replace(line_end, line_end, sign)
    return sooner if reads_on(here, sooner, before) else edit


def _misaligned(here: Draft, opener: Bracket, before: int) -> tuple[Bracket, int] | None:
    """The brace inside `opener` that lacks its `}` by the look of the indentation, and where that should have stood.

    A forgotten `}` makes a brace pair with the one of the block around it, which stands further to the left.
    """
    for item in here.brackets.items:
        closed = item.partner is not None and item.partner < before and here.line_start(item.partner) == item.partner
        if item.sign != "{" or item.offset < opener.offset or item.partner is None or not closed:
            continue
        depth = here.indentation(item.offset)
        if here.indentation(item.partner) >= depth:
            continue
        offset = line_bounds(here.text, item.offset)[1] + 1
        while offset < item.partner and (
            here.indentation(offset) > depth or not here.text[offset:].lstrip(" ")[:1].strip()
        ):
            offset = line_bounds(here.text, offset)[1] + 1
        return item, here.line_start(min(offset, item.partner))
    return None


def wrong_closer(here: Draft, token: Token, _accepted: frozenset[str]) -> Mistake | None:
    """A closer that closes nothing, or something else."""
    start = token.start_pos or 0
    item = here.brackets.at(start)
    if item is None or item.sign in CLOSERS or item.partner is not None:
        return None
    opened = here.brackets.open_at(start)
    span = here.span(start, start + 1)
    if opened and opened[-1].partner is None and opened[-1].sign != "{":
        sign = CLOSERS[opened[-1].sign]
        also = ((here.span(opened[-1].offset, opened[-1].offset + 1), "opened here"),)
        edit = Replace(start, start + 1, sign)
        fix = fix_of(here, f"write `{sign}`", edit)
        message = f"`{item.sign}` cannot close `{opened[-1].sign}`"
        return Mistake(report("GNN010", message, span, f"`{sign}` expected", also=also, fix=fix), edit)
    if missing := _missing_opener(here, start, item.sign):
        return missing
    message = f"this `{item.sign}` closes nothing"
    fix = fix_of(here, "remove it", Replace(start, start + 1, ""))
    return Mistake(report("GNN010", message, span, "nothing is open here", fix=fix), Replace(start, start + 1, " "))


def _missing_opener(here: Draft, closer: int, sign: str) -> Mistake | None:
    """A word on the line behind which an opener would make sense of a closer: `SAGEConv 64)`."""
    opener = next(opening for opening, closing in CLOSERS.items() if closing == sign)
    wanted = {")": "RPAR", "]": "RSQB", "}": "RBRACE"}[sign]
    line = here.line_start(closer)
    for word in list(_NAME.finditer(here.text, line, closer))[: -_MOST_TRIED - 1 : -1]:
        end = word.end()
        inside = here.text[end:closer].strip()
        if not inside or inside.startswith(opener):
            continue
        if wanted in here.accepts(end, opener + here.text[end:closer]):
            blank = here.text[end : end + 1] == " "
            edit = Replace(end, end + blank, opener)
            also = ((here.span(end, end + 1), f"`{opener}` expected"),)
            fix = fix_of(here, f"insert `{opener}`", edit)
            message = f"this `{sign}` is never opened"
            return Mistake(
                report("GNN010", message, here.span(closer, closer + 1), "closed here", also=also, fix=fix), edit
            )
    return None


def unclosed_call(here: Draft, token: Token, _accepted: frozenset[str]) -> Mistake | None:
    """A parenthesis or bracket without a partner is open."""
    opened = here.brackets.open_at(token.start_pos or 0)
    if not opened or opened[-1].sign == "{" or opened[-1].partner is not None:
        return None
    return never_closed(here, opened[-1], token.start_pos or 0)


def unopened(here: Draft, offset: int, accepted: frozenset[str]) -> Mistake | None:
    """A block without its `{`: one could stand here, and a `}` further down has none."""
    later = (item for item in here.brackets.items if item.offset > offset and item.sign == "}")
    if "LBRACE" not in accepted or all(item.partner is not None for item in later):
        return None
    start, end = offset, code_end(here.text, offset)
    word = _NAME.match(here.text, offset)
    if here.line_start(offset) == offset and code_before(here.text, offset) is not None:
        edit = here.insertion(offset, "{")
        start = end = edit.start
    elif (word.end() if word else offset + 1) >= end:
        edit = Replace(offset, end, "{" + " " * (end - offset - 1))
    else:
        edit = here.insertion(offset, "{")
        end = start + 1
    insert = Replace(edit.start, edit.start, " {" if edit.start == end else "{ ")
    fix = fix_of(here, "insert `{`", insert) if reads_on(here, insert, offset) else None
    return Mistake(report("GNN010", "a block starts with `{`", here.span(start, end), "`{` expected", fix=fix), edit)


def unclosed_rules(here: Draft, token: Token, accepted: frozenset[str]) -> Mistake | None:
    """What stands behind a map (`| relu`, `combine mean`) stands inside of it."""
    offset = token.start_pos or 0
    word = re.search(r"\bcombine[ \t]+\Z", here.text[line_bounds(here.text, offset)[0] : offset])
    if word is not None:
        offset -= len(word.group())
        accepted = here.accepts(offset)
    elif token.type != "PIPE":
        return None
    opened = here.brackets.open_at(offset)
    if "RBRACE" not in accepted or not opened or opened[-1].sign != "{":
        return None
    return never_closed(here, opened[-1], offset)


def unopened_block(here: Draft, token: Token, accepted: frozenset[str]) -> Mistake | None:
    """A block without its `{`, at a token."""
    return unopened(here, token.start_pos or 0, accepted)
