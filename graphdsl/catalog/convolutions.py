"""Convolutions without attention."""

from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter
from graphdsl.catalog.parameters import (
    AGGREGATIONS,
    BIAS,
    CACHED,
    EDGE_ATTR,
    EDGE_WEIGHT,
    MESSAGE_PASSING,
    NEEDED_EDGE_ATTR,
    NORMALIZE,
    OUT_CHANNELS,
    ROOT_WEIGHT,
    aggregation,
)

_GCN_LOOPS: Final = rules.needs(
    "add_self_loops",
    "self-loops are added by the normalisation, which `normalize = false` turns off",
    "leave out `add_self_loops` or `normalize`",
    lambda arguments: arguments["add_self_loops"] is True and not arguments["normalize"],
)


def _conv(name: str, doc: str, *, left_out: dict[str, str] | None = None, **fields: Any) -> Entry:
    fields.setdefault("width", rules.out_channels)
    path = f"torch_geometric.nn.{name}"
    return Entry(name, "conv", path, doc, scope="relation", left_out={**MESSAGE_PASSING, **(left_out or {})}, **fields)


ENTRIES: Final = (
    _conv(
        "SAGEConv",
        "Mean (or other aggregation) of the neighbours and the node itself, each through a linear map.",
        parameters=(
            OUT_CHANNELS,
            Parameter("aggr", "string|list", "mean", choices=AGGREGATIONS),
            Parameter("normalize", "bool", False),
            ROOT_WEIGHT,
            Parameter("project", "bool", False),
            BIAS,
        ),
        derived={"in_channels": "pair"},
        paper="Hamilton et al., Inductive Representation Learning on Large Graphs, 2017",
    ),
    _conv(
        "GCNConv",
        "Symmetrically normalised sum over the neighbours and the node itself.",
        parameters=(
            OUT_CHANNELS,
            Parameter("improved", "bool", False),
            Parameter("add_self_loops", "bool|none", None),
            NORMALIZE,
            BIAS,
            aggregation("add", keyword=True),
        ),
        derived={"in_channels": "width"},
        left_out=CACHED,
        bipartite=False,
        self_loops=True,
        inputs=(EDGE_WEIGHT,),
        rules=(_GCN_LOOPS,),
        paper="Kipf and Welling, Semi-Supervised Classification with Graph Convolutional Networks, 2017",
    ),
    _conv(
        "GraphConv",
        "Weighted sum of the neighbours and the node itself, each through a linear map.",
        parameters=(OUT_CHANNELS, aggregation("add"), BIAS),
        derived={"in_channels": "pair"},
        inputs=(EDGE_WEIGHT,),
        paper="Morris et al., Weisfeiler and Leman Go Neural, 2019",
    ),
    _conv(
        "GINConv",
        "A network of the sum of the neighbours and (1 + eps) times the node itself.",
        parameters=(
            Parameter("nn", "module"),
            Parameter("eps", "float", 0.0),
            Parameter("train_eps", "bool", False),
            aggregation("add", keyword=True),
        ),
        width=rules.module_width("nn"),
        equal_pair=True,
        paper="Xu et al., How Powerful are Graph Neural Networks?, 2019",
    ),
    _conv(
        "GINEConv",
        "GINConv whose messages are relu(neighbour + edge attribute).",
        parameters=(
            Parameter("nn", "module"),
            Parameter("eps", "float", 0.0),
            Parameter("train_eps", "bool", False),
            aggregation("add", keyword=True),
        ),
        derived={"edge_dim": "edge_width"},
        width=rules.module_width("nn"),
        equal_pair=True,
        inputs=(NEEDED_EDGE_ATTR,),
        paper="Hu et al., Strategies for Pre-training Graph Neural Networks, 2020",
    ),
    _conv(
        "ResGatedGraphConv",
        "Sum of the neighbours, each column behind a gate that reads both ends.",
        parameters=(
            OUT_CHANNELS,
            Parameter("act", "activation", "sigmoid"),
            ROOT_WEIGHT,
            BIAS,
            aggregation("add", keyword=True),
        ),
        derived={"in_channels": "pair", "edge_dim": "edge_width"},
        inputs=(EDGE_ATTR,),
        paper="Bresson and Laurent, Residual Gated Graph ConvNets, 2017",
    ),
)
