"""Steps that make a graph smaller by clusters, as in PyG's `mnist_nn_conv.py`, and what edges tell of positions."""

import warnings
from typing import Any

import torch
from equal_rows import WIDTH, Graph, Row, Steps, modules
from torch import Tensor
from torch_geometric import nn as pyg
from torch_geometric import transforms
from torch_geometric.data import Batch, Data
from torch_geometric.utils import normalized_cut

CUT = """
      Distance(norm = false): p, edge_index -> far
      normalized_cut: edge_index, far, x -> weight
      graclus: edge_index, weight, x -> cell"""


def _cells(graph: Graph) -> Tensor:
    p, (row, col) = graph.inputs["p"], graph.edge_index
    far = torch.linalg.vector_norm(p[col] - p[row], dim=1)
    count = graph.x.size(0)
    return pyg.graclus(graph.edge_index, normalized_cut(graph.edge_index, far, count), count)


def _pooled(name: str) -> Steps:
    def call(m: Any, graph: Graph) -> Tensor:
        data = Batch(x=graph.x, edge_index=graph.edge_index, pos=graph.inputs["p"], batch=graph.batch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the transform turns a tensor with a gradient into a number
            data = getattr(pyg, name)(_cells(graph), data, transform=transforms.Cartesian(cat=False))
        x = m[0](data.x, data.edge_index, data.edge_attr)
        return pyg.global_mean_pool(x, data.batch)

    block = f"""{CUT}
      LAYER: cell, x, edge_index, none, p, batch -> x, edge_index, _, p, batch
      Cartesian: p, edge_index -> e
      NNConv(5, nn = Linear()): x, edge_index, e -> x
      global_mean_pool: x, batch -> x"""
    return Steps(f"{name}()", lambda _: modules(pyg.NNConv(WIDTH, 5, pyg.Linear(3, 5 * WIDTH))), block=block, call=call)


def _neighbors(name: str) -> Steps:
    def call(m: Any, graph: Graph) -> Tensor:
        return m[0](getattr(pyg, name)(Data(x=graph.x, edge_index=graph.edge_index)).x)

    block = "\n      LAYER: x, edge_index -> x\n      Linear(5)"
    return Steps(f"{name}()", lambda _: modules(pyg.Linear(WIDTH, 5)), block=block, call=call, rows="item")


def _step(layer: str, name: str) -> Steps:
    """The row of `max_pool` for another of its steps."""
    row = _pooled("max_pool")
    block = row.block.replace("LAYER", "max_pool").replace(f"{name}:" if "(" not in layer else layer + ":", "LAYER:")
    return Steps(layer if "(" in layer else f"{name}()", row.hand, block=block, call=row.call)


ROWS: tuple[Row, ...] = (
    _pooled("max_pool"),
    _pooled("avg_pool"),
    _neighbors("max_pool_neighbor_x"),
    _neighbors("avg_pool_neighbor_x"),
    _step("graclus", "graclus"),
    _step("normalized_cut", "normalized_cut"),
    _step("Cartesian", "Cartesian"),
    _step("Distance(norm = false)", "Distance"),
)
