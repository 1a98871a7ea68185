"""Layers of models that learn from metapaths, or learn metapaths; modules of our own (`graphdsl.layers`)."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter
from graphdsl.catalog.parts import OUT_CHANNELS

ENTRIES: Final = (
    Entry(
        "FastGTNConv",
        "conv",
        "graphdsl.layers.FastGTNConv",
        "Metapaths learned as soft choices of a relation at each hop; features are propagated, nothing is composed.",
        parameters=(
            OUT_CHANNELS,
            Parameter("num_channels", "int", 2, minimum=1),
            Parameter("num_layers", "int", 2, minimum=1),
            Parameter("beta", "float", 0.0, minimum=0, below=1),
            Parameter("channel_agg", "string", "mean", choices=("mean", "concat")),
        ),
        derived={"in_channels": "width", "metadata": "metadata"},
        width=rules.out_channels,
        scope="joint",
        hops=rules.hops_from("num_layers"),
        paper="Yun et al., Graph Transformer Networks: Learning Meta-path Graphs to Improve GNNs, Neural Networks 2022",
    ),
)
