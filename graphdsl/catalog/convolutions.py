"""Convolutions without attention that keep the neighbours and the node itself apart."""

from typing import Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, ForwardInput, Parameter, Problem
from graphdsl.catalog.parts import (
    AGGREGATIONS,
    BIAS,
    EDGE_ATTR,
    EDGE_WEIGHT,
    FIXED_AGGR,
    NEEDED_EDGE_ATTR,
    OUT_CHANNELS,
    ROOT_WEIGHT,
    SCALERS,
    activation,
    aggregation,
    flag,
    relation_layer,
)

_ADD: Final = aggregation("add", keyword=True)
_GIN: Final = (Parameter("nn", "module"), Parameter("eps", "float", 0.0), flag("train_eps", False), _ADD)


def _towers(arguments: Arguments, width: int | None) -> Problem | None:
    """The towers of PNAConv share its output among them, and with `divide_input` the input too."""
    towers = arguments["towers"]
    if arguments["out_channels"] % towers:
        message = f"{towers} towers cannot share {arguments['out_channels']} columns"
        return Problem("GNN302", message, "towers", "use a width that is a multiple of the number of towers")
    if arguments["divide_input"] and width is not None and width % towers:
        message = f"{towers} towers cannot share an input of {width} columns"
        return Problem("GNN302", message, "divide_input", "leave `divide_input` out: then each tower reads all of it")
    return None


