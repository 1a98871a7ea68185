"""Layers of published heterogeneous networks that PyG lacks: modules of `graphdsl.layers`."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter
from graphdsl.catalog.parts import (
    BIAS,
    CONCAT,
    DROPOUT,
    EDGE_WEIGHT,
    HEADS,
    OUT_CHANNELS,
    SELF_LOOPS,
    activation,
    count,
    flag,
)

_LAYERS: Final = Parameter("num_layers", "int", 1, minimum=1)
_RESIDUAL: Final = flag("residual", True)

ENTRIES: Final = (
    Entry(
        "SimpleHGNConv",
        "conv",
        "graphdsl.layers.SimpleHGNConv",
        "Attention over all relations, with an embedding of each; layers hand their attention on.",
        parameters=(
            OUT_CHANNELS,
            _LAYERS,
            HEADS,
            CONCAT,
            Parameter("relation_channels", "int", 64, minimum=1),
            Parameter("beta", "float", 0.05, minimum=0, below=1),
            Parameter("negative_slope", "float", 0.05),
            DROPOUT,
            _RESIDUAL,
            SELF_LOOPS,
            flag("normalize", False),
            activation("elu"),
        ),
        derived={"in_channels": "width", "num_relations": "relations"},
        width=rules.heads_width,
        scope="typed",
        self_loops=True,
        hops=rules.hops_from("num_layers"),
        paper="Lv et al., Are We Really Making Much Progress? Revisiting, Benchmarking, and Refining Heterogeneous "
        "Graph Neural Networks, 2021",
    ),
    Entry(
        "CompGCNConv",
        "conv",
        "graphdsl.layers.CompGCNConv",
        "Messages are compositions of node and relation; weights for originals, inverses and loops.",
        parameters=(
            OUT_CHANNELS,
            _LAYERS,
            Parameter("composition", "string", "sub", choices=("sub", "mult", "corr")),
            count("num_bases"),
            flag("normalize", False),
            DROPOUT,
            BIAS,
            activation("tanh"),
        ),
        derived={"in_channels": "width", "num_relations": "relations", "inverse_of": "inverses"},
        width=rules.out_channels,
        scope="typed",
        hops=rules.hops_from("num_layers"),
        paper="Vashishth et al., Composition-based Multi-Relational Graph Convolutional Networks, 2020",
    ),
    Entry(
        "HPNConv",
        "conv",
        "graphdsl.layers.HPNConv",
        "Personalised PageRank along a metapath; `combine attention` behind it is HPN.",
        parameters=(
            OUT_CHANNELS,
            Parameter("K", "int", 3, minimum=0),
            Parameter("gamma", "float", 0.1, minimum=0, below=1),
            DROPOUT,
            BIAS,
            activation("relu"),
        ),
        derived={"in_channels": "width"},
        width=rules.out_channels,
        scope="relation",
        bipartite=False,
        inputs=(EDGE_WEIGHT,),
        hops=rules.hops_from("K"),
        paper="Ji et al., Heterogeneous Graph Propagation Network, 2021",
    ),
)
