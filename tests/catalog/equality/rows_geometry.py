"""Layers over points in space."""

from equal_rows import PLACES, WIDTH, Relation
from torch_geometric import nn as pyg


def _source(widths: int | tuple[int, int]) -> int:
    """The width of what sends."""
    return widths if isinstance(widths, int) else widths[0]


ROWS = (
    Relation("SplineConv(4, kernel_size = 3)", lambda c: pyg.SplineConv(c.widths, 4, c.edge_dim, 3)),
    Relation(
        'SplineConv(4, [2, 3, 4], is_open_spline = [true, false, true], degree = 2, aggr = "max", bias = false)',
        lambda c: pyg.SplineConv(c.widths, 4, c.edge_dim, [2, 3, 4], [True, False, True], 2, "max", bias=False),
    ),
    Relation("PointNetConv()", lambda c: pyg.PointNetConv(**c.loops)),
    Relation(
        "PointNetConv(local_nn = MLP(9, 5), global_nn = Linear(4))",
        lambda c: pyg.PointNetConv(pyg.MLP([_source(c.widths) + PLACES, 9, 5]), pyg.Linear(5, 4), **c.loops),
    ),
    Relation(
        'PointNetConv(local_nn = Linear(4), add_self_loops = false, aggr = "mean")',
        lambda c: pyg.PointNetConv(pyg.Linear(_source(c.widths) + PLACES, 4), None, False, aggr="mean"),
    ),
    Relation(
        "PPFConv(local_nn = MLP(9, 5), global_nn = Linear(4))",
        lambda c: pyg.PPFConv(pyg.MLP([_source(c.widths) + 4, 9, 5]), pyg.Linear(5, 4), **c.loops),
    ),
    Relation("PPFConv(add_self_loops = false)", lambda _: pyg.PPFConv(add_self_loops=False)),
    Relation("PointTransformerConv(4)", lambda c: pyg.PointTransformerConv(c.widths, 4, **c.loops)),
    Relation(
        "PointTransformerConv(4, pos_nn = Linear(), attn_nn = MLP(num_layers = 2, hidden_channels = 7))",
        lambda c: pyg.PointTransformerConv(c.widths, 4, pyg.Linear(PLACES, 4), pyg.MLP([4, 7, 4]), **c.loops),
    ),
    Relation(
        "PointGNNConv(mlp_h = MLP(9, 3), mlp_f = Linear(8), mlp_g = Linear())",
        lambda _: pyg.PointGNNConv(pyg.MLP([WIDTH, 9, PLACES]), pyg.Linear(PLACES + WIDTH, 8), pyg.Linear(8, WIDTH)),
    ),
)
