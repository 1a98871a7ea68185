"""What the parser says when it is stuck: words for terminals, and for what could stand at a place."""

import unicodedata
from collections.abc import Iterable

WORDS: dict[str, str] = {
    "GNN": "`gnn`",
    "IMPORT": "`import`",
    "SCHEMA": "`schema`",
    "MODEL": "`model`",
    "TRAIN": "`train`",
    "AMENDS": "`amends`",
    "REPLACE": "`replace`",
    "ON": "`on`",
    "OPTIONAL": "`optional`",
    "NODE": "`node`",
    "EDGE": "`edge`",
    "REVERSE": "`reverse`",
    "METAPATH": "`metapath`",
    "GRAPH": "`graph`",
    "BUDGET": "`budget`",
    "NODES": "`nodes`",
    "EDGES": "`edges`",
    "COMBINE": "`combine`",
    "SHARE": "`share`",
    "REPEAT": "`repeat`",
    "DROP": "`drop`",
    "PREDICT": "`predict`",
    "PENALTY": "`penalty`",
    "LEARN": "`learn`",
    "FROM": "`from`",
    "WEIGHT": "`weight`",
    "NEGATIVES": "`negatives`",
    "KEEP_TARGET": "`keep_target`",
    "SEQUENTIAL": "`sequential`",
    "TRUE": "`true`",
    "FALSE": "`false`",
    "NONE": "`none`",
    "LARROW": "`-[`",
    "RARROW": "`]->`",
    "ARROW": "`->`",
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
_STATEMENT = frozenset({"IDENTIFIER", "NODES", "EDGES", "REPEAT", "DROP", "PREDICT", "PENALTY", "LEARN", "SEQUENTIAL"})
_REPLACED = frozenset({"IDENTIFIER", "NODES", "EDGES", "PREDICT", "PENALTY"})
_OPERATORS = frozenset({"PLUS", "MINUS", "POWER", "STAR", "SLASH", "PERCENT"})
_LIKELY_END = frozenset({"COMMA", "RPAR", "RSQB", "RBRACE"})
_EXTENDS = frozenset({"LPAR", "EQUAL", "LSQB", "QUESTION", "DOT"})
_UNLIKELY = frozenset({"GNN", "$END"})
_PATTERN = frozenset({"IDENTIFIER", "STRING", "STAR"})
_DECLARATION = frozenset({"IMPORT", "SCHEMA", "MODEL", "TRAIN"})
_MEMBER = frozenset({"OPTIONAL", "NODE", "EDGE", "METAPATH", "GRAPH"})
_AMENDMENT = frozenset({"IDENTIFIER", "REPLACE", "PREDICT", "PENALTY", "LEARN"})
_STEP = frozenset({"IDENTIFIER", "REPEAT"})
_OPTION = frozenset({"WEIGHT", "NEGATIVES", "KEEP_TARGET"})

_GROUPS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (_STATEMENT, ("a statement (`name = …`, `nodes`, `edges`, `repeat`, `drop`, `predict`, `penalty`, `learn`)",)),
    (_AMENDMENT, ("a change (`name = value`, `replace`, `predict`, `penalty`, `learn`)",)),
    (_REPLACED, ("a named stage (`name = …`)", "`predict`", "`penalty`")),
    (_STEP, ("a step (a layer, `repeat`)",)),
    (_OPTION, ("an option (`weight`, `negatives`, `keep_target`)",)),
    (_DECLARATION, ("`import`", "`schema`", "`model`", "`train`")),
    (_MEMBER, ("`node`", "`edge`", "`metapath`", "`graph`")),
    (_PATTERN, ("a pattern (a name, `*`, or `a -[r]-> b`)",)),
    (frozenset({"IDENTIFIER", "SHARE"}), ("a layer",)),
    (frozenset({"IDENTIFIER", "STRING"}), ("a name",)),
)

WORDLIKE = frozenset(name for name, word in WORDS.items() if word.strip("`").isalpha() and word.startswith("`"))


RELATION = "a relation is written `source -[name]-> target`"

_ON = "say which schema the model is for: `model NAME on SCHEMA { … }`"

