"""Names become identifiers injectively: no two types or relations can ever share a parameter."""

import keyword

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphdsl.syntax import parse
from graphdsl.text import SourceText, decode, encode, encode_edge, join_edge, show_edge, show_name

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.text("ab_Z0.", min_size=1, max_size=8)
EDGES = st.tuples(NAMES, NAMES, NAMES)


@given(NAMES)
@example("a__b")
@example("Z5fZ")
@example("_")
@example("Z")
def test_encoding_is_an_identifier_that_decodes(name: str) -> None:
    encoded = encode(name)
    assert decode(encoded) == name
    assert "__" not in encoded
    assert not encoded.startswith("_")
    assert not encoded.endswith("_")
    assert encoded.isascii()
    assert f"x{encoded}".isidentifier()


@given(NAMES, NAMES)
def test_different_names_have_different_codes(one: str, two: str) -> None:
    assert (encode(one) == encode(two)) == (one == two)


@given(EDGES, EDGES)
@example(("a", "b__c", "b"), ("a__b", "c", "b"))
@example(("a_", "b", "c"), ("a", "_b", "c"))
def test_different_relations_have_different_joined_codes(one: tuple, two: tuple) -> None:
    assert (join_edge(one) == join_edge(two)) == (one == two)
    assert tuple(map(decode, encode_edge(one))) == one
    assert join_edge(one).split("__") == list(encode_edge(one))


@pytest.mark.parametrize("name", ["paper", "written_by", "a1", "x_0", "Paper", *keyword.kwlist])
def test_usual_names_stay(name: str) -> None:
    assert encode(name) == name


@given(NAMES)
@example('a"b\\c\nd\te\rf')
@example("node")
@example("²")
def test_shown_names_are_read_back(name: str) -> None:
    text = f"schema s {{ node {show_name(name)} {{ {show_name(name)}: float }} }}"
    parsed = parse(SourceText("t", text))
    assert parsed.diagnostics == ()
    node = parsed.file.declarations[0].members[0]
    assert (node.name.text, node.attributes[0].name.text) == (name, name)


@given(EDGES)
def test_shown_relations_are_read_back(edge: tuple) -> None:
    parsed = parse(SourceText("t", f"schema s {{ edge {show_edge(edge)} }}"))
    assert parsed.diagnostics == ()
    found = parsed.file.declarations[0].members[0]
    assert (found.source.text, found.relation.text, found.target.text) == edge
