"""What stands in `sequential` blocks alone: readouts, pooling, layers of dense graphs."""

import torch
from equal_rows import DEGREES, EDGE_WIDTH, WIDTH, Graph, Readout, Row, Steps, modules
from torch import Tensor
from torch_geometric import nn as pyg
from torch_geometric.nn import aggr
from torch_geometric.utils import to_dense_adj, to_dense_batch


def _selects(layer: str, hand, edges: str) -> Steps:
    """A pooling that chooses nodes; a layer behind it reads the edges that are left."""
    weighted = edges == "w"
    after = "GraphConv(5)" if weighted else "GINEConv(nn = Linear(5))"
    block = f"""
      LAYER: x, edge_index, {edges}, batch -> x, edge_index, {edges}, batch, {"_" if weighted else "_, _"}
      {after}: x, edge_index{"" if weighted else f", {edges}"} -> x
      global_mean_pool: x, batch -> x"""

    def call(m, graph: Graph) -> Tensor:
        x, edge_index, values, batch = m[0](graph.x, graph.edge_index, graph.inputs[edges], batch=graph.batch)[:4]
        x = m[1](x, edge_index) if weighted else m[1](x, edge_index, values)
        return pyg.global_mean_pool(x, batch)

    def made(_):
        last = pyg.GraphConv(WIDTH, 5) if weighted else pyg.GINEConv(pyg.Linear(WIDTH, 5), edge_dim=EDGE_WIDTH)
        return modules(hand(), last)

    return Steps(layer, made, block=block, call=call)


def _merges(layer: str, hand) -> Steps:
    """A pooling that merges nodes."""

    def call(m, graph: Graph) -> Tensor:
        x, edge_index, batch, _ = m[0](graph.x, graph.edge_index, graph.batch)
        return pyg.global_add_pool(m[1](x, edge_index), batch)

    block = """
      LAYER: x, edge_index, batch -> x, edge_index, batch, _
      SAGEConv(5): x, edge_index -> x
      global_add_pool: x, batch -> x"""
    return Steps(layer, lambda _: modules(hand(), pyg.SAGEConv(WIDTH, 5)), block=block, call=call)


def _dense(graph: Graph) -> tuple[Tensor, Tensor, Tensor]:
    x, mask = to_dense_batch(graph.x, graph.batch)
    return x, mask, to_dense_adj(graph.edge_index, graph.batch)


DENSE = """
      to_dense_batch: x, batch -> x, mask
      to_dense_adj: edge_index, batch -> adj"""


def _dense_layer(layer: str, hand) -> Steps:
    def call(m, graph: Graph) -> Tensor:
        x, mask, adj = _dense(graph)
        return (m[0](x, adj, mask) * mask.unsqueeze(-1)).sum(1)

    block = f"{DENSE}\n      LAYER: x, adj, mask -> x\n      dense_add_pool: x, mask -> x"
    return Steps(layer, lambda _: modules(hand()), block=block, call=call)


def _assigned(layer: str, pool) -> Steps:
    """A pooling by an assignment of dense rows."""

    def call(m, graph: Graph) -> Tensor:
        x, mask, adj = _dense(graph)
        x, adj, _, _ = pool(x, adj, m[0](x, adj, mask), mask)
        return m[1](x, adj).mean(1)

    block = f"""{DENSE}
      DenseSAGEConv(4): x, adj, mask -> s
      LAYER: x, adj, s, mask -> x, adj, _, _
      DenseGCNConv(5): x, adj -> x
      dense_mean_pool: x -> x"""
    hand = lambda _: modules(pyg.DenseSAGEConv(WIDTH, 4), pyg.DenseGCNConv(WIDTH, 5))  # noqa: E731
    return Steps(layer, hand, block=block, call=call)


def _modularity(m, graph: Graph) -> Tensor:
    x, mask, adj = _dense(graph)
    s, x, adj, _, _, _ = m[0](x, adj, mask)
    return torch.cat([m[1](x, adj).mean(1), s.sum(1)], dim=1)


def _memory(m, graph: Graph) -> Tensor:
    x, s = m[0](graph.x, graph.batch)
    return torch.cat([x.mean(1), s.sum(1)], dim=1)


def _dense_readout(name: str, reduce) -> Steps:
    def call(_, graph: Graph) -> Tensor:
        return reduce(*to_dense_batch(graph.x, graph.batch))

    block = "\n      to_dense_batch: x, batch -> x, mask\n      LAYER: x, mask -> x"
    return Steps(name, lambda _: modules(), block=block, call=call)


