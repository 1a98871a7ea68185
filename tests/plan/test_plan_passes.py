"""What `gnn plan --passes` says is computed at once, folded, left out, and in which order."""

import json
from pathlib import Path

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.backends.fused.linear import lay_out_linear
from graphdsl.data.orders import list_orders
from graphdsl.kernels.unions import Union
from graphdsl.plan.grouping import Grouping, list_groups
from graphdsl.tooling.cli import main

ROOT = Path(__file__).parents[2]
PLANES = str(ROOT / "examples" / "planes" / "planes.gnn")
SCHEMA = """
schema s {
  node a(count = 9) { x: float[6], y: class[3] }
  node b(count = 7) { x: float[6] }
  edge a -[to]-> a { f: float[3] }
  edge a -[has]-> b
  edge b -[of]-> a
}
"""


def groups_of(body: str) -> list[Grouping]:
    return list(list_groups(graphdsl.loads(f"{SCHEMA} model m on s {{ {body} predict a.y }}").plan("m")))


def test_relations_of_one_family_and_width_are_one_group() -> None:
    found = groups_of("edges { a -[to]-> a: GraphConv(4)  *: SAGEConv(4) }")
    assert found == [Grouping("edges1", "linear", {"GraphConv": 1, "SAGEConv": 1}, ("a",), 2, True)]


@pytest.mark.parametrize(
    ("body", "sizes"),
    [
        ("edges { *: GATv2Conv(4, heads = 2) }", [2]),
        ("edges { a -[to]-> a: GATv2Conv(4, heads = 2)  *: GATv2Conv(8) }", [1, 1]),
        ("edges { a -[to]-> a: GATv2Conv(4, dropout = 0.5)  *: GATv2Conv(4) }", [1, 1]),
        ("edges { a -[to]-> a: GATConv(4, dropout = 0.5)  *: GATConv(4) }", [2]),
        ("edges { a -[to]-> a: FeaStConv(4)  *: SAGEConv(4) }", [1]),
    ],
)
def test_layers_of_a_group_have_in_common_what_their_kernel_asks(body: str, sizes: list[int]) -> None:
    assert [sum(item.layers.values()) for item in groups_of(body)] == sizes


def test_nothing_is_folded_where_messages_stay_apart() -> None:
    (found,) = groups_of("edges { *: SAGEConv(4) } combine max")
    assert (found.roots, found.summed) == (0, False)
    (found,) = groups_of("edges { *: SAGEConv(4, root_weight = false) }")
    assert (found.roots, found.summed) == (0, True)


def test_relations_of_a_shared_layer_share_products() -> None:
    (found,) = groups_of("edges { *: share GATConv(4) }")
    assert found.shared == (0, 0)  # of different sources; `a -[has]-> b` serves no prediction
    (found, _) = groups_of("edges { *: share GATConv(6) } edges { *: SAGEConv(4) }")
    assert found.shared == (2, 1)
    (found, _) = groups_of("edges { *: GATConv(6) } edges { *: SAGEConv(4) }")
    assert found.shared == (0, 0)


def test_joint_layers_are_a_group_each() -> None:
    assert groups_of("edges { *: RGCNConv(4) }") == [Grouping("edges1", "relational", {"RGCNConv": 3}, ("a",), 0, True)]
    assert groups_of("edges { *: HANConv(4) }") == [Grouping("edges1", "semantic", {"HANConv": 3}, ("a",), 0, False)]


def test_orders_are_those_of_the_layouts() -> None:
    """What is printed is what the kernels do."""
    torch.manual_seed(0)
    index = {
        ("a", "to", "a"): torch.randint(9, (2, 400)),
        ("b", "of", "a"): torch.stack([torch.arange(7), torch.zeros(7).long()]),
    }
    data = HeteroData({"a": {"x": torch.ones(9, 6), "y": torch.zeros(9).long()}, "b": {"x": torch.ones(7, 6)}})
    for edge, item in index.items():
        data[edge].edge_index = item
    data["a", "has", "b"].edge_index = torch.tensor([[0], [0]])
    spec = graphdsl.loads(f"{SCHEMA} model m on s {{ edges {{ *: SAGEConv(4) }} predict a.y }}")
    orders = list_orders(spec.plan("m"), data)
    assert [(item.edge, item.edges) for item in orders] == [(edge, item.size(1)) for edge, item in index.items()]
    for item in orders:
        source, _, target = item.edge
        union = Union([index[item.edge]], [0], [0], [data[source].num_nodes], [data[target].num_nodes])
        (part,) = lay_out_linear(union, ["mean"], item.widths).parts
        assert (part.projection is not None) == (item.first == "matrix")
    assert {item.first for item in orders} == {"matrix", "sum"}


def test_passes_with_data_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", PLANES, "--passes", "--data"]) == 0
    shown = capsys.readouterr().out
    assert "SAGEConv × 6" in shown
    assert "sum, then matrix" in shown
    assert "matrix, then sum" in shown
    assert "267,013 parameters" in shown
    assert main(["plan", PLANES, "--passes", "--data", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {item["first"] for item in found["orders"]} == {"matrix", "sum"}
    assert sum(item["layers"]["SAGEConv"] for item in found["groups"]) == 8
    assert found["parameter_count"] == 267_013
    assert main(["plan", str(ROOT / "specs" / "dblp.gnn"), "--model", "mixed", "--passes"]) == 0
    assert "left out: 7 of 12 layers of relations" in capsys.readouterr().out
