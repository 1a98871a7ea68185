"""Schemas: attributes, inverses, counts, metapaths, parameters."""

import pytest

from graphdsl import loads
from graphdsl.api import check_source
from graphdsl.model import AttributeType, MetapathHop
from graphdsl.text import SourceText

SPEC = """
schema library(width: int = 4) {
  node author { x: float[width * 2], y: class[3], tags: multilabel[*], score: real, place: real[2], seen: time? }
  node paper(count = 30) { x: int[5]? }
  optional node venue { m: mask, flag: bool, n: int }
  edge author -[writes]-> paper reverse written_by { order: float, kind: class[4] }
  edge paper -[cites]-> paper reverse cited_by
  optional edge paper -[in]-> venue
  metapath APA = author -[writes]-> paper <-[writes]- author
  metapath APA2(count) = author -[writes]-> paper -[written_by]-> author budget 2K
  metapath far(mean) = venue <-[in]- paper <-[cites]- paper budget 1_000
}
"""
SCHEMA = loads(SPEC).schema()


@pytest.mark.parametrize(
    ("node", "attribute", "kind", "width"),
    [
        ("author", "x", AttributeType("float", 8), 8),
        ("author", "y", AttributeType("class", 3), 1),
        ("author", "tags", AttributeType("multilabel", "*"), None),
        ("author", "score", AttributeType("real", None), 1),
        ("author", "place", AttributeType("real", 2), 2),
        ("author", "seen", AttributeType("time", None, True), 1),
        ("paper", "x", AttributeType("int", 5, True), 5),
        ("venue", "m", AttributeType("mask"), 1),
    ],
)
def test_attributes(node: str, attribute: str, kind: AttributeType, width: int | None) -> None:
    found = SCHEMA.nodes[node].attributes[attribute].type
    assert found == kind
    assert found.width == width


def test_counts_options_and_features() -> None:
    assert [node.count for node in SCHEMA.nodes.values()] == [None, 30, None]
    assert [node.optional for node in SCHEMA.nodes.values()] == [False, False, True]
    assert [node.features is None for node in SCHEMA.nodes.values()] == [False, False, True]
    assert str(SCHEMA.nodes["author"].attributes["seen"].type) == "time?"


def test_an_inverse_follows_its_original_and_has_its_attributes() -> None:
    keys = list(SCHEMA.edges)
    writes, back = keys[:2]
    assert back == ("paper", "written_by", "author")
    original, inverse = SCHEMA.edges[writes], SCHEMA.edges[back]
    assert (original.inverse, inverse.inverse) == (back, writes)
    assert (original.derived, inverse.derived) == (False, True)
    assert inverse.attributes == original.attributes
    assert list(inverse.attributes) == ["order", "kind"]
    assert SCHEMA.edges["paper", "in", "venue"].inverse is None
    assert [edge.optional for edge in SCHEMA.edges.values()] == [False] * 4 + [True]


def test_metapaths_walk_edges_along_and_against_their_direction() -> None:
    writes, written_by = ("author", "writes", "paper"), ("paper", "written_by", "author")
    assert SCHEMA.metapaths["APA"].hops == (MetapathHop(writes, False), MetapathHop(writes, True))
    assert SCHEMA.metapaths["APA2"].hops == (MetapathHop(writes, False), MetapathHop(written_by, False))
    far = SCHEMA.metapaths["far"]
    assert far.hops == (MetapathHop(("paper", "in", "venue"), True), MetapathHop(("paper", "cites", "paper"), True))
    assert far.key == ("venue", "far", "paper")
    assert [path.multiplicity for path in SCHEMA.metapaths.values()] == ["set", "count", "mean"]
    assert [path.budget for path in SCHEMA.metapaths.values()] == [None, 2000, 1000]


def test_all_relations_and_their_places() -> None:
    relations = list(SCHEMA.relations())
    assert relations[:5] == list(SCHEMA.edges)
    assert relations[5:] == [path.key for path in SCHEMA.metapaths.values()]
    assert [SCHEMA.place(key).line for key in relations] == [6, 6, 7, 7, 8, 9, 10, 11]


def test_fingerprint_depends_on_meaning_only() -> None:
    head, *members, end = SPEC.strip().splitlines()
    shuffled = "\n\n".join([head, *reversed(members), end])
    assert loads(shuffled).schema().fingerprint_text() == SCHEMA.fingerprint_text()
    counted = SPEC.replace("count = 30", "count = 31").replace("budget 2K", "budget 3K")
    assert loads(counted).schema().fingerprint_text() == SCHEMA.fingerprint_text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class[3]", "class[4]"),
        ("= 4)", "= 5)"),
        ("reverse cited_by", "reverse citing"),
        ("far(mean)", "far(count)"),
        ("paper <-[writes]- author", "paper -[written_by]-> author"),
        ("order: float", "order: float[1]"),
    ],
)
def test_fingerprint_sees_what_decides_whether_weights_fit(old: str, new: str) -> None:
    changed = SPEC.replace(old, new)
    assert changed != SPEC
    assert loads(changed).schema().fingerprint_text() != SCHEMA.fingerprint_text()


def test_a_schema_parameter_without_a_value_leaves_the_size_open() -> None:
    schema = loads("schema s(w: int) { node a(count = w) { x: float[w + 1] } }").schema()
    assert schema.nodes["a"].features.type.size == "*"
    assert schema.nodes["a"].count is None


@pytest.mark.parametrize(
    "member",
    [
        "edge a -[r]-> nowhere reverse q",
        "edge a -[r]-> b reverse q { w: flot }",
        "metapath P = a -[no]-> b",
        "node a { z: float }",
    ],
)
def test_names_of_refused_declarations_are_not_missed_later(member: str) -> None:
    """One cause, one finding: what a refused line declares may be used."""
    text = f"""schema s {{ node a {{ x: float[3], y: class[2] }} node b {{ x: float[3] }} edge b -[s]-> a
      {member} }}
    model m on s {{
      edges {{ s: GATConv(3) }}
      edges {{ s: SAGEConv(3)  {"P" if "P =" in member else "r" if "edge" in member else "* -[s]-> a"}: SAGEConv(3) }}
      predict a.y
    }}"""
    if member.startswith("node"):
        text = text.replace("* -[s]-> a: SAGEConv(3)", "")
    found = [item for item in check_source(SourceText("t.gnn", text)) if item.is_error]
    assert [item.primary.span.line for item in found] == [2]
