"""Dense graphs: rows [graphs, nodes, width] and adjacency matrices [graphs, nodes, nodes]."""

from collections.abc import Sequence
from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, Parameter, Slot
from graphdsl.catalog.headers import BATCH, EDGES, X
from graphdsl.catalog.parts import BIAS, CONCAT, DROPOUT, HEADS, NEGATIVE_SLOPE, NORMALIZE, OUT_CHANNELS, flag

_ROWS: Final = Slot("x", ("dense",))
_ADJACENCY: Final = Slot("adj", ("adjacency",))
_MASK: Final = Slot("mask", ("mask",), optional=True)
_ASSIGNED: Final = Slot("s", ("dense",))
_TAKES: Final = (_ROWS, _ADJACENCY, _MASK)
_WIDTH: Final = {"in_channels": "width"}
_POOLED: Final = (
    Slot("x", ("dense",), fresh=True),
    Slot("adj", ("adjacency",), fresh=True),
)
_MAX_NODES: Final = Parameter("max_num_nodes", "int|none", None, minimum=1)


def _layer(name: str, doc: str, parameters: Sequence[Parameter], **fields: Any) -> Entry:
    fields.setdefault("width", rules.out_channels)
    path = f"torch_geometric.nn.{name}"
    return Entry(name, "dense", path, doc, tuple(parameters), takes=_TAKES, gives=(_ROWS,), **fields)


def _norm_of_columns(arguments: Arguments) -> bool:
    """PyG's norms take the second dimension of dense rows, their nodes, for columns."""
    inner = arguments["nn"]
    return inner.name == "MLP" and inner.arguments.get("norm", "batch_norm") is not None


def _readout(name: str, doc: str) -> Entry:
    path = f"graphdsl.kernels.dense_readout.{name}"
    return Entry(name, "dense", path, doc, takes=(_ROWS, _MASK), gives=(Slot("x", ("graphs",)),), function=True)


ENTRIES: Final = (
    _layer(
        "DenseGCNConv",
        "GCNConv on dense graphs.",
        (OUT_CHANNELS, flag("improved", False), BIAS),
        derived=_WIDTH,
    ),
    _layer(
        "DenseSAGEConv",
        "SAGEConv with mean aggregation on dense graphs.",
        (OUT_CHANNELS, flag("normalize", False), BIAS),
        derived=_WIDTH,
    ),
    _layer(
        "DenseGraphConv",
        "GraphConv on dense graphs.",
        (OUT_CHANNELS, Parameter("aggr", "string", "add", choices=("add", "mean", "max")), BIAS),
        derived=_WIDTH,
    ),
    _layer(
        "DenseGINConv",
        "GINConv on dense graphs.",
        (Parameter("nn", "module"), Parameter("eps", "float", 0.0), flag("train_eps", False)),
        width=rules.module_width("nn"),
        rules=(
            rules.needs(
                "nn",
                "the norm inside `MLP` takes nodes of dense rows for columns",
                "write `MLP(…, norm = none)`",
                _norm_of_columns,
            ),
        ),
    ),
    _layer(
        "DenseGATConv",
        "GATConv on dense graphs.",
        (OUT_CHANNELS, HEADS, CONCAT, NEGATIVE_SLOPE, DROPOUT, BIAS),
        derived=_WIDTH,
        width=rules.heads_width,
    ),
    Entry(
        "dense_diff_pool",
        "dense",
        "torch_geometric.nn.dense_diff_pool",
        "Pools by a learned assignment `s`, which says how many clusters there are.",
        (NORMALIZE,),
        takes=(_ROWS, _ADJACENCY, _ASSIGNED, _MASK),
        gives=(*_POOLED, Slot("link_loss", ("loss",)), Slot("ent_loss", ("loss",))),
        function=True,
        paper="Ying et al., Hierarchical Graph Representation Learning with Differentiable Pooling, 2018",
    ),
    Entry(
        "dense_mincut_pool",
        "dense",
        "torch_geometric.nn.dense_mincut_pool",
        "Pools by a learned assignment `s` that is to cut few edges.",
        (Parameter("temp", "float", 1.0, above=0),),
        takes=(_ROWS, _ADJACENCY, _ASSIGNED, _MASK),
        gives=(*_POOLED, Slot("mincut_loss", ("loss",)), Slot("ortho_loss", ("loss",))),
        function=True,
        paper="Bianchi et al., Spectral Clustering with Graph Neural Networks for Graph Pooling, 2020",
    ),
    Entry(
        "DMoNPooling",
        "dense",
        "torch_geometric.nn.DMoNPooling",
        "Pools into `k` clusters of high modularity; gives the assignment first.",
        (Parameter("k", "int", minimum=1), DROPOUT),
        derived={"channels": "width"},
        takes=_TAKES,
        gives=(
            Slot("s", ("dense",), width="k"),
            Slot("x", ("dense",), width="x", fresh=True),
            Slot("adj", ("adjacency",), fresh=True),
            Slot("spectral_loss", ("loss",)),
            Slot("ortho_loss", ("loss",)),
            Slot("cluster_loss", ("loss",)),
        ),
        width=rules.width_from("k"),
        paper="Tsitsulin et al., Graph Clustering with Graph Neural Networks, 2020",
    ),
    Entry(
        "to_dense_batch",
        "dense",
        "torch_geometric.utils.to_dense_batch",
        "Rows [graphs, nodes, width] of the nodes of each graph, and a mask of those that are real.",
        (Parameter("fill_value", "float", 0.0, keyword=True), _MAX_NODES),
        takes=(X, BATCH),
        left_out={"batch_size": "follows from the graph numbers"},
        gives=(Slot("x", ("dense",)), Slot("mask", ("mask",))),
        function=True,
    ),
    Entry(
        "to_dense_adj",
        "dense",
        "torch_geometric.utils.to_dense_adj",
        "The adjacency matrix [graphs, nodes, nodes] of each graph.",
        (_MAX_NODES,),
        takes=(EDGES, BATCH, Slot("edge_attr", ("edge values",), optional=True, scalar=True)),
        left_out={"batch_size": "follows from the graph numbers"},
        gives=(Slot("adj", ("adjacency",)),),
        function=True,
    ),
    _readout("dense_mean_pool", "Mean over the real nodes of each dense graph: `x.mean(dim=1)`."),
    _readout("dense_add_pool", "Sum over the real nodes of each dense graph: `x.sum(dim=1)`."),
    _readout("dense_max_pool", "Maximum over the real nodes of each dense graph: `x.max(dim=1).values`."),
)
