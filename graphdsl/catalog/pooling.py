"""Hierarchical pooling: some nodes of each graph stay, or several become one."""

from collections.abc import Sequence
from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter, Slot
from graphdsl.catalog.headers import BATCH, EDGES, X
from graphdsl.catalog.parts import DROPOUT, NEGATIVE_SLOPE

_NONLINEARITIES: Final = ("tanh", "relu", "sigmoid", "elu", "softplus")
_RATIO: Final = Parameter("ratio", "float", 0.5, above=0)
_NEEDED_BATCH: Final = Slot("batch", ("batch",))
_NEW: Final = (
    Slot("x", ("nodes",), fresh=True),
    Slot("edge_index", ("edges",), fresh=True),
)
_NEW_BATCH: Final = Slot("batch", ("batch",), fresh=True)
TOP_K: Final = (
    _RATIO,
    Parameter("min_score", "float|none", None),
    Parameter("multiplier", "float", 1.0),
    Parameter("nonlinearity", "string", "tanh", choices=_NONLINEARITIES),
)
_SELECTS: Final[dict[str, Any]] = {
    "derived": {"in_channels": "width"},
    "takes": (
        X,
        EDGES,
        Slot("edge_attr", ("edge values",), optional=True),
        BATCH,
        Slot("attn", ("nodes",), optional=True),
    ),
    "gives": (
        *_NEW,
        Slot("edge_attr", ("edge values",), optional=True, width="edge_attr", fresh=True, kept=True),
        _NEW_BATCH,
        Slot("perm", ("index",), fresh=True),
        Slot("score", ("score",)),
    ),
}
_CONVOLUTION: Final = "takes a class of convolutions, not a layer"


def _pooling(name: str, doc: str, parameters: Sequence[Parameter], **fields: Any) -> Entry:
    return Entry(name, "pool", f"torch_geometric.nn.{name}", doc, tuple(parameters), **fields)


ENTRIES: Final = (
    _pooling(
        "TopKPooling",
        "Keeps the nodes of each graph that score highest; a ratio is a share, a whole number a count.",
        TOP_K,
        **_SELECTS,
        paper="Gao and Ji, Graph U-Nets, 2019",
    ),
    _pooling(
        "SAGPooling",
        "TopKPooling whose scores come from a graph convolution.",
        TOP_K,
        **_SELECTS,
        left_out={"GNN": _CONVOLUTION},
        paper="Lee et al., Self-Attention Graph Pooling, 2019",
    ),
    _pooling(
        "ASAPooling",
        "Clusters around nodes, of which the fittest are kept.",
        (
            _RATIO,
            DROPOUT,
            NEGATIVE_SLOPE,
            Parameter("add_self_loops", "bool", False),
        ),
        derived={"in_channels": "width"},
        left_out={"GNN": _CONVOLUTION},
        takes=(X, EDGES, Slot("edge_weight", ("edge values",), optional=True, scalar=True), BATCH),
        gives=(
            *_NEW,
            Slot("edge_weight", ("edge values",), optional=True, width="edge_weight", fresh=True),
            _NEW_BATCH,
            Slot("perm", ("index",), fresh=True),
        ),
        paper="Ranjan et al., ASAP: Adaptive Structure Aware Pooling, 2020",
    ),
    _pooling(
        "EdgePooling",
        "Merges the two ends of the edges that score highest.",
        (DROPOUT, Parameter("add_to_edge_score", "float", 0.5)),
        derived={"in_channels": "width"},
        left_out={"edge_score_method": "takes a function"},
        takes=(X, EDGES, _NEEDED_BATCH),
        gives=(*_NEW, _NEW_BATCH, Slot("unpool_info", ("record",), fresh=True)),
        paper="Diehl, Edge Contraction Pooling for Graph Neural Networks, 2019",
    ),
    _pooling(
        "ClusterPooling",
        "Merges nodes that edges above a threshold join.",
        (
            Parameter("edge_score_method", "string", "tanh", choices=("tanh", "sigmoid", "log_softmax")),
            DROPOUT,
            Parameter("threshold", "float|none", None),
        ),
        derived={"in_channels": "width"},
        takes=(X, EDGES, _NEEDED_BATCH),
        gives=(*_NEW, _NEW_BATCH, Slot("unpool_info", ("record",), fresh=True)),
    ),
    _pooling(
        "MemPooling",
        "Assigns the nodes of each graph to learned clusters; gives dense rows [graphs, num_clusters, width].",
        (
            Parameter("out_channels", "int", minimum=1),
            Parameter("heads", "int", minimum=1),
            Parameter("num_clusters", "int", minimum=1),
            Parameter("tau", "float", 1.0, above=0),
        ),
        derived={"in_channels": "width"},
        takes=(Slot("x", ("nodes", "dense")), BATCH, Slot("mask", ("mask",), optional=True)),
        gives=(Slot("x", ("dense",), fresh=True), Slot("S", ("dense",), width="num_clusters")),
        width=rules.out_channels,
        paper="Khasahmadi et al., Memory-Based Graph Networks, 2020",
    ),
    Entry(
        "unpool",
        "pool",
        "graphdsl.kernels.unpooling.unpool",
        "Rows of chosen nodes back at their places, zeros for the others; `onto` are rows of all nodes.",
        takes=(X, Slot("perm", ("index",)), Slot("onto", ("nodes",), own=True)),
        gives=(Slot("x", ("nodes",), width="x"),),
        function=True,
        unpools=True,
        paper="Gao and Ji, Graph U-Nets, 2019",
    ),
    Entry(
        "unpool_merged",
        "pool",
        "graphdsl.kernels.unpooling.unpool_merged",
        "The row of each merged node for all that it was made of: `EdgePooling.unpool`.",
        takes=(X, Slot("unpool_info", ("record",))),
        gives=(Slot("x", ("nodes",), width="x"), Slot("edge_index", ("edges",)), Slot("batch", ("batch",))),
        function=True,
        unpools=True,
        paper="Diehl, Edge Contraction Pooling for Graph Neural Networks, 2019",
    ),
)
