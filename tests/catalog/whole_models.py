"""Whole models of the catalogue: how a spec writes each, and the same thing written by hand in PyG."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import models

WIDTH, EDGE, OUT = 7, 4, 3
SIZES = (6, 4, 5)


@dataclass(frozen=True)
class Row:
    """A model in a spec, and by hand.

    Attributes:
        layer: the call in the spec.
        header: what it reads, in PyG's order; `none` and names of the data.
        by_hand: makes the module.
        graphs: whether it gives one row a graph.
        width: columns of its output.
        gives: what stands behind the arrow.
    """

    layer: str
    header: str
    by_hand: Callable[[], nn.Module]
    graphs: bool = False
    width: int = OUT
    gives: str = "x"

    @property
    def name(self) -> str:
        return self.layer.partition("(")[0]


BASIC = "hidden_channels = 8, num_layers = 3, out_channels = 3"


def basic(
    name: str, hidden: int = 8, layers: int = 3, out: int | None = OUT, **arguments: Any
) -> Callable[[], nn.Module]:
    return lambda: getattr(models, name)(WIDTH, hidden, layers, out, **arguments)


def polynormer(attends: bool, **arguments: Any) -> nn.Module:
    """As PyG's example does after some epochs."""
    module = models.Polynormer(WIDTH, 8, OUT, local_layers=2, **arguments)
    module._global = attends
    return module


class Encoder(models.GPSE):
    """PyG's class, and of what it computes the encoding: what `GPSE.from_pretrained` keeps."""

    def forward(self, x: Tensor, edge_index: Tensor, _batch: Tensor) -> Tensor:
        batch = Data(x=x, edge_index=edge_index)
        return self.mp(self.pre_mp(batch) if hasattr(self, "pre_mp") else batch).x


def gpse(**arguments: Any) -> Callable[[], nn.Module]:
    few = {"dim_inner": 8, "layers_mp": 3, "num_node_targets": 2, "num_graph_targets": 3}
    return lambda: Encoder(WIDTH, **few, **arguments)


