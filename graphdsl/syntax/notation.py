"""What people write out of habit from Python, C, shells and YAML, and how a spec says it.

Each habit is a pattern on the line where the parser is stuck; it counts when the parser is stuck within it. Where the
rest of the line can be read without it, it is replaced by as many characters, so that no place behind it moves.
"""

import re
from dataclasses import dataclass

from graphdsl.syntax.draft import Draft, Mistake, fix_of
from graphdsl.syntax.recovery import Blank, Replace, line_bounds
from graphdsl.text import Fix, report

_GROUP = re.compile(r"\{(at|name|size|count)\}")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*')
NO_CONDITIONS = "there are no conditions: write two models, the second as `model B amends A { … }`"


@dataclass(frozen=True, slots=True)
class _Habit:
    """A notation of another language.

    Attributes:
        pattern: what is written; the group `at`, if there is one, is the place to point at.
        message: what is wrong, with the groups of the pattern in braces.
        help: how a spec says it.
        become: what the pattern is read as; None: the statement is blanked.
        inside: the innermost open bracket, where that matters.
        wanted: a terminal that must be able to stand there, where that matters.
        fixed: what a machine can put in the place of the match, where that is certain.
        everywhere: said once, at the first place, for all places of the file.
    """

    pattern: re.Pattern[str]
    message: str
    help: str
    become: str | None = None
    inside: str = ""
    wanted: str = ""
    fixed: str | None = None
    everywhere: bool = False


_HABITS: tuple[_Habit, ...] = (
    _Habit(
        re.compile(r";"), "`;` separates nothing", "leave it out: a line break or a blank is enough", "", fixed="",
        everywhere=True,
    ),
    _Habit(re.compile(r":="), "a name is given with `=`, not with `:=`", "write `h0 = nodes { … }`", "=", fixed="=",
           everywhere=True),
    _Habit(
        re.compile(r"//"),
        "division is written `/`",
        "it is exact between whole numbers: one that leaves a rest is an error",
        "/", "(", fixed="/",
    ),
    _Habit(re.compile(r"\|>"), "what follows a map stands behind `|`", "write `edges { … } | relu`", "|", fixed="|",
           everywhere=True),
    _Habit(
        re.compile(r"\}(?P<at>\.(?P<name>\w+)\([^()\n]*\))"),
        "a map has no methods: `.{name}(…)`",
        "what follows a map stands behind `|`: `} | {name}`",
        "} | {name}",
    ),
    _Habit(
        re.compile(r"\b(?P<at>(?:nn|F|torch(?:\.nn)?(?:\.functional)?|(?:torch_geometric|pyg|tg|gnn)(?:_nn|\.nn)?)\.)(?=[A-Za-z])"),
        "names stand alone here, without `{at}`",
        "leave `{at}` out",
        "", fixed="", everywhere=True,
    ),
    _Habit(
        re.compile(r"\bself\.\w+"),
        "a spec has no objects: `{at}` names nothing",
        "a layer stands in the map in which it works: `edges { *: SAGEConv(64) }`; states have plain names: `h0 = …`",
    ),
    _Habit(
        re.compile(r"(?P<name>[a-z]+)(?P<at>\((?P<size>[\w* ]*)\))"),
        "a size stands in brackets, not in parentheses",
        "write `{name}[{size}]`",
        "{name}[{size}]", "{", "LSQB", "{name}[{size}]",
    ),
    _Habit(
        re.compile(r"(?P<name>[a-z]+)(?P<at><(?P<size>[\w* ]*)>)"),
        "a size stands in brackets, not between `<` and `>`",
        "write `{name}[{size}]`",
        "{name}[{size}]", "", "LSQB", "{name}[{size}]",
    ),
    _Habit(
        re.compile(r"(?P<name>\"[^\"\n]*\"|\w+)(?P<at>\[(?P<count>\d+)\])"),
        "a type has no size: how many nodes there are is an option",
        "write `node {name}(count = {count})`, or leave it out: the data tells",
        "{name}", "{", "NODE",
    ),
    _Habit(re.compile(r"\blambda\b[^,)\n]*"), "a spec holds no code, so no `lambda`", "name a layer: `nn = MLP(64, 64)`"),
    _Habit(
        re.compile(r"\b(?P<at>[fFrRbBuU]{1,2})(?=[\"'])"),
        "a string has no prefix",
        "write the string itself, or the name of a parameter",
        " ", fixed="",
    ),
    _Habit(
        re.compile(r"\*{1,2}\w+"),
        "arguments are written one by one: nothing is unpacked",
        "write `name = value` for each",
        None, "(", "RPAR",
    ),
    _Habit(
        re.compile(r"\b(?P<at>if)\b[^,)\n]*\belse\b"),
        "a value cannot depend on a condition",
        "give the value a parameter of its own; " + NO_CONDITIONS,
        None, "(",
    ),
    _Habit(
        re.compile(r"=\s*(?P<at>\{[^{}\n]*\})"),
        "a spec has no dictionaries",
        "arguments are numbers, strings, lists, `true`, `false`, `none` and layers",
        None, "(",
    ),
    _Habit(
        re.compile(r"(?P<at>[<>!=]=|[<>])"),
        "a spec compares nothing",
        "give the value a parameter of its own: `bias: bool = true`",
        None, "(",
    ),
    _Habit(re.compile(r"-\*->"), "a relation stands in brackets", "any relation is `-[*]->`", None, "{", "LARROW"),
    _Habit(
        re.compile(r"\b(?P<at>and|or|und)\b"),
        "patterns are separated by `,`",
        "write `a, b: LAYER`",
        ",", "{", "COMMA", ",",
    ),
    _Habit(
        re.compile(r"`(?P<name>[^`\n]*)`"),
        "strings stand in plain double quotes: \"{name}\"",
        "write `\"{name}\"`",
        '"{name}"', fixed='"{name}"',
    ),
    _Habit(
        re.compile(r"\$\{?(?P<name>\w+)\}?"),
        "a parameter is read by its plain name",
        "write `{name}`",
        "{name}", fixed="{name}",
    ),
    _Habit(
        re.compile(r"\bmetapath\s+\S+\s*=\s*(?P<at>\[[^\n]*)"),
        "a metapath is a path, not a list",
        "write `metapath P = a -[r]-> b <-[r]- a`",
    ),
    _Habit(
        re.compile(r"\bpredict[ \t]*(?P<at>[=(:])"),
        "`predict` stands alone before what is predicted",
        "write `predict TYPE.LABEL`, with a head `predict TYPE.LABEL: MLP(64, 4)`",
    ),
    _Habit(
        re.compile(r"\btrain[ \t]+\w+[ \t]+(?P<at>[a-z]+[^{}\n]*)(?=\{)"),
        "a train block names a model and nothing else",
        "write `train MODEL { … }`; what depends on the machine is given to `gnn train`",
        None, "", "LBRACE",
    ),
    _Habit(
        re.compile(r"\b(?P<size>[0-9]+)(?P<at>%)(?=[ \t]*[,)}\n])"),
        "a share is written as a decimal number",
        "write `0.5` for 50 %",
        "{size}",
    ),
    _Habit(re.compile(r"\b0[xXbBoO][0-9a-fA-F]+\b"), "numbers are written in decimal", "write `64` for `0x40`"),
    _Habit(re.compile(r"\^"), "a power is written `**`", "write `2 ** 6`"),
    _Habit(
        re.compile(r"(?P<at>[:=])(?=[ \t]*\{)"),
        "a block starts with `{` alone",
        "leave `{at}` out",
        " ", "", "LBRACE", "",
    ),
)  # fmt: skip


