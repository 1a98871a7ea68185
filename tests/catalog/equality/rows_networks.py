"""Layers whose messages come from a network over the ends or the attributes of an edge."""

from typing import Any

import torch
from equal_rows import DEGREES, EDGE_WIDTH, Graph, Relation
from torch_geometric import nn as pyg


def _source(widths: int | tuple[int, int]) -> int:
    """The width of what sends."""
    return widths if isinstance(widths, int) else widths[0]


def _feast(module: Any, graph: Graph) -> Any:
    """PyG's layer fails without edges: what it would give is the bias alone."""
    if graph.edge_index.size(1) or module.add_self_loops:
        return module(x=graph.x, edge_index=graph.edge_index)
    targets = graph.x[1] if isinstance(graph.x, tuple) else graph.x
    unused = sum(parameter.sum() * 0 for parameter in module.parameters())
    return module.bias.expand(targets.size(0), -1) + unused + targets.sum() * 0 + graph.x[0].sum() * 0


DEG = torch.tensor(DEGREES.histogram)

ROWS = (
    Relation(
        'PNAConv(4, ["mean", "max", "std"], ["identity", "amplification", "attenuation"])',
        lambda c: pyg.PNAConv(
            c.widths, 4, ["mean", "max", "std"], ["identity", "amplification", "attenuation"], DEG, c.edge_dim
        ),
    ),
    Relation(
        'PNAConv(6, ["sum", "min"], ["linear", "inverse_linear"], towers = 3, pre_layers = 2, post_layers = 2, '
        "divide_input = true, act = elu, train_norm = true)",
        lambda c: pyg.PNAConv(
            c.widths, 6, ["sum", "min"], ["linear", "inverse_linear"], DEG, c.edge_dim, 3, 2, 2, True, "elu", None, True
        ),
    ),
    Relation(
        "NNConv(4, nn = MLP(num_layers = 2, hidden_channels = 9))",
        lambda c: pyg.NNConv(c.widths, 4, pyg.MLP([EDGE_WIDTH, 9, _source(c.widths) * 4])),
    ),
    Relation(
        'NNConv(4, nn = Linear(), aggr = "mean", root_weight = false, bias = false)',
        lambda c: pyg.NNConv(
            c.widths, 4, pyg.Linear(EDGE_WIDTH, _source(c.widths) * 4), "mean", root_weight=False, bias=False
        ),
    ),
    Relation(
        "NNConv(4, nn = MLP(9, 24))",
        lambda c: pyg.NNConv(c.widths, 4, pyg.MLP([EDGE_WIDTH, 9, 24])),
        refused={"unequal": "GNN502"},
    ),
    Relation("EdgeConv(nn = MLP(9, 4))", lambda c: pyg.EdgeConv(pyg.MLP([2 * _source(c.widths), 9, 4]))),
    Relation(
        'EdgeConv(nn = Linear(4), aggr = "mean")',
        lambda c: pyg.EdgeConv(pyg.Linear(2 * _source(c.widths), 4), aggr="mean"),
    ),
    Relation("GeneralConv(4)", lambda c: pyg.GeneralConv(c.widths, 4, c.edge_dim)),
    Relation(
        "GeneralConv(6, l2_normalize = true)", lambda c: pyg.GeneralConv(c.widths, 6, c.edge_dim, l2_normalize=True)
    ),
    Relation(
        "GeneralConv(4, skip_linear = true, heads = 2, attention = true, bias = false)",
        lambda c: pyg.GeneralConv(c.widths, 4, c.edge_dim, skip_linear=True, heads=2, attention=True, bias=False),
    ),
    Relation(
        'GeneralConv(4, directed_msg = false, heads = 2, attention = true, attention_type = "dot_product")',
        lambda c: pyg.GeneralConv(
            c.widths, 4, c.edge_dim, directed_msg=False, heads=2, attention=True, attention_type="dot_product"
        ),
        refused={"unequal": "GNN502"},
    ),
    Relation("FeaStConv(4)", lambda c: pyg.FeaStConv(_source(c.widths), 4, **c.loops), call=_feast),
    Relation(
        "FeaStConv(4, heads = 2, add_self_loops = false)",
        lambda c: pyg.FeaStConv(_source(c.widths), 4, heads=2, add_self_loops=False),
        call=_feast,
    ),
)