ENTRIES: Final = (
    relation_layer(
        "SAGEConv",
        "Mean (or other aggregation) of the neighbours and the node itself, each through a linear map.",
        parameters=(
            OUT_CHANNELS,
            Parameter("aggr", "string|list[string]|aggregation", "mean", choices=AGGREGATIONS),
            flag("normalize", False),
            ROOT_WEIGHT,
            flag("project", False),
            BIAS,
        ),
        derived={"in_channels": "pair"},
        paper="Hamilton et al., Inductive Representation Learning on Large Graphs, 2017",
    ),
    relation_layer(
        "GraphConv",
        "Weighted sum of the neighbours and the node itself, each through a linear map.",
        parameters=(OUT_CHANNELS, aggregation("add"), BIAS),
        derived={"in_channels": "pair"},
        inputs=(EDGE_WEIGHT,),
        paper="Morris et al., Weisfeiler and Leman Go Neural, 2019",
    ),
    relation_layer(
        "SimpleConv",
        "Aggregation of the neighbours alone, without anything learned; a list sets several side by side.",
        parameters=(Parameter("aggr", "string|list[string]|aggregation", "sum", choices=AGGREGATIONS),),
        left_out={"combine_root": "`| residual` adds the node itself, `cat(h0, h1)` sets it beside"},
        width=rules.aggregations_width,
        inputs=(EDGE_WEIGHT,),
    ),
    relation_layer(
        "GINConv",
        "A network of the sum of the neighbours and (1 + eps) times the node itself.",
        parameters=_GIN,
        width=rules.module_width("nn"),
        equal_pair=True,
        paper="Xu et al., How Powerful are Graph Neural Networks?, 2019",
    ),
    relation_layer(
        "GINEConv",
        "GINConv whose messages are relu(neighbour + edge attribute).",
        parameters=_GIN,
        derived={"edge_dim": "edge_width"},
        width=rules.module_width("nn"),
        equal_pair=True,
        inputs=(NEEDED_EDGE_ATTR,),
        paper="Hu et al., Strategies for Pre-training Graph Neural Networks, 2020",
    ),
    relation_layer(
        "ResGatedGraphConv",
        "Sum of the neighbours, each column behind a gate that reads both ends.",
        parameters=(OUT_CHANNELS, activation("sigmoid", optional=False), ROOT_WEIGHT, BIAS, _ADD),
        derived={"in_channels": "pair", "edge_dim": "edge_width"},
        inputs=(EDGE_ATTR,),
        paper="Bresson and Laurent, Residual Gated Graph ConvNets, 2017",
    ),
    relation_layer(
        "GENConv",
        "A network of the node itself plus a softmax (or power mean) aggregation of the neighbours.",
        parameters=(
            OUT_CHANNELS,
            Parameter("aggr", "string|list[string]", "softmax", choices=(*AGGREGATIONS, "softmax_sg", "power")),
            Parameter("t", "float", 1.0),
            flag("learn_t", False),
            Parameter("p", "float", 1.0),
            flag("learn_p", False),
            flag("msg_norm", False),
            flag("learn_msg_scale", False),
            # PyG also has "instance", which takes nodes for columns and warns.
            Parameter("norm", "string|none", "batch", choices=("batch", "layer")),
            Parameter("num_layers", "int", 2, minimum=1),
            Parameter("expansion", "int", 2, minimum=1),
            Parameter("eps", "float", 1e-7, minimum=0),
            flag("bias", False),
        ),
        derived={"in_channels": "pair", "edge_dim": "edge_width"},
        inputs=(EDGE_ATTR,),
        paper="Li et al., DeeperGCN: All You Need to Train Deeper GCNs, 2020",
    ),
    relation_layer(
        "LEConv",
        "Weighted sum of the differences between neighbours and node (local extrema).",
        parameters=(OUT_CHANNELS, BIAS, _ADD),
        derived={"in_channels": "pair"},
        inputs=(EDGE_WEIGHT,),
        paper="Ranjan et al., ASAP: Adaptive Structure Aware Pooling, 2020",
    ),
    relation_layer(
        "MFConv",
        "GraphConv with linear maps of their own for each number of neighbours.",
        parameters=(OUT_CHANNELS, Parameter("max_degree", "int", 10, minimum=0), BIAS, _ADD),
        derived={"in_channels": "pair"},
        paper="Duvenaud et al., Convolutional Networks on Graphs for Learning Molecular Fingerprints, 2015",
    ),
    relation_layer(
        "FiLMConv",
        "Neighbours scaled and shifted by what the target says (feature-wise linear modulation).",
        parameters=(OUT_CHANNELS, activation("relu"), aggregation("mean")),
        derived={"in_channels": "pair"},
        left_out={
            "num_relations": "one instance serves one relation",
            "nn": "would have to read the target and be twice as wide as the output",
        },
        paper="Brockschmidt, GNN-FiLM, 2020",
    ),
    relation_layer(
        "GMMConv",
        "Neighbours weighted by Gaussian mixtures over the edge attribute (pseudo-coordinates).",
        parameters=(
            OUT_CHANNELS,
            Parameter("kernel_size", "int", minimum=1),
            flag("separate_gaussians", False),
            aggregation("mean"),
            BIAS,
        ),
        left_out={"root_weight": "PyG fails when it is false"},
        derived={"in_channels": "pair", "dim": "edge_width"},
        inputs=(ForwardInput("edge_attr", "edge", required=True, width_parameter="dim"),),
        paper="Monti et al., Geometric Deep Learning on Graphs and Manifolds using Mixture Model CNNs, 2017",
    ),
    relation_layer(
        "CGConv",
        "The node itself plus gated messages that read both ends and the edge (crystal graphs).",
        parameters=(
            Parameter("channels", "int", minimum=1),
            aggregation("add"),
            flag("batch_norm", False),
            BIAS,
        ),
        derived={"dim": "edge_width"},
        width=rules.width_from("channels"),
        equal_pair=True,
        inputs=(ForwardInput("edge_attr", "edge", width_parameter="dim"),),
        rules=(rules.keeps_width("channels"),),
        paper="Xie and Grossman, Crystal Graph Convolutional Neural Networks, 2018",
    ),
    relation_layer(
        "PNAConv",
        "Several aggregations of the neighbours side by side, each scaled by the node's degree.",
        parameters=(
            OUT_CHANNELS,
            Parameter("aggregators", "list[string]", choices=AGGREGATIONS),
            Parameter("scalers", "list[string]", choices=SCALERS),
            Parameter("towers", "int", 1, minimum=1),
            Parameter("pre_layers", "int", 1, minimum=1),
            Parameter("post_layers", "int", 1, minimum=1),
            flag("divide_input", False),
            activation("relu", optional=False),
            flag("train_norm", False),
        ),
        derived={"in_channels": "width", "deg": "degrees", "edge_dim": "edge_width"},
        left_out={"act_kwargs": "write the activation with its arguments: `act = leaky_relu(0.2)`", **FIXED_AGGR},
        bipartite=False,
        inputs=(EDGE_ATTR,),
        rules=(_towers, rules.some_degrees("scalers")),
        paper="Corso et al., Principal Neighbourhood Aggregation for Graph Nets, 2020",
    ),
    relation_layer(
        "GatedGraphConv",
        "Several rounds of message passing, each through the same gated recurrent unit.",
        parameters=(OUT_CHANNELS, Parameter("num_layers", "int", minimum=1), aggregation("add"), BIAS),
        bipartite=False,
        inputs=(EDGE_WEIGHT,),
        hops=rules.hops_from("num_layers"),
        rules=(rules.not_narrower("out_channels"),),
        paper="Li et al., Gated Graph Sequence Neural Networks, 2016",
    ),
    relation_layer(
        "WLConvContinuous",
        "Mean of the node itself and its weighted neighbours (continuous Weisfeiler-Lehman step).",
        left_out=FIXED_AGGR,
        width=rules.same_width,
        equal_pair=True,
        inputs=(EDGE_WEIGHT,),
        paper="Togninalli et al., Wasserstein Weisfeiler-Lehman Graph Kernels, 2019",
    ),
)
