"""Batches with all neighbours, as deep as the layers look, give what the whole graph gives."""

from dataclasses import replace

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl.data import batch_inputs, seed_loader
from graphdsl.model import Training

SPEC = """
schema s {{
  node a {{ x: float[4], y: class[2] }}
  node b {{ x: float[4] }}
  edge a -[r]-> b  reverse back
  edge b -[s]-> b  reverse t
  metapath AA = a -[r]-> b <-[r]- a
}}
model m on s {{
  edges {{ {} }} | tanh
  predict a.y
}}
"""
LAYERS = (
    "*: SimpleHGNConv(3, num_layers = 3, heads = 2)",
    '*: CompGCNConv(3, num_layers = 3, composition = "corr")',
    "AA: HPNConv(3, K = 2)",
    "*: IEHGCNConv(3)",
    "*: HetSANNConv(3, heads = 2)",
    "*: RHGNNConv(4, num_layers = 3, heads = 2)",
)
NODES = {"a": 30, "b": 40}


def graph() -> HeteroData:
    """A sparse graph: most nodes are further from a seed than the layers look."""
    torch.manual_seed(0)
    data = HeteroData()
    for name, count in NODES.items():
        data[name].x = torch.randn(count, 4)
    data["a"].y = torch.randint(2, (30,))
    data["a", "r", "b"].edge_index = torch.stack([torch.randint(30, (30,)), torch.randint(40, (30,))])
    data["b", "s", "b"].edge_index = torch.randint(40, (2, 20))
    return data


@pytest.mark.parametrize("rule", LAYERS)
def test_batches_give_the_numbers_of_the_whole_graph(rule: str) -> None:
    data, spec = graph(), graphdsl.loads(SPEC.format(rule))
    model = spec.compile("m", data=data).eval()
    seeds, smallest = torch.tensor([3, 0, 17, 29, 8]), 70
    with torch.no_grad():
        whole = model(**batch_inputs(data, model.plan))
        for batch in seed_loader(data, model.plan, ("a", seeds), replace(Training("m"), batch_size=1, fanout=(-1,))):
            found = model(**batch_inputs(batch, model.plan))
            torch.testing.assert_close(found[:1], whole[batch["a"].n_id[:1]])
            smallest = min(smallest, batch["a"].num_nodes + batch["b"].num_nodes)
    assert smallest < 20