def _says(match: re.Match[str], template: str) -> str:
    """A template with the groups of a match in its braces."""
    groups = {"at": match.group(), **{name: text for name, text in match.groupdict().items() if text is not None}}
    return _GROUP.sub(lambda group: groups.get(group.group(1), ""), template)


def _applies(habit: _Habit, match: re.Match[str], offset: int, inside: str, accepted: frozenset[str]) -> bool:
    if not match.start() <= offset <= match.end() or (habit.inside and habit.inside != inside):
        return False
    if not habit.wanted:
        return True
    return habit.wanted in accepted


def habit(here: Draft, offset: int, accepted: frozenset[str]) -> Mistake | None:
    """A notation of another language at the place where the parser is stuck."""
    start, end = line_bounds(here.text, offset)
    opened = here.brackets.open_at(offset)
    inside = opened[-1].sign if opened else ""
    for item in _HABITS:
        for match in item.pattern.finditer(here.text, start, end):
            if _applies(item, match, offset, inside, accepted):
                return _mistake(here, item, match)
    return None


def _read_as(item: _Habit, match: re.Match[str]) -> str | None:
    """What a match is read as, as long as it; None when that is longer."""
    become = None if item.become is None else _says(match, item.become)
    length = match.end() - match.start()
    return None if become is None or len(become) > length else become.ljust(length)


def _mistake(here: Draft, item: _Habit, match: re.Match[str]) -> Mistake:
    at = match.span("at") if match.groupdict().get("at") else match.span()
    fix = _fix(here, item, match) if item.fixed is not None else None
    text, count = _everywhere(item, here.text) if item.everywhere else ("", 1)
    notes = (f"{count} times in this file",) if count > 1 else ()
    helps = (_says(match, item.help),)
    found = report("GNN014", _says(match, item.message), here.span(*at), helps=helps, notes=notes, fix=fix)
    become = _read_as(item, match)
    if become is None:
        return Mistake(found, Blank(at[0]))
    return Mistake(found, Replace(0, len(here.text), text) if item.everywhere else Replace(*match.span(), become))


def _fix(here: Draft, item: _Habit, first: re.Match[str]) -> Fix:
    """The fix of a notation; of one that is read everywhere at once, everywhere at once."""
    inert = [match.span() for match in _STRING.finditer(here.text)]
    matches = [first]
    if item.everywhere:
        found = item.pattern.finditer(here.text)
        matches = [match for match in found if not any(start <= match.start() < end for start, end in inert)]
    edits: list[Replace] = []
    for match in matches:
        fixed = _says(match, item.fixed or "")
        at = match.span("at") if match.groupdict().get("at") else match.span()
        edits.append(Replace(*(at if item.fixed in ("", ",") else match.span()), fixed))
    title = _says(first, item.fixed or "")
    return fix_of(here, f"write `{title}`" if title else "remove it", *edits)


def _everywhere(item: _Habit, text: str) -> tuple[str, int]:
    """The text with every such notation read as what it means, but for strings and comments; and how many there are."""
    inert = [match.span() for match in _STRING.finditer(text)]
    count = 0

    def read(match: re.Match[str]) -> str:
        nonlocal count
        if any(start <= match.start() < end for start, end in inert):
            return match.group()
        count += 1
        return _read_as(item, match) or match.group()

    return item.pattern.sub(read, text), count
