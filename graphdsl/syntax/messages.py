"""What the parser says when it is stuck: words for terminals, and for what could stand at a place."""

from collections.abc import Iterable

WORDS: dict[str, str] = {
    "GNN": "`gnn`",
    "SCHEMA": "`schema`",
    "MODEL": "`model`",
    "TRAIN": "`train`",
    "ON": "`on`",
    "OPTIONAL": "`optional`",
    "NODE": "`node`",
    "EDGE": "`edge`",
    "REVERSE": "`reverse`",
    "METAPATH": "`metapath`",
    "BUDGET": "`budget`",
    "NODES": "`nodes`",
    "EDGES": "`edges`",
    "COMBINE": "`combine`",
    "SHARE": "`share`",
    "REPEAT": "`repeat`",
    "DROP": "`drop`",
    "PREDICT": "`predict`",
    "WEIGHT": "`weight`",
    "TRUE": "`true`",
    "FALSE": "`false`",
    "NONE": "`none`",
    "LARROW": "`-[`",
    "RARROW": "`]->`",
    "LBACK": "`<-[`",
    "RBACK": "`]-`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "DOT": "`.`",
    "EQUAL": "`=`",
    "PIPE": "`|`",
    "QUESTION": "`?`",
    "PLUS": "`+`",
    "MINUS": "`-`",
    "POWER": "`**`",
    "STAR": "`*`",
    "SLASH": "`/`",
    "PERCENT": "`%`",
    "FLOAT": "a decimal number",
    "INT": "a whole number",
    "IDENTIFIER": "a name",
    "STRING": "a quoted string",
    "$END": "the end of the file",
}

_VALUE = frozenset({"FLOAT", "INT", "STRING", "TRUE", "FALSE", "NONE", "IDENTIFIER", "LPAR", "LSQB", "MINUS"})
_STATEMENT = frozenset({"IDENTIFIER", "NODES", "EDGES", "REPEAT", "DROP", "PREDICT"})
_OPERATORS = frozenset({"PLUS", "MINUS", "POWER", "STAR", "SLASH", "PERCENT"})
_PATTERN = frozenset({"IDENTIFIER", "STRING", "STAR"})
_DECLARATION = frozenset({"SCHEMA", "MODEL", "TRAIN"})
_MEMBER = frozenset({"OPTIONAL", "NODE", "EDGE", "METAPATH"})

_GROUPS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (_VALUE, ("a value",)),
    (_STATEMENT, ("a statement (`name = …`, `nodes`, `edges`, `repeat`, `drop`, `predict`)",)),
    (_DECLARATION, ("`schema`", "`model`", "`train`")),
    (_MEMBER, ("`node`", "`edge`", "`metapath`")),
    (_PATTERN, ("a pattern (a name, `*`, or `a -[r]-> b`)",)),
    (frozenset({"IDENTIFIER", "STRING"}), ("a name",)),
)

WORDLIKE = frozenset(name for name, word in WORDS.items() if word.strip("`").isalpha() and word.startswith("`"))


def describe(expected: Iterable[str]) -> str:
    """What could stand here, in words: `a value or \\`)\\``.

    >>> describe(["COLON", "COMMA"])
    '`,` or `:`'
    """
    left = set(expected)
    if left - _OPERATORS:
        left -= _OPERATORS  # they could stand here too, but are never what was forgotten
    said: list[str] = []
    for group, words in _GROUPS:
        if group <= left:
            said += words
            left -= group
    said += sorted(WORDS[name] for name in left)
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " or " + said[-1]


def hint(found: str, text: str, expected: Iterable[str]) -> str | None:
    """A proposal for mistakes that many people make.

    Args:
        found: name of the terminal that stands there.
        text: its text.
        expected: names of the terminals that could stand there.
    """
    accepted = set(expected)
    if found in WORDLIKE and "IDENTIFIER" in accepted:
        quotable = " or quote it" if "STRING" in accepted else ""
        return f"`{text}` is a word of the language: choose another name{quotable}"
    if found == "EQUAL" and "COLON" in accepted:
        return "write `:` between a name and its type, layer or setting; `=` gives arguments"
    if found == "COLON" and "EQUAL" in accepted:
        return "arguments are written `name = value`"
    if found == "STRING" and "IDENTIFIER" in accepted:
        return "write the name without quotes"
    if found == "LBRACE" and "ON" in accepted:
        return "say which schema the model is for: `model NAME on SCHEMA { … }`"
    return None
