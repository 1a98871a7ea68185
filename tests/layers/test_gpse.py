"""GPSE as a step: what PyG's class computes on a batch, and encodings of graphs that are learned."""

from pathlib import Path
from typing import Any

import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn import models

import graphdsl
from graphdsl.tooling.cli import main

SPEC = """
schema molecules {
  node atom { x: float[20], pse: real[4] }
  edge atom -[bond]-> atom
  graph { cycles: real[3] }
}
model gpse on molecules {
  sequential x, edge_index, batch {
    GPSE(16, layers_mp = 3, num_node_targets = 4, num_graph_targets = 3): x, edge_index, batch -> _, y, g
  }
  predict atom.pse from y
  predict graph.cycles from g
}
model gpse_of_graphs on molecules {
  sequential x, edge_index, batch {
    GPSE(16, layers_mp = 3, num_node_targets = 4, num_graph_targets = 3): x, edge_index, batch -> _, _, g
  }
  predict graph.cycles from g
}
train gpse_of_graphs { epochs: 2, batch_size: 4 }
"""


def molecules(count: int = 8) -> list[Data]:
    torch.manual_seed(0)
    found = []
    for size in range(3, 3 + count):
        index = torch.arange(size)
        edges = torch.stack([index, index.roll(1)])
        found.append(Data(x=torch.randn(size, 20), edge_index=edges, pse=torch.rand(size, 4), cycles=torch.rand(1, 3)))
    return found


def test_it_tells_what_the_class_of_pyg_tells_of_a_batch() -> None:
    model: Any = graphdsl.loads(SPEC).compile("gpse")
    hand = models.GPSE(20, dim_inner=16, layers_mp=3, num_node_targets=4, num_graph_targets=3, virtual_node=False)
    hand.load_state_dict(model[0].state_dict())
    batch = Batch.from_data_list(molecules())
    batch.y, batch.y_graph = batch.pse, batch.cycles
    model.eval()
    told, _ = hand.eval()(batch)
    ours = model(batch.x, batch.edge_index, batch.batch)
    nodes = len(batch.x)
    torch.testing.assert_close(ours["atom.pse"], told[:nodes, :4])
    torch.testing.assert_close(ours["graph.cycles"], told[nodes:, 4:])


def test_it_learns_encodings_of_graphs(tmp_path: Path) -> None:
    (tmp_path / "gpse.gnn").write_text(SPEC)
    torch.save(molecules(), tmp_path / "graphs.pt")
    spec, out = str(tmp_path / "gpse.gnn"), tmp_path / "run"
    data = str(tmp_path / "graphs.pt")
    assert main(["train", spec, "--model", "gpse_of_graphs", "--data", data, "--out", str(out)]) == 0
    assert "val_loss" in (out / "metrics.csv").read_text()
