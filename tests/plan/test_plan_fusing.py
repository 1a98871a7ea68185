"""Which layers kernels serve, and what is said of the others."""

import json

import pytest

import graphdsl
from graphdsl.plan import Plan
from graphdsl.plan.fusing import list_decisions
from graphdsl.tooling.cli import main

SCHEMA = """
schema s {
  node a(count = 9) { x: float[6], y: class[3] }
  node b(count = 7) { x: float[6] }
  edge a -[to]-> a { w: float[1], f: float[3] }
  edge a -[has]-> b
  edge b -[of]-> a
}
"""


def plan_of(body: str) -> Plan:
    return graphdsl.loads(f"{SCHEMA} model m on s {{ {body} predict a.y }}").plan("m")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "edges { *: SAGEConv(4) } edges { *: SAGEConv(4) }",
            {("edges1", "SAGEConv", 3, "linear", ""), ("edges2", "SAGEConv", 2, "linear", "")},
        ),
        (
            'edges { *: SAGEConv(4, aggr = "mul") }',
            {
                (
                    "edges1",
                    "SAGEConv",
                    2,
                    None,
                    "SAGEConv: torch multiplies rows along edges no faster than PyG does",
                )
            },
        ),
        (
            'edges { *: SAGEConv(4, aggr = ["max", "std"]) }',
            {("edges1", "SAGEConv", 2, "aggregating", "")},
        ),
        (
            "edges { *: SAGEConv(4, normalize = true) }",
            {("edges1", "SAGEConv", 2, "linear", "")},
        ),
        (
            "edges { a -[to]-> a: GCNConv(4, edge_weight = w)  *: GATConv(4) }",
            {
                ("edges1", "GCNConv", 1, "linear", ""),
                ("edges1", "GATConv", 1, "attention", ""),
            },
        ),
        (
            "edges { a -[to]-> a: FeaStConv(4)  *: GATConv(4) } combine max",
            {
                ("edges1", "FeaStConv", 1, None, "FeaStConv has no kernel of ours"),
                ("edges1", "GATConv", 1, None, "stays in order with FeaStConv"),
            },
        ),
        (
            "edges { a -[to]-> a: GATConv(4, edge_attr = f)  *: SAGEConv(4) }",
            {
                ("edges1", "GATConv", 1, "attention", ""),
                ("edges1", "SAGEConv", 1, "linear", ""),
            },
        ),
        (
            "edges { a -[to]-> a: TransformerConv(4, edge_attr = f)  *: TransformerConv(4, beta = true) }",
            {
                ("edges1", "TransformerConv", 1, "dot-attention-attributes", ""),
                ("edges1", "TransformerConv", 1, "dot-attention", ""),
            },
        ),
        (
            "edges { *: HGTConv(4) } edges { *: HANConv(4) }",
            {("edges1", "HGTConv", 3, "transformer", ""), ("edges2", "HANConv", 3, "semantic", "")},
        ),
        (
            'edges { *: RGATConv(4) } edges { *: RGATConv(4, aggr = "max") } edges { *: SimpleHGNConv(4) }',
            {
                ("edges1", "RGATConv", 3, "relational-attention", ""),
                ("edges2", "RGATConv", 3, None, "RGATConv: aggr = 'max' is no sum"),
                ("edges3", "SimpleHGNConv", 3, "residual-attention", ""),
            },
        ),
        (
            'edges { *: RGCNConv(4, aggr = "max") }',
            {("edges1", "RGCNConv", 3, "relational", "")},
        ),
    ],
)
def test_decisions(body: str, expected: set[tuple[object, ...]]) -> None:
    found = {
        (item.stage, item.layer, item.relations, item.family, item.reason) for item in list_decisions(plan_of(body))
    }
    assert found == expected


def test_passes_are_printed(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.gnn"
    path.write_text(
        f"gnn 1\n{SCHEMA} model m on s {{ edges {{ a -[to]-> a: FeaStConv(4)  *: SAGEConv(4) }} predict a.y }}",
        encoding="utf-8",
    )
    assert main(["plan", str(path)]) == 0
    assert "kernel" not in capsys.readouterr().out
    assert main(["plan", str(path), "--passes"]) == 0
    shown = capsys.readouterr().out
    assert "linear kernel" in shown
    assert "FeaStConv has no kernel of ours" in shown
    assert main(["plan", str(path), "--passes", "--json"]) == 0
    decisions = json.loads(capsys.readouterr().out)["decisions"]
    assert {item["family"] for item in decisions} == {"linear", None}
