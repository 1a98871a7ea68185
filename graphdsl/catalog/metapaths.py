"""Layers of models that learn from metapaths, or learn metapaths; modules of our own (`graphdsl.layers`)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphdsl.catalog import rules
from graphdsl.catalog.entry import Arguments, Entry, ForwardInput, Parameter, Problem
from graphdsl.catalog.parts import BIAS, CONCAT, DROPOUT, HEADS, NEGATIVE_SLOPE, OUT_CHANNELS, count, flag


def _quarters(arguments: Arguments, _width: int | None) -> Problem | None:
    """Queries and keys are a quarter as wide as the layer, and shared among the heads."""
    columns, heads = arguments["out_channels"], arguments["heads"]
    if columns % (4 * heads) == 0:
        return None
    lower = columns - columns % (4 * heads)
    nearest = f"{lower} or {lower + 4 * heads}" if lower else str(4 * heads)
    message = f"queries of {columns} / 4 columns cannot be shared among {heads} head{'s' if heads > 1 else ''}"
    return Problem("GNN302", message, "out_channels", f"use a width of {nearest}, a multiple of 4 × heads")


def _even(arguments: Arguments, width: int | None) -> Problem | None:
    """Rotation reads pairs of columns as complex numbers."""
    if arguments["encoder"] != "rotate" or width is None or width % 2 == 0:
        return None
    message = f"`rotate` reads columns in pairs, as complex numbers, and the input has {width}"
    return Problem("GNN204", message, "encoder", f"bring the types to {width + 1} columns, or use another encoder")


def _there_and_back(arguments: Arguments, _width: int | None) -> Problem | None:
    """A hypergraph layer reads one relation: which nodes lie in which hyperedges."""
    paths: Mapping[Any, Sequence[Any]] | None = arguments.get("paths")
    if paths is None:
        return None
    help_ = "declare `metapath M = node -[in]-> hyperedge <-[in]- node` and serve `M`"
    if len(paths) > 1:
        return Problem(
            "GNN312", f"one `HypergraphConv` reads one hypergraph, and the rule serves {len(paths)}", None, help_
        )
    ((name, hops),) = paths.items()
    if len(hops) == 2 and hops[0].edge == hops[1].edge and hops[0].backward != hops[1].backward:
        return None
    what = "is a single relation" if len(hops) == 1 else "does not go there and back along one relation"
    return Problem("GNN312", f"`HypergraphConv` reads nodes in hyperedges, and `{name[1]}` {what}", None, help_)


def _with_attention(arguments: Arguments, _width: int | None) -> Problem | None:
    """PyG ignores several heads without attention."""
    if arguments["use_attention"] or arguments["heads"] == 1:
        return None
    message = f"without attention there are no heads: PyG would ignore `heads = {arguments['heads']}`"
    return Problem("GNN204", message, "heads", "write `use_attention = true`, or leave `heads` out")


def _hypergraph_width(arguments: Arguments, width: int | None) -> int | None:
    return rules.heads_width(arguments, width) if arguments["use_attention"] else arguments["out_channels"]


def _channels_side_by_side(arguments: Arguments, _width: int | None) -> int | None:
    columns: int | None = arguments.get("out_channels")
    return None if columns is None else columns * arguments["num_channels"]


ENTRIES: Final = (
    Entry(
        "FastGTNConv",
        "conv",
        "graphdsl.layers.FastGTNConv",
        "Metapaths learned as soft choices of a relation at each hop; nothing is composed.",
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
    Entry(
        "GTNConv",
        "conv",
        "graphdsl.layers.GTNConv",
        "Graph convolution on metapath graphs that are learned, side by side; none is ever made.",
        parameters=(
            OUT_CHANNELS,
            Parameter("num_channels", "int", 2, minimum=1),
            Parameter("num_layers", "int", 2, minimum=1),
            BIAS,
        ),
        derived={"in_channels": "width", "metadata": "metadata"},
        width=_channels_side_by_side,
        scope="joint",
        hops=rules.hops_from("num_layers", less=-1),
        paper="Yun et al., Graph Transformer Networks, NeurIPS 2019",
    ),
    Entry(
        "HypergraphConv",
        "conv",
        "graphdsl.layers.HypergraphConv",
        "Nodes to hyperedges and back: along a metapath `node -[in]-> hyperedge <-[in]- node`.",
        parameters=(
            OUT_CHANNELS,
            flag("use_attention", False),
            Parameter("attention_mode", "string", "node", choices=("node", "edge")),
            HEADS,
            CONCAT,
            NEGATIVE_SLOPE,
            DROPOUT,
            BIAS,
        ),
        derived={"in_channels": "width", "paths": "paths"},
        width=_hypergraph_width,
        scope="walk",
        reads_stops_if=("use_attention",),
        rules=(_there_and_back, _with_attention),
        paper="Bai et al., Hypergraph Convolution and Hypergraph Attention, 2021",
    ),
    Entry(
        "MAGNNConv",
        "conv",
        "graphdsl.layers.MAGNNConv",
        "Attention among the instances of each metapath, all nodes on the way included, then among metapaths.",
        parameters=(
            OUT_CHANNELS,
            HEADS,
            Parameter("encoder", "string", "rotate", choices=("rotate", "mean", "linear")),
            Parameter("attention_channels", "int", 128, minimum=1),
            DROPOUT,
            Parameter("negative_slope", "float", 0.01),
            count("samples"),
            Parameter("seed", "int", 0),
        ),
        derived={"in_channels": "width", "paths": "paths", "budgets": "budgets"},
        width=rules.out_channels,
        scope="walk",
        reads_stops=True,
        partial=True,
        rules=(_even,),
        paper="Fu et al., MAGNN: Metapath Aggregated Graph Neural Network for Heterogeneous Graph Embedding, 2020",
    ),
    Entry(
        "NARSConv",
        "conv",
        "graphdsl.layers.NARSConv",
        "Features averaged over neighbours in subsets of relations, once, then weighed and mapped.",
        parameters=(
            OUT_CHANNELS,
            Parameter("num_hops", "int", 2, minimum=1),
            Parameter("num_subsets", "int", 8, minimum=1),
            Parameter("num_layers", "int", 2, minimum=1),
            DROPOUT,
            Parameter("input_dropout", "float", 0.0, minimum=0, below=1),
            Parameter("seed", "int", 0),
        ),
        derived={"in_channels": "width", "metadata": "metadata", "relation_groups": "groups"},
        width=rules.out_channels,
        scope="joint",
        partial=True,
        hops=rules.hops_from("num_hops"),
        paper="Yu et al., Scalable Graph Neural Networks for Heterogeneous Graphs, 2020",
    ),
    Entry(
        "SeHGNNConv",
        "conv",
        "graphdsl.layers.SeHGNNConv",
        "Features averaged along each metapath, once, then maps per metapath and attention among them.",
        parameters=(
            OUT_CHANNELS,
            Parameter("num_layers", "int", 2, minimum=1),
            HEADS,
            DROPOUT,
            Parameter("input_dropout", "float", 0.0, minimum=0, below=1),
            flag("residual", False),
        ),
        derived={"in_channels": "widths", "paths": "paths", "label_sizes": "label_sizes"},
        inputs=(ForwardInput("labels", "label"),),
        width=rules.out_channels,
        scope="walk",
        partial=True,
        rules=(_quarters,),
        paper="Yang et al., Simple and Efficient Heterogeneous Graph Neural Network, AAAI 2023",
    ),
)
