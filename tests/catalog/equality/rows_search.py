"""Steps that search neighbours, with a stand-in for the package that they need."""

from typing import Any

from equal_rows import WIDTH, Graph, Row, Steps, modules
from torch import Tensor
from torch_geometric import nn as pyg


def _alone(layer: str, hand: Any) -> Steps:
    """A layer that reads the nodes and their graphs."""
    return Steps(
        layer,
        lambda _: modules(hand()),
        block="\n      LAYER: x, batch -> x",
        call=lambda m, graph: m[0](graph.x, batch=graph.batch),
        rows="item",
    )


def _edges(layer: str, search: Any) -> Steps:
    """Edges that are made, and a convolution over them."""
    return Steps(
        layer,
        lambda _: modules(pyg.GraphConv(WIDTH, 5)),
        block="\n      LAYER: p, batch -> edge_index\n      GraphConv(5): x, edge_index -> x",
        call=lambda m, graph: m[0](graph.x, search(graph.inputs["p"], graph.batch)),
        rows="item",
    )


def _merged(layer: str, pool: str, cells: str = "voxel_grid(size = 0.7)", size: Any = 0.7) -> Steps:
    """Nodes of each cell become one, with their positions; then edges to the nearest."""

    def call(m: Any, graph: Graph) -> Tensor:
        cluster = pyg.voxel_grid(graph.inputs["p"], size, graph.batch)
        x, batch = getattr(pyg, pool)(cluster, graph.x, graph.batch)
        p, _ = pyg.avg_pool_x(cluster, graph.inputs["p"], graph.batch)
        return pyg.global_add_pool(m[0](x, p, pyg.knn_graph(p, 2, batch)), batch)

    block = f"""
      {cells}: p, batch -> cell
      {pool}: cell, x, batch -> x, b
      avg_pool_x: cell, p, batch -> q, _
      knn_graph(2): q, b -> edge_index
      PointNetConv(local_nn = Linear(4)): x, q, edge_index -> x
      global_add_pool: x, b -> x"""
    return Steps(layer, lambda _: modules(pyg.PointNetConv(pyg.Linear(WIDTH + 3, 4))), block=block, call=call)


ROWS: tuple[Row, ...] = (
    _alone("DynamicEdgeConv(nn = MLP(9, 5), k = 3)", lambda: pyg.DynamicEdgeConv(pyg.MLP([2 * WIDTH, 9, 5]), 3)),
    _alone(
        'DynamicEdgeConv(nn = Linear(5), k = 2, aggr = "mean")',
        lambda: pyg.DynamicEdgeConv(pyg.Linear(2 * WIDTH, 5), 2, "mean"),
    ),
    _alone(
        "GravNetConv(5, space_dimensions = 2, propagate_dimensions = 3, k = 3)",
        lambda: pyg.GravNetConv(WIDTH, 5, 2, 3, 3),
    ),
    Steps(
        "XConv(5, kernel_size = 3, hidden_channels = 4)",
        lambda _: modules(pyg.XConv(WIDTH, 5, 3, 3, 4)),
        block="\n      LAYER: x, p, batch -> x",
        call=lambda m, graph: m[0](graph.x, graph.inputs["p"], graph.batch),
        rows="item",
    ),
    _edges("knn_graph(3)", lambda p, batch: pyg.knn_graph(p, 3, batch)),
    _edges("knn_graph(3, loop = true)", lambda p, batch: pyg.knn_graph(p, 3, batch, loop=True)),
    _edges(
        "radius_graph(1.5, max_num_neighbors = 4)",
        lambda p, batch: pyg.radius_graph(p, 1.5, batch, max_num_neighbors=4),
    ),
    _merged("max_pool_x()", "max_pool_x"),
    _merged("avg_pool_x()", "avg_pool_x"),
    _merged("voxel_grid()", "max_pool_x", "voxel_grid(size = [0.7, 0.9, 1.1])", [0.7, 0.9, 1.1]),
    _edges("approx_knn_graph(3)", lambda p, batch: pyg.approx_knn_graph(p, 3, batch)),
)
