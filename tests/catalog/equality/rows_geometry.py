"""Layers over points in space."""

from equal_rows import Relation
from torch_geometric import nn as pyg

ROWS = (
    Relation("SplineConv(4, kernel_size = 3)", lambda c: pyg.SplineConv(c.widths, 4, c.edge_dim, 3)),
    Relation(
        'SplineConv(4, [2, 3, 4], is_open_spline = [true, false, true], degree = 2, aggr = "max", bias = false)',
        lambda c: pyg.SplineConv(c.widths, 4, c.edge_dim, [2, 3, 4], [True, False, True], 2, "max", bias=False),
    ),
)
