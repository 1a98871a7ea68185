"""Layers with one instance per relation."""

import torch
from equal_rows import DEGREES, WIDTH, Relation
from torch import nn
from torch_geometric import nn as pyg

ROWS = (
    Relation("SAGEConv(4)", lambda c: pyg.SAGEConv(c.widths, 4)),
    Relation('SAGEConv(4, aggr = ["mean", "max"])', lambda c: pyg.SAGEConv(c.widths, 4, aggr=["mean", "max"])),
    Relation(
        'SAGEConv(4, aggr = "max", normalize = true, root_weight = false, project = true, bias = false)',
        lambda c: pyg.SAGEConv(c.widths, 4, "max", normalize=True, root_weight=False, project=True, bias=False),
    ),
    Relation(
        "SAGEConv(4, aggr = SoftmaxAggregation(t = 0.5, learn = true))",
        lambda c: pyg.SAGEConv(c.widths, 4, aggr=pyg.aggr.SoftmaxAggregation(0.5, learn=True)),
    ),
    Relation(
        'GraphConv(4, aggr = MultiAggregation(["mean", "max"], mode = "sum"))',
        lambda c: pyg.GraphConv(c.widths, 4, aggr=pyg.aggr.MultiAggregation(["mean", "max"], mode="sum")),
    ),
    Relation(
        'GraphConv(4, aggr = DegreeScalerAggregation("mean", "attenuation"))',
        lambda c: pyg.GraphConv(
            c.widths, 4, aggr=pyg.aggr.DegreeScalerAggregation("mean", "attenuation", torch.tensor(DEGREES.histogram))
        ),
    ),
    Relation(
        'GATConv(4, heads = 2, aggr = DegreeScalerAggregation(["max"], ["linear"], train_norm = true))',
        lambda c: pyg.GATConv(
            c.widths,
            4,
            heads=2,
            edge_dim=c.edge_dim,
            aggr=pyg.aggr.DegreeScalerAggregation(
                ["max"], ["linear"], torch.tensor(DEGREES.histogram), train_norm=True
            ),
            **c.loops,
        ),
    ),
    Relation(
        "SimpleConv(aggr = PowerMeanAggregation(p = 2.0, learn = true))",
        lambda _: pyg.SimpleConv(aggr=pyg.aggr.PowerMeanAggregation(2.0, learn=True)),
    ),
    Relation(
        'GATConv(4, heads = 2, aggr = MultiAggregation(["mean", "std"], mode = "mean"))',
        lambda c: pyg.GATConv(
            c.widths,
            4,
            heads=2,
            edge_dim=c.edge_dim,
            aggr=pyg.aggr.MultiAggregation(["mean", "std"], mode="mean"),
            **c.loops,
        ),
    ),
    Relation("GraphConv(4)", lambda c: pyg.GraphConv(c.widths, 4)),
    Relation('GraphConv(4, aggr = "mean", bias = false)', lambda c: pyg.GraphConv(c.widths, 4, "mean", bias=False)),
    Relation("SimpleConv()", lambda _: pyg.SimpleConv()),
    Relation('SimpleConv(aggr = ["mean", "std"])', lambda _: pyg.SimpleConv(aggr=["mean", "std"])),
    Relation("GINConv(nn = MLP(9, 4))", lambda c: pyg.GINConv(pyg.MLP([_one(c.widths), 9, 4]))),
    Relation(
        "GINConv(nn = Linear(4), eps = 0.5, train_eps = true)",
        lambda c: pyg.GINConv(pyg.Linear(_one(c.widths), 4), eps=0.5, train_eps=True),
    ),
    Relation("GINEConv(nn = MLP(9, 4))", lambda c: pyg.GINEConv(pyg.MLP([_one(c.widths), 9, 4]), edge_dim=c.edge_dim)),
    Relation(
        "GINEConv(nn = Linear(4), train_eps = true)",
        lambda c: pyg.GINEConv(pyg.Linear(_one(c.widths), 4), train_eps=True, edge_dim=c.edge_dim),
    ),
    Relation("ResGatedGraphConv(4)", lambda c: pyg.ResGatedGraphConv(c.widths, 4, edge_dim=c.edge_dim)),
    Relation(
        "ResGatedGraphConv(4, act = tanh, root_weight = false)",
        lambda c: pyg.ResGatedGraphConv(c.widths, 4, act=nn.Tanh(), root_weight=False, edge_dim=c.edge_dim),
    ),
    Relation("GENConv(4)", lambda c: pyg.GENConv(c.widths, 4, edge_dim=c.edge_dim)),
    Relation(
        'GENConv(6, aggr = "softmax", t = 0.5, learn_t = true, msg_norm = true, learn_msg_scale = true, norm = "layer", num_layers = 1)',
        lambda c: pyg.GENConv(
            c.widths,
            6,
            t=0.5,
            learn_t=True,
            msg_norm=True,
            learn_msg_scale=True,
            norm="layer",
            num_layers=1,
            edge_dim=c.edge_dim,
        ),
    ),
    Relation(
        'GENConv(4, aggr = "power", p = 2.0, learn_p = true, bias = true)',
        lambda c: pyg.GENConv(c.widths, 4, aggr="power", p=2.0, learn_p=True, bias=True, edge_dim=c.edge_dim),
    ),
    Relation("LEConv(4)", lambda c: pyg.LEConv(c.widths, 4)),
    Relation("MFConv(4, max_degree = 2)", lambda c: pyg.MFConv(c.widths, 4, max_degree=2)),
    Relation("FiLMConv(4)", lambda c: pyg.FiLMConv(c.widths, 4)),
    Relation("FiLMConv(4, act = none)", lambda c: pyg.FiLMConv(c.widths, 4, act=None)),
    Relation("GMMConv(4, kernel_size = 2)", lambda c: pyg.GMMConv(c.widths, 4, dim=c.edge_dim, kernel_size=2)),
    Relation(
        "GMMConv(4, kernel_size = 2, separate_gaussians = true)",
        lambda c: pyg.GMMConv(c.widths, 4, dim=c.edge_dim, kernel_size=2, separate_gaussians=True),
    ),
    Relation(f"CGConv({WIDTH})", lambda c: pyg.CGConv(c.widths, c.edge_dim or 0)),
    Relation(f"CGConv({WIDTH}, batch_norm = true)", lambda c: pyg.CGConv(c.widths, c.edge_dim or 0, batch_norm=True)),
    Relation("GatedGraphConv(7, num_layers = 2)", lambda _: pyg.GatedGraphConv(7, 2)),
    Relation("WLConvContinuous()", lambda _: pyg.WLConvContinuous()),
    # With the normalised adjacency matrix.
    Relation("GCNConv(4)", lambda c: pyg.GCNConv(c.widths, 4)),
    Relation(
        "GCNConv(4, improved = true, bias = false)", lambda c: pyg.GCNConv(c.widths, 4, improved=True, bias=False)
    ),
    Relation("GCNConv(4, normalize = false)", lambda c: pyg.GCNConv(c.widths, 4, normalize=False)),
    Relation("ChebConv(4, K = 3)", lambda c: pyg.ChebConv(c.widths, 4, K=3)),
    Relation('ChebConv(4, K = 2, normalization = "rw")', lambda c: pyg.ChebConv(c.widths, 4, K=2, normalization="rw")),
    Relation("SGConv(4, K = 2)", lambda c: pyg.SGConv(c.widths, 4, K=2)),
    Relation("SSGConv(4, alpha = 0.1, K = 2)", lambda c: pyg.SSGConv(c.widths, 4, alpha=0.1, K=2)),
    Relation("TAGConv(4)", lambda c: pyg.TAGConv(c.widths, 4)),
    Relation("ARMAConv(4)", lambda c: pyg.ARMAConv(c.widths, 4)),
    Relation(
        "ARMAConv(4, num_stacks = 2, num_layers = 2, shared_weights = true, act = elu, dropout = 0.1)",
        lambda c: pyg.ARMAConv(c.widths, 4, 2, 2, shared_weights=True, act=nn.ELU(), dropout=0.1),
    ),
    Relation("MixHopConv(4)", lambda c: pyg.MixHopConv(c.widths, 4)),
    Relation("MixHopConv(4, powers = [0, 3])", lambda c: pyg.MixHopConv(c.widths, 4, powers=[0, 3])),
    Relation("APPNP(K = 2, alpha = 0.1)", lambda _: pyg.APPNP(2, 0.1)),
    Relation("APPNP(K = 2, alpha = 0.1, dropout = 0.4)", lambda _: pyg.APPNP(2, 0.1, dropout=0.4)),
    Relation("LGConv()", lambda _: pyg.LGConv()),
    Relation("GCN2Conv(6, alpha = 0.1)", lambda _: pyg.GCN2Conv(6, 0.1)),
    Relation(
        "GCN2Conv(6, alpha = 0.1, theta = 0.5, layer = 2, shared_weights = false)",
        lambda _: pyg.GCN2Conv(6, 0.1, theta=0.5, layer=2, shared_weights=False),
    ),
    Relation("DNAConv()", lambda c: pyg.DNAConv(c.widths)),
    Relation("DNAConv(heads = 3, groups = 3, dropout = 0.2)", lambda c: pyg.DNAConv(c.widths, 3, 3, dropout=0.2)),
    Relation("FAConv(6)", lambda _: pyg.FAConv(6)),
    Relation("FAConv(6, eps = 0.3, dropout = 0.2)", lambda _: pyg.FAConv(6, eps=0.3, dropout=0.2)),
    Relation("ClusterGCNConv(4)", lambda c: pyg.ClusterGCNConv(c.widths, 4)),
    Relation("ClusterGCNConv(4, diag_lambda = 0.5)", lambda c: pyg.ClusterGCNConv(c.widths, 4, diag_lambda=0.5)),
    Relation("EGConv(8)", lambda c: pyg.EGConv(c.widths, 8)),
    Relation(
        'EGConv(6, aggregators = ["sum", "symnorm", "std"], num_heads = 3, num_bases = 2)',
        lambda c: pyg.EGConv(c.widths, 6, aggregators=["sum", "symnorm", "std"], num_heads=3, num_bases=2),
    ),
    Relation("PDNConv(4, hidden_channels = 5)", lambda c: pyg.PDNConv(c.widths, 4, c.edge_dim, 5)),
    # With attention.
    Relation("GATConv(4, heads = 2)", lambda c: pyg.GATConv(c.widths, 4, heads=2, edge_dim=c.edge_dim, **c.loops)),
    Relation(
        "GATConv(4, heads = 2, concat = false, dropout = 0.3, bias = false, residual = true)",
        lambda c: pyg.GATConv(
            c.widths, 4, 2, concat=False, dropout=0.3, bias=False, residual=True, edge_dim=c.edge_dim, **c.loops
        ),
    ),
    Relation(
        "GATConv(4, add_self_loops = false, negative_slope = 0.1)",
        lambda c: pyg.GATConv(c.widths, 4, add_self_loops=False, negative_slope=0.1, edge_dim=c.edge_dim),
    ),
    Relation("GATv2Conv(4, heads = 2)", lambda c: pyg.GATv2Conv(c.widths, 4, heads=2, edge_dim=c.edge_dim, **c.loops)),
    Relation(
        'GATv2Conv(4, heads = 2, concat = false, dropout = 0.3, fill_value = "max", residual = true)',
        lambda c: pyg.GATv2Conv(
            c.widths, 4, 2, concat=False, dropout=0.3, fill_value="max", residual=True, edge_dim=c.edge_dim, **c.loops
        ),
    ),
    Relation(
        "GATv2Conv(4, share_weights = true)",
        lambda c: pyg.GATv2Conv(c.widths, 4, share_weights=True, edge_dim=c.edge_dim, **c.loops),
        refused={"unequal": "GNN502"},
    ),
    Relation("TransformerConv(4, heads = 2)", lambda c: pyg.TransformerConv(c.widths, 4, heads=2, edge_dim=c.edge_dim)),
    Relation(
        "TransformerConv(4, heads = 2, concat = false, beta = true, dropout = 0.3)",
        lambda c: pyg.TransformerConv(c.widths, 4, 2, concat=False, beta=True, dropout=0.3, edge_dim=c.edge_dim),
    ),
    Relation(
        "TransformerConv(4, bias = false, root_weight = false)",
        lambda c: pyg.TransformerConv(c.widths, 4, bias=False, root_weight=False, edge_dim=c.edge_dim),
    ),
    Relation("AGNNConv()", lambda c: pyg.AGNNConv(**c.loops)),
    Relation("AGNNConv(requires_grad = false)", lambda c: pyg.AGNNConv(requires_grad=False, **c.loops)),
)


def _one(widths: int | tuple[int, int]) -> int:
    """The one width of a layer that adds source and target."""
    return widths if isinstance(widths, int) else widths[0]
