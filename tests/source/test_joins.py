"""Joins of states and of values of a block, as written programs."""

from types import ModuleType

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl

STATES = """
schema s {{ node a {{ x: float[4], y: class[4] }} node b {{ x: float[4] }}  edge a -[r]-> b reverse q }}
model m on s {{
  h0 = nodes {{ *: Linear(4) }}
  h1 = edges {{ *: SAGEConv(4) }}
  h2 = edges {{ *: SAGEConv(4) }} | sigmoid
  {join} | relu
  predict a.y
}}
"""
BLOCK = """
schema s {{ node a {{ x: float[4], y: class[4] }}  edge a -[r]-> a }}
model m on s {{
  sequential x, edge_index {{
    GCNConv(4): x, edge_index -> h
    SAGEConv(4): x, edge_index -> g
    sigmoid: g -> g
    {join}: x, h, g -> z
  }}
  predict a.y from z: Linear(4)
}}
"""
JOINS = ["cat", "add", "mul", "mean", "max"]


def written(spec: graphdsl.Spec) -> torch.nn.Module:
    program = ModuleType("written")
    exec(compile(spec.to_python("m"), "written.py", "exec"), program.__dict__)
    return program.M()


@pytest.mark.parametrize("join", JOINS)
def test_joins_of_states(join: str) -> None:
    spec = graphdsl.loads(STATES.format(join=f"{join}(h0, h1, h2)"))
    data = HeteroData({"a": {"x": torch.randn(5, 4)}, "b": {"x": torch.randn(6, 4)}})
    data["a", "r", "b"].edge_index = torch.tensor([[0, 1, 4], [3, 2, 5]])
    data["b", "q", "a"].edge_index = torch.tensor([[3, 2, 5], [0, 1, 4]])
    model = spec.compile("m").eval()
    program = written(spec).eval()
    program.load_state_dict(model.state_dict())
    given = data.x_dict, data.edge_index_dict
    torch.testing.assert_close(program(*given), model(*given))


@pytest.mark.parametrize("join", JOINS)
def test_joins_of_a_block(join: str) -> None:
    spec = graphdsl.loads(BLOCK.format(join=join))
    model = spec.compile("m").eval()
    program = written(spec).eval()
    program.load_state_dict(model.state_dict())
    given = torch.randn(5, 4), torch.tensor([[0, 1, 4], [3, 2, 1]])
    torch.testing.assert_close(program(*given), model(*given))
