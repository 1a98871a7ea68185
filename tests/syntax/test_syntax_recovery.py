"""After a syntax error everything else is still read: one cause, one finding."""

import pytest

from graphdsl.api import check_source
from graphdsl.syntax import parse
from graphdsl.syntax.brackets import scan
from graphdsl.syntax.grammar import could_follow
from graphdsl.syntax.messages import WORDS, describe
from graphdsl.syntax.parsing import MAX_DEPTH, MAX_ERRORS
from graphdsl.syntax.recovery import Blank, Replace, Skip, apply
from graphdsl.text import SourceText

SPEC = """schema s {
  node a { x: float[3], y: class[2] }
  node b { x: float[3] }
  edge a -[to]-> b reverse back
}
model m(hidden: int = 8) on s {
  h0 = nodes { *: Linear(hidden) } | relu
  repeat 2 {
    edges {
      back: SAGEConv(hidden)
      *:    GraphConv(hidden)
    } combine mean | relu
  }
  predict a.y
}
train m {
  epochs: 3
}
"""


def codes(text: str) -> list[tuple[str, int]]:
    return [(item.code, item.primary.span.line) for item in check_source(SourceText("t.gnn", text))]


def test_the_spec_is_clean() -> None:
    assert codes(SPEC) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("class[2] }", "class[2]", 2),
        ("float[3] }\n  edge", "float[3 }\n  edge", 3),
        ("reverse back\n}", "reverse\n}", 4),
        ("reverse back\n}", "reverse back\n", 1),
        ("(hidden: int = 8) on", "(hidden = 8) on", 6),
        ("(hidden: int = 8) on", "(hidden: int = 8 on", 6),
        ("on s {", "on s", 6),
        ("} | relu\n  repeat", "} |\n  repeat", 7),
        ("} | relu\n  repeat", "| relu\n  repeat", 7),
        ("Linear(hidden)", "Linear(hidden", 7),
        ("repeat 2 {", "repeat {", 8),
        ("edges {\n", "edges\n", 9),
        ("back: SAGEConv", "back SAGEConv", 10),
        ("SAGEConv(hidden)", "SAGEConv hidden)", 10),
        ("} combine mean | relu\n  }", "} combine mean | relu\n", 8),
        ("predict a.y", "predict a", 14),
        ("predict a.y\n}", "predict a.y\n", 6),
        ("train m {", "train {", 16),
        ("epochs: 3", "epochs 3", 17),
        ("epochs: 3\n}", "epochs: 3\n", 16),
    ],
)
def test_one_slip_is_one_finding(old: str, new: str, line: int) -> None:
    assert SPEC.count(old) == 1
    found = codes(SPEC.replace(old, new))
    assert len(found) == 1
    assert found[0][0] in ("GNN010", "GNN012")
    assert found[0][1] == line


def test_other_mistakes_are_found_beside_a_slip() -> None:
    text = (
        SPEC.replace("reverse back\n", "reverse back {\n").replace("GraphConv", "GrafConv").replace("epochs", "epoch")
    )
    assert [code for code, _ in codes(text)] == ["GNN012", "GNN103", "GNN211"]


def test_as_many_mistakes_as_planted() -> None:
    planted = (
        ("class[2] }", "class[2]"),
        ("Linear(hidden)", "Linear(hidden"),
        ("repeat 2 {", "repeat {"),
        ("back: SAGEConv", "back SAGEConv"),
        ("predict a.y", "predict a"),
        ("epochs: 3", "epochs 3"),
    )
    text = SPEC
    for old, new in planted:
        text = text.replace(old, new)
    assert [line for _, line in codes(text)] == [2, 7, 8, 10, 14, 17]


def test_errors_are_capped() -> None:
    text = "schema s {\n" + "  node a { x float }\n" * 100 + "}"
    found = parse(SourceText("t.gnn", text)).diagnostics
    assert len(found) == MAX_ERRORS


@pytest.mark.parametrize("depth", [MAX_DEPTH - 2, MAX_DEPTH - 1])
def test_depth_of_brackets(depth: int) -> None:
    text = "model m on s { x = cat(" + "(" * (depth - 2) + "1" + ")" * (depth - 2) + ") }"
    assert [item.code for item in parse(SourceText("t.gnn", text)).diagnostics] == []
    deeper = text.replace("1", "(((1)))")
    (found,) = parse(SourceText("t.gnn", deeper)).diagnostics
    assert found.code == "GNN005"
    assert found.primary.span.column == MAX_DEPTH + len("model m on s { x = cat(") - 1


def test_brackets_pair_over_forgotten_ones() -> None:
    items = scan('{ ( "}" [ # )\n ] }').items
    assert [(item.sign, item.partner) for item in items] == [("{", 17), ("(", None), ("[", 15), ("]", 8), ("}", 0)]
    assert [item.sign for item in scan("{ ( [").open_at(3)] == ["{", "("]
    assert scan("((()))", limit=2).deepest == 2
    assert scan("(())", limit=2).deepest is None


def test_repairs_keep_line_breaks() -> None:
    text = "a {\n  b (\n  c )\n}\nd"
    blanked, words = apply(text, Blank(text.index("b")))
    assert blanked == "a {\n     \n     \n}\nd"
    assert words == {"b", "c"}
    assert apply(text, Skip(0, len(text)))[0].split("\n") == ["   ", "     ", "     ", " ", " "]
    assert apply("ab", Replace(1, 1, "-")) == ("a-b", frozenset())
    assert apply("   ", Blank(1)) is None


def test_what_could_follow() -> None:
    assert could_follow("schema s {") >= {"NODE", "EDGE", "METAPATH", "OPTIONAL", "RBRACE"}
    assert could_follow("") == {"IMPORT", "SCHEMA", "MODEL", "TRAIN", "GNN", "$END"}
    assert could_follow("schema schema") == {"LPAR", "LBRACE"}
    assert could_follow("schema {") == frozenset()


def test_every_terminal_has_words() -> None:
    from graphdsl.syntax.grammar import parser

    named = {item.name for item in parser().terminals if not item.name.startswith("__")} - {"COMMENT"}
    assert named | {"$END"} == set(WORDS)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (["COLON"], "`:`"),
        (["COMMA", "COLON"], "`,` or `:`"),
        (["RPAR", "COMMA", "EQUAL", "LPAR", "PLUS", "MINUS"], "`)` or `,`"),
        (["IDENTIFIER", "STRING"], "a name"),
        (["PLUS", "MINUS"], "`+` or `-`"),
        (["$END"], "the end of the file"),
        ([], ""),
    ],
)
def test_description_of_what_is_expected(expected: list[str], said: str) -> None:
    assert describe(expected) == said
