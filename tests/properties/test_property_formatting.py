"""Formatting any spec keeps its tokens, its comments and its meaning, and is done after the first time."""

import re
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from noise import noisy, words

from graphdsl.syntax import parse
from graphdsl.syntax.formatting import format_source
from graphdsl.syntax.grammar import parser
from graphdsl.text import SourceText, Span
from specs import specs

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

EVERYTHING = """
gnn 1
import "a.gnn" import "b.gnn"
schema s(width: int = 8, deep: list = [1, 2.5, "x", none]) {
  optional node a(count = 3) { x: float[width], "a b": class[3]?, z: int[*] }
  node "web page" { }
  edge a -[r]-> "web page" reverse q { w: float }
  optional edge a -["s t"]-> a
  metapath P(count) = a -[r]-> "web page" <-[r]- a budget 20M
  graph { y: class[2] }
}
model m(hidden: int = 64, on: bool = false) on s {
  h0 = nodes { "web page": Embedding(hidden)  a, *: share Linear(-hidden ** 2 % 3 + (1 - 2)) } | relu
  repeat hidden - 1 share { edges(h0) { a -[*]-> *, P: GATv2Conv(4, edge_attr = w), } combine attention(hidden = 3) | { a: BatchNorm  *: LayerNorm } | residual }
  jump(h0, h0, mode = "lstm") | dropout(0.5)
  drop a, "web page"
  predict a.y: MLP(4, norm = none) weight 0.5
  predict a -[r]-> "web page".w: dot negatives 3 keep_target
  predict graph.y from a, "web page": readout(mean)
}
model w(more: int = 1) amends m on s { hidden = 256 replace h0 = nodes { *: Linear(3) } replace predict a.y predict graph.y from * }
model p on s { sequential x, edge_index, none { GCNConv(4): x, edge_index -> x, _  relu  repeat 2 share { Linear(2) } } }
train m { data: pyg("DBLP", root = "x"), epochs: 3  fanout: [10, 5,]  clip: none }
"""


def tree(text: str) -> Any:
    """What a spec says, without its places."""
    parsed = parse(SourceText("t", text))
    assert parsed.diagnostics == ()
    return plain(parsed.file.declarations)


def plain(item: Any) -> Any:
    if isinstance(item, Span):
        return None
    if isinstance(item, tuple):
        return tuple(map(plain, item))
    if is_dataclass(item):
        return (type(item).__name__, *(plain(getattr(item, field.name)) for field in fields(item)))
    return item


def formatted(text: str) -> str:
    done = format_source(SourceText("t", text))
    assert done.diagnostics == ()
    return done.text


def check(text: str) -> None:
    out = formatted(text)
    assert [word for word in words(out) if word != ","] == [word for word in words(text) if word != ","]
    assert tree(out) == tree(text)
    assert formatted(out) == out
    lines = out.split("\n")
    assert lines[-1] == ""
    assert not any(line != line.rstrip() or "\t" in line for line in lines)
    assert "\n\n\n" not in out
    assert not out.startswith("\n")


def lexed(text: str) -> str:
    """What Lark's lexer finds, blanks and separating commas left out."""
    return "".join(token.rstrip() for token in parser().lex(text, dont_ignore=True) if token.strip() and token != ",")


@QUICK
@given(specs().flatmap(noisy))
def test_random_specs(text: str) -> None:
    check(text)


@QUICK
@given(noisy(EVERYTHING))
def test_noise_everywhere(text: str) -> None:
    check(text)
    assert lexed(formatted(text)) == lexed(text)


@QUICK
@given(specs())
def test_line_breaks_of_the_writer_are_all_that_can_be_kept(text: str) -> None:
    """Two texts that differ only in blanks within lines are formatted alike."""
    wider = re.sub(r'"[^"\n]*"| ', lambda match: "  \t" if match.group() == " " else match.group(), text)
    assert formatted(wider) == formatted(text)


@QUICK
@given(noisy(EVERYTHING), st.sampled_from(("\n", "\r\n")))
def test_line_ends_are_kept(text: str, end: str) -> None:
    out = formatted(text.replace("\n", end))
    if "\n" in text:
        assert out.replace(end, "\n") == formatted(text)
        assert out.count(end) == out.count("\n")
