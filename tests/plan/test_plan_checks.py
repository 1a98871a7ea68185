"""Checks of whole plans: where they speak, and where they keep silent."""

import pytest

from graphdsl.api import check_source
from graphdsl.text import SourceText

MARKET = """schema market {{
  node asset {{ x: float[8], y: real }}
  node economy(count = {count}) {{ x: float[8] }}
  edge economy -[moves]-> asset
}}
model m on market {{
  {body}
  edges {{ moves: SAGEConv(16) }}
  predict asset.y
}}
"""
GRAPH = """schema s {{
  node a {{ x: {kind}, y: class[2] }}
  node b {{ x: float[64] }}
  edge a -[r]-> a {{ w: float, f: float[3] }}
  edge b -[q]-> a reverse p
  metapath P = a -[r]-> a -[r]-> a
}}
model m on s {{ {body} predict a.y }}
"""


def codes(text: str, pedantic: bool = False) -> list[str]:
    return [item.code for item in check_source(SourceText("a.gnn", text), pedantic)]


@pytest.mark.parametrize(
    ("count", "body", "expected"),
    [
        (1, "nodes { *: Linear(16) } | BatchNorm", ["GNN540"]),
        (2, "nodes { *: Linear(16) } | BatchNorm", []),
        (1, "nodes { *: Linear(16) } | BatchNorm(allow_single_element = true)", []),
        (1, "nodes { *: Linear(16) } | { asset: BatchNorm }", []),
        (1, "nodes { *: Linear(16) } | InstanceNorm", ["GNN540"]),
        (1, 'nodes { *: Linear(16) } | LayerNorm(mode = "node")', []),
        (1, "nodes { *: MLP(16, 16) }", ["GNN540"]),
        (1, "nodes { *: MLP(16) }", []),
        (1, "nodes { *: MLP(16, 16, norm = none) }", []),
        (1, 'nodes { *: MLP(16, 16, norm = "layer_norm") }', []),
        (1, "nodes { *: MLP(16, plain_last = false) }", ["GNN540"]),
    ],
)
def test_norms_over_one_node(count: int, body: str, expected: list[str]) -> None:
    assert codes(MARKET.format(count=count, body=body)) == expected


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("class[3]", "edges { r, P: SAGEConv(4) }", ["GNN541"]),
        ("class[3]", "nodes { a: Embedding(4) } edges { r, P: SAGEConv(4) }", []),
        ("multilabel[3]", "edges { r, P: SAGEConv(4) }", []),
        ("float[4]", "edges { r: SAGEConv(4) }", ["GNN120"]),
        ("float[4]", "edges { r, P, q: SAGEConv(4) }", []),
    ],
)
def test_features_and_metapaths(kind: str, body: str, expected: list[str]) -> None:
    assert codes(GRAPH.format(kind=kind, body=body)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("edges { r, P: SAGEConv(4)  q: SAGEConv(4) }", []),
        ("edges { P: SAGEConv(4)  r: GATConv(4)  q: SAGEConv(4) }", ["GNN702"]),
        ("edges { P: SAGEConv(4)  r: GATConv(4, edge_attr = w)  q: SAGEConv(4) }", []),
        ("edges { P: SAGEConv(4)  *: SAGEConv(4) }", ["GNN707"]),
        ("edges { P: SAGEConv(4)  r: SAGEConv(4) }", ["GNN704"]),
        ("repeat 1 { edges { P, r, q: SAGEConv(4) } }", ["GNN706"]),
    ],
)
def test_reviews(body: str, expected: list[str]) -> None:
    text = GRAPH.format(kind="float[4]", body=body)
    assert sorted(codes(text, pedantic=True)) == expected
    assert codes(text) == []


def test_nothing_is_said_behind_a_mismatch_of_widths() -> None:
    body = "h0 = nodes { *: Linear(64) } edges { r, P: GATConv(64, heads = 8) } | residual h1 = edges { r: GraphConv(64) } add(h0, h1)"
    found = check_source(SourceText("a.gnn", GRAPH.format(kind="float[4]", body=body)))
    assert [item.code for item in found] == ["GNN502"]
    assert [label.text for label in found[0].labels[1:]] == [
        "`a`: `GATConv` gives 512: 8 heads × 64",
        "`a`: `Linear` gives 64",
    ]
    assert found[0].helps[0].startswith("share the width among the heads: `GATConv(8, heads = 8)`")