ROWS = [
    Row(
        "GPSE(8, layers_mp = 3, num_node_targets = 2, num_graph_targets = 3)",
        "x, edge_index, batch",
        gpse(),
        width=8,
        gives="x, _, _",
    ),
    Row(
        'GPSE(8, layers_mp = 3, layers_pre_mp = 0, num_node_targets = 2, num_graph_targets = 3, stage_type = "skipconcat")',
        "x, edge_index, batch",
        gpse(layers_pre_mp=0, stage_type="skipconcat"),
        width=8,
        gives="x, _, _",
    ),
    Row(f"GCN({BASIC})", "x, edge_index", basic("GCN")),
    Row(
        f'GCN({BASIC}, dropout = 0.5, norm = "graph_norm", jk = "cat", act = elu, improved = true)',
        "x, edge_index, w, none, batch",
        basic("GCN", dropout=0.5, norm="graph_norm", jk="cat", act="elu", improved=True),
    ),
    Row("GCN(8, 1)", "x, edge_index", basic("GCN", layers=1, out=None), width=8),
    Row(
        f'GraphSAGE({BASIC}, jk = "lstm", aggr = ["mean", "max"])',
        "x, edge_index",
        basic("GraphSAGE", jk="lstm", aggr=["mean", "max"]),
    ),
    Row(
        f'GraphSAGE({BASIC}, norm = "batch_norm", act_first = true)',
        "x, edge_index, none, none, batch, batch_size",
        basic("GraphSAGE", norm="batch_norm", act_first=True),
    ),
    Row(
        f'GIN({BASIC}, norm = "batch_norm", train_eps = true)',
        "x, edge_index",
        basic("GIN", norm="batch_norm", train_eps=True),
    ),
    Row(f"GAT({BASIC}, heads = 2)", "x, edge_index", basic("GAT", heads=2)),
    Row(
        f'GAT({BASIC}, v2 = true, heads = 2, jk = "last", dropout = 0.3)',
        "x, edge_index, none, edge_attr",
        basic("GAT", v2=True, heads=2, jk="last", dropout=0.3, edge_dim=EDGE),
    ),
    Row("GAT(7, 1, 3, heads = 2)", "x, edge_index, none, edge_attr", basic("GAT", 7, 1, heads=2, edge_dim=EDGE)),
    Row(f"EdgeCNN({BASIC}, norm = none)", "x, edge_index", basic("EdgeCNN")),
    Row("RECT_L(5, dropout = 0.2)", "x, edge_index, w", lambda: models.RECT_L(WIDTH, 5, dropout=0.2), width=WIDTH),
    Row("PMLP(8, 3, num_layers = 3)", "x, edge_index", lambda: models.PMLP(WIDTH, 8, OUT, 3)),
    Row(
        "PMLP(8, 3, 2, norm = false, bias = false)",
        "x, edge_index",
        lambda: models.PMLP(WIDTH, 8, OUT, 2, norm=False, bias=False),
    ),
    Row("GraphUNet(8, 3, depth = 2)", "x, edge_index, batch", lambda: models.GraphUNet(WIDTH, 8, OUT, 2)),
    Row(
        "GraphUNet(8, 3, depth = 2, pool_ratios = [0.9, 0.6], sum_res = false, act = tanh)",
        "x, edge_index, batch, w",
        lambda: models.GraphUNet(WIDTH, 8, OUT, 2, [0.9, 0.6], sum_res=False, act="tanh"),
    ),
    Row(
        "LINKX(8, 3, num_layers = 2, num_edge_layers = 2)",
        "x, edge_index, w",
        lambda: models.LINKX(sum(SIZES), WIDTH, 8, OUT, 2, num_edge_layers=2),
    ),
    Row(
        "SGFormer(8, 3, trans_num_heads = 2)",
        "x, edge_index, batch",
        lambda: models.SGFormer(WIDTH, 8, OUT, trans_num_heads=2),
    ),
    Row(
        'SGFormer(8, 3, aggregate = "cat", gnn_num_layers = 1)',
        "x, edge_index, batch",
        lambda: models.SGFormer(WIDTH, 8, OUT, aggregate="cat", gnn_num_layers=1),
    ),
    Row("Polynormer(8, 3, local_layers = 2)", "x, edge_index, batch", lambda: polynormer(True)),
    Row(
        "Polynormer(8, 3, local_layers = 2, heads = 2, global_attention = false, local_attn = true, pre_ln = true)",
        "x, edge_index, batch",
        lambda: polynormer(False, heads=2, local_attn=True, pre_ln=True),
    ),
    Row(
        "AttentiveFP(8, 3, num_layers = 2, num_timesteps = 2, dropout = 0.2)",
        "x, edge_index, edge_attr, batch",
        lambda: models.AttentiveFP(WIDTH, 8, OUT, EDGE, 2, 2, 0.2),
        graphs=True,
    ),
    Row(
        "NeuralFingerprint(8, 3, num_layers = 2, max_degree = 3)",
        "x, edge_index, batch",
        lambda: models.NeuralFingerprint(WIDTH, 8, OUT, 2, max_degree=3),
        graphs=True,
    ),
]


def graphs() -> dict[str, Tensor | int]:
    """Three graphs in one batch."""
    torch.manual_seed(0)
    batch = torch.repeat_interleave(torch.arange(len(SIZES)), torch.tensor(SIZES))
    edges, start = [], 0
    for size in SIZES:
        edges.append(start + torch.stack([torch.randperm(size).repeat(3), torch.arange(size).repeat(3)]))
        start += size
    edge_index = torch.cat(edges, 1)
    count = edge_index.size(1)
    return {
        "x": torch.randn(start, WIDTH, requires_grad=True),
        "edge_index": edge_index,
        "batch": batch,
        "batch_size": len(SIZES),
        "edge_attr": torch.randn(count, EDGE),
        "w": torch.rand(count),
    }
