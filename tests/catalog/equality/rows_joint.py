"""Layers that see several relations."""

from equal_rows import Joint
from torch_geometric import nn as pyg

MANY = "multiplicative-self-attention"
ROWS = (
    Joint("HANConv(4)", lambda c: pyg.HANConv(dict(c.types), 4, metadata=c.metadata)),
    Joint(
        "HANConv(4, heads = 2, negative_slope = 0.1, dropout = 0.3)",
        lambda c: pyg.HANConv(dict(c.types), 4, c.metadata, heads=2, negative_slope=0.1, dropout=0.3),
    ),
    Joint("HGTConv(4)", lambda c: pyg.HGTConv(dict(c.types), 4, c.metadata)),
    Joint("HGTConv(6, heads = 2)", lambda c: pyg.HGTConv(dict(c.types), 6, c.metadata, heads=2)),
    Joint("RGCNConv(4)", lambda c: pyg.RGCNConv(c.widths, 4, len(c.relations))),
    Joint(
        'RGCNConv(4, num_bases = 2, aggr = "add", root_weight = false)',
        lambda c: pyg.RGCNConv(c.widths, 4, len(c.relations), num_bases=2, aggr="add", root_weight=False),
    ),
    Joint(
        "RGCNConv(4, num_blocks = 2, bias = false)",
        lambda c: pyg.RGCNConv(c.widths, 4, len(c.relations), num_blocks=2, bias=False),
        refused={"ids": "GNN204"},
    ),
    Joint("FastRGCNConv(4)", lambda c: pyg.FastRGCNConv(c.widths, 4, len(c.relations))),
    Joint(
        "FastRGCNConv(4, num_blocks = 2)",
        lambda c: pyg.FastRGCNConv(c.widths, 4, len(c.relations), num_blocks=2),
        refused={"ids": "GNN204"},
    ),
    Joint("RGATConv(4)", lambda c: pyg.RGATConv(c.widths, 4, len(c.relations), edge_dim=c.edge_dim)),
    Joint(
        f'RGATConv(4, heads = 2, dim = 3, attention_mode = "{MANY}", concat = false)',
        lambda c: pyg.RGATConv(
            c.widths, 4, len(c.relations), heads=2, dim=3, attention_mode=MANY, concat=False, edge_dim=c.edge_dim
        ),
    ),
    Joint(
        'RGATConv(4, num_bases = 2, mod = "additive", attention_mechanism = "within-relation")',
        lambda c: pyg.RGATConv(
            c.widths,
            4,
            len(c.relations),
            num_bases=2,
            mod="additive",
            attention_mechanism="within-relation",
            edge_dim=c.edge_dim,
        ),
    ),
    Joint("HEATConv(4, 5, 2)", lambda c: pyg.HEATConv(c.widths, 4, len(c.types), len(c.relations), 5, c.edge_dim, 2)),
    Joint(
        "HEATConv(4, 5, 2, heads = 2, concat = false, negative_slope = 0.1, dropout = 0.3, root_weight = false)",
        lambda c: pyg.HEATConv(
            c.widths, 4, len(c.types), len(c.relations), 5, c.edge_dim, 2, 2, False, 0.1, 0.3, root_weight=False
        ),
    ),
    Joint(
        'HEATConv(4, 5, 2, heads = 2, bias = false, aggr = "max")',
        lambda c: pyg.HEATConv(
            c.widths, 4, len(c.types), len(c.relations), 5, c.edge_dim, 2, heads=2, bias=False, aggr="max"
        ),
    ),
)
