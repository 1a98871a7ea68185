"""Path integrals: a convolution that returns the matrix of paths, and the pooling that reads it."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Entry, Parameter, Slot
from graphdsl.catalog.headers import BATCH, EDGES, X
from graphdsl.catalog.parts import OUT_CHANNELS
from graphdsl.catalog.pooling import TOP_K

_PAPER: Final = "Ma et al., Path Integral Based Convolution and Pooling for Graph Neural Networks, 2020"

ENTRIES: Final = (
    Entry(
        "PANConv",
        "pool",
        "graphdsl.layers.PANConv",
        "Paths of up to `filter_size` steps, by learned weights; gives their edges and weights, too.",
        parameters=(OUT_CHANNELS, Parameter("filter_size", "int", minimum=0)),
        derived={"in_channels": "width"},
        takes=(X, EDGES),
        gives=(X, Slot("edge_index", ("edges",)), Slot("edge_weight", ("edge values",), columns=1)),
        width=rules.out_channels,
        paper=_PAPER,
    ),
    Entry(
        "PANPooling",
        "pool",
        "graphdsl.layers.PANPooling",
        "Keeps the nodes of each graph that score highest, by values and by the paths of `PANConv`.",
        parameters=TOP_K,
        derived={"in_channels": "width"},
        takes=(X, EDGES, Slot("edge_weight", ("edge values",), scalar=True), BATCH),
        gives=(
            Slot("x", ("nodes",), fresh=True),
            Slot("edge_index", ("edges",), fresh=True),
            Slot("edge_weight", ("edge values",), columns=1, fresh=True),
            Slot("batch", ("batch",), fresh=True),
            Slot("perm", ("index",), fresh=True),
            Slot("score", ("score",)),
        ),
        paper=_PAPER,
    ),
)
