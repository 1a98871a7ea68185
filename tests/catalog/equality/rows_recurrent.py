"""Hidden states, and values between graphs and their nodes."""

from typing import Any

import torch
from equal_rows import WIDTH, Graph, Row, Steps, modules
from torch import Tensor, nn
from torch_geometric import nn as pyg


def _three_turns(m: Any, graph: Graph) -> Tensor:
    h = graph.x
    for _ in range(3):
        h = m[1](m[0](h, graph.edge_index).relu(), h)
    return h


def _turns(bias: bool) -> Steps:
    layer = f"GRUCell({WIDTH}{'' if bias else ', bias = false'})"
    block = f"""
      repeat 3 share {{
        GraphConv({WIDTH}): x, edge_index -> m
        relu: m -> m
        LAYER: m, x -> x
      }}"""
    hand = lambda _: modules(pyg.GraphConv(WIDTH, WIDTH), nn.GRUCell(WIDTH, WIDTH, bias=bias))  # noqa: E731
    return Steps(layer, hand, block=block, call=_three_turns, rows="item")


def _from_zeros(m: Any, graph: Graph) -> Tensor:
    return m[0](pyg.global_add_pool(graph.x, graph.batch))


def _first(m: Any, graph: Graph) -> Tensor:
    """As PyG's `examples/upfd.py` finds the root of each graph."""
    assert graph.batch is not None
    root = (graph.batch[1:] - graph.batch[:-1]).nonzero(as_tuple=False).view(-1)
    root = torch.cat([root.new_zeros(1), root + 1], dim=0)
    return m[0](torch.cat([graph.x[root], pyg.global_max_pool(graph.x, graph.batch)], dim=-1))


def _back(m: Any, graph: Graph) -> Tensor:
    means = pyg.global_mean_pool(graph.x, graph.batch)
    return m[0](graph.x - 0 + means[graph.batch], graph.edge_index)


def _grid(m: Any, graph: Graph) -> Tensor:
    """As PyG's `examples/mnist_voxel_grid.py`."""
    p, batch = graph.inputs["p"].sigmoid(), graph.batch
    cluster = pyg.voxel_grid(p, 0.5, batch, start=0.0, end=0.99)
    x, _ = pyg.max_pool_x(cluster, graph.x, batch, size=8)
    return m[0](x.view(-1, 8 * WIDTH))


ROWS: tuple[Row, ...] = (
    _turns(True),
    _turns(False),
    Steps(
        "GRUCell(5)",
        lambda _: modules(nn.GRUCell(WIDTH, 5)),
        block="global_add_pool: x, batch -> g\n      LAYER: g, none -> g",
        call=_from_zeros,
    ),
    Steps(
        "global_first_pool()",
        lambda _: modules(pyg.Linear(2 * WIDTH, 4)),
        block="LAYER: x, batch -> root\n global_max_pool: x, batch -> g\n cat: root, g -> g\n Linear(4): g -> g",
        call=_first,
    ),
    Steps(
        "to_nodes()",
        lambda _: modules(pyg.GraphConv(WIDTH, 4)),
        block="global_mean_pool: x, batch -> g\n LAYER: g, batch -> m\n add: x, m -> x\n GraphConv(4): x, edge_index -> x",
        call=_back,
        rows="item",
    ),
    Steps(
        "max_pool_grid(8)",
        lambda _: modules(pyg.Linear(8 * WIDTH, 4)),
        block="""sigmoid: p -> q
      voxel_grid(size = 0.5, start = 0.0, end = 0.99): q, batch -> cell
      LAYER: x, cell, batch -> g
      Linear(4): g -> g""",
        call=_grid,
    ),
)
