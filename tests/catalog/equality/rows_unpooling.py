"""The way back behind pooling layers."""

import torch
from equal_rows import WIDTH, Graph, Steps, modules
from torch import Tensor
from torch_geometric import nn as pyg


def _unpooled(m, graph: Graph) -> Tensor:
    """As in `GraphUNet`."""
    x, _, _, _, perm, _ = m[0](graph.x, graph.edge_index, batch=graph.batch)
    up = torch.zeros_like(graph.x)
    up[perm] = x
    return pyg.global_add_pool(m[1](up, graph.edge_index), graph.batch)


def _unmerged(m, graph: Graph) -> Tensor:
    x, _, _, info = m[0](graph.x, graph.edge_index, graph.batch)
    x, edge_index, batch = m[0].unpool(x, info)
    return pyg.global_add_pool(m[1](x, edge_index), batch)


ROWS = (
    Steps(
        "unpool",
        lambda _: modules(pyg.TopKPooling(WIDTH, ratio=0.5), pyg.SAGEConv(WIDTH, 5)),
        block="""
      TopKPooling(ratio = 0.5): x, edge_index, none, batch -> x1, _, _, _, perm, _
      LAYER: x1, perm, x -> x
      SAGEConv(5): x, edge_index -> x
      global_add_pool: x, batch -> x""",
        call=_unpooled,
    ),
    Steps(
        "unpool_merged",
        lambda _: modules(pyg.EdgePooling(WIDTH), pyg.SAGEConv(WIDTH, 5)),
        block="""
      EdgePooling: x, edge_index, batch -> x, _, _, info
      LAYER: x, info -> x, e, b
      SAGEConv(5): x, e -> x
      global_add_pool: x, b -> x""",
        call=_unmerged,
    ),
)