def _matrix(m, graph: Graph) -> Tensor:
    x, mask = to_dense_batch(graph.x, graph.batch, max_num_nodes=9)
    adj = to_dense_adj(graph.edge_index, graph.batch, graph.inputs["w"], max_num_nodes=9)
    return m[0](x, adj, mask).mean(1)


MATRIX = """
      to_dense_batch(max_num_nodes = 9): x, batch -> x, mask
      to_dense_adj(max_num_nodes = 9): edge_index, batch, w -> adj
      DenseGraphConv(5): x, adj, mask -> x
      dense_mean_pool: x -> x"""

PLAIN = [
    "SumAggregation",
    "MeanAggregation",
    "MaxAggregation",
    "MinAggregation",
    "MulAggregation",
    "VarAggregation",
    "StdAggregation",
]

ROWS: tuple[Row, ...] = (
    Readout("global_add_pool()", lambda _: pyg.global_add_pool),
    Readout("global_mean_pool()", lambda _: pyg.global_mean_pool),
    Readout("global_max_pool()", lambda _: pyg.global_max_pool),
    *(Readout(f"{name}()", lambda _, name=name: getattr(aggr, name)()) for name in PLAIN),
    Readout("StdAggregation(semi_grad = true)", lambda _: aggr.StdAggregation(semi_grad=True)),
    Readout("SoftmaxAggregation(t = 0.5, learn = true)", lambda _: aggr.SoftmaxAggregation(0.5, learn=True)),
    Readout("PowerMeanAggregation(p = 2.0, learn = true)", lambda _: aggr.PowerMeanAggregation(2.0, learn=True)),
    Readout("MedianAggregation()", lambda _: aggr.MedianAggregation()),
    Readout("QuantileAggregation(q = [0.25, 0.75])", lambda _: aggr.QuantileAggregation([0.25, 0.75])),
    Readout("LSTMAggregation(5)", lambda _: aggr.LSTMAggregation(WIDTH, 5)),
    Readout("GRUAggregation(5)", lambda _: aggr.GRUAggregation(WIDTH, 5)),
    Readout("Set2Set(processing_steps = 3)", lambda _: aggr.Set2Set(WIDTH, 3)),
    Readout("SortAggregation(k = 2)", lambda _: aggr.SortAggregation(2)),
    Readout(
        "GraphMultisetTransformer(k = 2, heads = 2, layer_norm = true, dropout = 0.2)",
        lambda _: aggr.GraphMultisetTransformer(WIDTH, 2, heads=2, layer_norm=True, dropout=0.2),
    ),
    Readout(
        "AttentionalAggregation(gate_nn = MLP(9, 1), nn = Linear(5))",
        lambda _: aggr.AttentionalAggregation(pyg.MLP([WIDTH, 9, 1]), pyg.Linear(WIDTH, 5)),
    ),
    Readout("MLPAggregation(5, max_num_elements = 8)", lambda _: aggr.MLPAggregation(WIDTH, 5, 8, num_layers=1)),
    Readout("DeepSetsAggregation(local_nn = MLP(9, 5))", lambda _: aggr.DeepSetsAggregation(pyg.MLP([WIDTH, 9, 5]))),
    Readout(
        "SetTransformerAggregation(num_seed_points = 2, heads = 2)",
        lambda _: aggr.SetTransformerAggregation(WIDTH, num_seed_points=2, heads=2),
    ),
    Readout("LCMAggregation(5)", lambda _: aggr.LCMAggregation(WIDTH, 5)),
    Readout("VariancePreservingAggregation()", lambda _: aggr.VariancePreservingAggregation()),
    Readout(
        'PatchTransformerAggregation(5, patch_size = 2, hidden_channels = 8, heads = 2, aggr = ["mean", "max"])',
        lambda _: aggr.PatchTransformerAggregation(WIDTH, 5, 2, 8, heads=2, aggr=["mean", "max"]),
    ),
    Readout('MultiAggregation(["mean", "max", "std"])', lambda _: aggr.MultiAggregation(["mean", "max", "std"])),
    Readout(
        'MultiAggregation(["mean", "max"], mode = "sum")', lambda _: aggr.MultiAggregation(["mean", "max"], mode="sum")
    ),
    Readout(
        'MultiAggregation(["mean", "max"], mode = "logsumexp")',
        lambda _: aggr.MultiAggregation(["mean", "max"], mode="logsumexp"),
    ),
    Readout(
        'MultiAggregation(["mean", "max", "std"], mode = "proj", out_channels = 5)',
        lambda _: aggr.MultiAggregation(
            ["mean", "max", "std"], mode="proj", mode_kwargs={"in_channels": WIDTH, "out_channels": 5}
        ),
    ),
    Readout(
        'MultiAggregation(["mean", "std"], mode = "attn", out_channels = 6, num_heads = 2)',
        lambda _: aggr.MultiAggregation(
            ["mean", "std"], mode="attn", mode_kwargs={"in_channels": WIDTH, "out_channels": 6, "num_heads": 2}
        ),
    ),
    Readout(
        'DegreeScalerAggregation("mean", "amplification")',
        lambda _: aggr.DegreeScalerAggregation("mean", "amplification", torch.tensor(DEGREES.histogram)),
    ),
    Readout(
        'DegreeScalerAggregation(["mean", "max"], ["identity", "linear"], train_norm = true)',
        lambda _: aggr.DegreeScalerAggregation(
            ["mean", "max"], ["identity", "linear"], torch.tensor(DEGREES.histogram), train_norm=True
        ),
    ),
    Readout("EquilibriumAggregation(5, num_layers = [7, 4])", lambda _: aggr.EquilibriumAggregation(WIDTH, 5, [7, 4])),
    _selects("TopKPooling(ratio = 0.6)", lambda: pyg.TopKPooling(WIDTH, ratio=0.6), "a"),
    _selects("TopKPooling(ratio = 2)", lambda: pyg.TopKPooling(WIDTH, ratio=2), "a"),
    _selects(
        'SAGPooling(ratio = 0.6, nonlinearity = "sigmoid")',
        lambda: pyg.SAGPooling(WIDTH, ratio=0.6, nonlinearity="sigmoid"),
        "a",
    ),
    _selects("SAGPooling(min_score = 0.05)", lambda: pyg.SAGPooling(WIDTH, min_score=0.05), "a"),
    _selects("ASAPooling(ratio = 0.6, dropout = 0.2)", lambda: pyg.ASAPooling(WIDTH, 0.6, dropout=0.2), "w"),
    _merges("EdgePooling(dropout = 0.2)", lambda: pyg.EdgePooling(WIDTH, dropout=0.2)),
    _merges("ClusterPooling()", lambda: pyg.ClusterPooling(WIDTH)),
    Steps(
        "MemPooling(5, heads = 2, num_clusters = 4)",
        lambda _: modules(pyg.MemPooling(WIDTH, 5, 2, 4)),
        block="""
      LAYER: x, batch -> x, s
      dense_mean_pool: x -> x
      dense_add_pool: s -> s
      cat: x, s -> x""",
        call=_memory,
    ),
    _dense_layer("DenseGCNConv(5, improved = true)", lambda: pyg.DenseGCNConv(WIDTH, 5, improved=True)),
    _dense_layer("DenseSAGEConv(5, normalize = true)", lambda: pyg.DenseSAGEConv(WIDTH, 5, normalize=True)),
    _dense_layer('DenseGraphConv(5, aggr = "max")', lambda: pyg.DenseGraphConv(WIDTH, 5, aggr="max")),
    _dense_layer(
        "DenseGINConv(nn = MLP(9, 5, norm = none), train_eps = true)",
        lambda: pyg.DenseGINConv(pyg.MLP([WIDTH, 9, 5], norm=None), train_eps=True),
    ),
    _dense_layer("DenseGATConv(5, heads = 2, dropout = 0.2)", lambda: pyg.DenseGATConv(WIDTH, 5, heads=2, dropout=0.2)),
    _assigned("dense_diff_pool()", pyg.dense_diff_pool),
    _assigned("dense_mincut_pool(temp = 0.5)", lambda *values: pyg.dense_mincut_pool(*values, temp=0.5)),
    Steps(
        "DMoNPooling(k = 4, dropout = 0.2)",
        lambda _: modules(pyg.DMoNPooling(WIDTH, 4, dropout=0.2), pyg.DenseGCNConv(WIDTH, 5)),
        block=f"""{DENSE}
      LAYER: x, adj, mask -> s, x, adj, _, _, _
      DenseGCNConv(5): x, adj -> x
      dense_mean_pool: x -> x
      dense_add_pool: s -> s
      cat: x, s -> x""",
        call=_modularity,
    ),
    Steps("to_dense_batch()", lambda _: modules(pyg.DenseGraphConv(WIDTH, 5)), block=MATRIX, call=_matrix),
    Steps("to_dense_adj()", lambda _: modules(pyg.DenseGraphConv(WIDTH, 5)), block=MATRIX, call=_matrix),
    _dense_readout("dense_mean_pool()", lambda x, mask: (x * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)),
    _dense_readout("dense_add_pool()", lambda x, mask: (x * mask.unsqueeze(-1)).sum(1)),
    _dense_readout("dense_max_pool()", lambda x, mask: x.masked_fill(~mask.unsqueeze(-1), -1e9).max(1).values),
)
