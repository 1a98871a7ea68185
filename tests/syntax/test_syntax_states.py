"""Every state of the parser has words for what is wrong: a walk through the LALR table."""

import re
from collections import deque
from functools import cache

import pytest
from lark import Token
from lark.grammar import NonTerminal, Symbol

from graphdsl.syntax import parse
from graphdsl.syntax.grammar import parser
from graphdsl.syntax.messages import WORDS
from graphdsl.text import SourceText

EXAMPLES = {"IDENTIFIER": "abc", "STRING": '"a b"', "INT": "1", "FLOAT": "0.5"}
"""Texts of terminals that are not one word."""
WRONG = ("%", "}", ")", "64", '"text"', "word", "nodes", "->", "=", "|", "")
"""What is put behind the way to a state; the last is the end of the file."""
MOST_WORDS = 24
"""Words of the longest message: more would be no help."""


def example(terminal: str) -> str:
    """A text that is read as a terminal."""
    return EXAMPLES.get(terminal) or WORDS[terminal].strip("`")


@cache
def shortest() -> dict[str, tuple[str, ...]]:
    """The shortest terminals that each rule of the grammar stands for."""
    known: dict[str, tuple[str, ...]] = {}
    changed = True
    while changed:
        changed = False
        for rule in parser().rules:
            parts = [expand(symbol, known) for symbol in rule.expansion]
            if None in parts:
                continue
            made = tuple(name for part in parts if part is not None for name in part)
            if rule.origin.name not in known or len(made) < len(known[rule.origin.name]):
                known[rule.origin.name] = made
                changed = True
    return known


def expand(symbol: Symbol, known: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    return known.get(symbol.name) if isinstance(symbol, NonTerminal) else (symbol.name,)


@cache
def ways() -> dict[int, tuple[str, ...]]:
    """For each state of the table, terminals that lead to it from the start."""
    table = parser().parser.parser._parse_table
    start = table.start_states["start"]
    found: dict[int, tuple[str, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for symbol, (action, target) in table.states[state].items():
            if action.__name__ != "Shift" if isinstance(action, type) else str(action) != "Shift":
                continue
            step = (symbol,) if symbol in WORDS else shortest()[symbol]
            if target not in found:
                found[target] = found[state] + step
                waiting.append(target)
    return found


def test_the_walk_reaches_every_state() -> None:
    table = parser().parser.parser._parse_table
    assert set(ways()) == set(table.states)
    reader = parser()
    for way in ways().values():
        stuck = reader.parse_interactive("")
        for terminal in way:
            stuck.feed_token(Token(terminal, example(terminal)))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda text: text or "the end")
def test_every_state_has_a_human_message(wrong: str) -> None:
    for state, way in ways().items():
        text = " ".join([*map(example, way), wrong]) + "\n"
        for item in parse(SourceText("state.gnn", text)).diagnostics:
            where = f"state {state}, behind `{text}`: {item.message}"
            assert not re.search(r"\b[A-Z]{3,}(_\d)?\b|__ANON|Token\(|\$END", item.message), where
            assert len(item.message.split()) <= MOST_WORDS, where
            assert not re.search(r"expected\s*,|expected found|expected $", item.message), where
            assert item.primary is not None or item.code == "GNN004", where
