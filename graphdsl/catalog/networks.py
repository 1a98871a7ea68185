"""Convolutions whose messages come from a network over the ends or the attributes of an edge, and their relatives."""

from typing import Final

from graphdsl.catalog import nested, rules
from graphdsl.catalog.entry import Arguments, ForwardInput, Parameter
from graphdsl.catalog.nested import Network
from graphdsl.catalog.parts import (
    BIAS,
    HEADS,
    OUT_CHANNELS,
    ROOT_WEIGHT,
    SELF_LOOPS,
    aggregation,
    flag,
    relation_layer,
)

_MATRIX: Final = Network(
    nested.width_of("edge_attr"),
    nested.matrix(nested.source, nested.argument("out_channels")),
    "input width times `out_channels`",
)
_BOTH_ENDS: Final = Network(nested.side_by_side(nested.source, nested.source))


def _reads_target(arguments: Arguments) -> bool:
    """Whether one linear map of GeneralConv reads both ends."""
    dot_product = arguments["attention"] and arguments["attention_type"] == "dot_product"
    return not arguments["directed_msg"] or bool(dot_product)


ENTRIES: Final = (
    relation_layer(
        "NNConv",
        "Neighbours through a matrix that a network makes of the edge attribute.",
        parameters=(OUT_CHANNELS, Parameter("nn", "module"), aggregation("add"), ROOT_WEIGHT, BIAS),
        derived={"in_channels": "pair"},
        inputs=(ForwardInput("edge_attr", "edge", required=True),),
        networks={"nn": _MATRIX},
        paper="Gilmer et al., Neural Message Passing for Quantum Chemistry, 2017",
    ),
    relation_layer(
        "EdgeConv",
        "A network of the node and its difference to each neighbour, aggregated.",
        parameters=(Parameter("nn", "module"), aggregation("max")),
        width=rules.module_width("nn"),
        equal_pair=True,
        networks={"nn": _BOTH_ENDS},
        paper="Wang et al., Dynamic Graph CNN for Learning on Point Clouds, 2019",
    ),
    relation_layer(
        "GeneralConv",
        "Neighbours and edge through linear maps, with attention if asked for, plus the node itself.",
        parameters=(
            OUT_CHANNELS,
            aggregation("add"),
            flag("skip_linear", False),
            flag("directed_msg", True),
            HEADS,
            flag("attention", False),
            Parameter("attention_type", "string", "additive", choices=("additive", "dot_product")),
            flag("l2_normalize", False),
            BIAS,
        ),
        derived={"in_channels": "pair", "in_edge_channels": "edge_width"},
        inputs=(ForwardInput("edge_attr", "edge", width_parameter="in_edge_channels"),),
        equal_pair_when=_reads_target,
        paper="You et al., Design Space for Graph Neural Networks, 2020",
    ),
    relation_layer(
        "FeaStConv",
        "Neighbours through several matrices, mixed by how they differ from the node.",
        parameters=(OUT_CHANNELS, HEADS, SELF_LOOPS, BIAS, aggregation("mean", keyword=True)),
        derived={"in_channels": "width"},
        path="graphdsl.layers.FeaStConv",
        equal_pair=True,
        self_loops=True,
        paper="Verma et al., FeaStNet: Feature-Steered Graph Convolutions for 3D Shape Analysis, 2018",
    ),
)
