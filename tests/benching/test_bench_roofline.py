"""Bytes that a step has to move, counted by hand; the share that a table shows."""

from dataclasses import replace

import pytest
import torch

import graphdsl
from graphdsl.benching.cases import Request, measure_shape
from graphdsl.benching.measuring import Budget
from graphdsl.benching.records import PASSES
from graphdsl.benching.roofline import bandwidth, least_bytes
from graphdsl.benching.shapes import NAMES
from graphdsl.tooling.bench_table import BenchTable

TEXT = """
schema s { node a { x: float[6], y: class[2] } node b { x: float[5] } edge b -[r]-> a edge a -[q]-> b }
model m on s { edges { r: SAGEConv(4)  q: SAGEConv(4) } predict a.y }
"""


def test_bytes_are_those_counted_by_hand() -> None:
    spec = graphdsl.loads(TEXT)
    module = spec.compile()
    nodes, edges = {"a": 10, "b": 20}, {("b", "r", "a"): 100, ("a", "q", "b"): 1000}
    along = 100 * (4 + 4 * 4)  # `q` is dead: nothing reads what b receives.
    at_nodes = 4 * (10 * 6 + 20 * 5 + 10 * 4)
    weights = 4 * sum(item.numel() for item in module.parameters())
    found = least_bytes(module.plan, module, nodes, edges)
    assert found["forward"] == along + at_nodes + weights
    assert found["step"] == 2 * along + 3 * (at_nodes + weights)


@pytest.mark.parametrize("model", ["sage", "rgcn", "hgt", "han"])
def test_shares_are_in_the_table_where_a_bandwidth_is_known(model: str) -> None:
    request = Request("pyg", ("idiom",), torch.device("cpu"), Budget(repeats=1))
    cell = measure_shape(NAMES["tiny"], model, request, str)
    assert not cell.ours.shares
    cell = measure_shape(NAMES["tiny"], model, replace(request, bandwidth=1e9), str)
    assert set(cell.ours.shares) == set(PASSES)
    assert all(share > 0 for share in cell.ours.shares.values())
    assert "%" in BenchTable(("idiom",), ["tiny"], 120, True).line(cell).plain


def test_a_copy_has_a_bandwidth() -> None:
    assert bandwidth(torch.device("cpu")) > 0
