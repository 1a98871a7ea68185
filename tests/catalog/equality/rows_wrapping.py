"""Layers around a convolution."""

from equal_rows import Relation, Row
from torch import nn
from torch_geometric import nn as pyg

ROWS: tuple[Row, ...] = (
    Relation(
        "GPSConv(GINConv(nn = MLP(9, 6)), heads = 2)",
        lambda c: pyg.GPSConv(c.widths, pyg.GINConv(pyg.MLP([c.widths, 9, 6])), heads=2),
    ),
    Relation(
        'GPSConv(conv = none, heads = 3, dropout = 0.2, act = elu, norm = "graph_norm")',
        lambda c: pyg.GPSConv(c.widths, None, heads=3, dropout=0.2, act="elu", norm="graph_norm"),
    ),
    Relation(
        'GPSConv(GCNConv(6), attn_type = "performer", norm = none)',
        lambda c: pyg.GPSConv(c.widths, pyg.GCNConv(c.widths, 6), attn_type="performer", norm=None),
    ),
    Relation("AntiSymmetricConv()", lambda c: pyg.AntiSymmetricConv(c.widths)),
    Relation(
        "AntiSymmetricConv(phi = GATConv(3, heads = 2), num_iters = 3, epsilon = 0.2, gamma = 0.3, act = relu, bias = false)",
        lambda c: pyg.AntiSymmetricConv(c.widths, pyg.GATConv(c.widths, 3, 2), 3, 0.2, 0.3, nn.ReLU(), bias=False),
    ),
    Relation("DirGNNConv(SAGEConv(4), alpha = 0.3)", lambda c: pyg.DirGNNConv(pyg.SAGEConv(c.widths, 4), 0.3)),
    Relation(
        "DirGNNConv(GATConv(4, heads = 2), root_weight = false)",
        lambda c: pyg.DirGNNConv(pyg.GATConv(c.widths, 4, heads=2), root_weight=False),
    ),
    Relation(
        "GroupAddRev(SAGEConv(), num_groups = 2)",
        lambda c: pyg.GroupAddRev(pyg.SAGEConv(c.widths // 2, c.widths // 2), num_groups=2, disable=True),
        call=lambda m, graph: m(graph.x, graph.edge_index),
    ),
    Relation(
        "GroupAddRev(GATConv(1, heads = 2), num_groups = 3)",
        lambda c: pyg.GroupAddRev(pyg.GATConv(c.widths // 3, 1, heads=2), num_groups=3, disable=True),
        call=lambda m, graph: m(graph.x, graph.edge_index),
    ),
    Relation("DeepGCNLayer(GCNConv(6))", lambda c: pyg.DeepGCNLayer(pyg.GCNConv(c.widths, 6))),
    Relation(
        "DeepGCNLayer(GENConv(6), norm = BatchNorm, act = relu, dropout = 0.1)",
        lambda c: pyg.DeepGCNLayer(pyg.GENConv(c.widths, 6), pyg.BatchNorm(c.widths), nn.ReLU(), dropout=0.1),
    ),
    Relation(
        'DeepGCNLayer(SAGEConv(4), act = relu, block = "dense")',
        lambda c: pyg.DeepGCNLayer(pyg.SAGEConv(c.widths, 4), act=nn.ReLU(), block="dense"),
    ),
)