_HELPS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({"IDENTIFIER", "RPAR", "COMMA"}), "ON", _ON),
    (
        frozenset({"SHARE"}),
        "LBRACE",
        "`share` stands before a layer, `*: share SAGEConv(64)`, or behind a repeat's number",
    ),
    (frozenset({"INT"}), "SHARE", "the number comes first: `repeat 3 share { … }`"),
    (frozenset({"REVERSE"}), "EDGE", "`reverse` stands before the attributes: `edge a -[r]-> b reverse NAME { … }`"),
    (frozenset({"IDENTIFIER"}), "SHARE", "write `repeat 3 { … }`, or `repeat 3 share { … }` for one set of weights"),
    (frozenset({"MINUS", "LPAR", "COMMA", "RARROW", "ARROW", "EQUAL", "LSQB", "COLON", "DOT"}), "LARROW", RELATION),
    (frozenset({"LBACK"}), "LARROW", "an edge runs forwards, `edge a -[r]-> b`; `reverse NAME` declares the way back"),
    (frozenset({"MINUS", "LPAR", "RSQB", "RBACK"}), "RARROW", "an arrow ends in `]->`: `source -[name]-> target`"),
    (frozenset({"MINUS", "LPAR", "RSQB", "RARROW"}), "RBACK", "a step backwards is written `<-[name]- type`"),
    (frozenset({"LBRACE"}), "ON", _ON),
    (frozenset({"STRING"}), "IDENTIFIER", "write the name without quotes"),
    (frozenset({"COLON"}), "EQUAL", "arguments are written `name = value`"),
    (frozenset({"INT", "FLOAT", "STRING"}), "LPAR", "arguments stand in parentheses: `Linear(64)`"),
    (frozenset({"DOT"}), "INT", "a decimal number begins with a digit: `0.5`"),
    (frozenset({"DOT"}), "PLUS", "a decimal number has digits behind the point: `1.0`"),
)
"""Found, could stand there, what to say: mistakes that many people make."""

_CHARACTERS = {
    "'": "strings stand in double quotes",
    "\u2192": "an arrow is written `-[name]->`",
    ">": "forwards is `-[name]->`, backwards `<-[name]-`",
    "<": "forwards is `-[name]->`, backwards `<-[name]-`",
    "\u00d7": "times is written `*`",
    "\u2212": "minus is written `-`",
    "\u2013": "minus is written `-`",
    "\u2014": "minus is written `-`",
    "&": "patterns are separated by `,`",
    "!": "there is no negation: rules are tried from the top, the first that matches decides",
}


_PLAIN = {"\u00d7": "*", "\u2212": "-", "\u2013": "-", "\u2014": "-"}


def plain_character(character: str) -> str | None:
    """What a character stands for that only looks like one of the language, or like none; None where it is not clear.

    >>> plain_character("\u2212"), plain_character("\u00a0"), plain_character("\u200b"), plain_character("!")
    ('-', ' ', '', None)
    """
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in ("Cf", "Cc") else _PLAIN.get(character)


def character_help(character: str) -> tuple[str, ...]:
    """What to do about a character that the language does not have."""
    if character in _CHARACTERS:
        return (_CHARACTERS[character],)
    if character.isspace() or unicodedata.category(character) in ("Cf", "Cc", "Zs"):
        return ("it looks like a blank or like nothing: delete it, or type a plain blank",)
    if unicodedata.category(character).startswith("M"):
        return ("a name with combining characters stands in double quotes",)
    if unicodedata.category(character) in ("So", "Sk", "Sc", "Po", "Pd"):
        return ("names that hold more than letters, digits and `_` stand in double quotes",)
    return ()


def describe(expected: Iterable[str]) -> str:
    """What could stand here, in words.

    >>> describe(["COLON", "COMMA"])
    '`,` or `:`'
    """
    left = set(expected)
    said: list[str] = []
    if left >= _VALUE:
        said.append("a value")
        left -= _VALUE
    # These could stand here too, but are hardly ever what was forgotten.
    for unlikely in (_OPERATORS, _UNLIKELY, _EXTENDS if left & _LIKELY_END else _UNLIKELY):
        left = left - unlikely if said else left - unlikely or left
    for group, words in _GROUPS:
        if group <= left:
            said += words
            left -= group
    said += sorted(WORDS[name] for name in left)
    return " or ".join(part for part in (", ".join(said[:-1]), *said[-1:]) if part)


def hint(found: str, text: str, expected: Iterable[str], inside: str) -> str | None:
    """A proposal for mistakes that many people make.

    Args:
        found: name of the terminal that stands there.
        text: its text.
        expected: names of the terminals that could stand there.
        inside: the innermost bracket that is open there, if any.
    """
    accepted = set(expected)
    if found in WORDLIKE and "IDENTIFIER" in accepted:
        quotable = " or quote it" if "STRING" in accepted else ""
        return f"`{text}` is a word of the language: choose another name{quotable}"
    if accepted == {"STRING"}:
        return 'a spec imports other specs, by their path: `import "file.gnn"`'
    if accepted == {"DOT", "LARROW"}:
        return "say which label: `predict TYPE.LABEL`, or which relation: `predict a -[r]-> b`"
    if "COLON" in accepted and found in ("INT", "FLOAT", "STRING") and inside == "{":
        return "write `:` between a name and its value"
    if found == "COLON" and accepted == {"LPAR", "EQUAL"}:
        return "write `=` between a name and its path: `metapath P = a -[r]-> b`"
    if accepted == {"COLON"} and inside == "(" and found in ("COMMA", "RPAR"):
        return "a parameter has a type, and often a default: `hidden: int = 64`"
    if found == "EQUAL" and "COLON" in accepted:
        if inside == "(":
            return "write `:` and a type, and `=` only before a default: `hidden: int = 64`"
        return "write `:` between a name and its type, layer or setting; `=` gives arguments"
    return next((said for given, wanted, said in _HELPS if found in given and wanted in accepted), None)
